/** What tests of foreign clocks share: a store that keeps its own time, and processes whose clocks are wrong. */
import { Clock, Context, Effect, Layer } from "effect"
import { JobStore } from "../../src/index.ts"
import { OffsetClock } from "../../src/testing/index.ts"

type Call = (params: Record<string, unknown>) => Effect.Effect<unknown, JobStore.JobStoreError>

/** The store below with a clock of its own, the one that is current now: it ignores what its callers take for the time. */
export const keepingTime = (below: JobStore.JobStoreService): Effect.Effect<JobStore.JobStoreService> =>
  Effect.map(Clock.Clock, (clock) => {
    const told = (method: string, params: Record<string, unknown>): Record<string, unknown> => {
      if (typeof params["now"] !== "number") return params
      const given = params["now"]
      const now = clock.currentTimeMillisUnsafe()
      if (method === "enqueue") {
        const { runs } = params as unknown as Parameters<JobStore.JobStoreService["enqueue"]>[0]
        const moved = runs.map(({ run, unique }) => ({
          unique,
          run: { ...run, createdAt: run.createdAt - given + now, runAt: run.runAt === given ? now : run.runAt }
        }))
        return { ...params, now, runs: moved }
      }
      if (method === "finish") {
        const { reports } = params as unknown as Parameters<JobStore.JobStoreService["finish"]>[0]
        const moved = reports.map((one) => (one._tag === "Retry" ? { ...one, runAt: one.runAt - given + now } : one))
        return { ...params, now, reports: moved }
      }
      return { ...params, now }
    }
    return new Proxy(below, {
      get: (target, key) => {
        const value = target[key as keyof typeof target]
        if (typeof value !== "function" || key === "subscribe") return value
        const call = value as unknown as Call
        return (params: Record<string, unknown>) => Effect.suspend(() => call(told(String(key), params)))
      }
    })
  })

/** A clock that is off by so many milliseconds from the beginning on. */
export const wrong = (millis: number): Layer.Layer<OffsetClock.OffsetClock> =>
  Layer.tap(OffsetClock.layer, (context) => Context.get(context, OffsetClock.OffsetClock).setOffset(millis))
