/**
 * One stored schedule: which job, when, with which policies, and how far its nominal times have been decided.
 *
 * @module
 * @since 0.1.0
 */
import type { Duration } from "effect"

/**
 * Which of the nominal times that passed unseen still become runs.
 *
 * - `"none"`: none that is later than `grace`; of the rest the newest.
 * - `"latest"`: the newest that is not later than `within`.
 * - `"all"`: the newest `limit` that are not later than `within`.
 *
 * A time's lateness is the deciding instant minus the nominal time; a time exactly at the tolerance still runs. What
 * does not become a run is counted as missed.
 *
 * @category models
 * @since 0.1.0
 */
export interface MissedPolicy {
  readonly run: "none" | "latest" | "all"
  /** Milliseconds. The tolerance of `"none"`, and the lateness up to which `overlap: "skip"` skips. */
  readonly grace: number
  /** Milliseconds, or `Infinity`. The tolerance of `"latest"` and `"all"`. */
  readonly within: number
  /** How many `"all"` keeps; `Infinity` keeps each. */
  readonly limit: number
}

/**
 * What happens to a nominal time whose schedule has `maxInstances` unfinished runs already.
 *
 * @category models
 * @since 0.1.0
 */
export type Overlap = "skip" | "bufferOne" | "bufferAll" | "cancelPrevious" | "allow"

/**
 * The policies of a schedule, all numbers in milliseconds or counts. `Infinity` stands for "no bound".
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly missed: MissedPolicy
  /** `"wait"` is what backfills use: no time is decided before there is room for its run, so none is ever dropped. */
  readonly overlap: Overlap | "wait"
  readonly maxInstances: number
  readonly buffer: number
  readonly jitter: number
  readonly maxRuns: number
}

/**
 * The policies as a user writes them: every field may be left out, durations are `Duration.Input`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PolicyOptions {
  readonly missed?:
    | {
        /** Which of the times that passed unseen still run; default `"latest"`. */
        readonly run?: "none" | "latest" | "all" | undefined
        /** The lateness that `"none"` tolerates, and up to which `overlap: "skip"` skips; default 10 seconds. */
        readonly grace?: Duration.Input | undefined
        /** The lateness that `"latest"` and `"all"` tolerate; default `Infinity`. */
        readonly within?: Duration.Input | undefined
        /** How many times `"all"` keeps, the newest; default 100. */
        readonly limit?: number | undefined
      }
    | undefined
  /** What happens to a time that finds `maxInstances` unfinished runs of its schedule; default `"skip"`. */
  readonly overlap?: Overlap | undefined
  /** How many runs of the schedule may be unfinished at once; default 1. */
  readonly maxInstances?: number | undefined
  /** How many runs `overlap: "bufferAll"` keeps waiting; default 100. What is more is dropped. */
  readonly buffer?: number | undefined
  /** The longest delay of a run after its nominal time: it differs by schedule and time, and is the same on every node;
   * default 0. */
  readonly jitter?: Duration.Input | undefined
  /** After how many runs the schedule is exhausted; default `Infinity`. */
  readonly maxRuns?: number | undefined
}

/**
 * The stored state of a schedule. `unresolved` is not stored: a list computes it from the live nodes.
 *
 * - `active`: `nextAt` says when it is looked at again.
 * - `waiting`: spaced (or a backfill without room): the end of one of its runs sets the next time.
 * - `paused`, `exhausted` (no nominal time is left; the row stays) and `faulty` (its trigger failed five times).
 *
 * @category models
 * @since 0.1.0
 */
export type ScheduleState = "active" | "waiting" | "paused" | "exhausted" | "faulty"

/**
 * How many nominal times of this generation ended in which way. `fired` counts deferred runs too.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly fired: number
  readonly skipped: number
  readonly missed: number
  readonly dropped: number
  readonly paused: number
}

/**
 * A schedule as a store keeps it. Instants are epoch milliseconds; `payload`, `trigger` and `policy` are JSON texts
 * that a store keeps as they are and never reads, so that a row written by a newer version survives an older node.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleRecord {
  /** 1 to 255 characters, chosen by the user. */
  readonly id: string
  /** UUID v7 given when the row was inserted: a row removed and added again is another generation. */
  readonly generation: string
  /** Raised by the store at each change: the token of compare-and-set. */
  readonly revision: number
  readonly job: string
  readonly queue: string
  readonly priority: Priority
  readonly payload: string
  /** The concurrency key that the job computed from the payload. */
  readonly key: string | null
  readonly delivery: Delivery
  /** The definition as given, encoded. */
  readonly trigger: string
  /** The version of that encoding. A node that knows only older ones leaves the row alone. */
  readonly version: number
  /** The names of the custom rules in the trigger, sorted and joined by `,`; empty for none. */
  readonly needs: string
  /** The instant that closes an open trigger (`Trigger.anchor`). */
  readonly anchor: number
  readonly policy: string
  /** The application that declared it, for `prune`. */
  readonly origin: string | null
  /** `"nominal"`, or `"backfill:…"` for the stored schedule of a backfill. The cause of its runs. */
  readonly cause: string
  readonly state: ScheduleState
  /** The watermark that the generation began with. */
  readonly firstWatermark: number
  /** The highest nominal time that has been decided. */
  readonly watermark: number
  /** When the firer looks at the row again; null unless `active`. */
  readonly nextAt: number | null
  readonly counts: Counts
  /** The version of the zone data that computed `nextAt`. */
  readonly zoneData: string
  /** How often in a row the trigger failed, and the last message. */
  readonly faults: number
  readonly error: string | null
  /** The newest success of a run of cause `nominal`: its nominal time and its encoded value. */
  readonly lastSuccess: { readonly nominal: number; readonly value: string } | null
  readonly createdAt: number
  readonly updatedAt: number
}

/**
 * 0 is claimed first, 3 last; 2 is the default.
 *
 * @category models
 * @since 0.1.0
 */
export type Priority = 0 | 1 | 2 | 3

/**
 * Whether a run whose process died is executed again.
 *
 * @category models
 * @since 0.1.0
 */
export type Delivery = "atLeastOnce" | "atMostOnce"
