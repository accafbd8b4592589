import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, Scheduler, Trigger } from "../../src/index.ts"
import { OffsetClock } from "../../src/testing/index.ts"
import { build, listen, only, settled } from "./support.ts"

class Hourly extends Job.make("Hourly") {}

const hour = 3_600_000
const day = 24 * hour

const world = Effect.gen(function* () {
  const nominal: Array<number> = []
  const hourly = Hourly.toLayer(() => Effect.map(JobRun.current, (run) => void nominal.push(run.nominal! / hour)))
  const context = yield* build(
    Layer.provideMerge(hourly, Scheduler.layer()).pipe(Layer.provideMerge(OffsetClock.layer))
  )
  const scheduler = Context.get(context, Scheduler)
  const events = yield* listen(scheduler)
  return { nominal, scheduler, events, jump: Context.get(context, OffsetClock.OffsetClock).jump }
})

describe("when the wall clock is moved", () => {
  it.effect("forward, it is told of, and what was passed is decided by the missed policy at once", () =>
    Effect.gen(function* () {
      const { events, jump, nominal, scheduler } = yield* world
      yield* scheduler.schedule(Hourly, { id: "hourly", trigger: Trigger.every("1 hour", { start: 0 }) })
      yield* TestClock.adjust("90 minutes")
      assert.deepStrictEqual(nominal, [0, 1])
      yield* jump(day)
      yield* TestClock.adjust("30 seconds")
      yield* settled
      assert.deepStrictEqual(
        only(events, "ClockJumped").map((event) => event.by),
        [day]
      )
      assert.deepStrictEqual(nominal, [0, 1, 25])
      assert.deepInclude(only(events, "RunMissed")[0]!, { first: 2 * hour, last: 24 * hour, count: 23 })
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(nominal, [0, 1, 25, 26])
    })
  )

  it.effect("back, nothing is repeated, and the next time is the next nominal time", () =>
    Effect.gen(function* () {
      const { events, jump, nominal, scheduler } = yield* world
      yield* scheduler.schedule(Hourly, { id: "hourly", trigger: Trigger.every("1 hour", { start: 0 }) })
      yield* TestClock.adjust("150 minutes")
      assert.deepStrictEqual(nominal, [0, 1, 2])
      yield* jump(-2 * hour)
      yield* TestClock.adjust("1 hour")
      yield* settled
      assert.deepStrictEqual(
        only(events, "ClockJumped").map((event) => event.by),
        [-2 * hour]
      )
      assert.deepStrictEqual(nominal, [0, 1, 2])
      yield* TestClock.adjust("89 minutes")
      assert.deepStrictEqual(nominal, [0, 1, 2])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(nominal, [0, 1, 2, 3])
    })
  )

  it.effect("a handler's timeout goes by elapsed time", () =>
    Effect.gen(function* () {
      class Slow extends Job.make("Slow", { timeout: "10 minutes" }) {}
      const context = yield* build(
        Layer.provideMerge(
          Slow.toLayer(() => Effect.sleep("9 minutes")),
          Scheduler.layer()
        ).pipe(Layer.provideMerge(OffsetClock.layer))
      )
      const scheduler = Context.get(context, Scheduler)
      const id = yield* scheduler.enqueue(Slow)
      yield* TestClock.adjust("1 minute")
      yield* Context.get(context, OffsetClock.OffsetClock).jump(day)
      yield* TestClock.adjust("8 minutes")
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "succeeded")
    })
  )

  it.effect("by less than a second, it is drift and no event", () =>
    Effect.gen(function* () {
      const { events, jump } = yield* world
      yield* jump(900)
      yield* TestClock.adjust("5 minutes")
      yield* settled
      assert.deepStrictEqual(only(events, "ClockJumped"), [])
    })
  )
})
