import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { MemoryJobStore, Scheduler, SchedulerEvent, Trigger } from "effect-scheduler"
import { away, Crash, on, pass, record, settle, Slow, tags, Tick, worker } from "./kit.ts"

/** The nine kinds of 2.0-dev and what each is here. */
const nine = {
  EVENT_SCHEDULER_START: "SchedulerStarted",
  EVENT_SCHEDULER_SHUTDOWN: "SchedulerStopped",
  EVENT_JOBSTORE_ADDED: "StoreAdded",
  EVENT_JOBSTORE_REMOVED: "StoreRemoved",
  EVENT_JOBSTORE_JOB_ADDED: "ScheduleAdded",
  EVENT_JOBSTORE_JOB_REMOVED: "ScheduleRemoved",
  EVENT_JOB_EXECUTED: "RunSucceeded",
  EVENT_JOB_ERROR: "RunFailed",
  EVENT_JOB_MISSED: "RunMissed"
} as const

/** Makes each of the nine happen, in the order of the table apart from the first. */
const everything = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  yield* Effect.scoped(scheduler.addStore("guest", MemoryJobStore.layer))
  yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("10 seconds"), missed: { run: "none" } })
  yield* scheduler.schedule(Crash, { id: "crash", trigger: Trigger.at("2026-03-02T12:00:10Z") })
  yield* pass("10 seconds")
  yield* scheduler.unschedule("crash")
  yield* away("29 seconds")
})

describe("listeners", () => {
  it.effect("40 nine event kinds: each happens here under its own name, as often as the thing itself", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const seen = yield* record(...Object.values(nine))
        yield* everything
        const counts = Object.fromEntries(
          Object.entries(nine).map(([constant, tag]) => [constant, seen.filter((event) => event._tag === tag).length])
        )
        assert.deepStrictEqual(counts, {
          EVENT_SCHEDULER_START: 1,
          EVENT_SCHEDULER_SHUTDOWN: 1,
          EVENT_JOBSTORE_ADDED: 1,
          EVENT_JOBSTORE_REMOVED: 1,
          EVENT_JOBSTORE_JOB_ADDED: 2,
          EVENT_JOBSTORE_JOB_REMOVED: 1,
          EVENT_JOB_EXECUTED: 2,
          EVENT_JOB_ERROR: 1,
          EVENT_JOB_MISSED: 1
        })
      }).pipe(on(layer))
    })
  )

  it.effect("39 mask: a listener names the kinds that it wants and hears of these only, until its scope closes", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const all: Array<SchedulerEvent.SchedulerEvent> = []
        const masked: Array<string> = []
        const some: Array<string> = []
        const fiber = yield* Effect.forkChild(
          Stream.runForEach(scheduler.events, (event) => Effect.sync(() => void all.push(event))),
          { startImmediately: true }
        )
        const filtered = yield* Effect.forkChild(
          scheduler.events.pipe(
            Stream.filter(SchedulerEvent.isOneOf("RunFailed", "RunMissed")),
            // The filter narrows the type: only these two have a message or a count.
            Stream.runForEach((event) =>
              Effect.sync(() => void some.push(event._tag === "RunFailed" ? event.message : String(event.count)))
            )
          ),
          { startImmediately: true }
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* scheduler.on(["RunSucceeded", "RunFailed"], (event) =>
              Effect.sync(() => void masked.push(`${event._tag} ${event.job}`))
            )
            yield* everything
          })
        )
        yield* pass("10 seconds")
        assert.deepStrictEqual(masked.toSorted(), ["RunFailed Crash", "RunSucceeded Tick", "RunSucceeded Tick"])
        assert.deepStrictEqual(some, ["no luck", "1"])
        assert.isAbove(new Set(tags(all)).size, 8)
        yield* Fiber.interruptAll([fiber, filtered])
      }).pipe(on(layer))
    })
  )

  it.effect("41 the example listener: it tells a run that crashed from one that worked by one event", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const said: Array<string> = []
        yield* scheduler.on(["RunSucceeded", "RunFailed"], (event) =>
          Effect.sync(() => {
            said.push(event._tag === "RunFailed" ? `The job crashed: ${event.message}` : "The job worked")
          })
        )
        yield* scheduler.enqueue(Tick)
        yield* settle
        yield* scheduler.enqueue(Crash)
        yield* settle
        assert.deepStrictEqual(said, ["The job worked", "The job crashed: no luck"])
      }).pipe(on(layer))
    })
  )

  it.effect("v3-listener-error: a listener that fails disturbs no other, and hears of the next event", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        let failed = 0
        yield* scheduler.on("RunSucceeded", () => {
          failed++
          return failed === 1 ? Effect.die("broken") : Effect.fail("broken")
        })
        const others = yield* record("RunSucceeded")
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 second") })
        yield* pass("3 seconds")
        assert.deepStrictEqual([failed, others.length], [3, 3])
      }).pipe(on(layer))
    })
  )
})

describe("what events tell", () => {
  it.effect("seed-events-twice: start and shutdown are told once each", () =>
    Effect.gen(function* () {
      const { layer } = worker({ autoStart: false })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("SchedulerStarted", "SchedulerStopped")
        yield* scheduler.start
        yield* scheduler.start
        yield* scheduler.drain()
        yield* scheduler.drain()
        yield* settle
        assert.deepStrictEqual(tags(events), ["SchedulerStarted", "SchedulerStopped"])
      }).pipe(on(layer))
    })
  )

  it.effect("v3-event-order: created, started, ended, in the order in which it happened, with rising numbers", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("RunCreated", "RunStarted", "RunSucceeded")
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 second") })
        yield* pass("2 seconds")
        const one = ["RunCreated", "RunStarted", "RunSucceeded"]
        assert.deepStrictEqual(tags(events), [...one, ...one])
        const numbers = events.map((event) => event.sequence)
        assert.deepStrictEqual(
          numbers,
          numbers.toSorted((a, b) => a - b)
        )
      }).pipe(on(layer))
    })
  )

  it.effect("v3-job-error: a failure is told and kept in history, the schedule goes on, and nothing is retried", () =>
    Effect.gen(function* () {
      const { began, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("RunFailed")
        yield* scheduler.schedule(Crash, { id: "crash", trigger: Trigger.every("1 minute") })
        yield* pass("2 minutes")
        assert.strictEqual(began.length, 2)
        assert.deepStrictEqual(
          events.map((event) => [event.message, event.nextAttemptAt]),
          [
            ["no luck", null],
            ["no luck", null]
          ]
        )
        const { items } = yield* scheduler.history({ outcome: "failed" })
        assert.strictEqual(items.length, 2)
        assert.include(items[0]!._tag === "Run" ? items[0]!.errors : "", "no luck")
      }).pipe(on(layer))
    })
  )

  it.effect("the scheduled time of an event is its run's own, also when several were missed", () =>
    Effect.gen(function* () {
      const { layer } = worker({ drainDeadline: 0 })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("RunStarted")
        yield* scheduler.schedule(Slow, {
          id: "slow",
          trigger: Trigger.every("10 seconds"),
          payload: { millis: 1 },
          missed: { run: "all" },
          overlap: "bufferAll"
        })
        yield* away("30 seconds")
        yield* pass("1 second")
        assert.deepStrictEqual(
          events.map((event) => event.nominal! - Date.parse("2026-03-02T12:00:00Z")),
          [10_000, 20_000, 30_000]
        )
      }).pipe(on(layer))
    })
  )
})
