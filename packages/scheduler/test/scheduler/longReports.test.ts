import { assert, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Job, JobStore, MemoryJobStore, Scheduler } from "../../src/index.ts"

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
