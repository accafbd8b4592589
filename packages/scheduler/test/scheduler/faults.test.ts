import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Effect, Layer, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, JobStore, MemoryJobStore, Scheduler, Trigger } from "../../src/index.ts"
import { FaultyStore, Invariants } from "../../src/testing/index.ts"
import { build, patiently } from "./support.ts"

class Steady extends Job.make("Steady", { payload: { n: Schema.Finite } }) {}
class Shaky extends Job.make("Shaky", { retry: Schedule.spaced("2 seconds").pipe(Schedule.upTo({ times: 3 })) }) {}
class Keyed extends Job.make("Keyed", { payload: { key: Schema.String }, key: ({ key }) => key }) {}
class Narrow extends Job.make("Narrow", { concurrency: 2 }) {}

const rhythms = {
  steady: Trigger.every("1 second"),
  shaky: Trigger.every("3 seconds"),
  narrow: Trigger.every("2 seconds")
}

/** Nodes on one store whose calls go wrong for two minutes, each in its own way; then a minute in which they do not. */
const storm = (seed: number, nodes: number) =>
  Effect.gen(function* () {
    const below = yield* MemoryJobStore.make()
    const shared: JobStore.JobStoreService = { ...below, shared: nodes > 1 }
    const executions: Array<{ readonly run: string; readonly attempt: number }> = []
    const running = new Map<string, number>()
    const overlaps: Array<string> = []
    /** A handler that is in no other execution of the same name. */
    const alone = (name: string, most: number, work: Effect.Effect<void>) =>
      Effect.acquireUseRelease(
        Effect.gen(function* () {
          const { attempt, id } = yield* JobRun.current
          executions.push({ run: id, attempt })
          const count = (running.get(name) ?? 0) + 1
          running.set(name, count)
          if (count > most) overlaps.push(`${count} of ${name}`)
        }),
        () => work,
        () => Effect.sync(() => running.set(name, running.get(name)! - 1))
      )
    let n = seed
    const live = Layer.mergeAll(
      Steady.toLayer(({ n }) => alone("steady", Infinity, Effect.sleep(`${(n % 5) * 100} millis`))),
      Shaky.toLayer(() => alone("shaky", Infinity, n++ % 3 === 0 ? Effect.void : Effect.die("shaky"))),
      Keyed.toLayer(({ key }) => alone(`key ${key}`, 1, Effect.sleep("700 millis"))),
      Narrow.toLayer(() => alone("narrow", 2, Effect.sleep("3 seconds")))
    )
    const all: Array<FaultyStore.Faults["Service"]> = []
    const schedulers: Array<Scheduler["Service"]> = []
    for (let node = 0; node < nodes; node++) {
      const { faults, store } = FaultyStore.make(shared, {
        seed: seed * 10 + node,
        probability: 0.3,
        delay: "400 millis"
      })
      all.push(faults)
      const context = yield* build(
        Layer.provideMerge(
          live,
          Scheduler.layer({
            stores: { default: Layer.succeed(JobStore.JobStore, store) },
            lease: "20 seconds",
            storeTimeout: "1 second",
            drainDeadline: 0
          })
        )
      )
      schedulers.push(Context.get(context, Scheduler))
    }
    const created: Array<string> = []
    const insist = Effect.retry({ schedule: Schedule.spaced("500 millis") })
    const scheduler = (i: number) => schedulers[i % nodes]!
    yield* Effect.forkChild(
      Effect.gen(function* () {
        yield* insist(
          scheduler(0).schedule(Steady, {
            id: "steady",
            trigger: rhythms.steady,
            payload: { n: 1 },
            overlap: "bufferAll"
          })
        )
        yield* insist(scheduler(1).schedule(Shaky, { id: "shaky", trigger: rhythms.shaky, overlap: "bufferOne" }))
        yield* insist(scheduler(2).schedule(Narrow, { id: "narrow", trigger: rhythms.narrow, overlap: "allow" }))
      })
    )
    for (let i = 0; i < 60; i++) {
      yield* Effect.forkChild(
        Effect.map(
          insist(scheduler(i).enqueue(Keyed, { key: String(i % 3) }, { idempotencyKey: `i${i}` })),
          (id) => void created.push(id)
        )
      )
      yield* TestClock.adjust("2 seconds")
    }
    for (const faults of all) yield* faults.enable(false)
    yield* TestClock.adjust("5 seconds")
    for (const id of Object.keys(rhythms)) yield* Effect.ignore(scheduler(0).pause(id))
    yield* TestClock.adjust("90 seconds")
    const dump = yield* Invariants.dump(below)
    const violations = Invariants.violations(dump, {
      executions,
      created,
      finished: true,
      wholeHistory: true,
      count: (row) => {
        const trigger = Trigger.anchor(rhythms[row.id as keyof typeof rhythms], row.anchor)
        return Trigger.count(trigger, DateTime.makeUnsafe(row.firstWatermark), DateTime.makeUnsafe(row.watermark))
      }
    })
    return { violations, overlaps, created, dump }
  })

describe("with a store that fails, answers late, or never, or after it did its work", () => {
  for (const nodes of [1, 3]) {
    for (const seed of [1, 2, 3, 4]) {
      it.effect(`every invariant holds (${nodes} nodes, seed ${seed})`, () =>
        patiently(
          Effect.gen(function* () {
            const { created, dump, overlaps, violations } = yield* storm(seed, nodes)
            assert.deepStrictEqual(violations, [])
            assert.deepStrictEqual(overlaps, [])
            assert.strictEqual(new Set(created).size, 60)
            assert.isAbove(dump.history.length, 150)
          })
        )
      )
    }
  }
})
