import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, Scheduler, Trigger } from "../../src/index.ts"
import { settled } from "../scheduler/support.ts"

class Show extends Job.make("Show") {}

describe("JobRun.current", () => {
  it.effect("names the run, its schedule, its nominal time, its cause, store and execution", () => {
    const seen: Array<Record<string, unknown>> = []
    const live = Show.toLayer(() =>
      Effect.map(JobRun.current, (run) => {
        const { attempt, cause, execution, id, job, nominal, scheduleId, startedAt, store } = run
        seen.push({ attempt, cause, execution, id, job, nominal, scheduleId, startedAt, store })
      })
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Show, { id: "s", trigger: Trigger.every("1 minute"), jitter: "20 seconds" })
      yield* TestClock.adjust("90 seconds")
      const enqueued = yield* scheduler.enqueue(Show)
      const now = Option.getOrThrow(yield* scheduler.runNow("s"))
      yield* settled
      const base = { job: "Show", store: "default", attempt: 1, execution: 1 }
      assert.deepInclude(seen[0]!, { ...base, cause: "nominal", scheduleId: "s", nominal: 60_000 })
      assert.isAtLeast(seen[0]!["startedAt"] as number, 60_000)
      assert.deepInclude(seen[1]!, { ...base, cause: "enqueue", scheduleId: null, nominal: null, id: enqueued })
      assert.deepInclude(seen[2]!, { ...base, cause: "runNow", scheduleId: "s", nominal: null, id: now })
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("can be taken apart", () => {
    const live = Show.toLayer(() =>
      Effect.gen(function* () {
        const { lastSuccess, progress, setProgress } = yield* JobRun.current
        yield* Effect.orDie(setProgress("half"))
        assert.strictEqual(progress(), "half")
        assert.isTrue(Option.isNone(yield* Effect.orDie(lastSuccess(Show))))
      })
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.execute(Show)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })
})

describe("progress", () => {
  class Copy extends Job.make("Copy", { success: Schema.Finite }) {}

  it.effect("is stored with the run, read by its next execution, and kept in history", () => {
    const live = Copy.toLayer(() =>
      Effect.gen(function* () {
        const run = yield* JobRun.current
        const done = (run.progress() as number | null) ?? 0
        yield* Effect.orDie(JobRun.setProgress(done + 1))
        if (done < 2) return yield* Effect.never
        return done
      })
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Copy)
      yield* settled
      assert.strictEqual((yield* scheduler.runs()).items[0]?.progress, "1")
      for (let i = 0; i < 2; i++) {
        yield* scheduler.drain(0)
        yield* scheduler.start
        yield* settled
      }
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", result: "2", progress: "3" })
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })
})

describe("lastSuccess", () => {
  class Sum extends Job.make("Sum", {
    payload: { step: Schema.Finite },
    success: Schema.Struct({ sum: Schema.Finite })
  }) {}
  const seen: Array<number | undefined> = []
  const live = Sum.toLayer(({ step }) =>
    Effect.gen(function* () {
      const run = yield* JobRun.current
      const last = Option.map(yield* Effect.orDie(JobRun.lastSuccess(Sum)), (value) => value.sum)
      seen.push(Option.getOrUndefined(last))
      if (run.nominal === 120_000) return yield* Effect.die("this one fails")
      if (run.nominal === 180_000) yield* Effect.sleep("90 seconds")
      return { sum: Option.getOrElse(last, () => 0) + step }
    })
  )
  const layer = Layer.provideMerge(live, Scheduler.layer({ drainDeadline: 0 }))
  const minutely = { id: "sum", trigger: Trigger.every("1 minute"), payload: { step: 1 } } as const

  it.effect("is typed state from one run of a schedule to the next; failures leave it", () =>
    Effect.gen(function* () {
      seen.length = 0
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Sum, minutely)
      yield* TestClock.adjust("190 seconds")
      assert.deepStrictEqual(seen, [undefined, 1, 1])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is written by the newest nominal time, and not by an older one that ends later", () =>
    Effect.gen(function* () {
      seen.length = 0
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Sum, { ...minutely, overlap: "allow" })
      // The run of 180 s ends at 270 s with 2, after that of 240 s has ended with 2 and before that of 300 s begins.
      yield* TestClock.adjust("310 seconds")
      assert.deepStrictEqual(seen, [undefined, 1, 1, 1, 2])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is not written by runNow, and read by it", () =>
    Effect.gen(function* () {
      seen.length = 0
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Sum, minutely)
      yield* TestClock.adjust("61 seconds")
      yield* scheduler.runNow("sum")
      yield* settled
      yield* scheduler.runNow("sum")
      yield* settled
      assert.deepStrictEqual(seen, [undefined, 1, 1])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is none after the schedule was replaced, and for a run that no schedule made", () =>
    Effect.gen(function* () {
      seen.length = 0
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Sum, minutely)
      yield* TestClock.adjust("61 seconds")
      yield* scheduler.schedule(Sum, { ...minutely, onConflict: "replace" })
      yield* scheduler.runNow("sum")
      yield* settled
      yield* scheduler.execute(Sum, { step: 1 })
      assert.deepStrictEqual(seen, [undefined, undefined, undefined])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is none where the stored value no longer fits the job's schema", () => {
    class Changed extends Job.make("Sum", { success: Schema.Struct({ total: Schema.Finite }) }) {}
    const found: Array<boolean> = []
    const peek = Show.toLayer(() => Effect.asVoid(Effect.orDie(JobRun.lastSuccess(Changed))))
    const changed = Sum.toLayer(() =>
      Effect.gen(function* () {
        found.push(Option.isSome(yield* JobRun.lastSuccess(Changed)))
        found.push(Option.isSome(yield* JobRun.lastSuccess(Sum)))
        return { sum: 1 }
      }).pipe(Effect.orDie)
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Sum, minutely)
      yield* TestClock.adjust("121 seconds")
      assert.deepStrictEqual(found, [false, false, false, true])
    }).pipe(Effect.provide(Layer.mergeAll(changed, peek).pipe(Layer.provideMerge(Scheduler.layer()))))
  })
})
