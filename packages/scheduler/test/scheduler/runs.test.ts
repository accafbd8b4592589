import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Job, Scheduler, Trigger } from "../../src/index.ts"
import { listen, only, settled, story } from "./support.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

class Work extends Job.make("Work", {
  payload: { seconds: Schema.Finite, how: Schema.Literals(["well", "badly", "refused"]) },
  success: Schema.String,
  error: Refused,
  timeout: "1 minute"
}) {}

const layer = Layer.provideMerge(
  Work.toLayer(
    Effect.fn(function* ({ how, seconds }) {
      yield* Effect.sleep(seconds * 1_000)
      if (how === "refused") return yield* new Refused()
      if (how === "badly") return yield* Effect.die("it went badly")
      return `after ${seconds} s`
    })
  ),
  Scheduler.layer({ drainDeadline: 0, resultLimit: 11, retention: { keys: "1 hour" } })
)

const well = (seconds: number) => ({ seconds, how: "well" }) as const

describe("enqueue", () => {
  it.effect("runs at once, or not before an instant", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const now = yield* scheduler.enqueue(Work, well(0))
      const later = yield* scheduler.enqueue(Work, well(0), { at: "1970-01-01T00:05:00Z" })
      yield* settled
      assert.deepInclude(yield* scheduler.awaitEnd(now), { outcome: "succeeded", cause: "enqueue", endedAt: 0 })
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual((yield* scheduler.runs()).items.length, 1)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* scheduler.awaitEnd(later), { startedAt: 300_000 })
    }).pipe(Effect.provide(layer))
  )

  it.effect("with an idempotency key is one run, until the key's retention has passed", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const options = { idempotencyKey: "order 7" }
      const id = yield* scheduler.enqueue(Work, well(0), options)
      assert.strictEqual(yield* scheduler.enqueue(Work, well(1), options), id)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(yield* scheduler.enqueue(Work, well(1), options), id)
      assert.strictEqual(only(events, "RunCreated").length, 1)
      yield* TestClock.adjust("2 minutes")
      assert.notStrictEqual(yield* scheduler.enqueue(Work, well(0), options), id)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a hundred at once with one key are one run", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const ids = yield* Effect.forEach(
        Array.from({ length: 100 }),
        () => scheduler.enqueue(Work, well(0), { idempotencyKey: "k" }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(ids).size, 1)
    }).pipe(Effect.provide(layer))
  )
})

describe("execute", () => {
  it.effect("fails with RunNotSucceeded where the run ended otherwise than by its own result", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const cases = [
        [scheduler.execute(Work, { seconds: 0, how: "badly" }), "failed", "it went badly"],
        [scheduler.execute(Work, well(90)), "timedOut", "took longer than 60000 ms"],
        [scheduler.execute(Work, well(100 - 99)), undefined, ""],
        [scheduler.execute(Work, well(12)), "resultNotStored", "above resultLimit"]
      ] as const
      for (const [execution, reason, detail] of cases) {
        const fiber = yield* Effect.forkChild(Effect.result(execution))
        yield* TestClock.adjust("61 seconds")
        const result = yield* Fiber.join(fiber)
        if (reason === undefined) assert.strictEqual(result._tag, "Success")
        else {
          assert(result._tag === "Failure" && result.failure._tag === "RunNotSucceeded")
          assert.strictEqual(result.failure.reason, reason)
          assert.include(result.failure.message, detail)
        }
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails with cancelled when the run is cancelled", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const fiber = yield* Effect.forkChild(Effect.flip(scheduler.execute(Work, well(30))))
      yield* settled
      const [run] = (yield* scheduler.runs()).items
      yield* scheduler.cancel(run!.id)
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag === "RunNotSucceeded" && error.reason, "cancelled")
    }).pipe(Effect.provide(layer))
  )

  it.effect("interrupted leaves the run, unless cancelOnInterrupt", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const leaves = yield* Effect.forkChild(scheduler.execute(Work, well(30)))
      const cancels = yield* Effect.forkChild(scheduler.execute(Work, well(31), { cancelOnInterrupt: true }))
      yield* settled
      yield* Fiber.interruptAll([leaves, cancels])
      yield* TestClock.adjust("40 seconds")
      const { items } = yield* scheduler.history()
      assert.deepStrictEqual(
        items.map((row) => row._tag === "Run" && row.outcome),
        ["succeeded", "cancelled"]
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("cancel answers", () => {
  it.effect("cancelled, requested or finished", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const waiting = yield* scheduler.enqueue(Work, well(0), { at: 60_000 })
      const running = yield* scheduler.enqueue(Work, well(30))
      yield* settled
      assert.strictEqual(yield* scheduler.cancel(waiting), "cancelled")
      assert.strictEqual(yield* scheduler.cancel(running), "requested")
      yield* settled
      assert.strictEqual(yield* scheduler.cancel(running), "finished")
      assert.deepStrictEqual(
        only(events, "RunCancelled").map((event) => [event.runId, event.started]),
        [
          [waiting, false],
          [running, true]
        ]
      )
      assert.strictEqual((yield* scheduler.awaitEnd(running)).outcome, "cancelled")
    }).pipe(Effect.provide(layer))
  )

  it.effect("requested twice ends the run once", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const id = yield* scheduler.enqueue(Work, well(30))
      yield* settled
      yield* Effect.all([scheduler.cancel(id), scheduler.cancel(id)], { concurrency: "unbounded" })
      yield* settled
      assert.deepStrictEqual(story(events, id), ["RunCreated", "RunStarted", "RunCancelled"])
    }).pipe(Effect.provide(layer))
  )
})

describe("rerun", () => {
  it.effect("runs what did not succeed again, as a new run with the same payload and schedule", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Work, {
        id: "w",
        payload: { seconds: 0, how: "badly" },
        trigger: Trigger.every("1 minute"),
        maxRuns: 1
      })
      yield* TestClock.adjust("1 minute")
      yield* settled
      const [failed] = (yield* scheduler.history()).items
      const again = yield* scheduler.rerun(failed!.id)
      yield* settled
      const end = yield* scheduler.awaitEnd(again)
      assert.deepInclude(end, { outcome: "failed", scheduleId: "w", nominal: 60_000, cause: `rerun:${failed!.id}` })
      assert.strictEqual(Option.getOrThrow(yield* scheduler.get("w")).counts.fired, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("twice while the first is unfinished answers the run that there is", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Work, {
        id: "w",
        payload: { seconds: 10, how: "badly" },
        trigger: Trigger.every("1 minute"),
        maxRuns: 1
      })
      yield* TestClock.adjust("71 seconds")
      const [failed] = (yield* scheduler.history()).items
      const first = yield* scheduler.rerun(failed!.id)
      assert.strictEqual(yield* scheduler.rerun(failed!.id), first)
      assert.strictEqual((yield* scheduler.runs()).items.length, 1)
    }).pipe(Effect.provide(layer))
  )
})

describe("runs and history are paged", () => {
  it.effect("unfinished ones by id, ended ones newest first, both filtered", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const ids = yield* scheduler.enqueueAll(
        Work,
        Array.from({ length: 25 }, (_, i) => (i % 5 === 0 ? { seconds: i, how: "badly" } : well(i)) as never)
      )
      yield* settled
      const first = yield* scheduler.runs({ limit: 10 })
      const second = yield* scheduler.runs({ limit: 10, cursor: first.cursor })
      const third = yield* scheduler.runs({ limit: 10, cursor: second.cursor })
      const all = [...first.items, ...second.items, ...third.items].map((run) => run.id)
      assert.deepStrictEqual(all, ids.slice(1).toSorted().slice(-all.length))
      assert.isUndefined(third.cursor)
      yield* TestClock.adjust("30 seconds")
      const history = yield* Stream.runCollect(scheduler.historyAll())
      assert.deepStrictEqual(
        history.map((row) => row.endedAt),
        history.map((row) => row.endedAt).toSorted((a, b) => b - a)
      )
      assert.strictEqual((yield* scheduler.history({ outcome: "failed" })).items.length, 5)
      assert.strictEqual((yield* scheduler.history({ from: 10_000, to: 20_000 })).items.length, 10)
      assert.strictEqual((yield* scheduler.history({ job: "Nobody" })).items.length, 0)
    }).pipe(Effect.provide(layer))
  )
})
