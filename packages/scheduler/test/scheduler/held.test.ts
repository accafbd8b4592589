import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Job, Scheduler } from "../../src/index.ts"
import { settled, steered } from "./support.ts"

class Quick extends Job.make("Quick") {}

/** What a scheduler with two slots has in history of many runs that end at once, after so many claims no other answers. */
const storedOf = (many: number, answered: number) => {
  const store = steered()
  let ran = 0
  const quick = Effect.sync(() => {
    if (++ran === 2 * answered) store.trouble("claim", "hang", 1)
  })
  const layer = Layer.provideMerge(
    Quick.toLayer(() => quick),
    Scheduler.layer({ stores: { default: store.layer }, maxRunning: 2 })
  )
  return Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const runs = Array.from({ length: many }, () => undefined)
    yield* scheduler.enqueueAll(Quick, runs)
    yield* TestClock.adjust("50 millis")
    yield* settled
    const { items } = yield* scheduler.history()
    // The claim without an answer ends, so that the scheduler can.
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(ran, many)
    return items.length
  }).pipe(Effect.provide(layer))
}

describe("what ended while more is due", () => {
  it.effect("is stored when all is started", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* storedOf(33, Infinity), 33)
    })
  )

  for (const answered of [1, 9, 10, 11, 20, 21]) {
    it.effect(`is stored after 50 ms though after ${answered} claims the next has no answer`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* storedOf(99, answered), 2 * answered)
      })
    )
  }
})
