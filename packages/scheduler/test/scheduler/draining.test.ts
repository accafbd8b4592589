import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Latch, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRegistry, JobStore, Scheduler, Trigger } from "../../src/index.ts"
import type { SchedulerOptions } from "../../src/SchedulerOptions.ts"
import { listen, only, settled, steered } from "./support.ts"

class Work extends Job.make("Work") {}

/** Something that a handler uses and that its layer closes. */
class Connection extends Context.Service<Connection, { readonly use: Effect.Effect<void> }>()("test/Connection") {}

/** A handler that uses its connection to the very end, and what happened in which order. */
const makeWorld = (seconds: number) => {
  const log: Array<string> = []
  const connection = Layer.effect(
    Connection,
    Effect.gen(function* () {
      let open = true
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          open = false
          log.push("closed")
        })
      )
      return { use: Effect.sync(() => void log.push(open ? "used" : "used after its end")) }
    })
  )
  const work = Work.toLayer(
    Effect.fn(function* () {
      const { use } = yield* Connection
      yield* use
      yield* Effect.ensuring(Effect.sleep(seconds * 1_000), use)
    })
  ).pipe(Layer.provide(connection))
  return { log, work }
}

/** A store in memory of which it takes long until it hears of changes. */
const slowToListen = () => {
  const { store } = steered()
  const listens = Latch.makeUnsafe()
  const subscribe: typeof store.subscribe = (listener) => Effect.andThen(listens.await, store.subscribe(listener))
  const slow = new Proxy(store, {
    get: (target, key) => (key === "subscribe" ? subscribe : target[key as keyof typeof target])
  })
  return { layer: Layer.succeed(JobStore.JobStore, slow), listens }
}

type Options = SchedulerOptions<{ readonly default: Layer.Layer<JobStore.JobStore> }>

/** The three ways in which a program can put a job's layer and the scheduler's together. */
const orders = {
  "the job above the scheduler": (work: Layer.Layer<never, never, JobRegistry>, options: Options) =>
    Layer.provideMerge(work, Scheduler.layer(options)),
  "the job below the scheduler": (work: Layer.Layer<never, never, JobRegistry>, options: Options) =>
    Scheduler.layer(options).pipe(Layer.provideMerge(work), Layer.provideMerge(JobRegistry.layer)),
  "the job beside the scheduler": (work: Layer.Layer<never, never, JobRegistry>, options: Options) =>
    // @effect-diagnostics-next-line layerMergeAllWithDependencies:off
    Layer.mergeAll(work, Scheduler.layer(options)).pipe(Layer.provide(JobRegistry.layer))
} as const

const open = <A, E>(layer: Layer.Layer<A, E>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
    return { context, close: Scope.close(scope, Exit.void) }
  })

for (const [order, compose] of Object.entries(orders)) {
  describe(`with ${order}`, () => {
    it.effect("a scoped service outlives the run that uses it, and the run ends in its time", () =>
      Effect.gen(function* () {
        const store = steered()
        const { log, work } = makeWorld(20)
        const { close, context } = yield* open(compose(work, { stores: { default: store.layer } }))
        const scheduler = Context.get(context, Scheduler)
        const id = yield* scheduler.enqueue(Work)
        yield* settled
        const closing = yield* Effect.forkChild(close)
        yield* TestClock.adjust("19 seconds")
        assert.deepStrictEqual(log, ["used"])
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(closing)
        assert.deepStrictEqual(log, ["used", "used", "closed"])
        const { ended } = yield* store.store.getRuns({ ids: [id] })
        assert.strictEqual(ended[0]?.outcome, "succeeded")
      })
    )

    it.effect("a run past the drain deadline is interrupted, given back, and run again by the next start", () =>
      Effect.gen(function* () {
        const store = steered()
        const options = { stores: { default: store.layer }, drainDeadline: "5 seconds" } as const
        const { log, work } = makeWorld(20)
        const first = yield* open(compose(work, options))
        const id = yield* Context.get(first.context, Scheduler).enqueue(Work)
        yield* settled
        const closing = yield* Effect.forkChild(first.close)
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(closing)
        assert.deepStrictEqual(log, ["used", "used", "closed"])
        const { unfinished } = yield* store.store.getRuns({ ids: [id] })
        assert.deepInclude(unfinished[0], { state: "pending", attempt: 1, failures: 0, recoveries: 0 })

        const again = makeWorld(20)
        const second = yield* open(compose(again.work, options))
        yield* TestClock.adjust("20 seconds")
        const { ended } = yield* store.store.getRuns({ ids: [id] })
        assert.deepInclude(ended[0], { outcome: "succeeded", attempt: 2, failures: 0, recoveries: 0 })
        yield* second.close
      })
    )

    it.effect("nothing asks the store any more once it is closed", () =>
      Effect.gen(function* () {
        const store = steered()
        const { work } = makeWorld(1)
        const { close, context } = yield* open(compose(work, { stores: { default: store.layer } }))
        yield* Context.get(context, Scheduler).enqueue(Work)
        yield* TestClock.adjust("2 seconds")
        yield* close
        const calls = () => (["fire", "claim", "wake", "maintain", "held"] as const).map(store.calls)
        const before = calls()
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(calls(), before)
      })
    )
  })
}

const program = (seconds: number, options: Partial<Options> = {}) => {
  const store = steered()
  const { log, work } = makeWorld(seconds)
  const layer = Layer.provideMerge(work, Scheduler.layer({ ...options, stores: { default: store.layer } }))
  return { store, log, layer }
}

describe("drain", () => {
  it.effect("with zero interrupts what runs at once", () => {
    const { layer, log } = program(20)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Work)
      yield* settled
      yield* scheduler.drain(0)
      assert.deepStrictEqual(log, ["used", "used"])
      assert.strictEqual((yield* scheduler.runs()).items[0]?.state, "pending")
    }).pipe(Effect.provide(layer))
  })

  it.effect("with a deadline gives what runs so much time", () => {
    const { layer, log } = program(20)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Work)
      yield* settled
      const draining = yield* Effect.forkChild(scheduler.drain("10 seconds"))
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(log, ["used"])
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(draining)
      assert.deepStrictEqual(log, ["used", "used"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("with Infinity waits as long as it takes", () => {
    const { layer } = program(3_000)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Work)
      yield* settled
      const draining = yield* Effect.forkChild(scheduler.drain(Infinity))
      yield* TestClock.adjust("49 minutes")
      assert.isUndefined(draining.pollUnsafe())
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(draining)
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "succeeded")
    }).pipe(Effect.provide(layer))
  })

  it.effect("twice is one drain, which ends at the nearer of both deadlines", () => {
    const { layer, log } = program(3_000)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      yield* scheduler.enqueue(Work)
      yield* settled
      const patient = yield* Effect.forkChild(scheduler.drain(Infinity))
      yield* TestClock.adjust("1 second")
      const hasty = yield* Effect.forkChild(scheduler.drain("2 seconds"))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(hasty.pollUnsafe())
      assert.deepStrictEqual(log, ["used"])
      yield* TestClock.adjust("1 second")
      yield* Fiber.joinAll([patient, hasty])
      yield* settled
      assert.deepStrictEqual(log, ["used", "used"])
      assert.strictEqual(only(events, "SchedulerStopped").length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("goes on when nobody waits for it any more", () => {
    const { layer, log } = program(3_000)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Work)
      yield* settled
      const waiting = yield* Effect.forkChild(scheduler.drain("10 seconds"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(waiting)
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(log, ["used", "used"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is followed by a start that waits for its end, and then runs what was given back", () => {
    const { layer, log } = program(20)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const id = yield* scheduler.enqueue(Work)
      yield* settled
      const draining = yield* Effect.forkChild(scheduler.drain("5 seconds"))
      yield* TestClock.adjust("1 second")
      const starting = yield* Effect.forkChild(scheduler.start)
      yield* TestClock.adjust("3 seconds")
      assert.isUndefined(starting.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.joinAll([draining, starting])
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(log, ["used", "used", "used", "used"])
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", attempt: 2 })
      assert.deepStrictEqual(
        events.map((event) => event._tag).filter((tag) => tag.startsWith("Scheduler")),
        ["SchedulerStopped", "SchedulerStarted"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("of a scheduler that was never started does nothing", () => {
    const { layer } = program(20, { autoStart: false })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      yield* scheduler.drain(0)
      yield* settled
      assert.deepStrictEqual(events, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives back what a claim brings that was under way", () => {
    const { layer, log, store } = program(20)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      store.trouble("claim", 2_000)
      const id = yield* scheduler.enqueue(Work)
      yield* TestClock.adjust("1 second")
      const draining = yield* Effect.forkChild(scheduler.drain())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(draining)
      assert.deepStrictEqual(log, [])
      const { unfinished } = yield* store.store.getRuns({ ids: [id] })
      assert.deepInclude(unfinished[0], { state: "pending", node: null, attempt: 1 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives back what a claim took whose answer never came", () => {
    const { layer, log, store } = program(20)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      store.trouble("claim", "doThenHang")
      const id = yield* scheduler.enqueue(Work)
      yield* TestClock.adjust("1 second")
      const draining = yield* Effect.forkChild(scheduler.drain())
      yield* TestClock.adjust("4 seconds")
      yield* Fiber.join(draining)
      assert.deepStrictEqual(log, [])
      const { unfinished } = yield* store.store.getRuns({ ids: [id] })
      assert.deepInclude(unfinished[0], { state: "pending", node: null })
    }).pipe(Effect.provide(layer))
  })

  it.effect("ends five seconds after its deadline, whatever a handler does", () =>
    Effect.gen(function* () {
      const stubborn = Work.toLayer(() => Effect.uninterruptible(Effect.sleep("1 hour")))
      const { close, context } = yield* open(Layer.provideMerge(stubborn, Scheduler.layer()))
      const scheduler = Context.get(context, Scheduler)
      yield* scheduler.enqueue(Work)
      yield* settled
      const draining = yield* Effect.forkChild(scheduler.drain("10 seconds"))
      yield* TestClock.adjust("14 seconds")
      assert.isUndefined(draining.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(draining)
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("35 seconds")
      yield* Fiber.join(closing)
    })
  )

  it.effect("leaves what its store does not take for the next start, without a second execution", () => {
    const { layer, log, store } = program(1)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Work)
      yield* settled
      store.trouble("finish", "fail")
      yield* TestClock.adjust("1 second")
      const draining = yield* Effect.forkChild(scheduler.drain("1 second"))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(draining)
      store.heal()
      yield* scheduler.start
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["used", "used"])
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", attempt: 1 })
    }).pipe(Effect.provide(layer))
  })
})

describe("start", () => {
  it.effect("that cannot store what was kept for it fails typed, keeps it, and can be tried again", () => {
    const store = steered()
    const { work } = makeWorld(1)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Work, { id: "kept", trigger: Trigger.every("1 minute") })
      store.trouble("modify", "full")
      const failure = yield* Effect.flip(scheduler.start)
      assert.strictEqual(failure._tag, "JobStoreError")
      assert.strictEqual((yield* scheduler.list()).items[0]?.state, "tentative")
      store.heal()
      yield* scheduler.start
      assert.strictEqual((yield* scheduler.list()).items[0]?.state, "active")
    }).pipe(
      Effect.provide(Layer.provideMerge(work, Scheduler.layer({ autoStart: false, stores: { default: store.layer } })))
    )
  })

  it.effect("that is given up before its store listens can be made again", () => {
    const { layer, listens } = slowToListen()
    const { log, work } = makeWorld(1)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Work)
      const starting = yield* Effect.forkChild(scheduler.start)
      yield* settled
      yield* Fiber.interrupt(starting)
      yield* listens.open
      yield* settled
      assert.deepStrictEqual(log, [])
      yield* scheduler.start
      yield* settled
      assert.deepStrictEqual(log, ["used"])
      yield* scheduler.drain(0)
    }).pipe(Effect.provide(Layer.provideMerge(work, Scheduler.layer({ autoStart: false, stores: { default: layer } }))))
  })

  it.effect("of a store that is added does nothing where a drain was asked for before it listens", () => {
    const { layer, listens } = slowToListen()
    const { log, work } = makeWorld(1)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const adding = yield* Effect.forkChild(scheduler.addStore("more", layer))
      yield* settled
      yield* scheduler.drain()
      yield* listens.open
      yield* Fiber.join(adding)
      yield* scheduler.enqueue(Work, undefined, { store: "more" })
      yield* settled
      assert.deepStrictEqual(log, [])
      yield* scheduler.start
      yield* settled
      assert.deepStrictEqual(log, ["used"])
      yield* scheduler.drain(0)
    }).pipe(Effect.provide(Layer.provideMerge(work, Scheduler.layer())))
  })

  it.effect("of a scheduler whose scope is closed does nothing", () =>
    Effect.gen(function* () {
      const store = steered()
      const { work } = makeWorld(1)
      const { close, context } = yield* open(
        Layer.provideMerge(work, Scheduler.layer({ stores: { default: store.layer } }))
      )
      const scheduler = Context.get(context, Scheduler)
      yield* close
      const before = store.calls("wake")
      yield* scheduler.start
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(store.calls("wake"), before)
    })
  )

  it.effect("during which a drain is asked for is drained at its end", () => {
    const store = steered()
    const { work } = makeWorld(1)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      yield* scheduler.schedule(Work, { id: "kept", trigger: Trigger.every("1 minute") })
      store.trouble("modify", 2_000)
      const starting = yield* Effect.forkChild(scheduler.start)
      yield* TestClock.adjust("1 second")
      const draining = yield* Effect.forkChild(scheduler.drain())
      yield* TestClock.adjust("1 second")
      yield* Fiber.joinAll([starting, draining])
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(
        events.map((event) => event._tag),
        ["ScheduleAdded", "SchedulerStarted", "SchedulerStopped"]
      )
    }).pipe(
      Effect.provide(Layer.provideMerge(work, Scheduler.layer({ autoStart: false, stores: { default: store.layer } })))
    )
  })
})
