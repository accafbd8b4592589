import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { MemoryJobStore, Scheduler, Trigger } from "../../../src/index.ts"
import { settled, steered } from "../support.ts"
import { messageOf, minutely, Note, Slow, world } from "./world.ts"

const waiting = (store = steered()) => world({ autoStart: false }, store)
const hourly = Trigger.every("1 hour")

/** A schedule that is stored by an earlier life of the program. */
const storedBefore = (store: ReturnType<typeof steered>, id = "m") =>
  Effect.flatMap(Scheduler, (scheduler) => scheduler.schedule(Note, { ...minutely, id })).pipe(
    Effect.provide(world({}, store).layer)
  )

const notStarted = (verb: string) =>
  `Schedule "m" is kept until the scheduler starts, and ${verb} needs it stored: call scheduler.start before`

describe("a schedule that is kept for start", () => {
  it.effect("is shown by get, list, render and upcoming, and is in no store", () => {
    const { layer, row } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      assert.deepInclude(Option.getOrThrow(yield* scheduler.get("m")), { state: "tentative", nextAt: 60_000 })
      assert.deepStrictEqual(
        (yield* scheduler.list()).items.map((view) => `${view.id} ${view.state}`),
        ["m tentative"]
      )
      assert.include(yield* scheduler.render(), "tentative")
      assert.deepStrictEqual(
        (yield* scheduler.upcoming(2)).map(({ at }) => at),
        [60_000, 120_000]
      )
      assert.isUndefined(yield* row("m"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("is anchored at start: nothing runs for the time before", () => {
    const { layer, ran, row } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, missed: { run: "all" }, overlap: "bufferAll", priority: 0 })
      yield* TestClock.adjust("5 minutes")
      yield* scheduler.start
      assert.deepInclude((yield* row("m"))!, { anchor: 300_000, firstWatermark: 299_999, priority: 0 })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran, ["nominal 6 a"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is unscheduled without a trace", () => {
    const { layer, row } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.unschedule("m")
      assert.isTrue(Option.isNone(yield* scheduler.get("m")))
      assert.include(yield* messageOf(scheduler.unschedule("m")), 'No schedule "m"')
      yield* scheduler.start
      assert.isUndefined(yield* row("m"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("is rescheduled and updated where it is kept", () => {
    const { layer, row } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, jitter: "1 second" })
      assert.strictEqual((yield* scheduler.reschedule("m", hourly)).nextAt, 3_600_000)
      const view = yield* scheduler.update(Note, "m", { payload: { text: "b" }, priority: 1, maxRuns: 5 })
      assert.deepInclude(view, { state: "tentative", payload: { text: "b" }, priority: 1, nextAt: 3_600_000 })
      assert.deepInclude(view.policy!, { maxRuns: 5, jitter: 1_000 })
      assert.strictEqual(
        yield* messageOf(scheduler.update(Note, "m", { maxRuns: 0 })),
        'schedule "m": maxRuns must be a whole number, at least 1, or Infinity, not 0'
      )
      assert.include(yield* messageOf(scheduler.update(Slow, "m", {})), 'job must be "Note"')
      yield* scheduler.start
      assert.deepInclude((yield* row("m"))!, { priority: 1, nextAt: 3_600_000, payload: '{"text":"b"}' })
    }).pipe(Effect.provide(layer))
  })

  it.effect("is paused and resumed where it is kept, and stays paused when it is declared again", () => {
    const { layer, ran, row } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.schedule(Note, { ...minutely, id: "goes" })
      yield* scheduler.pause("m")
      yield* scheduler.pause("goes")
      yield* scheduler.resume("goes")
      assert.strictEqual((yield* scheduler.schedule(Note, minutely)).nextAt, null)
      yield* scheduler.start
      assert.deepInclude((yield* row("m"))!, { state: "paused", nextAt: null })
      assert.deepInclude((yield* row("goes"))!, { state: "active", nextAt: 60_000 })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran, ["nominal 1 a"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("cannot be run or backfilled before it is stored, and the error says what to do", () => {
    const { layer } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      assert.strictEqual(yield* messageOf(scheduler.runNow("m")), notStarted("runNow"))
      const range = { from: 0, to: 1, request: "r" }
      assert.strictEqual(yield* messageOf(scheduler.backfill("m", range)), notStarted("backfill"))
      yield* scheduler.start
      assert.isTrue(Option.isSome(yield* scheduler.runNow("m")))
    }).pipe(Effect.provide(layer))
  })

  it.effect('with onConflict: "fail" is refused for an id that is kept, "keep" leaves what is kept', () => {
    const { layer } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, onConflict: "fail" })
      const again = { ...minutely, trigger: hourly }
      assert.include(
        yield* messageOf(scheduler.schedule(Note, { ...again, onConflict: "fail" })),
        'A schedule "m" is in store "default" already'
      )
      assert.strictEqual((yield* scheduler.schedule(Note, { ...again, onConflict: "keep" })).nextAt, 60_000)
      assert.strictEqual((yield* scheduler.schedule(Note, again)).nextAt, 3_600_000)
      yield* scheduler.start
      assert.strictEqual(Option.getOrThrow(yield* scheduler.get("m")).nextAt, 3_600_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect('with onConflict: "fail" is refused for an id that is stored, "keep" answers what is stored', () => {
    const store = steered()
    const { layer, row } = waiting(store)
    return Effect.gen(function* () {
      yield* storedBefore(store)
      const before = yield* row("m")
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const again = { ...minutely, trigger: hourly }
        assert.include(yield* messageOf(scheduler.schedule(Note, { ...again, onConflict: "fail" })), "already")
        assert.deepInclude(yield* scheduler.schedule(Note, { ...again, onConflict: "keep" }), {
          state: "active",
          nextAt: 60_000
        })
        yield* scheduler.start
        assert.deepStrictEqual(yield* row("m"), before)
      }).pipe(Effect.provide(layer))
    })
  })

  it.effect("over one that is stored: a pause reaches both, a resume too", () => {
    const store = steered()
    const { layer, row } = waiting(store)
    return Effect.gen(function* () {
      yield* storedBefore(store)
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Note, minutely)
        yield* scheduler.pause("m")
        assert.strictEqual((yield* row("m"))!.state, "paused")
        yield* scheduler.resume("m")
        assert.strictEqual((yield* row("m"))!.state, "active")
        yield* scheduler.pause("m")
        yield* scheduler.start
        assert.strictEqual((yield* row("m"))!.state, "paused")
      }).pipe(Effect.provide(layer))
    })
  })

  it.effect('"replace" makes another generation at start, also when it is declared again', () => {
    const store = steered()
    const { layer, row } = waiting(store)
    return Effect.gen(function* () {
      yield* storedBefore(store)
      const before = (yield* row("m"))!
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Note, { ...minutely, onConflict: "replace" })
        yield* scheduler.schedule(Note, { ...minutely, payload: { text: "b" } })
        yield* scheduler.start
        const after = (yield* row("m"))!
        assert.notStrictEqual(after.generation, before.generation)
        assert.strictEqual(after.payload, '{"text":"b"}')
      }).pipe(Effect.provide(layer))
    })
  })

  it.effect("that is changed while it is being stored is stored as it was changed", () => {
    const { layer, row, store } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      store.trouble("modify", 1_000, 1)
      const starting = yield* Effect.forkChild(scheduler.start)
      yield* settled
      yield* scheduler.update(Note, "m", { payload: { text: "b" } })
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.strictEqual(starting.pollUnsafe()?._tag, "Success")
      assert.strictEqual((yield* row("m"))!.payload, '{"text":"b"}')
    }).pipe(Effect.provide(layer))
  })

  it.effect("of which one among many is refused: none of them is kept", () => {
    const { layer } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* Effect.flip(scheduler.scheduleAll(Note, [minutely, { ...minutely, id: "" }]))
      assert.strictEqual((yield* scheduler.list()).items.length, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("for a store that is removed and added again goes into the one that is there at start", () => {
    const { layer } = waiting()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const add = scheduler.addStore("file", Layer.fresh(MemoryJobStore.layer))
      yield* Effect.scoped(Effect.andThen(add, scheduler.schedule(Note, { ...minutely, store: "file" })))
      assert.include(yield* messageOf(scheduler.start), 'No store "file" here')
      yield* add
      yield* scheduler.start
      const { items } = yield* scheduler.list({ store: "file" })
      assert.deepStrictEqual(
        items.map((view) => [view.id, view.state]),
        [["m", "active"]]
      )
    }).pipe(Effect.provide(layer))
  })
})
