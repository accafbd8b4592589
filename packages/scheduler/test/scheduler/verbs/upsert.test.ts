import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { JobStore, Scheduler, Trigger } from "../../../src/index.ts"
import { messageOf, minutely, Note, Slow, world } from "./world.ts"

const other = { ...minutely, payload: { text: "b" } } as const

const many = (length: number, text = "a") =>
  Array.from({ length }, (_, i) => ({ ...minutely, id: `m${i}`, payload: { text } }))

describe("schedule", () => {
  it.effect("stores a row with the given definition, anchored now, with the first nominal time as its next", () => {
    const { layer, row } = world({ origin: "app" })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* TestClock.adjust("10 seconds")
      const view = yield* scheduler.schedule(Note, { ...minutely, priority: 1 })
      assert.deepInclude(view, {
        id: "m",
        store: "default",
        job: "Note",
        state: "active",
        payload: { text: "a" },
        nextAt: 70_000,
        watermark: 9_999,
        priority: 1,
        origin: "app",
        error: null
      })
      assert.deepInclude((yield* row("m"))!, { anchor: 10_000, payload: '{"text":"a"}', queue: "default", revision: 0 })
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    '"update" with an unchanged trigger keeps generation, anchor, watermark, next time, counters and pause',
    () => {
      const { layer, row } = world()
      return Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Note, minutely)
        yield* TestClock.adjust("90 seconds")
        const before = (yield* row("m"))!
        yield* scheduler.schedule(Note, other)
        const { anchor, counts, firstWatermark, generation, nextAt } = before
        const kept = { anchor, counts, firstWatermark, generation, nextAt }
        assert.deepInclude((yield* row("m"))!, { ...kept, payload: '{"text":"b"}' })
        yield* scheduler.pause("m")
        yield* scheduler.schedule(Note, minutely)
        assert.deepInclude((yield* row("m"))!, { anchor, generation, state: "paused", nextAt: null })
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect('"update" with nothing that differs writes nothing', () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      const before = yield* row("m")
      yield* scheduler.schedule(Note, { ...minutely, trigger: Trigger.every("60 seconds") })
      assert.deepStrictEqual(yield* row("m"), before)
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    '"update" with a changed trigger decides what has passed, and starts from now with the counters kept',
    () => {
      const { layer, row } = world()
      return Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Note, minutely)
        yield* TestClock.adjust("90 seconds")
        const { generation } = (yield* row("m"))!
        yield* scheduler.schedule(Note, { ...other, trigger: Trigger.every("1 hour") })
        const after = (yield* row("m"))!
        assert.deepInclude(after, { generation, anchor: 90_000, watermark: 90_000, nextAt: 3_690_000 })
        assert.strictEqual(after.counts.fired, 1)
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect('"update" changes the job, and forgets what the other job last succeeded with', () => {
    const { layer, ran, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* TestClock.adjust("60 seconds")
      yield* scheduler.schedule(Slow, { ...minutely, payload: { seconds: 1 } })
      assert.deepInclude((yield* row("m"))!, { job: "Slow", lastSuccess: null, nextAt: 120_000 })
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(ran, ["nominal 1 a", "nominal 2 1"])
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    '"update" leaves an exhausted schedule exhausted, so that declaring it again does not fire it again',
    () => {
      const { layer, ran } = world()
      return Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const once = { ...minutely, trigger: Trigger.at(60_000) }
        yield* scheduler.schedule(Note, once)
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual((yield* scheduler.schedule(Note, once)).state, "exhausted")
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(ran, ["nominal 1 a"])
      }).pipe(Effect.provide(layer))
    }
  )

  for (const onConflict of ["keep", "fail"] as const) {
    it.effect(`"${onConflict}" leaves the row as it is, to the last field`, () => {
      const { layer, row } = world()
      return Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Note, minutely)
        yield* TestClock.adjust("90 seconds")
        const before = yield* row("m")
        const again = scheduler.schedule(Slow, { ...minutely, payload: { seconds: 1 }, onConflict })
        if (onConflict === "keep") assert.deepInclude(yield* again, { job: "Note", payload: { text: "a" } })
        else {
          const message =
            'A schedule "m" is in store "default" already, and onConflict is "fail": give another id, or "update", "keep" or "replace"'
          assert.strictEqual(yield* messageOf(again), message)
        }
        assert.deepStrictEqual(yield* row("m"), before)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect('"replace" is another generation from now, and the unfinished runs of the old one stay', () => {
    const { layer, ran, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.pauseAll
      yield* scheduler.schedule(Note, minutely)
      yield* TestClock.adjust("90 seconds")
      const before = (yield* row("m"))!
      yield* scheduler.schedule(Note, { ...other, onConflict: "replace" })
      const after = (yield* row("m"))!
      assert.notStrictEqual(after.generation, before.generation)
      assert.deepInclude(after, { anchor: 90_000, nextAt: 150_000 })
      assert.strictEqual(after.counts.fired, 0)
      yield* scheduler.resumeAll
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(ran, ["nominal 1 a", "nominal 2.5 b"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("by many at once is one schedule", () => {
    const { layer, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const views = yield* Effect.forEach(Array.from({ length: 50 }), () => scheduler.schedule(Note, minutely), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(views.map((view) => view.nextAt)).size, 1)
      assert.strictEqual((yield* row("m"))!.revision, 0)
      assert.strictEqual(yield* Stream.runCount(scheduler.listAll()), 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("scheduleAll", () => {
  it.effect("stores 3,000 in three calls of the store, and changes nothing when it is asked again", () => {
    const { layer, row, store } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const before = store.calls("modify")
      yield* scheduler.scheduleAll(Note, many(3_000))
      assert.strictEqual(store.calls("modify") - before, 3)
      assert.strictEqual(yield* Stream.runCount(scheduler.listAll()), 3_000)
      yield* scheduler.scheduleAll(Note, many(3_000))
      assert.strictEqual((yield* row("m2999"))!.revision, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes onConflict for all of them", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.scheduleAll(Note, many(2))
      yield* scheduler.scheduleAll(Note, many(3, "b"), { onConflict: "keep" })
      const texts = Effect.map(scheduler.list(), (page) => page.items.map((view) => view.payload))
      assert.deepStrictEqual(yield* texts, [{ text: "a" }, { text: "a" }, { text: "b" }])
      const message =
        'A schedule "m0" is in store "default" already, and onConflict is "fail": give another id, or "update", "keep" or "replace"'
      assert.strictEqual(yield* messageOf(scheduler.scheduleAll(Note, many(3), { onConflict: "fail" })), message)
    }).pipe(Effect.provide(layer))
  })

  it.effect("with fail stores none if one is there, wherever it stands, or is given twice", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, id: "m1400" })
      const call = scheduler.scheduleAll(Note, many(1_500), { onConflict: "fail" })
      assert.include(yield* messageOf(call), 'A schedule "m1400" is in store "default" already')
      assert.strictEqual(yield* Stream.runCount(scheduler.listAll()), 1)
      const twice = scheduler.scheduleAll(Note, [minutely, other], { onConflict: "fail" })
      assert.include(yield* messageOf(twice), 'A schedule "m" is in store "default" already')
      assert.strictEqual(yield* Stream.runCount(scheduler.listAll()), 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("with fail takes back what it stored where another comes in between, and leaves that one", () => {
    const kit = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      // Whoever looked saw none.
      const unseeing = new Proxy(kit.store.store, {
        get: (target, key) =>
          key === "getSchedules" ? () => Effect.succeed([]) : target[key as keyof JobStore.JobStoreService]
      })
      yield* scheduler.addStore("racing", Layer.succeed(JobStore.JobStore, unseeing))
      yield* scheduler.schedule(Note, { ...minutely, id: "m1400" })
      const before = yield* kit.row("m1400")
      const call = scheduler.scheduleAll(Note, many(1_500), { onConflict: "fail", store: "racing" })
      assert.include(yield* messageOf(call), 'A schedule "m1400" is in store "racing" already')
      assert.strictEqual(yield* Stream.runCount(scheduler.listAll()), 1)
      assert.deepStrictEqual(yield* kit.row("m1400"), before)
    }).pipe(Effect.provide(kit.layer))
  })

  it.effect("with fail keeps none for the start if one is there or kept already", () => {
    const { layer } = world({ autoStart: false })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, id: "m2" })
      const call = scheduler.scheduleAll(Note, many(3), { onConflict: "fail" })
      assert.include(yield* messageOf(call), 'A schedule "m2" is in store "default" already')
      assert.strictEqual(yield* Stream.runCount(scheduler.listAll()), 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("of an id twice is the last of them", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.scheduleAll(Note, [minutely, other])
      assert.deepStrictEqual(
        (yield* scheduler.list()).items.map((view) => view.payload),
        [{ text: "b" }]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("with one that is refused stores none, wherever it stands", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const call = scheduler.scheduleAll(Note, [...many(1_500), { ...minutely, id: "" }])
      assert.strictEqual(yield* messageOf(call), "schedule: id must be a text of 1 to 255 characters, not 0 characters")
      assert.deepStrictEqual((yield* scheduler.list()).items, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("of none does nothing", () => {
    const { layer, store } = world()
    return Effect.gen(function* () {
      const before = store.calls("modify")
      yield* (yield* Scheduler).scheduleAll(Note, [])
      assert.strictEqual(store.calls("modify"), before)
    }).pipe(Effect.provide(layer))
  })
})
