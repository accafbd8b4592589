/** Ends of runs that are late, contested, too many at once, or too large. */
import { randomUUID } from "node:crypto"
import { assert } from "@effect/vitest"
import { Effect, Layer, Result, Schedule, Schema } from "effect"
import { Job } from "effect-scheduler"
import type { RunRecord } from "effect-scheduler/JobRun"
import { Invariants } from "effect-scheduler/testing"
import { jobs, run, success } from "../support.ts"
import { Tick } from "./jobs.ts"
import { fault, instead } from "./kit.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const

class Slow extends Job.make("Slow", {
  timeout: "100 millis",
  retry: Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 1 }))
}) {}

fault(
  34,
  "a handler exceeds its timeout",
  { on: everywhere, clock: "virtual", injected: "a handler that never ends, with a timeout and one retry" },
  (world) =>
    Effect.gen(function* () {
      let interrupted = 0
      const never = Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      const slow = Slow.toLayer(() => Effect.andThen(world.executing, never))
      const tick = Tick.toLayer(() => Effect.asVoid(world.executing))
      const node = yield* world.node({ jobs: Layer.merge(slow, tick) })
      const id = yield* node.scheduler.enqueue(Slow)
      const other = yield* node.scheduler.enqueue(Tick)
      assert.deepInclude(yield* world.ended(id), { outcome: "timedOut", attempt: 2, failures: 2, recoveries: 0 })
      assert.deepInclude(yield* world.ended(other), { outcome: "succeeded", attempt: 1 })
      assert.strictEqual(interrupted, 2)
      const once = ["RunStarted", "RunTimedOut", "RunFailed"]
      yield* world.until(
        "the last event",
        Effect.sync(() => node.story(id)),
        (story) => story.length >= 7
      )
      assert.deepStrictEqual(node.story(id), ["RunCreated", ...once, ...once])
      assert.deepStrictEqual(
        node.only("RunFailed").map((event) => event.nextAttemptAt === null),
        [false, true]
      )
      world.mustEnd(id, other)
      return "interrupted at its timeout, executed again as its retry policy says, interrupted again and ended as timedOut; another run was not held up"
    })
)

class Brief extends Job.make("Brief", { payload: { millis: Schema.Finite } }) {}

fault(
  56,
  "a cancel races the end of its run",
  {
    on: everywhere,
    shared: true,
    injected:
      "40 runs that last 0 to 100 ms on a node that runs 20 at once, each cancelled by another node in that time"
  },
  (world) =>
    Effect.gen(function* () {
      const brief = Brief.toLayer(({ millis }) => Effect.andThen(world.executing, Effect.sleep(millis)))
      const node = yield* world.node({ jobs: brief, maxRunning: 20 })
      const canceller = yield* world.node()
      const payloads = Array.from({ length: 40 }, (_, n) => ({ millis: (n % 21) * 5 }))
      const ids = yield* node.scheduler.enqueueAll(Brief, payloads)
      yield* world.until(
        "the first begins",
        Effect.sync(() => world.executions.length),
        (count) => count > 0
      )
      const answers = yield* Effect.forEach(
        ids,
        (id, n) => Effect.andThen(Effect.sleep(((n * 7) % 30) * 4), canceller.scheduler.cancel(id)),
        { concurrency: "unbounded" }
      )
      for (const [n, id] of ids.entries()) {
        const { outcome } = yield* world.ended(id)
        if (answers[n] === "cancelled") {
          assert.strictEqual(outcome, "cancelled")
          assert.strictEqual(world.executionsOf(id), 0)
        } else if (answers[n] === "finished") assert.strictEqual(outcome, "succeeded")
        else assert.include(["succeeded", "cancelled"], outcome)
      }
      const count = (answer: string) => answers.filter((each) => each === answer).length
      const told = ["cancelled", "requested", "finished"].map((answer) => `${count(answer)} ${answer}`)
      yield* world.measured(`answers: ${told.join(", ")}`)
      world.mustEnd(...ids)
      return "each run ended once; where the caller was told that it was cancelled it had never begun, where that it had finished it had succeeded, else its node decided"
    })
)

fault(
  57,
  "a cancel of a run on another node, with no notification",
  {
    on: everywhere,
    shared: true,
    injected: "the node that runs it hears of no change and polls once an hour; another node cancels"
  },
  (world) =>
    Effect.gen(function* () {
      const tick = Tick.toLayer(() => Effect.andThen(world.executing, Effect.never))
      const deaf = yield* world.node({
        jobs: tick,
        pollInterval: "1 hour",
        over: (store) => ({ ...store, subscribe: () => Effect.void })
      })
      const other = yield* world.node()
      const id = yield* deaf.scheduler.enqueue(Tick)
      yield* world.until(
        "it runs",
        Effect.sync(() => world.executionsOf(id)),
        (count) => count === 1
      )
      const begin = performance.now()
      assert.strictEqual(yield* other.scheduler.cancel(id), "requested")
      assert.deepInclude(yield* world.ended(id), { outcome: "cancelled", attempt: 1 })
      yield* world.measured(`cancelled after ${Math.round(performance.now() - begin)} ms, renewals each 333 ms`)
      world.mustEnd(id)
      return "the answer was `requested`; the node learned of it with its next renewal of the lease and interrupted the handler"
    })
)

class Storm extends Job.make("Storm", {
  error: Schema.String,
  retry: Schedule.exponential("1 second").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))
}) {}

fault(
  58,
  "all runs fail at once",
  { on: everywhere, clock: "virtual", injected: "200 runs whose handlers all fail in the first execution" },
  (world) =>
    Effect.gen(function* () {
      const storm = Storm.toLayer(() =>
        Effect.flatMap(world.executing, (current) => (current.execution === 1 ? Effect.fail("down") : Effect.void))
      )
      let finishes = 0
      const node = yield* world.node({
        jobs: storm,
        over: instead({
          finish: (call) => (params) =>
            Effect.andThen(
              Effect.sync(() => finishes++),
              call(params)
            )
        })
      })
      const ids = yield* node.scheduler.enqueueAll(Storm, Array.from({ length: 200 }))
      for (const id of ids)
        assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", failures: 1, attempt: 2 })
      yield* world.until(
        "all failures are told",
        Effect.sync(() => node.only("RunFailed").length),
        (count) => count === 200
      )
      const delays = node.only("RunFailed").map((event) => event.nextAttemptAt! - event.at)
      const [least, most] = [Math.min(...delays), Math.max(...delays)]
      assert.isAbove(most - least, 200, "jitter spreads the second executions")
      assert.isBelow(most, 1_300)
      assert.isBelow(finishes, 200, "ends are stored in batches")
      yield* world.measured(`400 ends in ${finishes} calls, retries ${least} to ${most} ms later`)
      world.mustEnd(...ids)
      return "the second executions were spread by the jitter of the backoff, their ends were stored in batches, and all succeeded"
    })
)

class Huge extends Job.make("Huge", {
  payload: { fails: Schema.Boolean },
  success: Schema.String,
  error: Schema.String
}) {}

fault(
  59,
  "a result and an error of 10 MB",
  { on: everywhere, injected: "a handler that succeeds with 10 MB, and one that fails with 10 MB" },
  (world) =>
    Effect.gen(function* () {
      const text = "x".repeat(10 << 20)
      const huge = Huge.toLayer(({ fails }) =>
        Effect.andThen(world.executing, fails ? Effect.fail(text) : Effect.succeed(text))
      )
      const node = yield* world.node({ jobs: huge, lease: "30 seconds", storeTimeout: "1 minute" })
      const result = yield* Effect.result(node.scheduler.execute(Huge, { fails: false }))
      const error = yield* Effect.result(node.scheduler.execute(Huge, { fails: true }))
      assert.deepInclude(Result.getOrThrow(Result.flip(result)), { _tag: "RunNotSucceeded", reason: "resultNotStored" })
      assert.deepInclude(Result.getOrThrow(Result.flip(error)), { _tag: "RunNotSucceeded", reason: "failed" })
      const { items } = yield* node.scheduler.history()
      const rows = items.filter((row) => row._tag === "Run")
      const succeeded = rows.find((row) => row.outcome === "succeeded")!
      assert.deepInclude(succeeded, { result: null, resultStored: false })
      const failed = rows.find((row) => row.outcome === "failed")!
      assert.isBelow(failed.errors.length, 10_000)
      assert.include(failed.errors, "characters in all")
      assert.deepStrictEqual(node.only("StoreDegraded"), [])
      world.mustEnd(succeeded.id, failed.id)
      return "the run succeeded and its result was not stored, which whoever awaited it was told; the error was cut with a mark that says so"
    })
)

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

fault(
  63,
  "an end is sent again after 10,000 other runs have begun",
  {
    on: everywhere,
    injected: "the same finish, sent again when its run was in history and its node had claimed 10,000 others"
  },
  (world) =>
    Effect.gen(function* () {
      const { store } = world
      const node = randomUUID()
      const all = { now: Date.now(), node, limit: 1_000, jobs, queues: {} }
      const enqueue = (runs: ReadonlyArray<RunRecord>) =>
        store.enqueue({ now: Date.now(), runs: runs.map((each) => ({ run: each, unique: null })) })
      yield* enqueue([run({ runAt: 0 })])
      const [mine] = (yield* store.claim(all)).runs
      const report = { now: Date.now(), node, reports: [success(mine!)], transition: () => undefined }
      yield* store.finish(report)
      for (const _ of numbers(10)) {
        yield* enqueue(numbers(1_000).map(() => run({ runAt: 0 })))
        assert.strictEqual((yield* store.claim(all)).runs.length, 1_000)
      }
      const before = yield* Invariants.dump(store)
      const again = yield* store.finish(report)
      assert.deepStrictEqual([again.fenced, again.applied], [[], []])
      const after = yield* Invariants.dump(store)
      assert.strictEqual(before.runs.length, 10_000)
      assert.deepStrictEqual(after, before)
      return "the second answer was that of the first, and no row had changed"
    })
)
