import { Deferred, Effect } from "effect"
import type { EndedRun } from "../../JobRun.ts"
import { type JobStoreError, Signal } from "../../JobStore.ts"
import type { StoreRunner } from "./StoreRunner.ts"

/**
 * Those who await the end of runs. A run that ends on this node rings its waiters at once; one that ends elsewhere is
 * found by looking again, when the store says that something ended, or after the poll interval.
 */
export interface Waiters {
  readonly ended: (runId: string) => void
  readonly signal: (signal: number) => void
  /** The run's end, or undefined if the store does not know the run. */
  readonly await: (store: StoreRunner, runId: string) => Effect.Effect<EndedRun | undefined, JobStoreError>
}

export const make = (): Waiters => {
  const byRun = new Map<string, Set<Deferred.Deferred<void>>>()
  return {
    ended: (runId) => ring(byRun.get(runId)),
    signal: (signal) => {
      if (signal & Signal.ended) for (const waiting of Array.from(byRun.values())) ring(waiting)
    },
    await: (store, runId) => {
      const look = Effect.suspend(() => {
        const bell = Deferred.makeUnsafe<void>()
        const waiting = byRun.get(runId) ?? new Set()
        waiting.add(bell)
        byRun.set(runId, waiting)
        return Effect.ensuring(
          Effect.gen(function* () {
            const { runner } = store
            const { ended, unfinished } = yield* runner.calls.verb("getRuns", runner.store.getRuns({ ids: [runId] }))
            if (ended[0] !== undefined || unfinished.length === 0) return { done: true, run: ended[0] } as const
            yield* runner.store.shared
              ? Effect.timeoutOption(Deferred.await(bell), runner.settings.pollInterval)
              : Deferred.await(bell)
            return { done: false, run: undefined } as const
          }),
          Effect.sync(() => {
            waiting.delete(bell)
            if (waiting.size === 0) byRun.delete(runId)
          })
        )
      })
      return Effect.map(Effect.repeat(look, { until: (seen) => seen.done }), (seen) => seen.run)
    }
  }
}

const ring = (waiting: Set<Deferred.Deferred<void>> | undefined): void => {
  // One that is rung looks at once, and waits again in the same set if its run has not ended.
  for (const deferred of Array.from(waiting ?? [])) Deferred.doneUnsafe(deferred, Effect.void)
}
