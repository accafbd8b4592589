import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import { away, on, pass, record, settle, Slow, Tick, time, worker } from "./kit.ts"

describe("instances", () => {
  it.effect("32 no two instances at once: by default the later run is skipped and counted", () =>
    Effect.gen(function* () {
      const { began, layer } = worker({ drainDeadline: 0 })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const skipped = yield* record("RunSkipped")
        yield* scheduler.schedule(Slow, {
          id: "slow",
          trigger: Trigger.every("10 seconds"),
          payload: { millis: 25_000 }
        })
        yield* pass("45 seconds")
        assert.deepStrictEqual(
          began.map((one) => one.at),
          ["12:00:10", "12:00:40"]
        )
        assert.deepStrictEqual(
          skipped.map((event) => time(event.first)),
          ["12:00:20", "12:00:30"]
        )
      }).pipe(on(layer))
    })
  )

  it.effect("33 max_concurrency: two or more let as many instances run at once", () =>
    Effect.gen(function* () {
      const { began, layer } = worker({ drainDeadline: 0 })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const skipped = yield* record("RunSkipped")
        yield* scheduler.schedule(Slow, {
          id: "slow",
          trigger: Trigger.every("10 seconds"),
          payload: { millis: 25_000 },
          maxInstances: 2
        })
        yield* pass("45 seconds")
        assert.deepStrictEqual(
          began.map((one) => one.at),
          ["12:00:10", "12:00:20", "12:00:40"]
        )
        assert.deepStrictEqual(
          skipped.map((event) => time(event.first)),
          ["12:00:30"]
        )
      }).pipe(on(layer))
    })
  )

  it.effect("seed-max-concurrency: a job of 2 s every second has run once after 2.2 s, and the rest is counted", () =>
    Effect.gen(function* () {
      const { began, layer } = worker({ drainDeadline: 0 })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const skipped = yield* record("RunSkipped")
        const trigger = Trigger.every("1 second")
        yield* scheduler.schedule(Slow, { id: "slow", trigger, payload: { millis: 2_000 } })
        yield* pass("2200 millis")
        assert.strictEqual(began.length, 1)
        assert.strictEqual(skipped.length, 1)
      }).pipe(on(layer))
    })
  )

  it.effect("v3-max-instances: one event tells of all three times, and nothing is queued", () =>
    Effect.gen(function* () {
      const { began, layer } = worker({ drainDeadline: 0 })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const skipped = yield* record("RunSkipped")
        yield* scheduler.schedule(Slow, {
          id: "slow",
          trigger: Trigger.every("5 seconds"),
          payload: { millis: 3_600_000 },
          missed: { run: "all", grace: "1 minute" }
        })
        yield* pass("5 seconds")
        yield* scheduler.pauseAll
        yield* pass("15 seconds")
        yield* scheduler.resumeAll
        yield* settle
        assert.deepStrictEqual(
          skipped.map(({ first, last, count }) => [time(first), time(last), count]),
          [["12:00:10", "12:00:20", 3]]
        )
        assert.strictEqual(began.length, 1)
        const { items } = yield* scheduler.runs()
        assert.strictEqual(items.length, 1)
      }).pipe(on(layer))
    })
  )

  it.effect("seed-same-time-twice: looking twice at one instant runs the job once", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 second") })
        yield* pass("1 second")
        yield* away(0)
        yield* scheduler.pauseAll
        yield* scheduler.resumeAll
        yield* settle
        assert.deepStrictEqual(nominals(), ["12:00:01"])
      }).pipe(on(layer))
    })
  )
})
