/**
 * One execution of a job: what is stored while it is unfinished, what history keeps of it, and what its handler can
 * read of it.
 *
 * @since 0.1.0
 */
import type { Delivery, Priority } from "./JobSchedule.ts"

/**
 * An unfinished run as a store keeps it. Instants are epoch milliseconds; `payload`, `errors` and `progress` are JSON
 * texts that a store never reads.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunRecord {
  /** UUID v7 made by the caller, never reused. The handler's idempotency key. */
  readonly id: string
  readonly job: string
  readonly queue: string
  readonly priority: Priority
  readonly payload: string
  /** At most one run of a job and key runs at a time. */
  readonly key: string | null
  readonly delivery: Delivery
  readonly scheduleId: string | null
  readonly generation: string | null
  readonly nominal: number | null
  /** `"nominal"`, `"enqueue"`, `"runNow"`, `"rerun:<run id>"` or `"backfill:<request>"`. */
  readonly cause: string
  /** The schedule is `waiting` for this run: its end lets the schedule decide again. */
  readonly settles: boolean
  readonly state: "pending" | "running" | "deferred"
  /** Why a deferred run waits: for another run of its schedule, or for one of its key. Null unless deferred. */
  readonly waitsFor: "overlap" | "key" | null
  /** Not before this instant. */
  readonly runAt: number
  /** Claimed after this instant it ends as expired. */
  readonly startBy: number | null
  /** Raised by each claim, never lowered: only a fence. */
  readonly attempt: number
  /** How often the handler failed or timed out. */
  readonly failures: number
  /** How often a reaper took it back from a dead node. */
  readonly recoveries: number
  /** A JSON list of `Failure`. */
  readonly errors: string
  /** Set while running. */
  readonly node: string | null
  /** When it was last claimed. */
  readonly startedAt: number | null
  /** When a cancel was asked for while it ran. */
  readonly cancelAt: number | null
  readonly progress: string | null
  readonly createdAt: number
}

/**
 * One failure of a run, kept in `errors`: the instant (the retry schedule is replayed from these), what happened, and
 * the encoded error where the job's schema could encode it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly at: number
  readonly kind: "failed" | "died" | "timedOut" | "lost" | "undecodable"
  readonly message: string
  readonly error?: unknown
}

/**
 * How a run ended.
 *
 * - `succeeded`, `failed` (no retry is left, or the payload could not be decoded), `timedOut` (the last failure was one)
 * - `cancelled`, `expired` (claimed later than its tolerance), `lost` (its node died too often, or `atMostOnce`)
 * - `skipped`: a deferred run whose place a newer one took (`overlap: "cancelPrevious"`)
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = "succeeded" | "failed" | "timedOut" | "cancelled" | "expired" | "lost" | "skipped"

/**
 * A finished run in history. `payload` and `key` are kept for every run that did not succeed, so that it can be run
 * again; a result above its limit is not stored and `resultStored` is false.
 *
 * @category models
 * @since 0.1.0
 */
export interface EndedRun {
  readonly _tag: "Run"
  readonly id: string
  readonly outcome: Outcome
  readonly job: string
  readonly queue: string
  readonly priority: Priority
  readonly delivery: Delivery
  readonly scheduleId: string | null
  readonly generation: string | null
  readonly nominal: number | null
  readonly cause: string
  readonly attempt: number
  readonly failures: number
  readonly recoveries: number
  readonly node: string | null
  readonly createdAt: number
  readonly runAt: number
  readonly startedAt: number | null
  readonly endedAt: number
  /** Encoded success value, JSON text. */
  readonly result: string | null
  readonly resultStored: boolean
  readonly errors: string
  readonly progress: string | null
  readonly payload: string | null
  readonly key: string | null
}

/**
 * Nominal times that became no run: one row for a whole range, not one a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface EndedRange {
  readonly _tag: "Range"
  /** UUID v7 made by the caller. */
  readonly id: string
  readonly kind: "missed" | "skipped" | "dropped" | "paused"
  readonly job: string
  readonly scheduleId: string
  readonly generation: string
  readonly cause: string
  /** The first and the last nominal time of the range, inclusive; other kinds may lie between them. */
  readonly first: number
  readonly last: number
  readonly count: number
  readonly endedAt: number
}

/**
 * A row of history.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryRecord = EndedRun | EndedRange
