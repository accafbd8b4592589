import { Cause, Deferred, Effect, Exit, Option } from "effect"
import type { EndedRun } from "../../JobRun.ts"
import type { JobStoreError, JobStoreService } from "../../JobStore.ts"
import type { Settings } from "./settings.ts"
import type { StoreCalls } from "./StoreCalls.ts"
import { make as makeWakeup } from "./Wakeup.ts"

/** So many runs are asked for at once. */
const batch = 1_000

/** What one who waits is told: the run's end, or undefined where the store does not know the run. */
type Answer = Deferred.Deferred<EndedRun | undefined, JobStoreError>

/**
 * Those who await the end of runs of one store. Whatever ended, here or elsewhere, one fiber looks for all of them in one
 * call: a thousand that wait cost no thousand calls each time that something ends.
 */
export interface Waiters {
  /** A run ended on this node. */
  readonly ended: (runId: string) => void
  /** The store says that something ended. */
  readonly changed: () => void
  /** The run's end, or undefined if the store does not know the run. */
  readonly await: (runId: string) => Effect.Effect<EndedRun | undefined, JobStoreError>
  /** Looks when something ended, and at a shared store after the poll interval. */
  readonly loop: Effect.Effect<void>
}

export const make = (store: JobStoreService, calls: StoreCalls, settings: Pick<Settings, "pollInterval">): Waiters => {
  const waiting = new Map<string, Set<Answer>>()
  const bell = makeWakeup()

  const getRuns = (ids: ReadonlyArray<string>) => calls.verb("getRuns", store.getRuns({ ids }))

  const tell = (runId: string, exit: Exit.Exit<EndedRun | undefined, JobStoreError>): void => {
    for (const answer of waiting.get(runId) ?? []) Deferred.doneUnsafe(answer, exit)
  }

  const look = (ids: ReadonlyArray<string>) =>
    Effect.map(Effect.exit(getRuns(ids)), (exit) => {
      if (Exit.isFailure(exit)) {
        // Of a shared store that is away the run goes on: who waits for its end waits for the next look.
        if (store.shared && isTransient(exit.cause)) return
        return ids.forEach((id) => tell(id, Exit.failCause(exit.cause)))
      }
      const gone = new Set(ids)
      for (const run of exit.value.unfinished) gone.delete(run.id)
      for (const run of exit.value.ended) {
        gone.delete(run.id)
        tell(run.id, Exit.succeed(run))
      }
      for (const id of gone) tell(id, Exit.succeed(undefined))
    })

  return {
    ended: (runId) => {
      if (waiting.has(runId)) bell.ring()
    },
    changed: () => {
      if (waiting.size > 0) bell.ring()
    },
    await: (runId) =>
      Effect.suspend(() => {
        const answer: Answer = Deferred.makeUnsafe()
        const all = waiting.get(runId) ?? new Set()
        all.add(answer)
        waiting.set(runId, all)
        // From now on a shared store is polled.
        if (store.shared && waiting.size === 1) bell.ring()
        return Effect.ensuring(
          Effect.flatMap(getRuns([runId]), ({ ended, unfinished }) =>
            unfinished.length === 0 ? Effect.succeed(ended[0]) : Deferred.await(answer)
          ),
          Effect.sync(() => {
            all.delete(answer)
            if (all.size === 0) waiting.delete(runId)
          })
        )
      }),
    loop: Effect.forever(
      Effect.suspend(() => {
        bell.arm()
        if (waiting.size === 0) return bell.sleep(undefined)
        const ids = [...waiting.keys()]
        const batches = Array.from({ length: Math.ceil(ids.length / batch) }, (_, i) =>
          ids.slice(i * batch, (i + 1) * batch)
        )
        return Effect.andThen(
          Effect.forEach(batches, look, { discard: true }),
          bell.sleep(store.shared ? settings.pollInterval : undefined)
        )
      })
    )
  }
}

/** Whether the same question may be answered when it is asked again. */
const isTransient = (cause: Cause.Cause<JobStoreError>): boolean => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  return error !== undefined && error.isRetryable
}
