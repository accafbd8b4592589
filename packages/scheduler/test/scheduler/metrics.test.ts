import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import { TestClock } from "effect/testing"
import { Job, Scheduler, Trigger } from "../../src/index.ts"
import { listen, only, settled } from "./support.ts"

class Work extends Job.make("Work") {}

/** What a program's metric says, in a registry of its own. */
const stateOf = (id: string) =>
  Effect.map(Metric.snapshot, (all) => all.find((metric) => metric.id === `effect_scheduler_${id}`)?.state)

const withWork = (takes: `${number} seconds`) => {
  const layer = Work.toLayer(() => Effect.sleep(takes)).pipe(
    Layer.provideMerge(Scheduler.layer({ drainDeadline: 0, eventsBuffer: 20_000 }))
  )
  return <A, E, R>(test: Effect.Effect<A, E, R | Scheduler>) =>
    test.pipe(Effect.provide(layer), Effect.provideService(Metric.MetricRegistry, new Map()))
}

describe("the metric", () => {
  it.effect("of running handlers falls when they end, though nothing new is claimed", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueueAll(Work, [undefined, undefined])
      yield* settled
      assert.include(yield* stateOf("running"), { value: 2 })
      yield* scheduler.pauseAll
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.include(yield* stateOf("running"), { value: 0 })
    }).pipe(withWork("1 seconds"))
  )

  it.effect("of durations has no run that was never executed", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      yield* scheduler.schedule(Work, {
        id: "late",
        trigger: Trigger.every("10 seconds"),
        missed: { within: "5 seconds" },
        overlap: "bufferAll"
      })
      yield* settled
      yield* TestClock.adjust("1 minute")
      yield* settled
      assert.isNotEmpty(only(events, "RunExpired"))
      assert.include(yield* stateOf("duration_ms"), { count: only(events, "RunSucceeded").length })
    }).pipe(withWork("16 seconds"))
  )
})

describe("events", () => {
  it.effect("tell of every run that one call made, however many", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      for (let i = 0; i < 11; i++) {
        yield* scheduler.schedule(Work, {
          id: `many ${i}`,
          trigger: Trigger.every("1 second"),
          missed: { run: "all", limit: 1_000 },
          overlap: "allow",
          maxInstances: 1_000
        })
      }
      yield* settled
      yield* scheduler.pauseAll
      yield* TestClock.adjust("1000 seconds")
      yield* scheduler.resumeAll
      yield* settled
      assert.strictEqual(only(events, "RunCreated").length, 11_000)
    }).pipe(withWork("9999 seconds"))
  )
})
