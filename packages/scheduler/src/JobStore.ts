/**
 * Where schedules, unfinished runs and history live: the port that every store implements, and its errors.
 *
 * A store is mechanical. It keeps rows, finds the due ones by index, and changes them in transactions; what to do at an
 * instant is computed by pure functions that are handed to it (`Transition`) and run inside those transactions. It never
 * reads the JSON texts that it keeps. The suite in `effect-scheduler/testing` says what a store must do, and every store
 * must pass it.
 *
 * @module
 * @since 0.1.0
 */
import { Context, type Effect, Schema, type Scope } from "effect"
import * as listeners from "./internal/listeners.ts"
import type { EndedRange, EndedRun, HistoryRecord, Outcome, RunRecord } from "./JobRun.ts"
import type { ScheduleRecord, ScheduleState } from "./JobSchedule.ts"

/**
 * Why a store call failed.
 *
 * - `Unavailable`: the store cannot be reached or has gone; `Timeout`: it did not answer in time.
 * - `Busy`: another process holds its lock; `Conflict`: a serialization failure or a deadlock.
 * - `ReadOnly`, `Full`, `Corrupt`, `Forbidden`: it refuses. `SchemaNewer` and `SchemaMissing`: its tables are of another
 *   version, or not there. `Unsupported`: this database, client or option will not do.
 * - `Unknown`: anything else, with its cause.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, type JobStore, Scheduler } from "effect-scheduler"
 * import { FaultyStore } from "effect-scheduler/testing"
 * import { MemoryJobStore } from "effect-scheduler"
 *
 * class Backup extends Job.make("Backup") {}
 *
 * // A store that cannot be reached, once the scheduler is there.
 * const broken = FaultyStore.layer({ seed: 1, probability: 1, faults: ["failBefore"], methods: ["enqueue"] })
 * const Main = Scheduler.layer({ stores: { default: broken.pipe(Layer.provide(MemoryJobStore.layer)) }, storeTimeout: "50 millis" })
 *
 * const reason: Effect.Effect<typeof JobStore.JobStoreReason.Type | "none", unknown> = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   yield* scheduler.enqueue(Backup)
 *   return "none" as const
 * }).pipe(
 *   Effect.catchTag("JobStoreError", (error) => Effect.succeed(error.reason)),
 *   Effect.provide(Main)
 * )
 *
 * await Effect.runPromise(reason) // => "Unavailable"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const JobStoreReason = Schema.Literals([
  "Unavailable",
  "Timeout",
  "Busy",
  "Conflict",
  "ReadOnly",
  "Full",
  "Corrupt",
  "Forbidden",
  "SchemaNewer",
  "SchemaMissing",
  "Unsupported",
  "Unknown"
])

/**
 * A store call that failed: which method, why, and whether the same call may succeed when it is sent again.
 *
 * @example
 * ```ts
 * import { JobStore } from "effect-scheduler"
 *
 * const gone = new JobStore.JobStoreError({ reason: "Unavailable", method: "claim", message: "the server has gone" })
 * const full = new JobStore.JobStoreError({ reason: "Full", method: "enqueue", message: "the disk is full" })
 *
 * gone.isRetryable // => true
 * full.isRetryable // => false
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class JobStoreError extends Schema.TaggedError<JobStoreError>()("JobStoreError", {
  reason: JobStoreReason,
  /** The method, or `"open"`. */
  method: Schema.String,
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  /** Whether sending the same call again is safe and sensible: every method is safe to repeat. */
  get isRetryable(): boolean {
    return (
      this.reason === "Unavailable" || this.reason === "Timeout" || this.reason === "Busy" || this.reason === "Conflict"
    )
  }
}

/**
 * What a transition sees of a schedule, read under its lock (or to be compared and set by its revision).
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleView {
  readonly schedule: ScheduleRecord
  /** Its unfinished runs of the schedule's own cause that are not deferred by overlap: pending, running, waiting for a
   * retry or for a key. */
  readonly active: number
  /** Those that are deferred by overlap. */
  readonly deferred: number
}

/**
 * What a transition wants done, in one transaction, under the revision that it saw.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleChange {
  /** The row as it shall be (the store raises `revision`), or null to remove it. Its runs stay either way. */
  readonly schedule: ScheduleRecord | null
  readonly runs: ReadonlyArray<RunRecord>
  readonly ranges: ReadonlyArray<EndedRange>
  /** Ends the runs deferred by overlap as `skipped`, before `runs` are inserted. */
  readonly replaceDeferred: boolean
  /** Asks the schedule's active runs to cancel: pending ones end as `cancelled` at once, running ones get `cancelAt`. */
  readonly cancelActive: boolean
}

/**
 * Computes a change from what is stored, purely and synchronously: it may be called again when the store has to start
 * over. `undefined` leaves everything as it is. `view` is undefined where no row has the id.
 *
 * @category models
 * @since 0.1.0
 */
export type Transition = (id: string, view: ScheduleView | undefined, now: number) => ScheduleChange | undefined

/**
 * When a run whose node died may be claimed again, or undefined where it has ended as lost: computed purely from the run
 * as its node had it (`recoveries` are those before this one) and the store's time.
 *
 * @category models
 * @since 0.1.0
 */
export type Recovery = (run: RunRecord, now: number) => number | undefined

/**
 * What came of a transition that was carried out.
 *
 * @category models
 * @since 0.1.0
 */
export interface Applied {
  readonly id: string
  readonly before: ScheduleRecord | undefined
  /** The row as stored now, with its new revision; undefined where it was removed. */
  readonly after: ScheduleRecord | undefined
  readonly change: ScheduleChange
  /** The deferred runs that `replaceDeferred` ended. */
  readonly replaced: ReadonlyArray<EndedRun>
  /** The pending runs that `cancelActive` ended, and the ids of the running ones that it asked. */
  readonly cancelled: ReadonlyArray<EndedRun>
  readonly cancelRequested: ReadonlyArray<string>
}

/**
 * What a node that claims has a handler for. `concurrency` bounds the running runs of the job over all nodes; where it
 * is absent the job is unlimited. The run's `queue` becomes this one when it is claimed.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClaimableJob {
  readonly name: string
  readonly queue: string
  /** At least 1. */
  readonly concurrency?: number | undefined
}

/**
 * What a node says of a run that it had claimed. Each is fenced by (run, attempt, node).
 *
 * `attempt` is the number of the claim, `failures` how often the handler has failed, instants are epoch milliseconds.
 *
 * - `End`: the run is deleted and its history row inserted, with `endedAt` the store's time.
 * - `Retry`: a failure was added and the run waits until `runAt`, holding neither slot nor key.
 * - `Release`: given back as it was, unfinished and unpunished (shutdown, an unknown job, a lost lease).
 *
 * @category models
 * @since 0.1.0
 */
export type RunReport =
  | {
      readonly _tag: "End"
      readonly id: string
      readonly attempt: number
      readonly outcome: Outcome
      readonly failures: number
      readonly errors: string
      readonly result: string | null
      readonly resultStored: boolean
      /** Kept as the schedule's `lastSuccess` if the run is its own and newer than the one that wrote it. */
      readonly remember: boolean
    }
  | {
      readonly _tag: "Retry"
      readonly id: string
      readonly attempt: number
      readonly failures: number
      readonly errors: string
      readonly runAt: number
    }
  | { readonly _tag: "Release"; readonly id: string; readonly attempt: number }

/**
 * A node's row, its instants in epoch milliseconds. `version` is the newest trigger encoding that it reads. `jobs` and `triggers` are what it has handlers and custom rules for, for `unresolved`.
 *
 * @category models
 * @since 0.1.0
 */
export interface NodeRecord {
  readonly id: string
  readonly startedAt: number
  readonly leaseUntil: number
  /** When a reaper marked it dead. */
  readonly deadAt: number | null
  readonly version: number
  readonly jobs: ReadonlyArray<string>
  readonly triggers: ReadonlyArray<string>
}

/**
 * A page of rows and where the next one begins; no cursor after the last page.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly cursor: string | undefined
}

/**
 * Which schedules a list shows; what is left out does not restrict.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleFilter {
  readonly job?: string | undefined
  readonly origin?: string | undefined
  readonly state?: ScheduleState | undefined
  readonly prefix?: string | undefined
}

/**
 * Which unfinished runs or history rows a list shows; what is left out does not restrict. `from` and `to` bound the
 * instant at which a history row was written (`from` inclusive, `to` exclusive).
 *
 * @category models
 * @since 0.1.0
 */
export interface RunFilter {
  readonly job?: string | undefined
  readonly scheduleId?: string | undefined
  readonly state?: RunRecord["state"] | undefined
  readonly outcome?: Outcome | EndedRange["kind"] | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/**
 * How long rows are kept, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Retention {
  /** Of runs that succeeded. */
  readonly succeeded: number
  /** Of everything else in history. */
  readonly others: number
  /** Of schedules that are exhausted. */
  readonly exhausted: number
  /** Of idempotency keys. */
  readonly keys: number
}

/**
 * The methods of a store. Every method may be sent again with the same parameters without doing anything twice.
 *
 * `now` is the caller's time in epoch milliseconds. A store may believe it, or keep its own time, as one on a server does
 * whose callers' clocks differ. One that keeps its own time ignores `now`, hands its own to transitions, and answers it.
 * Instants among the parameters that were computed from `now` are moved by how far its own is ahead of it: in `enqueue`
 * and `finish`, which say which these are. All others are taken as they are: a user chose them.
 *
 * @category services
 * @since 0.1.0
 */
export interface JobStoreService {
  /** Other processes may use the same rows: leases, the reaper and polling are needed. */
  readonly shared: boolean
  /** What a person calls it in a log line, as `"memory"` or `"sqlite jobs.db"`. */
  readonly description: string

  /** Present where the application can open transactions on the same client as the store. `active`: the calling fiber is
   * inside one, so a call of this store commits or rolls back with it, and is sent once. `afterCommit`: runs the effect
   * when the outermost transaction has committed, never if it rolled back. */
  readonly transaction?: {
    readonly active: Effect.Effect<boolean>
    /** Runs the effect after the commit of the outermost transaction. */
    readonly afterCommit: (effect: Effect.Effect<void>) => Effect.Effect<void>
  }

  /** Registers a callback that is called after rows were changed by anyone this store can hear of: new or changed
   * schedules, new or promoted runs, cancels, ends. Of a shared store it is a speed-up,
   * since a scheduler polls it as well; one that is not shared must call for each change. What a callback throws is logged
   * and ends nothing, and the others are called all the same: see `makeListeners`. */
  readonly subscribe: (listener: (change: StoreSignal) => void) => Effect.Effect<void, never, Scope.Scope>

  /** Inserts a node row with its lease. */
  readonly register: (params: {
    readonly now: number
    readonly node: string
    readonly lease: number
    readonly version: number
    readonly jobs: ReadonlyArray<string>
    readonly triggers: ReadonlyArray<string>
  }) => Effect.Effect<void, JobStoreError>
  /** Renews a lease, late or not. `fenced` if the row was marked dead or is gone. Else the ids of this node's runs that
   * were asked to cancel. Also stores `jobs` and `triggers` where they changed. */
  readonly heartbeat: (params: {
    readonly now: number
    readonly node: string
    readonly lease: number
    readonly jobs: ReadonlyArray<string>
    readonly triggers: ReadonlyArray<string>
  }) => Effect.Effect<{ readonly fenced: boolean; readonly cancel: ReadonlyArray<string> }, JobStoreError>
  /** Removes the node's row; its runs, if any were left, become a reaper's. */
  readonly leave: (params: { readonly node: string }) => Effect.Effect<void, JobStoreError>
  /** All nodes, live and dead. */
  readonly nodes: Effect.Effect<ReadonlyArray<NodeRecord>, JobStoreError>
  /** Marks nodes whose lease has passed as dead and takes back runs whose node is dead or has no row, at most `limit`:
   * pending again at the instant that `recovery` says with one more recovery, or ended as lost where it says none. A run
   * that was asked to cancel is due at once. `full` if there were more. `nextLease` is the earliest lease end of a live
   * node. */
  readonly reap: (params: {
    readonly now: number
    readonly node: string
    readonly recovery: Recovery
    readonly limit: number
    readonly transition: Transition
  }) => Effect.Effect<
    {
      readonly dead: ReadonlyArray<string>
      readonly recovered: ReadonlyArray<RunRecord>
      readonly lost: ReadonlyArray<EndedRun>
      readonly applied: ReadonlyArray<Applied>
      readonly full: boolean
      readonly nextLease: number | undefined
      readonly now: number
    },
    JobStoreError
  >

  /** Runs the transition on due schedules, `nextAt <= now`, in the order of `nextAt`, at most `limit`, only rows of
   * `version` or older whose needs are all among `triggers`. `full` if there may be more. */
  readonly fire: (params: {
    readonly now: number
    readonly limit: number
    readonly version: number
    readonly triggers: ReadonlyArray<string>
    readonly transition: Transition
  }) => Effect.Effect<
    { readonly applied: ReadonlyArray<Applied>; readonly full: boolean; readonly now: number },
    JobStoreError
  >
  /** Runs the transition on each id, present or not, all in one transaction. */
  readonly modify: (params: {
    readonly now: number
    readonly ids: ReadonlyArray<string>
    readonly transition: Transition
  }) => Effect.Effect<ReadonlyArray<Applied>, JobStoreError>
  /** Those of these ids that there are. */
  readonly getSchedules: (params: {
    readonly ids: ReadonlyArray<string>
  }) => Effect.Effect<ReadonlyArray<ScheduleRecord>, JobStoreError>
  /** Ordered by id. */
  readonly listSchedules: (params: {
    readonly filter: ScheduleFilter
    readonly limit: number
    readonly cursor?: string | undefined
  }) => Effect.Effect<Page<ScheduleRecord>, JobStoreError>

  /** Inserts runs. One whose `unique` text another run of the same job took is not inserted, and `ids` has the stored
   * run's id in its place; `maintain` forgets such a key after its retention. The same run sent again is one run. A store
   * that keeps its own time moves `createdAt`, and `runAt` with its `startBy` where `runAt` is the call's `now`: such a run
   * is due at once, whatever the caller's clock shows. */
  readonly enqueue: (params: {
    readonly now: number
    readonly runs: ReadonlyArray<{ readonly run: RunRecord; readonly unique: string | null }>
  }) => Effect.Effect<{ readonly ids: ReadonlyArray<string> }, JobStoreError>
  /** Makes at most `limit` due pending runs of these jobs running on `node`, ordered by priority, `runAt`, id, within
   * the limits of jobs and queues and with one running run a key; a due run whose key is taken becomes deferred. A store
   * that has looked answers `next`, what `wake` would answer of runs now, null for never; else a scheduler asks. */
  readonly claim: (params: {
    readonly now: number
    readonly node: string
    readonly limit: number
    readonly jobs: ReadonlyArray<ClaimableJob>
    readonly queues: Readonly<Record<string, number>>
  }) => Effect.Effect<
    { readonly runs: ReadonlyArray<RunRecord>; readonly now: number; readonly next?: number | null | undefined },
    JobStoreError
  >
  /** Applies reports in one transaction. Ending or retrying promotes the next run of its key, ending a schedule's run
   * promotes its oldest run deferred by overlap, and runs the transition on schedules whose run had `settles`. A report
   * that was already applied counts as applied. A store that keeps its own time moves the `runAt` of a `Retry`: what
   * counts is how far from the call's `now` it is. A report of what somebody else has locked may be left out, so that it does
   * not hold up all others: nothing of it is applied, its id is among `busy`, and it is sent again a little later. */
  readonly finish: (params: {
    readonly now: number
    readonly node: string
    readonly reports: ReadonlyArray<RunReport>
    readonly transition: Transition
  }) => Effect.Effect<
    {
      readonly fenced: ReadonlyArray<string>
      readonly busy?: ReadonlyArray<string> | undefined
      readonly applied: ReadonlyArray<Applied>
      readonly now: number
    },
    JobStoreError
  >
  /** The runs that the store has as running on this node. It is asked after a claim whose answer was lost: a claim that the
   * store has failed must not take runs after this has been answered. */
  readonly held: (params: { readonly node: string }) => Effect.Effect<ReadonlyArray<RunRecord>, JobStoreError>
  /** Stores progress texts, fenced. */
  readonly progress: (params: {
    readonly node: string
    readonly entries: ReadonlyArray<{ readonly id: string; readonly attempt: number; readonly progress: string }>
  }) => Effect.Effect<void, JobStoreError>
  /** `cancelled`: it had not started and ended now. `requested`: it runs, and its node will hear of it. `finished`: it
   * had ended. `unknown`: no run has the id. */
  readonly cancel: (params: {
    readonly now: number
    readonly id: string
    readonly transition: Transition
  }) => Effect.Effect<
    {
      readonly answer: "cancelled" | "requested" | "finished" | "unknown"
      readonly ended: EndedRun | undefined
      /** The node that runs it, where `requested`. */
      readonly node: string | undefined
      readonly applied: ReadonlyArray<Applied>
    },
    JobStoreError
  >
  /** Runs by id, unfinished or ended. */
  readonly getRuns: (params: {
    readonly ids: ReadonlyArray<string>
  }) => Effect.Effect<
    { readonly unfinished: ReadonlyArray<RunRecord>; readonly ended: ReadonlyArray<EndedRun> },
    JobStoreError
  >
  /** Unfinished runs, ordered by id. */
  readonly listRuns: (params: {
    readonly filter: RunFilter
    readonly limit: number
    readonly cursor?: string | undefined
  }) => Effect.Effect<Page<RunRecord>, JobStoreError>
  /** Newest first, by (`endedAt`, id). */
  readonly history: (params: {
    readonly filter: RunFilter
    readonly limit: number
    readonly cursor?: string | undefined
  }) => Effect.Effect<Page<HistoryRecord>, JobStoreError>

  /** The earliest instants at which `fire` and `claim` of these would find something; undefined for never. A run that a
   * limit or a key holds back does not count: a change signal tells when it can go. */
  readonly wake: (params: {
    readonly now: number
    readonly version: number
    readonly triggers: ReadonlyArray<string>
    readonly jobs: ReadonlyArray<ClaimableJob>
    readonly queues: Readonly<Record<string, number>>
  }) => Effect.Effect<
    { readonly schedules: number | undefined; readonly runs: number | undefined; readonly now: number },
    JobStoreError
  >
  /** Deletes what is past its retention, at most `limit` rows of each kind; promotes deferred runs that wait for
   * nothing; runs the transition on `waiting` schedules without unfinished runs and on schedules of other zone data. */
  readonly maintain: (params: {
    readonly now: number
    readonly retention: Retention
    readonly limit: number
    readonly version: number
    readonly triggers: ReadonlyArray<string>
    readonly zoneData: string
    readonly transition: Transition
  }) => Effect.Effect<
    {
      readonly deleted: number
      readonly promoted: number
      readonly applied: ReadonlyArray<Applied>
      readonly full: boolean
    },
    JobStoreError
  >
}

/**
 * What changed: `schedules` is for the firer, `runs` for the claimer, `ended` for those who await a run and for the claimer of
 * jobs with a limit, so that an end needs `runs` only where it lets a run go that waited for its key or schedule; `cancel` is for
 * the heart. A bit set, so that several can be told at once.
 *
 * @category models
 * @since 0.1.0
 */
export type StoreSignal = number

/**
 * The bits of a `StoreSignal`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { JobStore, MemoryJobStore } from "effect-scheduler"
 *
 * const heard = Effect.gen(function* () {
 *   const store = yield* MemoryJobStore.make()
 *   const heard: Array<JobStore.StoreSignal> = []
 *   yield* store.subscribe((change) => heard.push(change))
 *   yield* store.enqueue({ now: 0, runs: [] })
 *   return heard.every((change) => (change & JobStore.Signal.runs) !== 0)
 * }).pipe(Effect.scoped)
 *
 * await Effect.runPromise(heard) // => true
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const Signal = { schedules: 1, runs: 2, ended: 4, cancel: 8 } as const

/**
 * Those who subscribed to a store, for whoever writes one: `subscribe` is the method of the port, and `tell` calls each of
 * them. What one throws is logged, and the others still hear.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { JobStore } from "effect-scheduler"
 *
 * const heard = Effect.gen(function* () {
 *   const { subscribe, tell } = yield* JobStore.makeListeners
 *   const heard: Array<JobStore.StoreSignal> = []
 *   yield* subscribe((change) => heard.push(change))
 *   tell(JobStore.Signal.schedules | JobStore.Signal.runs)
 *   return heard
 * }).pipe(Effect.scoped)
 *
 * await Effect.runPromise(heard) // => [3]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeListeners: Effect.Effect<{
  readonly subscribe: JobStoreService["subscribe"]
  /** Calls every listener with what changed. */
  readonly tell: (change: StoreSignal) => void
}> = listeners.makeListeners

/**
 * The store that a scheduler works on: `MemoryJobStore.layer`, one of the SQL stores of
 * `@effect-scheduler/sql`, or your own.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { JobStore, MemoryJobStore } from "effect-scheduler"
 *
 * // A store of one's own, here one that wraps another.
 * const Traced = Layer.effect(
 *   JobStore.JobStore,
 *   Effect.map(MemoryJobStore.make(), (inner) =>
 *     JobStore.JobStore.of({ ...inner, description: "traced", claim: (params) => Effect.withSpan(inner.claim(params), "claim") })
 *   )
 * )
 *
 * const description = Effect.map(JobStore.JobStore, (store) => store.description)
 *
 * await Effect.runPromise(Effect.provide(description, Traced)) // => "traced"
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class JobStore extends Context.Service<JobStore, JobStoreService>()("effect-scheduler/JobStore") {}
