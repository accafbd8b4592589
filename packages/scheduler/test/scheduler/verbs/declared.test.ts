import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { JobRun, Scheduler, Trigger } from "../../../src/index.ts"
import { steered } from "../support.ts"
import { minutely, Note, world } from "./world.ts"

const ids = Effect.flatMap(Scheduler, (scheduler) =>
  Effect.map(scheduler.list(), (page) => page.items.map((view) => view.id))
)

describe("prune", () => {
  it.effect("removes the schedules of an origin that this scheduler has not declared, and answers which", () => {
    const store = steered()
    const app = world({ origin: "app" }, store)
    const again = world({ origin: "app" }, store)
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        for (const id of ["gone", "kept", "of another"]) {
          yield* scheduler.schedule(Note, { ...minutely, id, ...(id === "of another" ? { origin: "other" } : {}) })
        }
      }).pipe(Effect.provide(app.layer))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Note, { ...minutely, id: "kept" })
        assert.deepStrictEqual(yield* scheduler.prune("app"), ["gone"])
        assert.deepStrictEqual(yield* ids, ["kept", "of another"])
        assert.deepStrictEqual(yield* scheduler.prune("app"), [])
        assert.deepStrictEqual(yield* scheduler.prune("nobody"), [])
      }).pipe(Effect.provide(again.layer))
    })
  })

  it.effect("keeps what was declared with onConflict: keep, and by scheduleAll", () => {
    const store = steered()
    const layer = () => world({ origin: "app" }, store).layer
    const declare = Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.scheduleAll(Note, [minutely, { ...minutely, id: "n" }], { onConflict: "keep" })
      return scheduler
    })
    return Effect.gen(function* () {
      yield* declare.pipe(Effect.provide(layer()))
      const pruned = yield* Effect.flatMap(declare, (scheduler) => scheduler.prune("app")).pipe(Effect.provide(layer()))
      assert.deepStrictEqual(pruned, [])
    })
  })

  it.effect("leaves backfills to their end", () => {
    const store = steered()
    const layer = () => world({ origin: "app" }, store).layer
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.pauseAll
        yield* TestClock.adjust("1 hour")
        yield* scheduler.schedule(Note, { ...minutely, trigger: Trigger.cron("* * * * *") })
        yield* scheduler.backfill("m", { from: 60_000, to: 120_000, request: "r" })
      }).pipe(Effect.provide(layer()))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        assert.deepStrictEqual(yield* scheduler.prune("app"), ["m"])
        assert.deepStrictEqual(yield* ids, ["m/backfill/r"])
      }).pipe(Effect.provide(layer()))
    })
  })

  it.effect("counts what had passed before it removes, as unschedule does", () => {
    const store = steered()
    return Effect.gen(function* () {
      yield* Effect.flatMap(Scheduler, (scheduler) => scheduler.schedule(Note, minutely)).pipe(
        Effect.provide(world({ origin: "app" }, store).layer)
      )
      yield* TestClock.adjust("5 minutes")
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.prune("app")
        const { items } = yield* scheduler.history({ outcome: "missed" })
        assert.deepInclude(items[0], { count: 4 })
      }).pipe(Effect.provide(world({ origin: "app", autoStart: false }, store).layer))
    })
  })
})

describe("a schedule as a layer", () => {
  const told: Array<string> = []
  const tell = Effect.map(JobRun.current, (run) => void told.push(`${run.store} ${run.job} ${run.nominal}`))

  it.effect("Scheduler.cron: its options, zone and store are those of the schedule", () =>
    Effect.gen(function* () {
      const layer = Scheduler.cron("report", "0 9 * * *", tell, {
        timeZone: "Asia/Tokyo",
        store: "file",
        maxInstances: 2,
        priority: 1,
        origin: "app"
      }).pipe(Layer.provideMerge(Scheduler.layer({ stores: { file: steered().layer } })))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const [view] = (yield* scheduler.list({ store: "file" })).items
        assert.deepInclude(view!, {
          id: "report",
          job: "report",
          state: "active",
          priority: 1,
          origin: "app",
          nextAt: 0
        })
        assert.strictEqual(view!.policy?.maxInstances, 2)
        yield* TestClock.adjust("1 day")
        assert.deepStrictEqual(told.splice(0), ["file report 0", "file report 86400000"])
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("Scheduler.every: from when it was declared first, also after the layer was closed and built again", () => {
    const store = steered()
    const layer = () =>
      Layer.fresh(
        Scheduler.every("beat", "1 minute", tell).pipe(
          Layer.provideMerge(Scheduler.layer({ stores: { default: store.layer } }))
        )
      )
    return Effect.gen(function* () {
      yield* TestClock.adjust("90 seconds").pipe(Effect.provide(layer()))
      yield* TestClock.adjust("60 seconds").pipe(Effect.provide(layer()))
      assert.deepStrictEqual(told.splice(0), ["default beat 60000", "default beat 120000"])
    })
  })

  it.effect("with an effect that fails ends its run as failed, with the error in history, and goes on", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* TestClock.adjust("2 minutes")
      const { items } = yield* scheduler.history({ outcome: "failed" })
      assert.strictEqual(items.length, 2)
      assert.include(items[0]?._tag === "Run" ? items[0].errors : "", "no luck")
    }).pipe(
      Effect.provide(
        Scheduler.every("fails", "1 minute", Effect.fail("no luck")).pipe(Layer.provideMerge(Scheduler.layer()))
      )
    )
  )

  it.effect("in a store that is not there is a typed error of the layer", () =>
    Effect.gen(function* () {
      const layer = Scheduler.every("lost", "1 minute", Effect.void, { store: "nowhere" })
      const error = yield* Effect.flip(Layer.build(layer.pipe(Layer.provideMerge(Scheduler.layer()))))
      assert.strictEqual(error.message, 'No store "nowhere" here; there is "default"')
    })
  )
})
