import type { RunRecord } from "effect-scheduler/JobRun"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"

/** Where claims begin to look. */
export interface Horizon {
  /** Asks, now and then, whether there is need of one. */
  readonly look: Effect.Effect<void, SqlError>
  /** The lowest `runAt` of interest for each of these jobs. */
  readonly lows: (jobs: ReadonlyArray<string>) => ReadonlyArray<number>
  readonly claimed: (runs: ReadonlyArray<RunRecord>) => void
}

export const none: Horizon = {
  look: Effect.void,
  lows: (jobs) => jobs.map(() => Number.MIN_SAFE_INTEGER),
  claimed: () => undefined
}
