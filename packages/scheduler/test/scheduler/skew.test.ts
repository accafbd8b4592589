import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, MemoryJobStore, Scheduler, Trigger } from "../../src/index.ts"
import type { SchedulerOptions } from "../../src/SchedulerOptions.ts"
import { OffsetClock } from "../../src/testing/index.ts"
import { keepingTime, wrong } from "./serverTime.ts"
import { build, listen, only, patiently, settled, steered } from "./support.ts"

class Tick extends Job.make("Tick") {}
class Long extends Job.make("Long") {}
class Failing extends Job.make("Failing", { error: Schema.String, retry: Schedule.spaced("10 seconds") }) {}
class Limited extends Job.make("Limited", {
  error: Schema.String,
  retry: Schedule.spaced("10 seconds").pipe(Schedule.upTo({ duration: "25 seconds" }))
}) {}
class Unknown extends Job.make("Unknown") {}

const minute = 60_000
const begin = 1_800_000_000_000

/**
 * Processes whose clocks are five minutes ahead of the store's and behind it. What ran is logged with the store's time in
 * seconds since the beginning.
 */
const world = Effect.gen(function* () {
  yield* TestClock.setTime(begin)
  const server = yield* Clock.Clock
  const store = yield* Effect.flatMap(MemoryJobStore.make(), keepingTime)
  const log: Array<string> = []
  const say = (name: string, what: string) =>
    Effect.sync(() => void log.push(`${name} ${what} ${(server.currentTimeMillisUnsafe() - begin) / 1_000}`))
  const node = Effect.fnUntraced(function* (name: string, off: number, options: SchedulerOptions = {}) {
    const steering = steered({ shared: true, over: store })
    const jobs = Layer.mergeAll(
      Tick.toLayer(() => say(name, "ticks")),
      Long.toLayer(() => Effect.andThen(say(name, "begins"), Effect.sleep("3 minutes"))),
      Failing.toLayer(() => Effect.andThen(say(name, "fails"), Effect.fail("so"))),
      Limited.toLayer(() => Effect.andThen(say(name, "fails"), Effect.fail("so")))
    )
    const scheduling = Scheduler.layer({
      drainDeadline: 0,
      pollInterval: "1 second",
      ...options,
      stores: { default: steering.layer }
    })
    const context = yield* build(Layer.provideMerge(jobs, scheduling).pipe(Layer.provideMerge(wrong(off))))
    const scheduler = Context.get(context, Scheduler)
    const events = yield* listen(scheduler)
    yield* Effect.addFinalizer(() => Effect.sync(steering.heal))
    yield* settled
    return { store: steering, scheduler, events, clock: Context.get(context, OffsetClock.OffsetClock) }
  })
  const client = Effect.fnUntraced(function* (off: number) {
    const steering = steered({ shared: true, over: store })
    const layer = Scheduler.layerClient({ default: steering.layer }).pipe(Layer.provideMerge(wrong(off)))
    return Context.get(yield* build(layer), Scheduler)
  })
  return { log, node, client, store }
})

/** Both ways in which a clock can be wrong. */
const ways = [
  ["ahead of", 5 * minute],
  ["behind", -5 * minute]
] as const

for (const [way, off] of ways) {
  describe(`a node whose clock is five minutes ${way} the store's`, () => {
    it.effect("runs at once what is enqueued for now, and at its instant what is enqueued for later", () =>
      patiently(
        Effect.gen(function* () {
          const { log, node, store } = yield* world
          const { scheduler } = yield* node("a", off)
          const id = yield* scheduler.enqueue(Tick)
          yield* settled
          assert.deepStrictEqual(log, ["a ticks 0"])
          const [ended] = (yield* store.getRuns({ ids: [id] })).ended
          assert.deepInclude(ended!, { createdAt: begin, runAt: begin, startedAt: begin, endedAt: begin })
          yield* scheduler.enqueue(Tick, undefined, { at: begin + 90_000 })
          yield* TestClock.adjust("89999 millis")
          assert.strictEqual(log.length, 1)
          yield* TestClock.adjust("1 millis")
          assert.deepStrictEqual(log.slice(1), ["a ticks 90"])
        })
      )
    )

    it.effect("runs at once what a client enqueues whose clock is wrong the other way", () =>
      patiently(
        Effect.gen(function* () {
          const { client, log, node } = yield* world
          yield* node("a", off)
          const far = yield* client(-off)
          yield* far.enqueue(Tick)
          yield* settled
          assert.deepStrictEqual(log, ["a ticks 0"])
        })
      )
    )

    it.effect("fires at the store's times, from an anchor by the store's time", () =>
      patiently(
        Effect.gen(function* () {
          const { log, node, store } = yield* world
          const { scheduler } = yield* node("a", off)
          yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.startNow(Trigger.every("1 minute")) })
          const [row] = yield* store.getSchedules({ ids: ["tick"] })
          assert.deepInclude(row!, { anchor: begin, firstWatermark: begin - 1, createdAt: begin })
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(log, ["a ticks 0", "a ticks 60", "a ticks 120"])
        })
      )
    )

    it.effect("anchors by the store's time what was kept for the start", () =>
      patiently(
        Effect.gen(function* () {
          const { log, node, store } = yield* world
          const { scheduler } = yield* node("a", off, { autoStart: false })
          yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 minute") })
          yield* TestClock.adjust("30 seconds")
          yield* scheduler.start
          yield* settled
          const [row] = yield* store.getSchedules({ ids: ["tick"] })
          assert.strictEqual(row!.anchor, begin + 30_000)
          yield* TestClock.adjust("1 minute")
          assert.deepStrictEqual(log, ["a ticks 90"])
        })
      )
    )

    it.effect("counts what passed during a pause by the store's time", () =>
      patiently(
        Effect.gen(function* () {
          const { log, node } = yield* world
          const { events, scheduler } = yield* node("a", off)
          yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 minute") })
          yield* scheduler.pause("tick")
          yield* TestClock.adjust("150 seconds")
          yield* scheduler.resume("tick")
          yield* TestClock.adjust("30 seconds")
          assert.deepStrictEqual(log, ["a ticks 180"])
          assert.deepInclude(only(events, "ScheduleResumed")[0]!, { skipped: 2 })
        })
      )
    )

    it.effect("does not take for expired what starts in time", () =>
      patiently(
        Effect.gen(function* () {
          const { log, node } = yield* world
          const { events, scheduler } = yield* node("a", off)
          yield* scheduler.schedule(Tick, {
            id: "tick",
            trigger: Trigger.every("1 minute"),
            missed: { run: "none", grace: "2 seconds" }
          })
          yield* TestClock.adjust("1 minute")
          yield* settled
          assert.deepStrictEqual(log, ["a ticks 60"])
          assert.deepInclude(only(events, "RunStarted")[0]!, { lateness: 0 })
        })
      )
    )

    it.effect("says how long a run took by elapsed time", () =>
      patiently(
        Effect.gen(function* () {
          const { node } = yield* world
          const { events, scheduler } = yield* node("a", off)
          yield* scheduler.enqueue(Long)
          yield* TestClock.adjust("4 minutes")
          yield* settled
          assert.deepInclude(only(events, "RunSucceeded")[0]!, { duration: 3 * minute })
        })
      )
    )

    it.effect("tells after a minute of the store's of a job that nobody has", () =>
      patiently(
        Effect.gen(function* () {
          const { node } = yield* world
          const { events, scheduler } = yield* node("a", off, { janitorInterval: "1 second" })
          yield* scheduler.enqueue(Unknown)
          yield* TestClock.adjust("58 seconds")
          assert.deepStrictEqual(only(events, "JobUnresolved"), [])
          yield* TestClock.adjust("4 seconds")
          yield* settled
          assert.strictEqual(only(events, "JobUnresolved").length, 1)
        })
      )
    )

    it.effect("shows the coming times by the store's time, also where nothing of it is run", () =>
      patiently(
        Effect.gen(function* () {
          const { client, node } = yield* world
          const { scheduler } = yield* node("a", 0, {})
          yield* scheduler.schedule(Unknown, { id: "u", trigger: Trigger.every("1 minute", { start: begin }) })
          yield* settled
          const far = yield* client(off)
          yield* TestClock.adjust("30 seconds")
          assert.deepStrictEqual(
            (yield* far.upcoming(3)).map(({ at }) => (at - begin) / 1_000),
            [60, 120, 180]
          )
          assert.include(yield* far.render(), "in 30s")
        })
      )
    )

    it.effect("goes by the store's time again when its own clock is set right, and nothing is repeated", () =>
      patiently(
        Effect.gen(function* () {
          const { log, node } = yield* world
          const { clock, scheduler } = yield* node("a", off)
          yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 minute") })
          yield* scheduler.enqueue(Failing)
          yield* TestClock.adjust("65 seconds")
          yield* clock.setOffset(0)
          yield* TestClock.adjust("1 minute")
          assert.deepStrictEqual(
            log.filter((line) => line.includes("ticks")),
            ["a ticks 60", "a ticks 120"]
          )
          const failures = log.filter((line) => line.includes("fails"))
          assert.deepStrictEqual(
            failures,
            Array.from({ length: 13 }, (_, i) => `a fails ${i * 10}`)
          )
        })
      )
    )
  })
}

describe("two nodes whose clocks are ten minutes apart", () => {
  it.effect("retry what failed after its delay, whoever executes it, and know how long it has been failing", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node, store } = yield* world
        const a = yield* node("a", 5 * minute)
        const id = yield* a.scheduler.enqueue(Limited)
        yield* settled
        a.store.trouble("claim", "fail")
        const b = yield* node("b", -5 * minute)
        yield* TestClock.adjust("15 seconds")
        assert.deepStrictEqual(log, ["a fails 0", "b fails 10"])
        b.store.trouble("claim", "fail")
        a.store.heal()
        yield* TestClock.adjust("1 minute")
        // The failure at 20 s is within the 25 s of its retry schedule, the one at 30 s is not.
        assert.deepStrictEqual(log, ["a fails 0", "b fails 10", "a fails 20", "a fails 30"])
        const [ended] = (yield* store.getRuns({ ids: [id] })).ended
        assert.deepInclude(ended!, { outcome: "failed", failures: 4, endedAt: begin + 30_000 })
        const failures: ReadonlyArray<JobRun.Failure> = JSON.parse(ended!.errors)
        assert.deepStrictEqual(
          failures.map(({ at }) => at - begin),
          [0, 10_000, 20_000, 30_000]
        )
      })
    )
  )

  it.effect("keep their leases, and take back what a dead one ran after its lease", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* world
        const a = yield* node("a", 5 * minute)
        const b = yield* node("b", -5 * minute)
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(only([...a.events, ...b.events], "NodeFenced"), [])
        b.store.trouble("claim", "fail")
        yield* TestClock.adjust("2 seconds")
        yield* a.scheduler.enqueue(Long)
        yield* settled
        assert.deepStrictEqual(log, ["a begins 122"])
        a.store.cut()
        b.store.heal()
        // The last renewal was at 120 s.
        yield* TestClock.adjust("17 seconds")
        yield* settled
        assert.deepStrictEqual(log.slice(1), ["b begins 136"])
      })
    )
  )
})
