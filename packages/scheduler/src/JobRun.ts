/**
 * One execution of a job: what is stored while it is unfinished, what history keeps of it, and what its handler can
 * read of it.
 *
 * @module
 * @since 0.1.0
 */
import { Context, Effect, type Option, Schema } from "effect"
import type * as Job from "./Job.ts"
import type { Delivery, Priority } from "./JobSchedule.ts"
import type { JobStoreError } from "./JobStore.ts"

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
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, type JobRun, Scheduler } from "effect-scheduler"
 *
 * class Backup extends Job.make("Backup") {}
 *
 * const ended: Effect.Effect<JobRun.Outcome, unknown, Scheduler> = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   return (yield* scheduler.awaitEnd(yield* scheduler.enqueue(Backup))).outcome
 * })
 *
 * const Main = Layer.provideMerge(Backup.toLayer(() => Effect.die("no disk")), Scheduler.layer())
 *
 * await Effect.runPromise(Effect.provide(ended, Main)) // => "failed"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const Outcome = Schema.Literals(["succeeded", "failed", "timedOut", "cancelled", "expired", "lost", "skipped"])

/**
 * The type of `Outcome`.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * A finished run in history. Instants are epoch milliseconds. `payload` and `key` are kept for every run that did not
 * succeed, so that it can be run again; a result above its limit is not stored and `resultStored` is false.
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
 * Nominal times that became no run: one row for a whole range, not one a time. Instants are epoch milliseconds.
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

/**
 * What a handler can read and say of the run that it is in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Current {
  /** The same for every execution of this run: the idempotency key for what the handler does outside. */
  readonly id: string
  readonly job: string
  /** The alias of the store that keeps it. */
  readonly store: string
  readonly scheduleId: string | null
  /** Epoch milliseconds of the nominal time; null for a run that no schedule made. */
  readonly nominal: number | null
  readonly cause: string
  /** Raised by each claim: a number that fences what an earlier claim of the run still sends. */
  readonly attempt: number
  /** 1 for the first execution, one more after each failure and each recovery. */
  readonly execution: number
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** What `setProgress` stored last, by this execution or an earlier one; null if nothing was. */
  readonly progress: () => Schema.Json
  /** Stores how far the run has come: see `setProgress`. */
  readonly setProgress: (progress: Schema.Json) => Effect.Effect<void, JobStoreError>
  /** The newest success of the run's schedule: see `lastSuccess`. */
  readonly lastSuccess: <J extends Job.Any>(job: J) => Effect.Effect<Option.Option<Job.Success<J>>, JobStoreError>
}

/**
 * The run that the handler is in. `toLayer` provides it, so a handler may require it freely.
 *
 * @example
 * ```ts
 * import { Effect, Layer, Schema } from "effect"
 * import { Job, JobRun, Scheduler } from "effect-scheduler"
 *
 * class Charge extends Job.make("Charge", { success: Schema.Finite }) {}
 *
 * // The effect that a handler gives back has `JobRun` for free.
 * const ChargeLive = Charge.toLayer(() => Effect.map(JobRun.JobRun, (run) => run.execution))
 *
 * const charge = Effect.flatMap(Scheduler, (scheduler) => scheduler.execute(Charge))
 *
 * await Effect.runPromise(Effect.provide(charge, Layer.provideMerge(ChargeLive, Scheduler.layer()))) // => 1
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class JobRun extends Context.Service<JobRun, Current>()("effect-scheduler/JobRun") {}

/**
 * The run that the handler is in: its id, schedule, nominal time and execution.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { JobRun } from "effect-scheduler"
 *
 * const charge = Effect.gen(function* () {
 *   const run = yield* JobRun.current
 *   return `idempotency-key: ${run.id}`
 * })
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const current: Effect.Effect<Current, never, JobRun> = Effect.service(JobRun)

/**
 * The success value of the newest run of this schedule that succeeded, as typed state from one run to the next; none
 * before the first success, for a run that no schedule made, or where the stored value no longer fits the job's schema.
 * It is read from the store when asked. "Newest" is by nominal time, and only runs of the schedule's own times count.
 * Fails with `JobStoreError` where the store cannot be read.
 *
 * @example
 * ```ts
 * import { Effect, Layer, Option, Schema } from "effect"
 * import { Job, JobRun, Scheduler, Trigger } from "effect-scheduler"
 * import { TestClock } from "effect/testing"
 *
 * class Count extends Job.make("Count", { success: Schema.Finite }) {}
 *
 * const CountLive = Count.toLayer(() =>
 *   JobRun.lastSuccess(Count).pipe(
 *     Effect.orDie,
 *     Effect.map((last) => Option.getOrElse(last, () => 0) + 1)
 *   )
 * )
 *
 * const test = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   yield* scheduler.schedule(Count, { id: "count", trigger: Trigger.every("1 minute") })
 *   for (let minute = 0; minute < 3; minute++) yield* TestClock.adjust("1 minute")
 *   const [newest] = (yield* scheduler.history()).items
 *   return newest?._tag === "Run" ? newest.result : undefined
 * }).pipe(Effect.provide(Layer.provideMerge(CountLive, Scheduler.layer())), Effect.provide(TestClock.layer()))
 *
 * await Effect.runPromise(test) // => "3"
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const lastSuccess = <J extends Job.Any>(
  job: J
): Effect.Effect<Option.Option<Job.Success<J>>, JobStoreError, JobRun> =>
  Effect.flatMap(Effect.service(JobRun), (run) => run.lastSuccess(job))

/**
 * Stores how far the run has come, as JSON. It is kept with the run and then in its history row, and a later execution
 * of the same run reads it in `current.progress`. It returns when it is stored.
 * Fails with `JobStoreError` where the store cannot be written.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, JobRun, Scheduler } from "effect-scheduler"
 *
 * class Import extends Job.make("Import") {}
 *
 * const ImportLive = Import.toLayer(() => Effect.orDie(JobRun.setProgress({ rows: 250 })))
 *
 * const progress = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   return (yield* scheduler.awaitEnd(yield* scheduler.enqueue(Import))).progress
 * }).pipe(Effect.provide(Layer.provideMerge(ImportLive, Scheduler.layer())))
 *
 * await Effect.runPromise(progress) // => '{"rows":250}'
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const setProgress = (progress: Schema.Json): Effect.Effect<void, JobStoreError, JobRun> =>
  Effect.flatMap(Effect.service(JobRun), (run) => run.setProgress(progress))
