import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, Scheduler, Trigger } from "../../src/index.ts"
import type { SchedulerOptions } from "../../src/SchedulerOptions.ts"
import { listen, only, settled, steered } from "./support.ts"

class Note extends Job.make("Note", { payload: { text: Schema.String } }) {}
class Other extends Job.make("Other") {}

/** What ran: nominal minute (or cause) and text. */
const world = (options: Omit<SchedulerOptions, "stores"> = {}, store = steered()) => {
  const ran: Array<string> = []
  const live = Layer.mergeAll(
    Note.toLayer(({ text }) =>
      Effect.map(JobRun.current, (run) => {
        ran.push(`${run.nominal === null ? run.cause : run.nominal / 60_000} ${text}`)
      })
    ),
    Other.toLayer(() => Effect.void)
  )
  const layer = Scheduler.layer({ drainDeadline: 0, ...options, stores: { default: store.layer } })
  return { ran, layer: Layer.provideMerge(live, layer) }
}

const minutely = { id: "m", trigger: Trigger.every("1 minute"), payload: { text: "a" } } as const

describe("schedule is an upsert", () => {
  it.effect("update, the default: an unchanged trigger keeps its rhythm and counters", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* TestClock.adjust("90 seconds")
      const view = yield* scheduler.schedule(Note, { ...minutely, payload: { text: "b" } })
      assert.deepInclude(view, { nextAt: 120_000, state: "active" })
      assert.strictEqual(view.counts.fired, 1)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(ran, ["1 a", "2 b"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("update: a pause stays, and a changed trigger starts from now", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.pause("m")
      assert.strictEqual((yield* scheduler.schedule(Note, minutely)).state, "paused")
      yield* scheduler.resume("m")
      yield* TestClock.adjust("90 seconds")
      const view = yield* scheduler.schedule(Note, { ...minutely, trigger: Trigger.every("2 minutes") })
      assert.strictEqual(view.nextAt, 210_000)
      assert.deepStrictEqual(ran, ["1 a"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("keep leaves it as it is, fail refuses, replace begins anew", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, onConflict: "fail" })
      yield* TestClock.adjust("90 seconds")
      const kept = yield* scheduler.schedule(Note, { ...minutely, payload: { text: "b" }, onConflict: "keep" })
      assert.deepStrictEqual(kept.payload, { text: "a" })
      const error = yield* Effect.flip(scheduler.schedule(Note, { ...minutely, onConflict: "fail" }))
      assert.strictEqual(
        error.message,
        'A schedule "m" is in store "default" already, and onConflict is "fail": give another id, or "update", "keep" or "replace"'
      )
      const view = yield* scheduler.schedule(Note, { ...minutely, onConflict: "replace" })
      assert.deepInclude(view, { nextAt: 150_000 })
      assert.strictEqual(view.counts.fired, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("scheduleAll stores many at once", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.scheduleAll(
        Note,
        Array.from({ length: 2_500 }, (_, i) => ({ ...minutely, id: `m${i}` }))
      )
      assert.strictEqual(yield* Stream.runCount(scheduler.listAll()), 2_500)
    }).pipe(Effect.provide(layer))
  })
})

describe("a schedule is changed from now on", () => {
  it.effect("unschedule removes it, and leaves its unfinished runs", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.pauseAll
      yield* scheduler.schedule(Note, minutely)
      yield* TestClock.adjust("90 seconds")
      yield* scheduler.unschedule("m")
      assert.isTrue(Option.isNone(yield* scheduler.get("m")))
      yield* scheduler.resumeAll
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(ran, ["1 a"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("reschedule gives it another trigger", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* TestClock.adjust("90 seconds")
      const view = yield* scheduler.reschedule("m", Trigger.cron("0 * * * *"))
      assert.strictEqual(view.nextAt, 3_600_000)
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(ran, ["1 a", "60 a"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("update changes payload, policies and priority, and nothing else", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, jitter: "1 second" })
      const view = yield* scheduler.update(Note, "m", { payload: { text: "b" }, overlap: "allow", priority: 0 })
      assert.deepInclude(view, { priority: 0, nextAt: 60_000 })
      assert.deepInclude(view.policy!, { overlap: "allow", jitter: 1_000, maxInstances: Infinity })
      yield* TestClock.adjust("62 seconds")
      assert.deepStrictEqual(ran, ["1 b"])
      const error = yield* Effect.flip(scheduler.update(Note, "m", { maxRuns: 0 }))
      assert.strictEqual(error.message, 'schedule "m": maxRuns must be a whole number, at least 1, or Infinity, not 0')
    }).pipe(Effect.provide(layer))
  })

  it.effect("pause stops it, and resume counts what passed, or leaves it to the missed policy", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.pause("m")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(ran, [])
      yield* scheduler.resume("m")
      yield* settled
      assert.strictEqual(only(events, "ScheduleResumed")[0]!.skipped, 5)
      assert.strictEqual(Option.getOrThrow(yield* scheduler.get("m")).counts.paused, 5)
      yield* scheduler.pause("m")
      yield* TestClock.adjust("5 minutes")
      yield* scheduler.resume("m", { from: "missed" })
      yield* settled
      assert.deepStrictEqual(ran, ["10 a"])
      assert.deepInclude(Option.getOrThrow(yield* scheduler.get("m")).counts, { fired: 1, missed: 4, paused: 5 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("pauseAll fires and starts nothing until resumeAll", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.pauseAll
      yield* scheduler.enqueue(Note, { text: "waits" })
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(ran, [])
      yield* scheduler.resumeAll
      yield* settled
      assert.deepStrictEqual(ran.toSorted(), ["3 a", "enqueue waits"])
    }).pipe(Effect.provide(layer))
  })
})

describe("runNow", () => {
  it.effect("runs a schedule once, now, beside its times, paused or not", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.pause("m")
      assert.isTrue(Option.isSome(yield* scheduler.runNow("m")))
      yield* settled
      assert.deepStrictEqual(ran, ["runNow a"])
      assert.strictEqual(Option.getOrThrow(yield* scheduler.get("m")).counts.fired, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("with overlap: not while a run of its times is unfinished", () => {
    const slow = Layer.provideMerge(
      Other.toLayer(() => Effect.sleep("30 seconds")),
      Scheduler.layer({ drainDeadline: 0 })
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Other, { id: "o", trigger: Trigger.every("1 minute") })
      yield* TestClock.adjust("70 seconds")
      assert.isTrue(Option.isNone(yield* scheduler.runNow("o", { overlap: true })))
      assert.isTrue(Option.isSome(yield* scheduler.runNow("o")))
      yield* TestClock.adjust("20 seconds")
      assert.isTrue(Option.isSome(yield* scheduler.runNow("o", { overlap: true })))
    }).pipe(Effect.provide(slow))
  })
})

const slow = (ran: Array<number>) =>
  Layer.provideMerge(
    Other.toLayer(() =>
      Effect.andThen(
        Effect.map(JobRun.current, (run) => void ran.push(run.nominal!)),
        Effect.sleep("10 seconds")
      )
    ),
    Scheduler.layer({ drainDeadline: 0 })
  )

describe("backfill", () => {
  it.effect(
    "runs past nominal times as a schedule of its own, one at a time, oldest first; live times go before it",
    () => {
      const { layer, ran } = world({ maxRunning: 1 })
      return Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* TestClock.adjust("1 hour")
        yield* scheduler.schedule(Note, { ...minutely, trigger: Trigger.every("1 minute", { start: 0 }) })
        const request = { from: 0, to: 180_000, request: "r1" } as const
        const id = yield* scheduler.backfill("m", request)
        assert.strictEqual(id, "m/backfill/r1")
        yield* settled
        assert.deepStrictEqual(
          ran.filter((one) => !one.startsWith("60")),
          ["0 a", "1 a", "2 a", "3 a"]
        )
        assert.deepInclude(Option.getOrThrow(yield* scheduler.get(id)), { state: "exhausted", priority: 3 })
        assert.strictEqual(yield* scheduler.backfill("m", request), id)
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual(ran.filter((one) => !one.startsWith("60")).length, 4)
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("is listed, paused and resumed like any other, and loses nothing", () => {
    const ran: Array<number> = []
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* TestClock.adjust("1 day")
      yield* scheduler.schedule(Other, { id: "o", trigger: Trigger.cron("0 * * * *") })
      yield* settled
      const id = yield* scheduler.backfill("o", { from: 0, to: "1970-01-01T05:00:00Z", request: "r" })
      yield* TestClock.adjust("15 seconds")
      yield* scheduler.pause(id)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran, [86_400_000, 0, 3_600_000])
      assert.include(
        (yield* scheduler.list()).items.map((view) => `${view.id} ${view.state}`),
        `${id} paused`
      )
      yield* scheduler.resume(id)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(
        ran,
        [24, 0, 1, 2, 3, 4, 5].map((hour) => hour * 3_600_000)
      )
    }).pipe(Effect.provide(slow(ran)))
  })

  it.effect("goes on after a restart", () => {
    const store = steered()
    const first = world({ maxRunning: 1 }, store)
    const second = world({}, store)
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.pauseAll
        yield* TestClock.adjust("1 hour")
        yield* scheduler.schedule(Note, { ...minutely, trigger: Trigger.cron("* * * * *") })
        yield* scheduler.backfill("m", { from: 60_000, to: 300_000, request: "r" })
      }).pipe(Effect.provide(first.layer))
      yield* settled.pipe(Effect.repeat({ times: 3 }), Effect.provide(second.layer))
      assert.deepStrictEqual(second.ran, ["60 a", "1 a", "2 a", "3 a", "4 a", "5 a"])
    })
  })

  it.effect("refuses a range that ends before it begins, and a rhythm without past times", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.schedule(Note, { ...minutely, id: "s", trigger: Trigger.spaced("1 minute") })
      const messages = yield* Effect.forEach(
        [
          scheduler.backfill("m", { from: 1_000, to: 0, request: "r" }),
          scheduler.backfill("s", { from: 0, to: 1_000, request: "r" }),
          scheduler.backfill("m", { from: "soon", to: 1_000, request: "r" }),
          scheduler.backfill("m", { from: 0, to: 1_000, request: "" }),
          scheduler.backfill("m", { from: 0, to: 1_000, request: "r", concurrency: 0 })
        ],
        (call) => Effect.map(Effect.flip(call), (error) => error.message)
      )
      assert.deepStrictEqual(messages, [
        'backfill of "m": to must be an instant not before from, not 1970-01-01T00:00:00.000Z',
        'backfill of "s": trigger must be a set of instants, not a spaced rhythm, which has no past times',
        'backfill of "m": from must be an instant, not soon',
        'backfill of "m": request must be a text of 1 to 200 characters, not 0 characters',
        'backfill of "m": concurrency must be a whole number of at least 1, not 0'
      ])
    }).pipe(Effect.provide(layer))
  })
})
