import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobStore, MemoryJobStore, Scheduler, Trigger } from "../../src/index.ts"
import { OffsetClock } from "../../src/testing/index.ts"
import { build, listen, settled, steered } from "./support.ts"

class Tick extends Job.make("Tick") {}

/** A scheduler on a store that passes over what others have locked, and the instants at which its handler ran. */
const world = () => {
  const store = steered({ shared: true })
  const ran = { count: 0 }
  const layer = Layer.provideMerge(
    Tick.toLayer(() => Effect.sync(() => ran.count++)),
    Scheduler.layer({ stores: { default: store.layer }, pollInterval: "1 second", lease: "1 hour" })
  )
  return { store, ran, layer }
}

describe("what is due and locked by another node", () => {
  it.effect("has the firer ask after a time that grows to the poll interval, and is fired when it is free", () => {
    const { layer, ran, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      store.trouble("fire", "locked")
      yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 hour", { start: 0 }) })
      yield* settled
      const before = store.calls("fire")
      yield* TestClock.adjust("1 second")
      const first = store.calls("fire") - before
      yield* TestClock.adjust("10 seconds")
      const later = store.calls("fire") - before - first
      // 5, 10, 20 … 640 ms, and then a second each.
      assert.isTrue(first >= 5 && first <= 9, `${first} calls in the first second`)
      assert.isTrue(later >= 8 && later <= 12, `${later} calls in the ten after it`)
      assert.strictEqual(ran.count, 0)
      store.heal()
      yield* TestClock.adjust("1100 millis")
      assert.strictEqual(ran.count, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("has the claimer ask after a time that grows to the poll interval, and is run when it is free", () => {
    const { layer, ran, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      store.trouble("claim", "locked")
      yield* scheduler.enqueue(Tick)
      yield* settled
      const before = store.calls("claim")
      yield* TestClock.adjust("1 second")
      const first = store.calls("claim") - before
      yield* TestClock.adjust("10 seconds")
      const later = store.calls("claim") - before - first
      assert.isTrue(first >= 5 && first <= 9, `${first} calls in the first second`)
      assert.isTrue(later >= 8 && later <= 12, `${later} calls in the ten after it`)
      assert.strictEqual(ran.count, 0)
      store.heal()
      yield* TestClock.adjust("1100 millis")
      assert.strictEqual(ran.count, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is asked for at once when something changes, and then soon again", () => {
    const { layer, ran, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      store.trouble("claim", "locked")
      store.trouble("fire", "locked")
      yield* scheduler.enqueue(Tick)
      yield* scheduler.schedule(Tick, { id: "a", trigger: Trigger.every("1 hour", { start: 0 }) })
      yield* TestClock.adjust("10 seconds")
      const calls = () => [store.calls("fire"), store.calls("claim")] as const
      const before = calls()
      yield* scheduler.enqueue(Tick)
      yield* scheduler.schedule(Tick, { id: "b", trigger: Trigger.every("1 hour", { start: 0 }) })
      yield* settled
      assert.isAbove(calls()[0], before[0])
      assert.isAbove(calls()[1], before[1])
      const rung = calls()
      yield* TestClock.adjust("50 millis")
      assert.isAtLeast(calls()[0], rung[0] + 2)
      assert.isAtLeast(calls()[1], rung[1] + 2)
      store.heal()
      yield* scheduler.enqueue(Tick)
      yield* settled
      assert.strictEqual(ran.count, 3)
    }).pipe(Effect.provide(layer))
  })
})

describe("what becomes due between a look that found nothing and the question when to look again", () => {
  for (const method of ["fire", "claim"] as const) {
    it.effect(`is nobody else's, and is had at once: ${method}`, () =>
      Effect.gen(function* () {
        const inner = yield* MemoryJobStore.make()
        const clock = yield* build(OffsetClock.layer)
        // A timer ends a little early now and then, and the clock moves on to the next millisecond after the look.
        const { jump } = Context.get(clock, OffsetClock.OffsetClock)
        let moves = false
        const then = <A, E>(name: string, call: Effect.Effect<A, E>) =>
          Effect.tap(call, () => {
            if (!moves || name !== method) return Effect.void
            moves = false
            return jump(1)
          })
        const store = JobStore.JobStore.of({
          ...inner,
          fire: (params) => then("fire", inner.fire(params)),
          claim: (params) => then("claim", inner.claim(params))
        })
        let count = 0
        const context = yield* build(
          Layer.provideMerge(
            Tick.toLayer(() => Effect.sync(() => count++)),
            Scheduler.layer({ stores: { default: Layer.succeed(JobStore.JobStore, store) } })
          ).pipe(Layer.provide(Layer.succeedContext(clock)))
        )
        const scheduler = Context.get(context, Scheduler)
        if (method === "fire") yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.at(1_000) })
        else yield* scheduler.enqueue(Tick, undefined, { at: 1_000 })
        yield* settled
        yield* jump(-1)
        moves = true
        yield* TestClock.adjust("1 second")
        assert.isFalse(moves)
        assert.strictEqual(count, 1)
      })
    )
  }
})

describe("a store that others are in the way of", () => {
  it.effect("is well for as long as a call may take, and is called degraded after it, until the call succeeds", () => {
    const { layer, ran, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const seen = yield* listen(scheduler)
      const told = () => seen.map(({ _tag }) => _tag).filter((tag) => tag.startsWith("Store"))
      store.trouble("claim", "busy")
      yield* scheduler.enqueue(Tick)
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(told(), [])
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(told(), ["StoreDegraded"])
      store.heal()
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(told(), ["StoreDegraded", "StoreRecovered"])
      assert.strictEqual(ran.count, 1)
    }).pipe(Effect.provide(layer), Effect.scoped)
  })

  it.effect("is well where calls succeed between those that fail", () => {
    const { layer, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const seen = yield* listen(scheduler)
      for (let n = 0; n < 6; n++) {
        store.trouble("claim", "busy", 2)
        yield* scheduler.enqueue(Tick)
        yield* TestClock.adjust("3 seconds")
      }
      assert.notInclude(
        seen.map(({ _tag }) => _tag),
        "StoreDegraded"
      )
    }).pipe(Effect.provide(layer), Effect.scoped)
  })
})
