import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { Scheduler, Trigger } from "../../../src/index.ts"
import { listen, only, settled, steered } from "../support.ts"
import { messageOf, Note, Slow, world } from "./world.ts"

const everyMinute = { id: "m", trigger: Trigger.cron("* * * * *"), payload: { text: "a" } } as const
const slowly = { ...everyMinute, payload: { seconds: 10 } } as const

/** Almost two hours in, with a schedule that is paused, so that only what is asked for runs. */
const paused = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  yield* TestClock.adjust("7170 seconds")
  yield* scheduler.schedule(Slow, slowly)
  yield* scheduler.pause("m")
  return scheduler
})

describe("backfill", () => {
  it.effect("is a stored schedule of its own: bounded, of its request's cause, of the lowest priority", () => {
    const { layer, row } = world({ origin: "app" })
    return Effect.gen(function* () {
      const scheduler = yield* paused
      const id = yield* scheduler.backfill("m", { from: 60_000, to: 180_000, request: "r1", concurrency: 2 })
      const parent = (yield* row("m"))!
      assert.deepInclude((yield* row(id))!, {
        id: "m/backfill/r1",
        job: "Slow",
        payload: parent.payload,
        priority: 3,
        cause: "backfill:r1",
        origin: "app",
        firstWatermark: 59_999
      })
      assert.deepInclude(Option.getOrThrow(yield* scheduler.get(id)).policy!, { overlap: "wait", maxInstances: 2 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("runs both ends of its range, at most so many at once, and leaves the schedule as it was", () => {
    const { layer, ran, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* paused
      const before = yield* row("m")
      yield* scheduler.backfill("m", { from: 60_000, to: 240_000, request: "r1", concurrency: 2 })
      yield* settled
      assert.deepStrictEqual(ran, ["backfill 1 10", "backfill 2 10"])
      yield* TestClock.adjust("10 seconds")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(ran.slice(2), ["backfill 3 10", "backfill 4 10"])
      assert.deepStrictEqual(yield* row("m"), before)
    }).pipe(Effect.provide(layer))
  })

  it.effect("by the same request again does nothing, while it goes on and when it is done", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* paused
      const request = { from: 60_000, to: 120_000, request: "r1" }
      const ids = [yield* scheduler.backfill("m", request), yield* scheduler.backfill("m", request)]
      yield* TestClock.adjust("1 minute")
      ids.push(yield* scheduler.backfill("m", request))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(new Set(ids), new Set(["m/backfill/r1"]))
      assert.deepStrictEqual(ran, ["backfill 1 10", "backfill 2 10"])
      yield* scheduler.backfill("m", { ...request, request: "r2" })
      yield* settled
      assert.strictEqual(ran.length, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is never ahead of live times", () => {
    const { layer, ran } = world({ maxRunning: 1 })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* TestClock.adjust("1 hour")
      yield* scheduler.schedule(Slow, slowly)
      yield* scheduler.pauseAll
      yield* scheduler.backfill("m", { from: 60_000, to: 120_000, request: "r" })
      yield* TestClock.adjust("1 minute")
      yield* scheduler.resumeAll
      yield* settled
      assert.deepStrictEqual(ran, ["nominal 61 10"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(ran, ["nominal 61 10", "backfill 1 10"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes turns with live times that have the lowest priority too", () => {
    const { layer, ran } = world({ maxRunning: 1 })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* TestClock.adjust("3590 seconds")
      yield* scheduler.schedule(Slow, { ...slowly, payload: { seconds: 40 }, priority: 3 })
      yield* scheduler.backfill("m", { from: 60_000, to: 600_000, request: "r", concurrency: 5 })
      for (let i = 0; i < 24; i++) yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(ran, [
        "backfill 1 40",
        "backfill 2 40",
        "backfill 3 40",
        "backfill 4 40",
        "backfill 5 40",
        "nominal 60 40",
        "backfill 6 40"
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is cancelled by unschedule: what runs ends, what was left is counted as dropped", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* paused
      const events = yield* listen(scheduler)
      const id = yield* scheduler.backfill("m", { from: 60_000, to: 600_000, request: "r" })
      yield* TestClock.adjust("15 seconds")
      yield* scheduler.unschedule(id)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(ran, ["backfill 1 10", "backfill 2 10"])
      assert.isTrue(Option.isNone(yield* scheduler.get(id)))
      assert.strictEqual(only(events, "RunDropped")[0]?.count, 8)
      const rows = (yield* scheduler.history({ scheduleId: id })).items
      assert.deepStrictEqual(
        rows.map((row) => (row._tag === "Run" ? row.outcome : `${row.count} ${row.kind}`)).toSorted(),
        ["8 dropped", "succeeded", "succeeded"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes another payload and priority by update, and keeps its own way of waiting for room", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* paused
      const id = yield* scheduler.backfill("m", { from: 60_000, to: 180_000, request: "r" })
      yield* settled
      const view = yield* scheduler.update(Slow, id, { payload: { seconds: 1 }, priority: 1, maxInstances: 2 })
      assert.deepInclude(view.policy!, { overlap: "wait", maxInstances: 2 })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran, ["backfill 1 10", "backfill 2 1", "backfill 3 1"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("survives closing and reopening of the scheduler on one kept store, without a time run twice", () => {
    const store = steered()
    const first = world({}, store)
    const second = world({}, store)
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const scheduler = yield* paused
        yield* scheduler.backfill("m", { from: 60_000, to: 240_000, request: "r" })
        yield* TestClock.adjust("10 seconds")
        yield* scheduler.drain("1 minute").pipe(Effect.forkChild)
        yield* TestClock.adjust("10 seconds")
      }).pipe(Effect.provide(first.layer))
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("10 seconds")
        yield* TestClock.adjust("10 seconds")
      }).pipe(Effect.provide(second.layer))
      assert.deepStrictEqual(
        [...first.ran, ...second.ran],
        ["backfill 1 10", "backfill 2 10", "backfill 3 10", "backfill 4 10"]
      )
    })
  })

  it.effect("of a range without a nominal time is exhausted at once", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* paused
      const id = yield* scheduler.backfill("m", { from: 60_001, to: 119_999, request: "r" })
      assert.strictEqual(Option.getOrThrow(yield* scheduler.get(id)).state, "exhausted")
      yield* settled
      assert.deepStrictEqual(ran, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("with an id and request that are too long together is refused", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = "m".repeat(200)
      yield* scheduler.schedule(Note, { ...everyMinute, id })
      assert.include(
        yield* messageOf(scheduler.backfill(id, { from: 0, to: 1, request: "r".repeat(100) })),
        "id and request must be a text of 1 to 255 characters, not 310 characters"
      )
    }).pipe(Effect.provide(layer))
  })
})
