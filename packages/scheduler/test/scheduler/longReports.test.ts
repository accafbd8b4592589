import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { Job, JobStore, MemoryJobStore, Scheduler } from "../../src/index.ts"
import { loop } from "../../src/internal/scheduler/Finisher.ts"
import type { Runner } from "../../src/internal/scheduler/Runner.ts"
import { make as makeWakeup } from "../../src/internal/scheduler/Wakeup.ts"
import { settled } from "./support.ts"

const million = 1 << 20

class Long extends Job.make("Long", { success: Schema.String }) {}

it.effect("Long results that end together go to the store in calls of 8 million characters, and none is lost", () =>
  Effect.gen(function* () {
    const calls: Array<number> = []
    const inner = yield* MemoryJobStore.make()
    const store = JobStore.JobStore.of({
      ...inner,
      finish: (params) => {
        const lengths = params.reports.map((report) => (report._tag === "End" ? (report.result ?? "").length : 0))
        calls.push(lengths.reduce((sum, length) => sum + length, 0))
        return inner.finish(params)
      }
    })
    const layer = Layer.provideMerge(
      Long.toLayer(() => Effect.succeed("x".repeat(3 * million))),
      Scheduler.layer({ resultLimit: 4 * million, stores: { default: Layer.succeed(JobStore.JobStore, store) } })
    )
    const ended = yield* Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const ids = yield* scheduler.enqueueAll(
        Long,
        Array.from({ length: 7 }, () => undefined)
      )
      return yield* Effect.forEach(ids, (id) => scheduler.awaitEnd(id))
    }).pipe(Effect.provide(layer))
    for (const run of ended) {
      assert.strictEqual(run.outcome, "succeeded")
      assert.strictEqual(run.result?.length, 3 * million + 2)
    }
    assert.isAbove(calls.length, 2)
    assert.isAtMost(Math.max(...calls), 8 * million)
  })
)

it.effect(
  "Who claims nothing until fewer ends wait to be stored is told when they are, also if they go few by few",
  () =>
    Effect.gen(function* () {
      const result = "x".repeat(million)
      const report = (_: unknown, n: number) => ({
        node: "n",
        record: { id: `${n}`, attempt: 1, failures: 0, errors: "[]", cause: "enqueue" },
        ending: { _tag: "Succeeded", result, stored: true }
      })
      const reports = Array.from({ length: 10_005 }, report)
      const waiting: Array<number> = []
      // What a finisher uses of its runner. So many results would take gigabytes to make.
      const runner = {
        reports,
        store: { shared: true, finish: () => Effect.succeed({ applied: [], fenced: [], now: 0 }) },
        calls: { insist: (_: string, effect: Effect.Effect<unknown>) => effect },
        time: { ask: (call: (now: number) => Effect.Effect<unknown>) => call(0) },
        bells: {
          finish: makeWakeup(),
          idle: makeWakeup(),
          claim: { ...makeWakeup(), ring: () => void waiting.push(reports.length) }
        },
        hub: { active: () => false },
        foretold: { tell: () => undefined },
        onEnd: () => undefined,
        running: new Map(),
        state: { node: "n", behind: false },
        clock: { monotonic: () => 0 },
        settings: { pollInterval: 1_000 },
        context: Context.empty()
      } as unknown as Runner
      yield* Effect.forkScoped(loop(runner))
      yield* settled
      assert.deepStrictEqual(waiting, [9_998])
    }).pipe(Effect.scoped)
)
