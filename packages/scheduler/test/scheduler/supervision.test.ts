import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobStore, Scheduler, Trigger } from "../../src/index.ts"
import { build, listen, type Method, only, settled, steered, type Trouble } from "./support.ts"

class Work extends Job.make("Work", { payload: { n: Schema.Finite }, success: Schema.Finite }) {}

/** So that little time has to pass. */
const quick = {
  drainDeadline: 0,
  pollInterval: "10 seconds",
  janitorInterval: "5 seconds",
  lease: "6 seconds"
} as const

/** A scheduler on a store that does as it is told, and what its handler was called with. */
const world = (options: { readonly shared?: boolean } = {}) => {
  const store = steered(options)
  const ran: Array<number> = []
  const work = Work.toLayer(({ n }) =>
    Effect.as(
      Effect.sync(() => ran.push(n)),
      n
    )
  )
  const layer = Layer.provideMerge(work, Scheduler.layer({ stores: { default: store.layer }, ...quick }))
  return { store, ran, layer }
}

/** Everything a node does, once. */
const day = Effect.fnUntraced(function* (from: number) {
  const scheduler = yield* Scheduler
  const ids = yield* scheduler.enqueueAll(Work, [{ n: from }, { n: from + 1 }, { n: from + 2 }])
  yield* scheduler.schedule(Work, {
    id: `day ${from}`,
    payload: { n: from + 3 },
    trigger: Trigger.every("1 second"),
    maxRuns: 2
  })
  return ids
})

describe("a loop that dies is started again, and a subscriber hears of it", () => {
  const loops: ReadonlyArray<readonly [fiber: string, method: Method]> = [
    ["firer", "fire"],
    ["firer", "wake"],
    ["claimer", "wake"],
    ["finisher", "finish"],
    ["heart", "register"],
    ["reaper", "reap"],
    ["janitor", "maintain"]
  ]
  for (const [fiber, method] of loops) {
    it.effect(`${fiber}, by ${method}`, () => {
      const { layer, ran, store } = world({ shared: true })
      return Effect.gen(function* () {
        store.trouble(method, "die", 3)
        const context = yield* build(layer)
        const scheduler = Context.get(context, Scheduler)
        const events = yield* listen(scheduler)
        yield* Effect.provide(day(0), context)
        yield* TestClock.adjust("30 seconds")
        const restarted = only(events, "FiberRestarted").filter((event) => event.fiber === fiber)
        assert.isAtLeast(restarted.length, 1)
        assert.include(restarted[0]!.message, `${method} was told to die`)
        assert.strictEqual(restarted[0]!.store, "default")
        assert.deepStrictEqual(ran.toSorted(), [0, 1, 2, 3, 3])
        assert.strictEqual(store.calls("finish") > 0, true)
        assert.strictEqual((yield* scheduler.runs()).items.length, 0)
      })
    })
  }

  it.effect("deadlines, which call no store, do not die of what a handler does when they interrupt it", () =>
    Effect.gen(function* () {
      const context = yield* build(
        Layer.provideMerge(
          Work.toLayer(() => Effect.onInterrupt(Effect.never, () => Effect.die("while it was interrupted"))),
          Scheduler.layer({ drainDeadline: 0 })
        )
      )
      const scheduler = Context.get(context, Scheduler)
      const events = yield* listen(scheduler)
      yield* scheduler.enqueue(Work, { n: 1 })
      yield* TestClock.adjust("61 minutes")
      assert.deepStrictEqual(only(events, "FiberRestarted"), [])
      assert.strictEqual(only(events, "RunFailed").length, 1)
    })
  )

  it.effect("a store that dies of what cannot be logged does not end a loop", () => {
    class Unprintable extends Error {
      override get message(): string {
        throw new Error("no message")
      }
    }
    const store = steered({ shared: true })
    const fire = store.store.fire
    let calls = 0
    const odd = JobStore.JobStore.of({
      ...store.store,
      fire: (params) => (calls++ < 2 ? Effect.die(new Unprintable()) : fire(params))
    })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      yield* TestClock.adjust("10 seconds")
      assert.isAbove(calls, 2)
      assert.include(only(events, "FiberRestarted")[0]?.message, "cannot be printed")
    }).pipe(
      Effect.provide(Scheduler.layer({ drainDeadline: 0, stores: { default: Layer.succeed(JobStore.JobStore, odd) } }))
    )
  })

  it.effect("a store that interrupts its caller does not end a loop", () => {
    const { layer, ran, store } = world()
    return Effect.gen(function* () {
      const events = yield* listen(yield* Scheduler)
      for (const method of ["fire", "wake", "finish", "maintain"] as const) store.trouble(method, "interrupt", 2)
      yield* day(0)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(ran.toSorted(), [0, 1, 2, 3, 3])
      assert.isAtLeast(only(events, "FiberRestarted").length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("with a delay that doubles to 30 s while it keeps dying, and begins anew after it was well", () => {
    const { layer, store } = world()
    return Effect.gen(function* () {
      const events = yield* listen(yield* Scheduler)
      yield* TestClock.adjust("1 minute")
      store.trouble("fire", "die")
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Work, { id: "x", payload: { n: 1 }, trigger: Trigger.every("1 hour") })
      yield* TestClock.adjust("5 minutes")
      const at = only(events, "FiberRestarted").map((event) => event.at)
      const gaps = at.slice(1).map((instant, i) => instant - at[i]!)
      assert.deepStrictEqual(gaps.slice(0, 10), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000])
      store.heal()
      yield* TestClock.adjust("5 minutes")
      const before = only(events, "FiberRestarted").length
      store.trouble("fire", "die", 2)
      yield* TestClock.adjust("2 hours")
      const later = only(events, "FiberRestarted")
        .slice(before)
        .map((event) => event.at)
      assert.strictEqual(later[1]! - later[0]!, 100)
    }).pipe(Effect.provide(layer))
  })
})

describe("a store that does not answer as it should is told of, and nothing is lost", () => {
  const methods: ReadonlyArray<Method> = [
    "fire",
    "claim",
    "finish",
    "wake",
    "maintain",
    "heartbeat",
    "register",
    "reap"
  ]
  const troubles: ReadonlyArray<Trouble> = ["fail", "hang", "stubborn", "doThenFail", "doThenHang", "full"]
  for (const method of methods) {
    for (const trouble of troubles) {
      it.effect(`${method}: ${trouble}`, () => {
        const { layer, ran, store } = world({ shared: true })
        return Effect.gen(function* () {
          const scope = yield* Scope.make()
          if (method === "register") store.trouble(method, trouble, 3)
          const context = yield* Layer.buildWithScope(layer, scope)
          const scheduler = Context.get(context, Scheduler)
          const events = yield* listen(scheduler)
          yield* settled
          if (method !== "register") store.trouble(method, trouble, 3)
          const ids = yield* Effect.provide(day(0), context)
          yield* TestClock.adjust("70 seconds")
          const degraded = only(events, "StoreDegraded")
          const recovered = only(events, "StoreRecovered")
          assert.strictEqual(degraded.length, method === "register" ? degraded.length : 1)
          assert.strictEqual(recovered.length, 1)
          for (const event of degraded) assert.strictEqual(event.method, method)
          assert.isAbove(recovered[0]!.after, 0)
          assert.deepStrictEqual(ran.toSorted(), [0, 1, 2, 3, 3])
          for (const id of ids) {
            assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", failures: 0, recoveries: 0 })
          }
          assert.strictEqual((yield* scheduler.history({ outcome: "succeeded" })).items.length, 5)
          yield* Scope.close(scope, Exit.void)
        })
      })
    }
  }

  it.effect("once, until all that failed is well again, and logged", () => {
    const { layer, store } = world()
    const logged: Array<string> = []
    const logger = Logger.layer([Logger.make(({ logLevel, message }) => void logged.push(`${logLevel} ${message}`))])
    return Effect.gen(function* () {
      const events = yield* listen(yield* Scheduler)
      yield* settled
      store.trouble("finish", "fail")
      yield* day(0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(only(events, "StoreDegraded").length, 1)
      assert.deepStrictEqual(only(events, "StoreRecovered"), [])
      store.heal()
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(only(events, "StoreRecovered").length, 1)
      const { after } = only(events, "StoreRecovered")[0]!
      assert.isAbove(after, 60_000)
      assert.deepStrictEqual(logged, [
        'Warn Store "default" is degraded: finish failed (Unavailable): finish was told to fail',
        `Info Store "default" has recovered after ${after} ms`
      ])
    }).pipe(Effect.provide(Layer.provide(layer, logger)))
  })

  it.effect("and the verbs answer with its error, in time", () => {
    const { layer, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      store.trouble("enqueue", "hang")
      const fiber = yield* Effect.forkChild(Effect.flip(scheduler.enqueue(Work, { n: 1 })))
      yield* TestClock.adjust("5 seconds")
      const error = fiber.pollUnsafe()
      assert.isTrue(error !== undefined && Exit.isSuccess(error))
      const { value } = error as Exit.Success<unknown>
      assert.deepInclude(value, { _tag: "JobStoreError", reason: "Timeout", method: "enqueue" })
      assert.strictEqual((value as Error).message, 'enqueue of store "default" (memory) did not answer within 5000 ms')
      assert.strictEqual(only(events, "StoreDegraded").length, 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("a renewal that is not answered", () => {
  it.effect("is told of in whole milliseconds", () => {
    const store = steered({ shared: true })
    return Effect.gen(function* () {
      const events = yield* listen(yield* Scheduler)
      store.trouble("heartbeat", "hang")
      yield* TestClock.adjust("1 second")
      assert.match(only(events, "StoreDegraded")[0]!.message, /did not answer within 167 ms$/)
      store.heal()
    }).pipe(Effect.provide(Scheduler.layer({ lease: "1 second", drainDeadline: 0, stores: { default: store.layer } })))
  })
})

describe("a claim whose answer was lost", () => {
  it.effect("is made good by asking what the store has for this node: nothing is lost, nothing runs twice", () => {
    const { layer, ran, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      store.trouble("claim", "doThenFail", 1)
      yield* scheduler.enqueueAll(Work, [{ n: 1 }, { n: 2 }])
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.deepStrictEqual(ran, [1, 2])
      assert.deepStrictEqual(
        only(events, "RunStarted").map((event) => event.attempt),
        [1, 1]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("and that took its runs only after it had timed out, is made good too", () => {
    const { layer, ran, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* settled
      store.trouble("claim", "lateStubborn", 1)
      yield* scheduler.enqueue(Work, { n: 1 })
      yield* TestClock.adjust("4 seconds")
      store.trouble("claim", "hang")
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(ran, [])
      store.heal()
      yield* TestClock.adjust("7 seconds")
      assert.deepStrictEqual(ran, [1])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran, [1])
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not let more run than may, for longer than what was claimed unseen runs", () => {
    const store = steered()
    let running = 0
    let most = 0
    const busy = Work.toLayer(({ n }) =>
      Effect.acquireUseRelease(
        Effect.sync(() => (most = Math.max(most, ++running))),
        () => Effect.as(Effect.sleep("10 seconds"), n),
        () => Effect.sync(() => running--)
      )
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* settled
      store.trouble("claim", "doThenFail", 1)
      yield* scheduler.enqueueAll(
        Work,
        Array.from({ length: 9 }, (_, n) => ({ n }))
      )
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(most, 3)
      assert.strictEqual((yield* scheduler.history()).items.length, 9)
    }).pipe(
      Effect.provide(
        Layer.provideMerge(busy, Scheduler.layer({ stores: { default: store.layer }, maxRunning: 3, drainDeadline: 0 }))
      )
    )
  })
})

describe("a finish whose answer was lost", () => {
  it.effect("is sent again, and the run ends once", () => {
    const { layer, ran, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      store.trouble("finish", "doThenHang", 2)
      const id = yield* scheduler.enqueue(Work, { n: 1 })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(ran, [1])
      assert.strictEqual(only(events, "RunSucceeded").length, 1)
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", attempt: 1 })
      assert.strictEqual((yield* scheduler.history()).items.length, 1)
    }).pipe(Effect.provide(layer))
  })
})
