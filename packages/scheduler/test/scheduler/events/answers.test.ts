/** Answers of the store that come late or never: what is told is so, and comes in the order in which it was so. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, MemoryJobStore, Scheduler } from "../../../src/index.ts"
import { build, listen, only, patiently, settled, steered, story } from "../support.ts"

class Work extends Job.make("Work", {
  payload: { seconds: Schema.Finite, fails: Schema.optionalKey(Schema.Finite) },
  retry: Schedule.spaced("10 seconds")
}) {}
class Stubborn extends Job.make("Stubborn") {}

const below = Effect.map(MemoryJobStore.make(), (over) => {
  const log: Array<string> = []
  const handlers = Layer.mergeAll(
    Work.toLayer(({ fails, seconds }) =>
      Effect.gen(function* () {
        const run = yield* JobRun.current
        log.push(`${run.attempt}`)
        if (seconds > 0) yield* Effect.sleep(seconds * 1_000)
        if (run.execution <= (fails ?? 0)) return yield* Effect.die("it fails")
      })
    ),
    Stubborn.toLayer(() => Effect.uninterruptible(Effect.sleep("100 seconds")))
  )
  const node = (shared: boolean, handling = true) =>
    Effect.gen(function* () {
      const store = steered({ shared, over })
      const scheduling = Scheduler.layer({ stores: { default: store.layer }, drainDeadline: 0, lease: "6 seconds" })
      const context = yield* build(handling ? Layer.provideMerge(handlers, scheduling) : scheduling)
      const scheduler = Context.get(context, Scheduler)
      yield* Effect.addFinalizer(() => Effect.sync(store.heal))
      const events = yield* listen(scheduler)
      yield* settled
      return { store, scheduler, events }
    })
  return { log, node }
})

describe("an answer that comes late", () => {
  it.effect("of what made a run: an end that is not stored yet is not told with it", () =>
    Effect.gen(function* () {
      const { node } = yield* below
      const { events, scheduler, store } = yield* node(false)
      store.trouble("enqueue", 500, 1)
      store.trouble("finish", "fail")
      yield* Effect.forkChild(scheduler.enqueue(Work, { seconds: 0 }))
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(story(events), ["RunCreated", "RunStarted"])
      store.heal()
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(story(events), ["RunCreated", "RunStarted", "RunSucceeded"])
    })
  )

  it.effect("of a failure that is tried again: a cancel is told after it", () =>
    Effect.gen(function* () {
      const { node } = yield* below
      const { events, scheduler, store } = yield* node(false)
      store.trouble("finish", "doThenHang", 1)
      const id = yield* scheduler.enqueue(Work, { seconds: 0, fails: 9 })
      yield* settled
      assert.strictEqual(yield* scheduler.cancel(id), "cancelled")
      yield* TestClock.adjust("20 seconds")
      yield* settled
      assert.deepStrictEqual(story(events), ["RunCreated", "RunStarted", "RunFailed", "RunCancelled"])
      assert.isFalse(only(events, "RunCancelled")[0]!.started)
    })
  )

  it.effect("of a release whose run was claimed again before its report was sent again: it is told first", () =>
    patiently(
      Effect.gen(function* () {
        const { node } = yield* below
        const { events, scheduler, store } = yield* node(false)
        yield* scheduler.enqueue(Work, { seconds: 20 })
        yield* settled
        store.trouble("finish", "doThenHang", 1)
        const draining = yield* Effect.forkChild(scheduler.drain())
        yield* TestClock.adjust("6 seconds")
        yield* Fiber.join(draining)
        assert.deepStrictEqual(story(events), ["RunCreated", "RunStarted"])
        store.trouble("finish", "fail", 1)
        store.trouble("claim", 700)
        yield* scheduler.start
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(story(events), ["RunCreated", "RunStarted", "RunReleased", "RunStarted"])
      })
    )
  )

  it.effect("of what made a run: it is told before another node's death that the run has been through", () =>
    patiently(
      Effect.gen(function* () {
        const { node } = yield* below
        const a = yield* node(true, false)
        const b = yield* node(true)
        yield* TestClock.adjust("10 seconds")
        a.store.trouble("enqueue", "doThenHang", 1)
        yield* Effect.forkChild(Effect.ignore(a.scheduler.enqueue(Work, { seconds: 60 })))
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(story(b.events), ["RunStarted"])
        b.store.cut()
        yield* TestClock.adjust("12 seconds")
        assert.deepStrictEqual(story(a.events), ["RunCreated", "RunRecovered"])
      })
    )
  )

  it.effect(
    "of an end, of a run that a reaper has taken meanwhile: it was refused, and is not told when it starts again",
    () =>
      patiently(
        Effect.gen(function* () {
          const { log, node } = yield* below
          yield* node(true, false)
          const b = yield* node(true)
          yield* b.scheduler.enqueue(Work, { seconds: 2 })
          yield* TestClock.adjust("1 second")
          // Renewals and the report do not arrive, until another node has taken the run.
          b.store.trouble("heartbeat", "fail")
          b.store.trouble("finish", "hang")
          yield* TestClock.adjust("11 seconds")
          b.store.trouble("heartbeat", 0)
          yield* TestClock.adjust("10 seconds")
          assert.deepStrictEqual(story(b.events), ["RunCreated", "RunStarted", "RunStarted"])
          b.store.heal()
          yield* TestClock.adjust("20 seconds")
          assert.deepStrictEqual(log, ["1", "2"])
          assert.deepStrictEqual(story(b.events), ["RunCreated", "RunStarted", "RunStarted", "RunSucceeded"])
        })
      )
  )

  it.effect("of what a node holds, after a claim that failed: a run that ended meanwhile is not executed again", () =>
    Effect.gen(function* () {
      const { log, node } = yield* below
      const { events, scheduler, store } = yield* node(false)
      const id = yield* scheduler.enqueue(Work, { seconds: 2 })
      yield* TestClock.adjust("500 millis")
      store.trouble("claim", "fail", 1)
      store.trouble("held", 1_000, 1)
      yield* scheduler.enqueue(Work, { seconds: 0 })
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.deepStrictEqual(story(events, id), ["RunCreated", "RunStarted", "RunSucceeded"])
      assert.deepStrictEqual(log, ["1", "1"])
    })
  )
})

describe("a node that was drained with a run that did not end", () => {
  it.effect("and was taken for dead, starts again as another one: nothing that it starts is taken back", () =>
    patiently(
      Effect.gen(function* () {
        const { node } = yield* below
        const a = yield* node(true, false)
        const b = yield* node(true)
        const before = yield* b.scheduler.node
        yield* b.scheduler.enqueue(Stubborn)
        yield* settled
        const draining = yield* Effect.forkChild(b.scheduler.drain())
        yield* TestClock.adjust("20 seconds")
        yield* Fiber.join(draining)
        assert.strictEqual(only(a.events, "NodeReaped")[0]?.dead, before)
        const id = yield* a.scheduler.enqueue(Work, { seconds: 30 })
        yield* b.scheduler.start
        yield* TestClock.adjust("1 minute")
        assert.notStrictEqual(yield* b.scheduler.node, before)
        assert.deepStrictEqual(story(a.events, id), ["RunCreated"])
        assert.deepStrictEqual(story(b.events, id), ["RunStarted", "RunSucceeded"])
      })
    )
  )
})
