/**
 * Compares two stores by random commands: each command is sent to both, and then every answer, schedule, run, history row
 * and node row must be the same, whole.
 *
 * @module
 * @since 0.1.0
 */
import { Effect } from "effect"
import type { JobStoreError, JobStoreService } from "../JobStore.ts"
import { type AssertionFailure, check, checkThat, isSame } from "./internal/check.ts"
import { type Command, send } from "./internal/model/command.ts"
import { makeGenerator } from "./internal/model/generate.ts"
import { countOf } from "./internal/model/periodic.ts"
import { Seeded } from "./internal/random.ts"
import { type Dump, dump, violations } from "./Invariants.ts"

/**
 * What a sequence of commands came to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Summary {
  /** How many commands of each kind were sent. */
  readonly commands: Readonly<Record<string, number>>
  /** What the stores held at the end. */
  readonly end: Dump
}

/**
 * Sends a seeded sequence of commands to two empty stores and compares them after each: schedules put, replaced, updated,
 * paused, resumed and removed, runs by hand and with unique texts, firing, claims with limits, ends, retries, releases,
 * late and repeated reports, progress, cancels, nodes that come, go and die, reapers, janitors, pages, and a clock that
 * sometimes goes back. The invariants are checked as well. Fails with the seed, the commands up to the first difference,
 * and what differs.
 *
 * **Example** (Comparing a store with the specification)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { MemoryJobStore } from "effect-scheduler"
 * import { NaiveJobStore, StoreModel } from "effect-scheduler/testing"
 *
 * const program = Effect.gen(function* () {
 *   const model = yield* NaiveJobStore.make
 *   const subject = yield* MemoryJobStore.make()
 *   const { commands } = yield* StoreModel.compare({ model, subject, seed: 1, length: 50 })
 *   return Object.values(commands).reduce((sum, count) => sum + count, 0)
 * })
 *
 * Effect.runSync(program) // => 50
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const compare = (options: {
  readonly model: JobStoreService
  readonly subject: JobStoreService
  /** A whole number: the same one gives the same commands. */
  readonly seed: number
  /** How many commands. */
  readonly length: number
  /** How all that the subject holds is read, as `Invariants.dump` does it page by page unless there is a faster way. */
  readonly read?: Effect.Effect<Dump, JobStoreError> | undefined
}): Effect.Effect<Summary, JobStoreError | AssertionFailure> =>
  Effect.gen(function* () {
    const { length, model, seed, subject } = options
    const read = options.read ?? dump(subject)
    const forget = seed % 2 === 0
    const generate = makeGenerator(new Seeded(seed), { forget })
    const commands: Record<string, number> = {}
    const sent: Array<Command> = []
    let state = yield* dump(model)
    for (let step = 1; step <= length; step++) {
      const command = generate(state)
      commands[command._tag] = (commands[command._tag] ?? 0) + 1
      sent.push(command)
      const where = () => `seed ${seed}, command ${step}:\n${sent.slice(-8).map(print).join("\n")}`
      const expected = yield* send(model, command)
      const answer = yield* send(subject, command)
      const [previous, actual] = [state, yield* read]
      state = yield* dump(model)
      const wrong = violations(actual, { count: countOf, wholeHistory: !forget, previous })
      if (!isSame(answer, expected)) yield* check(answer, expected, `the answer differs, ${where()}`)
      if (!isSame(actual, state)) yield* check(actual, state, `the rows differ, ${where()}`)
      if (wrong.length > 0) yield* checkThat(false, `${wrong.join("\n")}\n${where()}`)
    }
    return { commands, end: state }
  })

const print = (command: Command): string => `  ${JSON.stringify(command)}`
