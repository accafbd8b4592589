import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobStore, MemoryJobStore, Scheduler } from "../../src/index.ts"

class Work extends Job.make("Work") {}

it.effect("A run whose end the store leaves out is reported again, ever later, while others end at once", () =>
  Effect.gen(function* () {
    const inner = yield* MemoryJobStore.make()
    let locked: string | undefined
    let calls = 0
    const store = JobStore.JobStore.of({
      ...inner,
      finish: (params) => {
        calls++
        const reports = params.reports.filter(({ id }) => id !== locked)
        const busy = params.reports.flatMap(({ id }) => (id === locked ? [id] : []))
        return Effect.map(inner.finish({ ...params, reports }), (answer) => ({ ...answer, busy }))
      }
    })
    const layer = Layer.provideMerge(
      Work.toLayer(() => Effect.sleep("1 second")),
      Scheduler.layer({ stores: { default: Layer.succeed(JobStore.JobStore, store) } })
    )
    yield* Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const told: Array<string> = []
      yield* scheduler.on(["RunSucceeded"], ({ runId }) => Effect.sync(() => void told.push(runId)))
      const ids = yield* scheduler.enqueueAll(
        Work,
        Array.from({ length: 5 }, () => undefined)
      )
      locked = ids[2]
      const others = ids.filter((id) => id !== locked)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(told, others)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(told, others)
      assert.isAbove(calls, 30, "one each second and some more at the beginning")
      assert.isBelow(calls, 100)
      locked = undefined
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(told, [...others, ids[2]!])
      const end = yield* scheduler.awaitEnd(ids[2]!)
      assert.strictEqual(end.attempt, 1)
    }).pipe(Effect.provide(layer))
  }).pipe(Effect.scoped)
)

it.effect("A drain waits for it", () =>
  Effect.gen(function* () {
    const inner = yield* MemoryJobStore.make()
    let isLocked = true
    const store = JobStore.JobStore.of({
      ...inner,
      finish: (params) =>
        isLocked
          ? Effect.succeed({ fenced: [], applied: [], now: params.now, busy: params.reports.map(({ id }) => id) })
          : inner.finish(params)
    })
    const layer = Layer.provideMerge(
      Work.toLayer(() => Effect.void),
      Scheduler.layer({ stores: { default: Layer.succeed(JobStore.JobStore, store) } })
    )
    yield* Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Work)
      yield* TestClock.adjust("1 second")
      const drain = yield* Effect.forkChild(scheduler.drain("1 minute"))
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(drain.pollUnsafe())
      isLocked = false
      yield* TestClock.adjust("2 seconds")
      assert.isDefined(drain.pollUnsafe())
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "succeeded")
    }).pipe(Effect.provide(layer))
  }).pipe(Effect.scoped)
)
