import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Scheduler, Trigger } from "../../../src/index.ts"
import { settled } from "../support.ts"
import { messageOf, minutely, Note, Slow, world } from "./world.ts"

const seconds = (instant: number) => instant / 1_000

describe("get", () => {
  it.effect("is none where there is no such schedule", () =>
    Effect.gen(function* () {
      assert.isTrue(Option.isNone(yield* (yield* Scheduler).get("gone")))
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("shows the trigger closed by its anchor, what it is in words, and what has been counted", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* TestClock.adjust("10 seconds")
      yield* scheduler.schedule(Note, { ...minutely, maxRuns: 9 })
      yield* TestClock.adjust("2 minutes")
      const view = Option.getOrThrow(yield* scheduler.get("m"))
      assert.strictEqual(view.description, "every minute")
      assert.isTrue(Trigger.matches(view.trigger as Trigger.Rule, 70_000))
      assert.isFalse(Trigger.matches(view.trigger as Trigger.Rule, 60_000))
      assert.deepInclude(view.counts, { fired: 2, missed: 0 })
      assert.strictEqual(view.policy?.maxRuns, 9)
    }).pipe(Effect.provide(world().layer))
  )
})

describe("list", () => {
  const fill = Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const ids = Array.from({ length: 25 }, (_, i) => `s${String(i).padStart(2, "0")}`)
    yield* scheduler.scheduleAll(
      Note,
      ids.toReversed().map((id, i) => ({ ...minutely, id, origin: i < 5 ? "a" : "b" }))
    )
    yield* scheduler.schedule(Slow, { id: "slow", trigger: Trigger.every("1 hour"), payload: { seconds: 1 } })
    return { scheduler, ids: [...ids, "slow"] }
  })

  it.effect("is by id, in pages that together hold each schedule once; a page has 100 unless it is said", () =>
    Effect.gen(function* () {
      const { ids, scheduler } = yield* fill
      const pages: Array<ReadonlyArray<string>> = []
      let cursor: string | undefined
      do {
        const page = yield* scheduler.list({ limit: 10, cursor })
        pages.push(page.items.map((view) => view.id))
        cursor = page.cursor
      } while (cursor !== undefined)
      assert.deepStrictEqual(
        pages.map((page) => page.length),
        [10, 10, 6]
      )
      assert.deepStrictEqual(pages.flat(), ids)
      assert.deepStrictEqual(
        (yield* scheduler.list()).items.map((view) => view.id),
        ids
      )
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("a page goes on after its last one, though that was removed meanwhile", () =>
    Effect.gen(function* () {
      const { ids, scheduler } = yield* fill
      const { cursor } = yield* scheduler.list({ limit: 10 })
      yield* scheduler.unschedule(ids[9]!)
      assert.strictEqual((yield* scheduler.list({ limit: 1, cursor })).items[0]?.id, ids[10])
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("filters by job, origin, state and the beginning of the id, together", () =>
    Effect.gen(function* () {
      const { scheduler } = yield* fill
      yield* scheduler.pause("s24")
      const count = (filter: Parameters<typeof scheduler.listAll>[0]) => Stream.runCount(scheduler.listAll(filter))
      assert.strictEqual(yield* count({}), 26)
      assert.strictEqual(yield* count({ job: "Slow" }), 1)
      assert.strictEqual(yield* count({ origin: "a" }), 5)
      assert.strictEqual(yield* count({ state: "paused" }), 1)
      assert.strictEqual(yield* count({ prefix: "s0" }), 10)
      assert.strictEqual(yield* count({ prefix: "s2", origin: "a", state: "active" }), 4)
      assert.strictEqual(yield* count({ prefix: "%" }), 0)
    }).pipe(Effect.provide(world().layer))
  )
})

describe("a page", () => {
  for (const limit of [0, -1, 1.5, NaN, Infinity]) {
    it.effect(`of ${limit} rows is refused`, () =>
      Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const message = (verb: string) => `${verb}: limit must be a whole number, at least 1, not ${limit}`
        assert.strictEqual(yield* messageOf(scheduler.list({ limit })), message("list"))
        assert.strictEqual(yield* messageOf(scheduler.runs({ limit })), message("runs"))
        assert.strictEqual(yield* messageOf(scheduler.history({ limit })), message("history"))
      }).pipe(Effect.provide(world().layer))
    )
  }
})

describe("runs", () => {
  it.effect("are the unfinished ones, filtered by job, schedule and state", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Slow, { ...minutely, payload: { seconds: 90 }, overlap: "bufferAll" })
      yield* scheduler.enqueue(Note, { text: "later" }, { at: 3_600_000 })
      yield* TestClock.adjust("2 minutes")
      const count = (filter: Parameters<typeof scheduler.runs>[0]) =>
        Effect.map(scheduler.runs(filter), (page) => page.items.length)
      assert.strictEqual(yield* count({}), 3)
      assert.strictEqual(yield* count({ job: "Note" }), 1)
      assert.strictEqual(yield* count({ scheduleId: "m" }), 2)
      assert.strictEqual(yield* count({ state: "running" }), 1)
      assert.strictEqual(yield* count({ scheduleId: "m", state: "deferred" }), 1)
    }).pipe(Effect.provide(world().layer))
  )
})

describe("upcoming", () => {
  it.effect("is the next nominal times of all schedules, in order, those of paused ones left out", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.schedule(Note, { ...minutely, id: "n", trigger: Trigger.every("90 seconds"), maxRuns: 1 })
      yield* scheduler.schedule(Note, { ...minutely, id: "p" })
      yield* scheduler.pause("p")
      const times = yield* scheduler.upcoming(4)
      assert.deepStrictEqual(
        times.map(({ at, job, scheduleId, store }) => `${store} ${job} ${scheduleId} ${seconds(at)}`),
        ["default Note m 60", "default Note n 90", "default Note m 120", "default Note m 180"]
      )
      assert.deepStrictEqual(yield* scheduler.upcoming(0), [])
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("of what is overdue is the time that is due, and then those to come", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.pauseAll
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(
        (yield* scheduler.upcoming(3)).map(({ at }) => seconds(at)),
        [60, 660, 720]
      )
      yield* scheduler.resumeAll
      yield* settled
      assert.strictEqual(seconds((yield* scheduler.upcoming(1))[0]!.at), 660)
    }).pipe(Effect.provide(world().layer))
  )

  for (const n of [-1, 1.5, NaN, Infinity]) {
    it.effect(`${n} is refused`, () =>
      Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Note, minutely)
        const message = `upcoming: n must be a whole number, zero or more, not ${n}`
        assert.strictEqual(yield* messageOf(scheduler.upcoming(n)), message)
      }).pipe(Effect.provide(world().layer))
    )
  }
})
