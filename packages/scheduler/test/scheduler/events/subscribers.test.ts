import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Logger, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Job, MemoryJobStore, Scheduler, SchedulerEvent, Trigger } from "../../../src/index.ts"
import { type AnyEvent, build, listen, only, settled, tags } from "../support.ts"

class Work extends Job.make("Work") {}
const live = (buffer?: number) =>
  Layer.provideMerge(
    Work.toLayer(() => Effect.void),
    Scheduler.layer({ eventsBuffer: buffer, origin: "test" })
  )
const json = Schema.toCodecJson(SchedulerEvent.SchedulerEvent)

/** A subscriber of the stream, and what it has seen. */
const streamed = Effect.fnUntraced(function* (onEvent: (event: AnyEvent) => Effect.Effect<void> = () => Effect.void) {
  const scheduler = yield* Scheduler
  const seen: Array<AnyEvent> = []
  const fiber = yield* Effect.forkChild(
    Stream.runForEach(scheduler.events, (event) =>
      Effect.andThen(
        Effect.sync(() => void seen.push(event)),
        onEvent(event)
      )
    ),
    { startImmediately: true }
  )
  return { fiber, seen }
})

const slowly = (event: AnyEvent) => (event._tag === "EventsLost" ? Effect.void : Effect.sleep("1 second"))

const runs = (n: number) =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler
    for (let i = 0; i < n; i++) {
      yield* scheduler.enqueue(Work)
      yield* settled
    }
  })

describe("a subscriber", () => {
  it.effect("hears of what happens from its subscription on, and of nothing before", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* runs(1)
      const heard = yield* listen(scheduler)
      const { seen } = yield* streamed()
      yield* runs(1)
      for (const events of [heard, seen]) {
        assert.deepStrictEqual(
          events.map((event) => event._tag),
          ["RunCreated", "RunStarted", "RunSucceeded"]
        )
      }
      // What nobody heard was counted all the same.
      assert.isAbove(heard[0]!.sequence, 3)
      assert.deepStrictEqual(seen, heard)
    }).pipe(Effect.provide(live()))
  )

  it.effect("by on is subscribed when on returns: it misses nothing of the next step", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      let heard = 0
      yield* scheduler.on("ScheduleAdded", () => Effect.sync(() => void heard++))
      yield* scheduler.schedule(Work, { id: "a", trigger: Trigger.every("1 hour") })
      yield* settled
      assert.strictEqual(heard, 1)
    }).pipe(Effect.provide(live()))
  )

  it.effect("that leaves ends no other, and its handler's work is interrupted", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const own = yield* Scope.make()
      let interrupted = false
      const { fiber, seen: left } = yield* streamed()
      const stays = yield* listen(scheduler)
      const never = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (interrupted = true)))
      yield* scheduler.on("RunCreated", () => never).pipe(Scope.provide(own))
      yield* runs(1)
      yield* Fiber.interrupt(fiber)
      yield* Scope.close(own, Exit.void)
      assert.isTrue(interrupted)
      yield* runs(1)
      assert.strictEqual(left.length, 3)
      assert.strictEqual(stays.length, 6)
    }).pipe(Effect.provide(live()))
  )

  it.effect("whose handler fails or dies is logged, and hears of the next event", () => {
    const logged: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const heard: Array<string> = []
      yield* scheduler.on(tags, (event) =>
        Effect.andThen(
          Effect.sync(() => void heard.push(event._tag)),
          heard.length === 1 ? Effect.fail("typed") : heard.length === 2 ? Effect.die("a defect") : Effect.void
        )
      )
      yield* scheduler.on("RunStarted", (): Effect.Effect<void> => {
        throw new Error("before there was an effect")
      })
      yield* runs(1)
      assert.deepStrictEqual(heard, ["RunCreated", "RunStarted", "RunSucceeded"])
      assert.strictEqual(logged.filter((line) => line.includes("An event handler failed")).length, 3)
    }).pipe(Effect.provide(Layer.merge(live(), logger)))
  })

  it.effect("that is slow is told in place and to the number what it lost, again and again, and delays nothing", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const fast = yield* listen(scheduler)
      const slow: Array<AnyEvent> = []
      yield* scheduler.on(tags, (event) =>
        Effect.andThen(
          Effect.sync(() => void slow.push(event)),
          slowly(event)
        )
      )
      const { seen } = yield* streamed(slowly)
      for (let i = 0; i < 5; i++) {
        yield* runs(6)
        assert.strictEqual(fast.length, (i + 1) * 18)
        yield* TestClock.adjust("3 seconds")
      }
      yield* TestClock.adjust("1 minute")
      for (const events of [slow, seen]) {
        const lost = only(events, "EventsLost")
        assert.isAtLeast(lost.length, 3)
        const kept = events.filter((event) => event._tag !== "EventsLost")
        assert.strictEqual(kept.length + lost.reduce((sum, event) => sum + event.count, 0), fast.length)
        let before = fast[0]!.sequence - 1
        for (const event of events) {
          assert.strictEqual(event.sequence, before + (event._tag === "EventsLost" ? event.count : 1))
          before = event.sequence
        }
        assert.deepStrictEqual(
          kept,
          fast.filter(({ sequence }) => kept.some((event) => event.sequence === sequence))
        )
        for (const event of lost) {
          const text = yield* Schema.encodeEffect(json)(event)
          assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(json)(text), event)
        }
      }
    }).pipe(Effect.provide(live(4)))
  )

  it.effect("sees which store and which node each event is of", () =>
    Effect.gen(function* () {
      const context = yield* build(live())
      const scheduler = Context.get(context, Scheduler)
      const heard = yield* listen(scheduler)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* scheduler.addStore("second", MemoryJobStore.layer)
          yield* scheduler.enqueue(Work, undefined, { store: "second" })
          yield* settled
        })
      )
      yield* scheduler.pauseAll
      yield* settled
      const node = yield* scheduler.node
      const stores = heard.map((event) => [event._tag, event.store, event.node === node])
      assert.deepStrictEqual(stores, [
        ["StoreAdded", "second", false],
        ["RunCreated", "second", false],
        ["RunStarted", "second", false],
        ["RunSucceeded", "second", false],
        ["StoreRemoved", "second", true],
        ["SchedulerPaused", "", true]
      ])
      assert.strictEqual(new Set(heard.slice(0, 4).map((event) => event.node)).size, 1)
    })
  )
})
