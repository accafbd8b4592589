import { assert, describe, it } from "@effect/vitest"
import {
  Context,
  DateTime,
  Duration,
  Effect,
  Fiber,
  Layer,
  Option,
  Schedule,
  Schema,
  Scope,
  Stream,
  Exit
} from "effect"
import { TestClock } from "effect/testing"
import { Job, MemoryJobStore, Scheduler, SchedulerEvent, Trigger } from "../../src/index.ts"
import { OffsetClock } from "../../src/testing/index.ts"
import { type AnyEvent, build, listen, only, patiently, settled, steered, story, tags } from "./support.ts"

class Work extends Job.make("Work", {
  payload: { how: Schema.Literals(["well", "badly", "never", "stuck"]), seconds: Schema.Finite },
  timeout: "2 minutes",
  retry: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 1 }))
}) {}
class Once extends Job.make("Once", { delivery: "atMostOnce" }) {}
class Nobody extends Job.make("Nobody") {}

const live = Layer.mergeAll(
  Work.toLayer(({ how, seconds }) =>
    how === "badly"
      ? Effect.die("badly")
      : how === "never"
        ? Effect.never
        : how === "stuck"
          ? Effect.uninterruptible(Effect.sleep("5 minutes"))
          : Effect.sleep(Duration.seconds(seconds))
  ),
  Once.toLayer(() => Effect.never)
)

const well = (seconds: number) => ({ how: "well", seconds }) as const
const moment = Trigger.every("1 minute")

/** One program in which everything happens that a scheduler can tell of. */
const everything = Effect.gen(function* () {
  const below = yield* MemoryJobStore.make()
  const store = steered({ shared: true, over: below })
  const context = yield* build(
    Layer.provideMerge(
      live,
      Scheduler.layer({
        stores: { default: store.layer },
        autoStart: false,
        drainDeadline: 0,
        pollInterval: "10 seconds"
      })
    ).pipe(Layer.provideMerge(OffsetClock.layer))
  )
  const scheduler = Context.get(context, Scheduler)
  const events = yield* listen(scheduler)
  yield* scheduler.start
  yield* scheduler.pauseAll
  yield* scheduler.resumeAll

  const scope = yield* Scope.make()
  yield* scheduler.addStore("more", steered().layer).pipe(Scope.provide(scope))
  yield* Scope.close(scope, Exit.void)

  // Schedules.
  yield* scheduler.schedule(Work, { id: "s", trigger: moment, payload: well(0), maxRuns: 1 })
  yield* scheduler.update(Work, "s", { payload: well(1) })
  yield* scheduler.pause("s")
  yield* scheduler.resume("s")
  yield* scheduler.schedule(Work, { id: "gone", trigger: moment, payload: well(0) })
  yield* scheduler.unschedule("gone")
  const rule = Trigger.custom("broken", Schema.Struct({}), {
    next: (_, after) => {
      if (DateTime.toEpochMillis(after) < 1_000) return Option.some(DateTime.makeUnsafe(1_000))
      throw new Error("a rule that throws")
    }
  })
  yield* scheduler.schedule(Work, { id: "faulty", trigger: rule({}), payload: well(0) })
  // Runs.
  yield* scheduler.enqueue(Work, { how: "badly", seconds: 0 })
  yield* scheduler.enqueue(Work, { how: "stuck", seconds: 0 })
  const never = yield* scheduler.enqueue(Work, { how: "never", seconds: 0 })
  yield* scheduler.enqueue(Nobody)
  yield* TestClock.adjust("100 seconds")
  yield* scheduler.cancel(never)
  yield* scheduler.cancel(yield* scheduler.enqueue(Work, well(0), { at: 1e12 }))
  // Overlaps and misses.
  yield* scheduler.schedule(Work, { id: "skips", trigger: moment, payload: well(90) })
  yield* scheduler.schedule(Work, {
    id: "drops",
    trigger: Trigger.every("20 seconds"),
    payload: well(100),
    overlap: "bufferAll",
    buffer: 1
  })
  yield* scheduler.schedule(Work, {
    id: "expires",
    trigger: moment,
    payload: well(0),
    missed: { run: "none", grace: "1 second" }
  })
  yield* TestClock.adjust("5 minutes")
  store.trouble("claim", "fail")
  yield* TestClock.adjust("2 minutes")
  store.heal()
  yield* TestClock.adjust("1 minute")
  yield* Context.get(context, OffsetClock.OffsetClock).jump(600_000)
  yield* TestClock.adjust("8 minutes")
  for (const id of ["skips", "drops", "expires"]) yield* scheduler.unschedule(id)
  // Another node, which dies and comes back, with a run of each delivery.
  const other = steered({ shared: true, over: below })
  const second = Context.get(
    yield* build(
      Layer.provideMerge(
        live,
        Scheduler.layer({ stores: { default: other.layer }, drainDeadline: 0, pollInterval: "10 seconds" })
      )
    ),
    Scheduler
  )
  const others = yield* listen(second)
  yield* settled
  yield* scheduler.pauseAll
  yield* second.enqueue(Work, { how: "never", seconds: 0 })
  yield* second.enqueue(Once)
  yield* TestClock.adjust("1 minute")
  other.cut()
  yield* TestClock.adjust("1 minute")
  other.heal()
  yield* TestClock.adjust("1 minute")
  // A loop that dies, and the end.
  store.trouble("maintain", "die", 1)
  yield* TestClock.adjust("2 minutes")
  yield* scheduler.resumeAll
  yield* TestClock.adjust("1 minute")
  const drained = yield* Effect.forkChild(scheduler.drain())
  yield* TestClock.adjust("10 seconds")
  yield* Fiber.join(drained)
  yield* settled
  return { first: events, second: others }
})

const next: Readonly<Record<string, ReadonlyArray<string>>> = {
  "": ["RunCreated", "RunStarted", "RunRecovered", "RunLost", "RunExpired", "RunCancelled", "RunFailed"],
  RunCreated: ["RunStarted", "RunExpired", "RunCancelled", "RunFailed", "RunReleased"],
  RunStarted: [
    "RunSucceeded",
    "RunFailed",
    "RunTimedOut",
    "RunCancelled",
    "RunReleased",
    "RunLost",
    "RunRecovered",
    "RunStuck"
  ],
  RunTimedOut: ["RunFailed", "RunStuck", "RunCancelled"],
  RunStuck: ["RunFailed", "RunCancelled", "RunReleased", "RunLost", "RunSucceeded"],
  RunFailed: ["RunStarted", "RunCancelled", "RunReleased"],
  RunReleased: ["RunStarted", "RunCancelled", "RunExpired", "RunReleased"],
  RunRecovered: ["RunStarted", "RunCancelled", "RunLost", "RunReleased"],
  RunSucceeded: [],
  RunCancelled: [],
  RunExpired: [],
  RunLost: []
}

const assertLegal = (events: ReadonlyArray<AnyEvent>) => {
  for (const id of new Set(events.flatMap((event) => ("runId" in event ? [event.runId] : [])))) {
    let last = ""
    for (const tag of story(events, id)) {
      assert.include(next[last]!, tag, `${tag} of ${id} after ${last}: ${story(events, id).join(" ")}`)
      last = tag
    }
  }
}

describe("events", () => {
  it.effect("each of the union is told of when it happens, in a legal order for each run, and encodes to JSON", () =>
    patiently(
      Effect.gen(function* () {
        const { first, second } = yield* everything
        const told = new Set([...first, ...second].map((event) => event._tag))
        // What a subscriber lost is its own affair: see below.
        assert.deepStrictEqual(
          tags.filter((tag) => !told.has(tag)),
          ["EventsLost"]
        )
        assertLegal(first)
        assertLegal(second)
        const json = Schema.toCodecJson(SchedulerEvent.SchedulerEvent)
        for (const event of [...first, ...second]) {
          const text = JSON.stringify(yield* Schema.encodeEffect(json)(event))
          assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(json)(JSON.parse(text)), event)
        }
        assert.deepStrictEqual(
          first.map((event) => event.sequence),
          first.map((_, i) => i + first[0]!.sequence)
        )
      })
    )
  )

  it.effect("are legal for each run, whatever the store does", () =>
    patiently(
      Effect.gen(function* () {
        const store = steered({ shared: true })
        const context = yield* build(
          Layer.provideMerge(live, Scheduler.layer({ stores: { default: store.layer }, drainDeadline: 0 }))
        )
        const scheduler = Context.get(context, Scheduler)
        const events = yield* listen(scheduler)
        yield* scheduler.schedule(Work, {
          id: "w",
          trigger: Trigger.every("1 second"),
          payload: well(2),
          overlap: "bufferOne"
        })
        yield* scheduler.schedule(Work, {
          id: "b",
          trigger: Trigger.every("2 seconds"),
          payload: { how: "badly", seconds: 0 }
        })
        yield* scheduler.schedule(Work, {
          id: "c",
          trigger: Trigger.every("3 seconds"),
          payload: well(5),
          overlap: "cancelPrevious"
        })
        const methods = ["fire", "claim", "finish", "wake", "modify", "enqueue"] as const
        for (let i = 0; i < 24; i++) {
          const method = methods[i % methods.length]!
          store.trouble(method, (["doThenFail", 1_500, "fail", "doThenHang"] as const)[i % 4]!, 2)
          yield* Effect.ignore(Effect.timeout(scheduler.enqueue(Work, well(1)), "1 second")).pipe(Effect.forkChild)
          yield* TestClock.adjust("4 seconds")
        }
        store.heal()
        yield* TestClock.adjust("30 seconds")
        yield* settled
        assert.isAbove(only(events, "RunSucceeded").length, 20)
        assert.isAbove(only(events, "RunCancelled").length, 5)
        assertLegal(events)
      })
    )
  )

  it.effect("that a slow subscriber lost are counted in place, and it delays nothing", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const fast = yield* listen(scheduler)
      const heard: Array<AnyEvent> = []
      yield* scheduler.on(tags, (event) =>
        Effect.andThen(
          Effect.sync(() => void heard.push(event)),
          Effect.sleep(heard.length === 0 ? "1 minute" : 0)
        )
      )
      for (let i = 0; i < 40; i++) {
        yield* scheduler.enqueue(Work, well(0))
        yield* settled
      }
      assert.strictEqual(fast.length, 120)
      assert.strictEqual(heard.length, 1)
      yield* TestClock.adjust("1 minute")
      yield* settled
      const [lost] = only(heard, "EventsLost")
      assert.strictEqual(lost!.count, 120 - 1 - 10)
      assert.deepStrictEqual(heard.map((event) => event._tag).slice(1), [
        "EventsLost",
        ...fast.slice(-10).map((event) => event._tag)
      ])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ eventsBuffer: 10 }))))
  )

  it.effect("are a Stream, which counts what was lost too, and ends with the scheduler", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* build(Layer.provideMerge(live, Scheduler.layer())).pipe(Scope.provide(scope))
      const scheduler = Context.get(context, Scheduler)
      const fiber = yield* Effect.forkChild(
        Stream.runCollect(Stream.filter(scheduler.events, SchedulerEvent.isOneOf("RunSucceeded", "SchedulerStopped"))),
        { startImmediately: true }
      )
      yield* scheduler.enqueue(Work, well(0))
      yield* settled
      yield* Scope.close(scope, Exit.void)
      const events = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        events.map((event) => event._tag),
        ["RunSucceeded", "SchedulerStopped"]
      )
    })
  )

  it.effect("on: a handler hears only of the names that it asked for, and one that fails hears of the next", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const heard: Array<string> = []
      yield* scheduler.on(["RunStarted", "RunSucceeded"], (event) =>
        Effect.andThen(
          Effect.sync(() => void heard.push(event._tag)),
          heard.length === 0 ? Effect.die("the handler fails") : Effect.fail("typed")
        )
      )
      yield* scheduler.enqueue(Work, well(0))
      yield* settled
      assert.deepStrictEqual(heard, ["RunStarted", "RunSucceeded"])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  )

  it.effect("on: a handler that throws, or fails with what cannot be logged, hears of the next", () => {
    class Unprintable extends Error {
      override get message(): string {
        throw new Error("no message")
      }
    }
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const heard: Array<string> = []
      yield* scheduler.on(["RunCreated", "RunStarted", "RunSucceeded"], (event) => {
        heard.push(event._tag)
        if (event._tag === "RunCreated") throw new Error("before it made an effect")
        return event._tag === "RunStarted" ? Effect.fail(new Unprintable()) : Effect.die(new Unprintable())
      })
      yield* scheduler.enqueueAll(Work, [well(0), well(0)])
      yield* settled
      assert.strictEqual(heard.length, 6)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("on: is over when its scope is closed", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const heard: Array<string> = []
      yield* Effect.scoped(scheduler.on(tags, (event) => Effect.sync(() => void heard.push(event._tag))))
      yield* scheduler.enqueue(Work, well(0))
      yield* settled
      assert.deepStrictEqual(heard, [])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  )

  it.effect("a subscriber that outlives its scheduler is not disturbed", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const own = yield* Scope.make()
      const context = yield* build(Layer.provideMerge(live, Scheduler.layer())).pipe(Scope.provide(scope))
      const scheduler = Context.get(context, Scheduler)
      const events = yield* listen(scheduler)
      yield* scheduler.addStore("more", steered().layer).pipe(Scope.provide(own))
      yield* Scope.close(scope, Exit.void)
      yield* Scope.close(own, Exit.void)
      yield* settled
      assert.strictEqual(events.at(-1)?._tag, "StoreRemoved")
    })
  )
})
