/** What becomes of a run: its result, its handler, its place, its jitter, its end. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Exit, Layer, Scope } from "effect"
import { Schema } from "effect"
import { Job, JobRegistry, Scheduler, SchedulerError, Trigger } from "effect-scheduler"
import { iso, on, pass, record, settle, Tick, time, worker } from "./kit.ts"

const minute = Trigger.every("1 minute")

class Add extends Job.make("Add", {
  payload: { a: Schema.Finite, b: Schema.Finite },
  success: Schema.Finite,
  error: Schema.String
}) {}

const adding = Add.toLayer(({ a, b }) => (a === b ? Effect.fail("they are equal") : Effect.succeed(a + b))).pipe(
  Layer.provideMerge(Scheduler.layer())
)

describe("results", () => {
  it.effect("v4-run-job: execute answers the typed success, or fails with the job's own error", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const sum: number = yield* Effect.orDie(scheduler.execute(Add, { a: 1, b: 2 }))
      assert.strictEqual(sum, 3)
      const error = yield* Effect.flip(scheduler.execute(Add, { a: 2, b: 2 }))
      assert.strictEqual(error, "they are equal")
    }).pipe(on(adding))
  )

  it.effect("v4-result-once: a result can be read as often as its history is kept", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Add, { a: 1, b: 2 })
      const first = yield* scheduler.awaitEnd(id)
      const second = yield* scheduler.awaitEnd(id)
      assert.deepStrictEqual([first.result, second.result], ["3", "3"])
    }).pipe(on(adding))
  )
})

describe("handlers", () => {
  it.effect(
    "v3-unloadable-job: a job that nobody here knows keeps its rows, waits, and runs when it is known again",
    () =>
      Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const unresolved = yield* record("JobUnresolved")
        yield* scheduler.schedule(Tick, { id: "tick", trigger: minute, missed: { run: "all" }, overlap: "bufferAll" })
        yield* pass("150 seconds")
        const listed = yield* scheduler.list()
        assert.deepStrictEqual(
          [listed.items.map((view) => view.state), unresolved.map((event) => event.job)],
          [["unresolved"], ["Tick"]]
        )
        const ran: Array<string> = []
        yield* Layer.build(
          Tick.toLayer(() => Effect.map(DateTime.now, (now) => void ran.push(time(now.epochMilliseconds))))
        )
        yield* settle
        assert.deepStrictEqual(ran, ["12:02:30", "12:02:30"])
        const known = yield* scheduler.list()
        assert.strictEqual(known.items[0]?.state, "active")
      }).pipe(Effect.scoped, on(Scheduler.layer()))
  )

  it.effect("v3-missing-executor: nothing is deleted when what should run it is not there", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Tick, { id: "once", trigger: Trigger.at("2026-03-02T12:01:00Z") })
      yield* pass("1 hour")
      const runs = yield* scheduler.runs()
      assert.deepStrictEqual(
        runs.items.map((run) => [run.scheduleId, run.state]),
        [["once", "pending"]]
      )
      assert.strictEqual((yield* scheduler.list()).items.length, 1)
    }).pipe(on(Scheduler.layer()))
  )

  it.effect("v4-missing-executor: a run that cannot be run here holds no place that another one needs", () =>
    Effect.gen(function* () {
      class Gone extends Job.make("Gone") {}
      const { layer, nominals } = worker({ maxRunning: 1, queues: { default: { concurrency: 1 } } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.enqueueAll(Gone, [undefined, undefined])
        yield* scheduler.schedule(Tick, { id: "tick", trigger: minute })
        yield* pass("2 minutes")
        assert.deepStrictEqual(nominals(), ["12:01:00", "12:02:00"])
      }).pipe(on(layer))
    })
  )

  it.effect("v4-max-running: above its concurrency a job's runs wait their turn, and none is lost", () =>
    Effect.gen(function* () {
      const began: Array<string> = []
      class One extends Job.make("One", { concurrency: 1 }) {}
      const handler = One.toLayer(() =>
        Effect.gen(function* () {
          began.push(time((yield* DateTime.now).epochMilliseconds))
          yield* Effect.sleep("10 seconds")
        })
      )
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.enqueueAll(One, [undefined, undefined, undefined])
        yield* settle
        yield* pass("30 seconds")
        assert.deepStrictEqual(began, ["12:00:00", "12:00:10", "12:00:20"])
      }).pipe(on(handler.pipe(Layer.provideMerge(Scheduler.layer()))))
    })
  )

  it.effect("a second handler for one job is a defect, and closing the first one makes room for it", () =>
    Effect.gen(function* () {
      const handler = Layer.fresh(Tick.toLayer(() => Effect.void))
      yield* Effect.gen(function* () {
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(handler, scope)
        const defect = yield* Effect.catchDefect(Effect.scoped(Layer.build(handler)), Effect.succeed)
        assert.include(String(defect), `The job "Tick" has a handler already`)
        yield* Scope.close(scope, Exit.void)
        yield* Effect.scoped(Layer.build(handler))
      }).pipe(Effect.provide(JobRegistry.layer))
    })
  )
})

/** The nominal times and delays of the first runs of an interval with jitter. */
const jittered = (period: "10 seconds" | "1 minute", jitter: "4 seconds" | "90 seconds", n: number) =>
  Effect.gen(function* () {
    const { layer } = worker()
    return yield* Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* record("RunCreated", "RunStarted")
      yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every(period), jitter })
      const millis = period === "10 seconds" ? 10_000 : 60_000
      yield* pass(n * millis + 90_000)
      const started = events.filter((event) => event._tag === "RunStarted").slice(0, n)
      return started.map((event) => ({
        nominal: event.nominal! - Date.parse("2026-03-02T12:00:00Z"),
        delay: event.at - event.nominal!
      }))
    }).pipe(on(layer))
  })

describe("jitter", () => {
  it.effect("v3-jitter-drift: a hundred runs of a 10 s interval take their nominal times from the grid", () =>
    Effect.gen(function* () {
      const runs = yield* jittered("10 seconds", "4 seconds", 100)
      assert.deepStrictEqual(
        runs.map((run) => run.nominal),
        Array.from({ length: 100 }, (_, i) => (i + 1) * 10_000)
      )
    })
  )

  it.effect("v3-jitter-over-period: jitter above the period skips no time", () =>
    Effect.gen(function* () {
      const runs = yield* jittered("1 minute", "90 seconds", 30)
      assert.deepStrictEqual(
        runs.map((run) => run.nominal),
        Array.from({ length: 30 }, (_, i) => (i + 1) * 60_000)
      )
    })
  )

  it.effect("v4-jitter: a run starts from 0 to below the jitter after its nominal time, which it keeps", () =>
    Effect.gen(function* () {
      const runs = yield* jittered("10 seconds", "4 seconds", 40)
      const delays = runs.map((run) => run.delay)
      assert.isAtLeast(Math.min(...delays), 0)
      assert.isBelow(Math.max(...delays), 4_000)
      assert.isAbove(new Set(delays).size, 30)
      const again = yield* jittered("10 seconds", "4 seconds", 40)
      assert.deepStrictEqual(again, runs)
    })
  )
})

describe("the end", () => {
  it.effect("v4-cleanup: an exhausted schedule and old history go when their time is over, not before", () =>
    Effect.gen(function* () {
      const { layer } = worker({ retention: { succeeded: "10 minutes", exhausted: "1 hour" } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const removed = yield* record("ScheduleRemoved")
        yield* scheduler.schedule(Tick, { id: "once", trigger: Trigger.at("2026-03-02T12:01:00Z") })
        const rows = Effect.gen(function* () {
          return [(yield* scheduler.list()).items.length, (yield* scheduler.history()).items.length]
        })
        yield* pass("10 minutes")
        assert.deepStrictEqual(yield* rows, [1, 1])
        yield* pass("3 minutes")
        assert.deepStrictEqual(yield* rows, [1, 0])
        yield* pass("1 hour")
        assert.deepStrictEqual(yield* rows, [0, 0])
        assert.isAtMost(removed.length, 1)
      }).pipe(on(layer))
    })
  )

  it.effect("a run that is not awaited any more can be asked for by its id, and an unknown id is a typed error", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const error = yield* Effect.flip(scheduler.awaitEnd("no such run"))
      assert.instanceOf(error, SchedulerError.SchedulerError)
      assert.include(error.message, `No run "no such run"`)
      assert.strictEqual(iso(null), "never")
    }).pipe(on(adding))
  )
})
