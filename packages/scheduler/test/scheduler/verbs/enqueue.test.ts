import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobStore, Scheduler } from "../../../src/index.ts"
import { settled, steered } from "../support.ts"
import { messageOf, minutely, Note, Slow, world } from "./world.ts"

const a = { text: "a" }

describe("enqueue", () => {
  it.effect("stores a run of the job's queue and priority, due now", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.pauseAll
      yield* TestClock.adjust("10 seconds")
      const id = yield* scheduler.enqueue(Note, a)
      const [run] = (yield* scheduler.runs()).items
      assert.deepInclude(run, {
        id,
        job: "Note",
        queue: "default",
        priority: 2,
        payload: '{"text":"a"}',
        cause: "enqueue",
        scheduleId: null,
        nominal: null,
        state: "pending",
        runAt: 10_000,
        attempt: 0
      })
    }).pipe(Effect.provide(layer))
  })

  it.effect("at an instant that has passed runs at once, at one to come not before it", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* TestClock.adjust("1 minute")
      yield* scheduler.enqueue(Note, { text: "past" }, { at: 0 })
      yield* scheduler.enqueue(Note, { text: "to come" }, { at: "1970-01-01T00:02:00Z" })
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(ran, ["enqueue - past"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(ran, ["enqueue - past", "enqueue - to come"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("with a priority goes before or after the others", () => {
    const { layer, ran } = world({ maxRunning: 1 })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.pauseAll
      yield* scheduler.enqueue(Note, { text: "last" }, { priority: 3 })
      yield* scheduler.enqueue(Note, { text: "usual" })
      yield* scheduler.enqueue(Note, { text: "first" }, { priority: 0 })
      yield* scheduler.resumeAll
      yield* settled
      assert.deepStrictEqual(ran, ["enqueue - first", "enqueue - usual", "enqueue - last"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a key is of a job: the same text for another job is another run", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const options = { idempotencyKey: "order 7" }
      const first = yield* scheduler.enqueue(Note, a, options)
      assert.notStrictEqual(yield* scheduler.enqueue(Slow, { seconds: 0 }, options), first)
      yield* settled
      // Ended or not, whatever the payload: the first run is the one.
      assert.strictEqual(yield* scheduler.enqueue(Note, { text: "b" }, options), first)
    }).pipe(Effect.provide(layer))
  })

  const refused = [
    [
      "an idempotency key that is empty",
      { idempotencyKey: "" },
      "idempotencyKey must be a text of 1 to 255 characters"
    ],
    ["an idempotency key that is too long", { idempotencyKey: "k".repeat(256) }, "not 256 characters"],
    ["a priority that is none", { priority: 7 as 3 }, 'job "Note": priority must be 0, 1, 2 or 3, not 7'],
    ["an instant that is none", { at: "soon" }, 'job "Note": at must be an instant, not']
  ] as const
  for (const [title, options, message] of refused) {
    it.effect(`refuses ${title}`, () => {
      const { layer } = world()
      return Effect.gen(function* () {
        const scheduler = yield* Scheduler
        assert.include(yield* messageOf(scheduler.enqueue(Note, a, options)), message)
        assert.strictEqual((yield* scheduler.history()).items.length, 0)
      }).pipe(Effect.provide(layer))
    })
  }
})

class Keyed extends Job.make("Keyed", { payload: { text: Schema.String }, key: () => "one" }) {}

describe("enqueueAll of more than a thousand", () => {
  const many = Array.from({ length: 2_500 }, (_, n) => ({ text: `${n}` }))

  /** The payloads in the order of their ids, and the greatest number of calls that were under way at once. */
  const enqueued = (job: typeof Note | typeof Keyed) => {
    const { store } = steered()
    const under = { way: 0, most: 0 }
    const slow = JobStore.JobStore.of({
      ...store,
      enqueue: (params) =>
        Effect.acquireUseRelease(
          Effect.sync(() => void (under.most = Math.max(under.most, ++under.way))),
          () => Effect.delay(store.enqueue(params), params.runs.length),
          () => Effect.sync(() => void under.way--)
        )
    })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const fiber = yield* Effect.forkChild(scheduler.enqueueAll(job, many))
      for (let second = 0; second < 4; second++) {
        yield* settled
        yield* TestClock.adjust("1 second")
      }
      const ids = yield* Fiber.join(fiber)
      const { unfinished } = yield* store.getRuns({ ids })
      const payloads = new Map(unfinished.map((run) => [run.id, run.payload]))
      return { most: under.most, payloads: ids.map((id) => payloads.get(id)) }
    }).pipe(Effect.provide(Layer.fresh(Scheduler.layerClient({ default: Layer.succeed(JobStore.JobStore, slow) }))))
  }

  it.effect("answers the ids in the order of the payloads, and has several calls under way", () =>
    Effect.gen(function* () {
      const { most, payloads } = yield* enqueued(Note)
      assert.deepStrictEqual(
        payloads,
        many.map((one) => JSON.stringify(one))
      )
      assert.strictEqual(most, 3)
    })
  )

  it.effect("stores runs that have a key in their order", () =>
    Effect.gen(function* () {
      const { most, payloads } = yield* enqueued(Keyed)
      assert.strictEqual(payloads.length, 2_500)
      assert.strictEqual(most, 1)
    })
  )
})

describe("enqueueAll", () => {
  it.effect("stores 2,500 in three calls of the store, and answers their ids in order", () => {
    const { layer, store } = world({ maxRunning: 1 })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.pauseAll
      const texts = Array.from({ length: 2_500 }, (_, i) => ({ text: `${i}` }))
      const ids = yield* scheduler.enqueueAll(Note, texts, { at: 60_000, priority: 1 })
      assert.strictEqual(store.calls("enqueue"), 3)
      assert.strictEqual(new Set(ids).size, 2_500)
      const { unfinished } = yield* store.store.getRuns({ ids: [ids[0]!, ids[2_499]!] })
      assert.deepStrictEqual(
        unfinished.map((run) => [run.payload, run.runAt, run.priority]),
        [
          ['{"text":"0"}', 60_000, 1],
          ['{"text":"2499"}', 60_000, 1]
        ]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("with one payload that does not fit stores none, wherever it stands", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const texts = Array.from({ length: 1_500 }, (_, i) => ({ text: i === 1_499 ? (i as never) : `${i}` }))
      assert.include(yield* messageOf(scheduler.enqueueAll(Note, texts)), 'Expected string at ["text"]')
      assert.strictEqual((yield* scheduler.runs()).items.length, 0)
      assert.strictEqual((yield* scheduler.history()).items.length, 0)
      assert.deepStrictEqual(yield* scheduler.enqueueAll(Note, []), [])
    }).pipe(Effect.provide(layer))
  })
})

describe("runNow", () => {
  it.effect("is a run of the schedule's definition with a cause of its own; watermark and counters stay", () => {
    const { layer, ran, row } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, priority: 1 })
      yield* scheduler.pauseAll
      yield* TestClock.adjust("10 seconds")
      const before = (yield* row("m"))!
      const id = Option.getOrThrow(yield* scheduler.runNow("m"))
      const { generation, watermark } = before
      assert.deepInclude((yield* scheduler.runs()).items[0], {
        id,
        cause: "runNow",
        scheduleId: "m",
        generation,
        nominal: null,
        runAt: 10_000,
        priority: 1,
        payload: '{"text":"a"}'
      })
      const { counts, nextAt, state } = before
      assert.deepInclude((yield* row("m"))!, { counts, nextAt, state, watermark })
      yield* scheduler.resumeAll
      yield* settled
      assert.deepStrictEqual(ran, ["runNow - a"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("works on a schedule that is exhausted, and does not count for maxRuns or overlap", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Slow, { ...minutely, payload: { seconds: 90 }, maxRuns: 1 })
      yield* scheduler.runNow("m")
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual(ran, ["runNow - 90", "nominal 1 90"])
      yield* TestClock.adjust("2 minutes")
      assert.isTrue(Option.isSome(yield* scheduler.runNow("m", { overlap: true })))
      yield* settled
      assert.strictEqual(ran.length, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("with overlap: true does not run beside an earlier runNow either", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Slow, { ...minutely, payload: { seconds: 90 } })
      yield* TestClock.adjust("60 seconds")
      assert.isTrue(Option.isNone(yield* scheduler.runNow("m", { overlap: true })))
      assert.strictEqual((yield* scheduler.runs()).items.length, 1)
    }).pipe(Effect.provide(layer))
  })
})
