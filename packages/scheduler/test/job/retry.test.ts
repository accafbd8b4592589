import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, Scheduler } from "../../src/index.ts"
import { listen, only, settled, steered, story } from "../scheduler/support.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { n: Schema.Finite }) {}

type Retry = Schedule.Schedule<unknown, Job.JobFailure<Refused>>

/** A job that fails on each execution with its number, and when its executions were, in milliseconds. */
const failing = (retry: Retry | undefined, options: { readonly until?: number } = {}) => {
  class Fail extends Job.make("Fail", { error: Refused, retry }) {}
  const at: Array<number> = []
  const live = Fail.toLayer(() =>
    Effect.gen(function* () {
      const { execution, startedAt } = yield* JobRun.current
      at.push(startedAt)
      if (execution < (options.until ?? Infinity)) return yield* new Refused({ n: execution })
    })
  )
  return { Fail, at, live }
}

describe("retry", () => {
  it.effect("is a Schedule: exponential, so many times, then the run has failed", () => {
    const { at, Fail, live } = failing(Schedule.exponential("1 second").pipe(Schedule.upTo({ times: 3 })))
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const id = yield* scheduler.enqueue(Fail)
      yield* TestClock.adjust("1 minute")
      yield* settled
      assert.deepStrictEqual(at, [0, 1_000, 3_000, 7_000])
      const end = yield* scheduler.awaitEnd(id)
      assert.deepInclude(end, { outcome: "failed", failures: 4, attempt: 4, recoveries: 0 })
      const errors = JSON.parse(end.errors) as ReadonlyArray<JobRun.Failure>
      assert.deepStrictEqual(
        errors.map(({ at, error }) => [at, error]),
        [0, 1_000, 3_000, 7_000].map((at, i) => [at, { _tag: "Refused", n: i + 1 }])
      )
      assert.deepStrictEqual(
        only(events, "RunFailed").map((event) => event.nextAttemptAt),
        [1_000, 3_000, 7_000, null]
      )
      assert.deepStrictEqual(story(events, id).slice(0, 4), ["RunCreated", "RunStarted", "RunFailed", "RunStarted"])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("succeeds when an execution does", () => {
    const { at, Fail, live } = failing(Schedule.spaced("1 minute"), { until: 3 })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Fail)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(at, [0, 60_000, 120_000])
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", failures: 2, attempt: 3 })
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("is stepped with the typed failures", () => {
    const until = Schedule.spaced("1 second").pipe(
      Schedule.while(({ input }: { readonly input: Job.JobFailure<Refused> }) =>
        Effect.succeed(input._tag === "Failed" && input.error instanceof Refused && input.error.n < 3)
      )
    )
    const { at, Fail, live } = failing(until)
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Fail)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(at, [0, 1_000, 2_000])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("needs nothing in memory: another process goes on where the first stopped", () => {
    const store = steered()
    const retry = Schedule.exponential("1 minute").pipe(Schedule.upTo({ times: 3 }))
    const first = failing(retry)
    const second = failing(retry)
    return Effect.gen(function* () {
      const id = yield* Effect.gen(function* () {
        const id = yield* (yield* Scheduler).enqueue(first.Fail)
        yield* TestClock.adjust("90 seconds")
        return id
      }).pipe(Effect.provide(Layer.provideMerge(first.live, Scheduler.layer({ stores: { default: store.layer } }))))
      assert.deepStrictEqual(first.at, [0, 60_000])
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(second.at, [180_000, 420_000])
        assert.strictEqual((yield* (yield* Scheduler).awaitEnd(id)).failures, 4)
      }).pipe(Effect.provide(Layer.provideMerge(second.live, Scheduler.layer({ stores: { default: store.layer } }))))
    })
  })

  it.effect("with jitter gives each run its own instants, and the same at each replay", () => {
    const { at, Fail, live } = failing(
      Schedule.spaced("100 seconds").pipe(Schedule.jittered, Schedule.upTo({ times: 3 }))
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const ids = yield* scheduler.enqueueAll(Fail, [undefined, undefined])
      yield* TestClock.adjust("10 minutes")
      yield* settled
      const told = (id: string) =>
        only(events, "RunFailed")
          .filter((event) => event.runId === id)
          .map((event) => event.nextAttemptAt)
      assert.notDeepEqual(told(ids[0]!), told(ids[1]!))
      for (const id of ids) {
        const instants = told(id)
        const errors = JSON.parse((yield* scheduler.awaitEnd(id)).errors) as ReadonlyArray<JobRun.Failure>
        assert.strictEqual(errors.length, 4)
        assert.deepStrictEqual(instants.slice(0, 3), errors.slice(1).map((failure) => failure.at) as never)
      }
      assert.isTrue(at.length === 8)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("more than a year away ends the run", () => {
    const { at, Fail, live } = failing(Schedule.spaced("366 days"))
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Fail)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(at, [0])
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "failed")
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("by a Schedule that dies ends the run, and the scheduler goes on", () => {
    const { Fail, live } = failing(Schedule.spaced("1 second").pipe(Schedule.while(() => Effect.die("a bug"))))
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const ids = yield* scheduler.enqueueAll(Fail, [undefined, undefined])
      yield* TestClock.adjust("1 minute")
      for (const id of ids) assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "failed")
      assert.deepStrictEqual(only(events, "FiberRestarted"), [])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("by a Schedule that never answers ends the run, and the runs of others end too", () => {
    const { Fail, live } = failing(Schedule.spaced("1 second").pipe(Schedule.while(() => Effect.never)))
    class Well extends Job.make("Well") {}
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Fail)
      yield* settled
      const other = yield* scheduler.enqueue(Well)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "failed")
      assert.strictEqual((yield* scheduler.awaitEnd(other)).outcome, "succeeded")
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          Layer.merge(
            live,
            Well.toLayer(() => Effect.void)
          ),
          Scheduler.layer({ drainDeadline: 0 })
        )
      )
    )
  })

  it.effect("that goes on for ever keeps the newest hundred failures in full, and the instants of all", () => {
    const { at, Fail, live } = failing(Schedule.spaced("1 second"))
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Fail)
      yield* TestClock.adjust("149 seconds")
      assert.strictEqual(at.length, 150)
      const [row] = (yield* scheduler.runs()).items
      const errors = JSON.parse(row!.errors) as ReadonlyArray<JobRun.Failure>
      assert.strictEqual(errors.length, 150)
      assert.deepStrictEqual(errors[0], { at: 0, kind: "failed", message: "" })
      assert.strictEqual(errors.filter((failure) => failure.error !== undefined).length, 100)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("follows a timeout too", () => {
    class Slow extends Job.make("Slow", {
      timeout: "10 seconds",
      retry: Schedule.spaced("5 seconds").pipe(Schedule.upTo({ times: 1 }))
    }) {}
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const id = yield* scheduler.enqueue(Slow)
      yield* TestClock.adjust("1 minute")
      yield* settled
      assert.deepStrictEqual(story(events, id), [
        "RunCreated",
        "RunStarted",
        "RunTimedOut",
        "RunFailed",
        "RunStarted",
        "RunTimedOut",
        "RunFailed"
      ])
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "timedOut", failures: 2, endedAt: 25_000 })
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          Slow.toLayer(() => Effect.never),
          Scheduler.layer()
        )
      )
    )
  })

  it.effect("holds neither slot nor key while it waits", () => {
    class Keyed extends Job.make("Keyed", {
      payload: { fail: Schema.Boolean },
      error: Refused,
      key: () => "k",
      concurrency: 1,
      retry: Schedule.spaced("1 minute")
    }) {}
    const live = Keyed.toLayer(({ fail }) => (fail ? Effect.fail(new Refused({ n: 0 })) : Effect.void))
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Keyed, { fail: true })
      yield* settled
      assert.isUndefined(yield* scheduler.execute(Keyed, { fail: false }))
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ maxRunning: 1 }))))
  })

  it.effect("of a cancelled run does not come", () => {
    const { at, Fail, live } = failing(Schedule.spaced("1 minute"))
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Fail)
      yield* settled
      assert.strictEqual(yield* scheduler.cancel(id), "cancelled")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(at, [0])
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "cancelled")
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })
})
