import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { Scheduler, Trigger } from "../../../src/index.ts"
import { settled } from "../support.ts"
import { messageOf, minutely, Note, Slow, world } from "./world.ts"

describe("unschedule", () => {
  it.effect("removes the row, and its deferred, pending and running runs stay and end", () => {
    const { layer, ran, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Slow, { ...minutely, payload: { seconds: 90 }, overlap: "bufferAll" })
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(
        (yield* scheduler.runs()).items.map((run) => run.state),
        ["running", "deferred"]
      )
      yield* scheduler.unschedule("m")
      assert.isUndefined(yield* row("m"))
      assert.isTrue(Option.isNone(yield* scheduler.get("m")))
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(ran, ["nominal 1 90", "nominal 2 90", "nominal 3 90"])
      assert.deepStrictEqual((yield* scheduler.runs()).items, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("decides what has passed first, so that no nominal time is lost", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.pauseAll
      yield* scheduler.schedule(Note, minutely)
      yield* TestClock.adjust("3 minutes")
      yield* scheduler.unschedule("m")
      yield* scheduler.resumeAll
      yield* settled
      assert.deepStrictEqual(ran, ["nominal 3 a"])
      const ranges = (yield* scheduler.history()).items.filter((row) => row._tag === "Range")
      assert.deepStrictEqual(
        ranges.map(({ count, kind }) => `${count} ${kind}`),
        ["2 missed"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("and scheduling again is another generation", () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      const before = (yield* row("m"))!
      yield* scheduler.unschedule("m")
      assert.include(yield* messageOf(scheduler.unschedule("m")), 'No schedule "m" in store "default"')
      yield* scheduler.schedule(Note, minutely)
      assert.notStrictEqual((yield* row("m"))!.generation, before.generation)
    }).pipe(Effect.provide(layer))
  })
})

describe("reschedule", () => {
  it.effect("anchors the other trigger now, keeps counters and generation, and revives an exhausted schedule", () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, trigger: Trigger.at(60_000) })
      yield* TestClock.adjust("100 seconds")
      const before = (yield* row("m"))!
      assert.strictEqual(before.state, "exhausted")
      const view = yield* scheduler.reschedule("m", Trigger.every("1 minute"))
      assert.deepInclude(view, { state: "active", nextAt: 160_000, watermark: 100_000 })
      const after = (yield* row("m"))!
      assert.deepInclude(after, { generation: before.generation, anchor: 100_000, payload: before.payload })
      assert.strictEqual(after.counts.fired, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("to an equal trigger writes nothing", () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* TestClock.adjust("30 seconds")
      const before = yield* row("m")
      assert.strictEqual((yield* scheduler.reschedule("m", Trigger.every(60_000))).nextAt, 60_000)
      assert.deepStrictEqual(yield* row("m"), before)
    }).pipe(Effect.provide(layer))
  })
})

describe("update", () => {
  it.effect("lays policies over those that the row has, and leaves the trigger's times alone", () => {
    const { layer, row } = world({ policies: { missed: { limit: 7 } } })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, jitter: "2 seconds" })
      yield* TestClock.adjust("70 seconds")
      const before = (yield* row("m"))!
      const view = yield* scheduler.update(Note, "m", { missed: { run: "all" }, maxRuns: 3 })
      assert.deepInclude(view.policy!, { jitter: 2_000, maxRuns: 3, overlap: "skip" })
      assert.deepInclude(view.policy!.missed, { run: "all", limit: 7 })
      const { anchor, counts, generation, nextAt, payload, trigger } = before
      assert.deepInclude((yield* row("m"))!, { anchor, counts, generation, nextAt, payload, trigger })
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives later runs another payload and priority; those that exist stay as they are", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Slow, { ...minutely, payload: { seconds: 90 }, overlap: "bufferAll" })
      yield* TestClock.adjust("2 minutes")
      yield* scheduler.update(Slow, "m", { payload: { seconds: 1 }, priority: 0 })
      yield* TestClock.adjust("1 minute")
      const { items } = yield* scheduler.runs()
      assert.deepStrictEqual(
        items.map((run) => [run.priority, run.payload]),
        [
          [2, '{"seconds":90}'],
          [0, '{"seconds":1}']
        ]
      )
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(ran.slice(0, 3), ["nominal 1 90", "nominal 2 90", "nominal 3 1"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("that raises maxRuns revives a schedule that maxRuns had ended", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, maxRuns: 1 })
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* scheduler.update(Note, "m", { maxRuns: 2 })).state, "active")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(ran, ["nominal 1 a", "nominal 6 a"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("of nothing, or to what is there, writes nothing", () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      const before = yield* row("m")
      yield* scheduler.update(Note, "m", {})
      yield* scheduler.update(Note, "m", { payload: { text: "a" }, overlap: "skip", priority: 2 })
      assert.deepStrictEqual(yield* row("m"), before)
    }).pipe(Effect.provide(layer))
  })

  it.effect("with another job than the schedule's is refused: its payload would not fit", () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      const before = yield* row("m")
      assert.strictEqual(
        yield* messageOf(scheduler.update(Slow, "m", { payload: { seconds: 1 } })),
        'schedule "m": job must be "Note", the one that it was scheduled with, not "Slow"'
      )
      assert.deepStrictEqual(yield* row("m"), before)
    }).pipe(Effect.provide(layer))
  })
})

describe("pause and resume", () => {
  it.effect("pause clears the next time and decides what has passed; runs that exist go on", () => {
    const { layer, ran, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Slow, { ...minutely, payload: { seconds: 30 } })
      yield* TestClock.adjust("1 minute")
      yield* scheduler.pause("m")
      assert.deepInclude((yield* row("m"))!, { state: "paused", nextAt: null, watermark: 60_000 })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(ran, ["nominal 1 30"])
      assert.strictEqual((yield* scheduler.history()).items.length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect('resume from "now" moves the watermark to now, and writes what it passed as one paused range', () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.pause("m")
      yield* TestClock.adjust("150 seconds")
      yield* scheduler.resume("m")
      assert.deepInclude((yield* row("m"))!, { state: "active", watermark: 150_000, nextAt: 180_000 })
      const [range] = (yield* scheduler.history()).items
      assert.deepInclude(range, { _tag: "Range", kind: "paused", count: 2, first: 60_000, last: 120_000 })
    }).pipe(Effect.provide(layer))
  })

  it.effect('resume from "missed" leaves what passed to the missed policy', () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, missed: { run: "all" }, overlap: "bufferAll" })
      yield* scheduler.schedule(Note, { ...minutely, id: "none", missed: { run: "none" } })
      yield* scheduler.pause("m")
      yield* scheduler.pause("none")
      yield* TestClock.adjust("150 seconds")
      yield* scheduler.resume("m", { from: "missed" })
      yield* scheduler.resume("none", { from: "missed" })
      yield* settled
      assert.deepStrictEqual(ran, ["nominal 1 a", "nominal 2 a"])
      assert.strictEqual(Option.getOrThrow(yield* scheduler.get("none")).counts.missed, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("twice, and resume of what is not paused, write nothing", () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.resume("m")
      assert.strictEqual((yield* row("m"))!.revision, 0)
      yield* scheduler.pause("m")
      yield* scheduler.pause("m")
      assert.strictEqual((yield* row("m"))!.revision, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("leave an exhausted schedule exhausted", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, trigger: Trigger.at(60_000) })
      yield* TestClock.adjust("2 minutes")
      yield* scheduler.pause("m")
      yield* scheduler.resume("m")
      assert.strictEqual(Option.getOrThrow(yield* scheduler.get("m")).state, "exhausted")
    }).pipe(Effect.provide(layer))
  })
})
