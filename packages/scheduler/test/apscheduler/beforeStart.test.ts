import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { MemoryJobStore, Scheduler, Trigger } from "effect-scheduler"
import { Crash, iso, on, pass, record, tags, Tick, worker } from "./kit.ts"

const minute = Trigger.every("1 minute")

describe("before start", () => {
  it.effect(
    "31 scheduling before start: the first time is computed at start, nothing runs for the time before, no option is lost",
    () =>
      Effect.gen(function* () {
        const { layer, nominals } = worker({ autoStart: false })
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const early = yield* scheduler.schedule(Tick, {
            id: "tick",
            trigger: minute,
            missed: { run: "all", grace: "77 seconds" },
            maxRuns: 5
          })
          assert.strictEqual(early.state, "tentative")
          yield* pass("150 seconds")
          assert.deepStrictEqual(nominals(), [])
          yield* scheduler.start
          const view = Option.getOrThrow(yield* scheduler.get("tick"))
          assert.deepStrictEqual([view.state, iso(view.nextAt)], ["active", "2026-03-02T12:03:30Z"])
          assert.strictEqual(view.policy?.missed.grace, 77_000)
          yield* pass("10 minutes")
          assert.deepStrictEqual(nominals(), ["12:03:30", "12:04:30", "12:05:30", "12:06:30", "12:07:30"])
        }).pipe(on(layer))
      })
  )

  it.effect("seed-tentative: what is scheduled before start is listed as tentative, and active after it", () =>
    Effect.gen(function* () {
      const { layer } = worker({ autoStart: false })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: minute })
        const before = yield* scheduler.list()
        yield* scheduler.start
        const after = yield* scheduler.list()
        assert.deepStrictEqual(
          [...before.items, ...after.items].map((view) => view.state),
          ["tentative", "active"]
        )
      }).pipe(on(layer))
    })
  )

  it.effect("seed-tentative-loses-options: grace, action, runs and instances survive the start", () =>
    Effect.gen(function* () {
      const { layer } = worker({ autoStart: false })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, {
          id: "tick",
          trigger: minute,
          missed: { run: "all", grace: "77 seconds", limit: 7 },
          maxRuns: 5,
          maxInstances: 3,
          priority: 1
        })
        yield* scheduler.start
        const { policy, priority } = Option.getOrThrow(yield* scheduler.get("tick"))
        assert.deepStrictEqual(
          [policy?.missed.run, policy?.missed.grace, policy?.missed.limit, policy?.maxRuns, policy?.maxInstances],
          ["all", 77_000, 7, 5, 3]
        )
        assert.strictEqual(priority, 1)
      }).pipe(on(layer))
    })
  )

  it.effect(
    "v3-pending-duplicates: the same id twice before start is one schedule, the later one, and start succeeds",
    () =>
      Effect.gen(function* () {
        const { layer } = worker({ autoStart: false })
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* scheduler.schedule(Tick, { id: "tick", trigger: minute })
          yield* scheduler.schedule(Crash, { id: "tick", trigger: Trigger.every("2 minutes") })
          yield* scheduler.start
          const { items } = yield* scheduler.list()
          assert.deepStrictEqual(
            items.map((view) => [view.id, view.job, iso(view.nextAt)]),
            [["tick", "Crash", "2026-03-02T12:02:00Z"]]
          )
        }).pipe(on(layer))
      })
  )

  it.effect("v3-event-order-documented: store added, schedule added, started, run", () =>
    Effect.gen(function* () {
      const { layer } = worker({ autoStart: false })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record(
          "StoreAdded",
          "SchedulerStarted",
          "ScheduleAdded",
          "RunSucceeded",
          "ScheduleExhausted"
        )
        yield* scheduler.addStore("more", MemoryJobStore.layer)
        yield* scheduler.schedule(Tick, { id: "once", trigger: Trigger.at("2026-03-02T12:01:00Z") })
        yield* scheduler.start
        yield* pass("1 minute")
        assert.deepStrictEqual(tags(events), [
          "StoreAdded",
          "ScheduleAdded",
          "SchedulerStarted",
          "ScheduleExhausted",
          "RunSucceeded"
        ])
      }).pipe(Effect.scoped, on(layer))
    })
  )
})
