/**
 * The scheduler: fires schedules, claims runs, and runs them.
 *
 * @module
 * @since 0.1.0
 */
import {
  type Config,
  Context,
  type DateTime,
  type Duration,
  Effect,
  Layer,
  type Option,
  Schema,
  type Scope,
  type Stream
} from "effect"
import { over } from "./internal/scheduler/config.ts"
import { make } from "./internal/scheduler/make.ts"
import type { StoresError, StoresServices } from "./internal/scheduler/settings.ts"
import * as Job from "./Job.ts"
import { JobRegistry } from "./JobRegistry.ts"
import type { EndedRun, HistoryRecord, JobRun, RunRecord } from "./JobRun.ts"
import type { Counts, Policy, PolicyOptions, Priority, ScheduleState } from "./JobSchedule.ts"
import type { JobStore, JobStoreError, Page, RunFilter, ScheduleFilter } from "./JobStore.ts"
import type { RunNotSucceeded, SchedulerError } from "./SchedulerError.ts"
import type { Of, SchedulerEvent, Tag } from "./SchedulerEvent.ts"
import type { SchedulerOptions, Stores } from "./SchedulerOptions.ts"
import * as Trigger from "./Trigger.ts"

/**
 * What every verb that names a schedule or a run takes: the alias of the store, `"default"` where it is left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface InStore {
  readonly store?: string | undefined
}

type PayloadOption<J extends Job.Any> =
  void extends Job.Payload<J> ? { readonly payload?: Job.Payload<J> | undefined } : { readonly payload: Job.Payload<J> }

/**
 * What a schedule is made of.
 *
 * @category models
 * @since 0.1.0
 */
export type ScheduleOptions<J extends Job.Any> = PolicyOptions &
  PayloadOption<J> & {
    /** 1 to 255 characters. */
    readonly id: string
    readonly trigger: Trigger.Trigger
    /** Default: the job's. */
    readonly priority?: Priority | undefined
    /** The application that declares it; default the scheduler's `origin`. */
    readonly origin?: string | undefined
  }

/**
 * What an upsert does with a schedule that is there already.
 *
 * - `"update"` (default): the new definition from now on; an unchanged trigger keeps its anchor, next time, counters and
 *   pause.
 * - `"keep"`: leaves it as it is. `"fail"`: refuses with `ScheduleExists`.
 * - `"replace"`: as if it had been removed and added.
 *
 * @category models
 * @since 0.1.0
 */
export type OnConflict = "update" | "keep" | "replace" | "fail"

/**
 * How a run is enqueued.
 *
 * @category models
 * @since 0.1.0
 */
export interface EnqueueOptions extends InStore {
  /** Not before this instant; default now. */
  readonly at?: DateTime.DateTime.Input | undefined
  /** A second enqueue of the same job with the same key within 7 days is the first run. 1 to 255 characters. */
  readonly idempotencyKey?: string | undefined
  readonly priority?: Priority | undefined
}

/**
 * A schedule as a person or a program looks at it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleView {
  readonly id: string
  readonly store: string
  readonly job: string
  /** Undefined where this node cannot read the stored definition. */
  readonly trigger: Trigger.Trigger | undefined
  /** `Trigger.describe` of it, or why it cannot be read. */
  readonly description: string
  /** Encoded, as it is stored. */
  readonly payload: unknown
  /** `unresolved`: no live node has its job, its custom rule or its version. `tentative`: kept for `start`. */
  readonly state: ScheduleState | "unresolved" | "tentative"
  /** Epoch milliseconds of the next nominal time; null if there is none or it is not known. */
  readonly nextAt: number | null
  /** The highest nominal time that has been decided, in epoch milliseconds. */
  readonly watermark: number | null
  readonly counts: Counts
  readonly policy: Policy | undefined
  readonly priority: Priority
  readonly origin: string | null
  readonly error: string | null
}

/**
 * A page, and which one.
 *
 * @category models
 * @since 0.1.0
 */
export interface PageOptions extends InStore {
  /** Default 100. */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/**
 * One coming nominal time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Upcoming {
  readonly scheduleId: string
  readonly store: string
  readonly job: string
  /** Epoch milliseconds. */
  readonly at: number
}

/**
 * What a verb may fail with: it was refused, or its store did not do it.
 *
 * @category errors
 * @since 0.1.0
 */
export type Failure = SchedulerError | JobStoreError

/**
 * What a scheduler can be asked.
 *
 * A verb fails with a `SchedulerError` where it is refused (an id that is not there, an option out of range, a payload that
 * does not fit) and with a `JobStoreError` where its store does not do it.
 *
 * @category services
 * @since 0.1.0
 */
export interface SchedulerService {
  /** The id of this node now; another one after it was fenced. */
  readonly node: Effect.Effect<string>

  /** Stores a schedule, or changes the one of this id. Safe from several nodes at once. */
  readonly schedule: <J extends Job.Any>(
    job: J,
    options: ScheduleOptions<J> & InStore & { readonly onConflict?: OnConflict | undefined }
  ) => Effect.Effect<ScheduleView, Failure>
  /** Stores many, in batches; all are checked before the first is stored. With `onConflict: "fail"` none is stored where
   * one is there already, or is given twice. */
  readonly scheduleAll: <J extends Job.Any>(
    job: J,
    schedules: ReadonlyArray<ScheduleOptions<J>>,
    options?: InStore & { readonly onConflict?: OnConflict | undefined }
  ) => Effect.Effect<void, Failure>
  /** Runs any effect by a trigger, in this process only and for as long as the caller's scope is open. */
  readonly scheduleEffect: <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    options: PolicyOptions & {
      readonly id: string
      readonly trigger: Trigger.Trigger
      /** How long one execution may take; default 1 hour. */
      readonly timeout?: Duration.Input | undefined
    }
  ) => Effect.Effect<void, Failure, R | Scope.Scope>

  /** Stores a run and answers its id. */
  readonly enqueue: <J extends Job.Any>(
    job: J,
    ...args: void extends Job.Payload<J>
      ? [payload?: Job.Payload<J>, options?: EnqueueOptions]
      : [payload: Job.Payload<J>, options?: EnqueueOptions]
  ) => Effect.Effect<string, Failure>
  /**
   * Stores a run for each payload and answers their ids in the same order. All are checked before any is stored; they are
   * stored in calls of 1,000, a few of them at once unless the runs have keys, so that one that fails leaves what the others
   * have stored. In a transaction of the application all of it is stored or none.
   */
  readonly enqueueAll: <J extends Job.Any>(
    job: J,
    payloads: ReadonlyArray<Job.Payload<J>>,
    options?: Omit<EnqueueOptions, "idempotencyKey">
  ) => Effect.Effect<ReadonlyArray<string>, Failure>
  /** Enqueues and awaits the typed result. Interrupting it leaves the run, unless `cancelOnInterrupt`. */
  readonly execute: <J extends Job.Any>(
    job: J,
    ...args: void extends Job.Payload<J>
      ? [payload?: Job.Payload<J>, options?: EnqueueOptions & { readonly cancelOnInterrupt?: boolean | undefined }]
      : [payload: Job.Payload<J>, options?: EnqueueOptions & { readonly cancelOnInterrupt?: boolean | undefined }]
  ) => Effect.Effect<Job.Success<J>, Job.Error<J> | RunNotSucceeded | Failure>
  /** Awaits the end of a run, on whichever node it runs, and answers its row of history. */
  readonly awaitEnd: (runId: string, options?: InStore) => Effect.Effect<EndedRun, Failure>

  /** Removes a schedule. Its unfinished runs stay. */
  readonly unschedule: (id: string, options?: InStore) => Effect.Effect<void, Failure>
  /** Gives a schedule another trigger from now on. */
  readonly reschedule: (id: string, trigger: Trigger.Trigger, options?: InStore) => Effect.Effect<ScheduleView, Failure>
  /** Changes policies, payload or priority from now on. The job is the one that the schedule was stored with. */
  readonly update: <J extends Job.Any>(
    job: J,
    id: string,
    patch: PolicyOptions & {
      readonly payload?: Job.Payload<J> | undefined
      readonly priority?: Priority | undefined
    },
    options?: InStore
  ) => Effect.Effect<ScheduleView, Failure>
  /** Stops firing a schedule until `resume`. Its unfinished runs go on. */
  readonly pause: (id: string, options?: InStore) => Effect.Effect<void, Failure>
  /** `from: "now"` (default) counts what passed as paused; `"missed"` leaves it to the missed policy. */
  readonly resume: (
    id: string,
    options?: InStore & { readonly from?: "now" | "missed" | undefined }
  ) => Effect.Effect<void, Failure>
  /** Runs a schedule's job once, now, beside its times. With `overlap: true` not while a run of it is unfinished. */
  readonly runNow: (
    id: string,
    options?: InStore & { readonly overlap?: boolean | undefined }
  ) => Effect.Effect<Option.Option<string>, Failure>
  /** Runs a schedule's job for its nominal times in a past range, as a stored schedule of its own whose id is answered.
   * The same `request` again does nothing. Its runs have priority 3: live times go first, and those that have 3 too take
   * turns with it. */
  readonly backfill: (
    id: string,
    options: InStore & {
      /** The first instant of the range, inclusive. */
      readonly from: DateTime.DateTime.Input
      /** The last one, inclusive. */
      readonly to: DateTime.DateTime.Input
      /** 1 to 200 characters, chosen by the caller. */
      readonly request: string
      /** How many of its runs may be unfinished at once; default 1. */
      readonly concurrency?: number | undefined
    }
  ) => Effect.Effect<string, Failure>
  /** Runs an ended run that did not succeed again, as a new run whose id is answered: while that one is unfinished, the
   * same is answered again. */
  readonly rerun: (runId: string, options?: InStore) => Effect.Effect<string, Failure>
  /** `cancelled`: it had not started. `requested`: its handler will be interrupted. `finished`: it had ended. */
  readonly cancel: (runId: string, options?: InStore) => Effect.Effect<"cancelled" | "requested" | "finished", Failure>

  /** A schedule by its id; none where there is none. */
  readonly get: (id: string, options?: InStore) => Effect.Effect<Option.Option<ScheduleView>, Failure>
  /** A page of schedules, by id. */
  readonly list: (options?: PageOptions & ScheduleFilter) => Effect.Effect<Page<ScheduleView>, Failure>
  /** All schedules, by id, page by page. */
  readonly listAll: (options?: InStore & ScheduleFilter) => Stream.Stream<ScheduleView, Failure>
  /** The next `n` nominal times of all schedules, in order: of each the one that is due, if any, then those to come. */
  readonly upcoming: (n: number, options?: InStore & ScheduleFilter) => Effect.Effect<ReadonlyArray<Upcoming>, Failure>
  /** Unfinished runs, by id. */
  readonly runs: (options?: PageOptions & RunFilter) => Effect.Effect<Page<RunRecord>, Failure>
  /** A page of ended runs, and of times that became none: newest first. */
  readonly history: (options?: PageOptions & RunFilter) => Effect.Effect<Page<HistoryRecord>, Failure>
  /** All of history, newest first, page by page. */
  readonly historyAll: (options?: InStore & RunFilter) => Stream.Stream<HistoryRecord, Failure>
  /** A table of all schedules: id, job, trigger, state, next time. */
  readonly render: (options?: InStore & ScheduleFilter) => Effect.Effect<string, Failure>

  /** Starts firing and running; nothing happens if it runs already. After a `drain` it starts again. */
  readonly start: Effect.Effect<void, Failure>
  /** Stops firing and claiming, gives running handlers until the deadline (default the option), interrupts the rest, and
   * returns when nothing is left. Zero does not wait, `Infinity` waits as long as it takes. */
  readonly drain: (deadline?: Duration.Input) => Effect.Effect<void>
  /** Stops firing and starting on this node until `resumeAll`; running handlers go on. */
  readonly pauseAll: Effect.Effect<void>
  /** Fires and starts again after `pauseAll`. */
  readonly resumeAll: Effect.Effect<void>

  /** Adds a store for as long as the scope is open, and works on what is in it. */
  readonly addStore: <E, R>(
    alias: string,
    store: Layer.Layer<JobStore, E, R>
  ) => Effect.Effect<void, E | SchedulerError, R | Scope.Scope>
  /** The aliases of the stores that it works on. */
  readonly stores: Effect.Effect<ReadonlyArray<string>>
  /** Removes the schedules of an application that this scheduler has not declared since it was built. */
  readonly prune: (origin: string, options?: InStore) => Effect.Effect<ReadonlyArray<string>, Failure>

  /** What happens on this node, from the moment the stream is run. */
  readonly events: Stream.Stream<SchedulerEvent>
  /** Calls the handler with each event of these names for as long as the scope is open. It is subscribed when this
   * returns. A handler that fails is logged, and hears of the next event. */
  readonly on: <T extends Tag, E, R>(
    tags: T | ReadonlyArray<T>,
    handler: (event: Of<T>) => Effect.Effect<unknown, E, R>
  ) => Effect.Effect<void, never, R | Scope.Scope>
}

/**
 * How a declared schedule differs from the defaults.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeclareOptions extends PolicyOptions, InStore {
  readonly priority?: Priority | undefined
  readonly origin?: string | undefined
  /** How long one execution may take; default 1 hour. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * The scheduler of a program.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, Scheduler, Trigger } from "effect-scheduler"
 *
 * class Greet extends Job.make("Greet") {}
 *
 * const program = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   const view = yield* scheduler.schedule(Greet, { id: "greet", trigger: Trigger.cron("0 9 * * MON-FRI") })
 *   return view.state
 * })
 *
 * const Main = Greet.toLayer(() => Effect.log("Good morning")).pipe(Layer.provideMerge(Scheduler.layer()))
 *
 * await Effect.runPromise(program.pipe(Effect.provide(Main))) // => "active"
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Scheduler extends Context.Service<Scheduler, SchedulerService>()("effect-scheduler/Scheduler") {
  /**
   * A scheduler with these options, and the registry in which its jobs' handlers register. It starts when it is built
   * (unless `autoStart: false`), and drains when it closes. Without a store named `default` one is made in memory.
   *
   * An option out of range is a defect; what opening a store may fail with is in the layer's error.
   *
   * @example
   * ```ts
   * import { Effect, Layer } from "effect"
   * import { Job, MemoryJobStore, Scheduler } from "effect-scheduler"
   *
   * class Mail extends Job.make("Mail", { queue: "mail" }) {}
   *
   * const Main = Layer.provideMerge(
   *   Mail.toLayer(() => Effect.void),
   *   Scheduler.layer({
   *     stores: { default: MemoryJobStore.layer, scratch: MemoryJobStore.layer },
   *     maxRunning: 20,
   *     queues: { mail: { concurrency: 2 } },
   *     drainDeadline: "5 seconds"
   *   })
   * )
   *
   * const stores = Effect.flatMap(Scheduler, (scheduler) => scheduler.stores)
   *
   * await Effect.runPromise(Effect.provide(stores, Main)) // => ["default", "scratch"]
   * ```
   */
  static layer<const S extends Stores = {}>(
    options: SchedulerOptions<S> = {}
  ): Layer.Layer<Scheduler | JobRegistry, StoresError<S> | SchedulerError, StoresServices<S>> {
    return Layer.provideMerge(Layer.effect(Scheduler, make(options, false)), JobRegistry.layer)
  }

  /**
   * As `layer`, with every option that configuration has under `scheduler` (such as `scheduler.maxRunning`, or the
   * environment variable `scheduler_maxRunning`). What is given in code is the default for what configuration leaves out.
   * A value of the wrong kind is a `ConfigError`, and so is a key that no option has, with the option that was meant.
   *
   * @example
   * ```ts
   * import { ConfigProvider, Effect, Layer } from "effect"
   * import { Job, Scheduler, Trigger } from "effect-scheduler"
   *
   * class Backup extends Job.make("Backup") {}
   *
   * const Environment = ConfigProvider.layer(ConfigProvider.fromUnknown({ scheduler: { origin: "shop" } }))
   *
   * const program = Effect.gen(function* () {
   *   const scheduler = yield* Scheduler
   *   return (yield* scheduler.schedule(Backup, { id: "b", trigger: Trigger.every("1 hour") })).origin
   * }).pipe(Effect.provide(Layer.provide(Scheduler.layerConfig(), Environment)))
   *
   * await Effect.runPromise(program) // => "shop"
   * ```
   */
  static layerConfig<const S extends Stores = {}>(
    options: SchedulerOptions<S> = {}
  ): Layer.Layer<Scheduler | JobRegistry, StoresError<S> | SchedulerError | Config.ConfigError, StoresServices<S>> {
    return Layer.unwrap(Effect.map(over(options), (all) => Scheduler.layer(all)))
  }

  /**
   * A scheduler that does everything but fire and run: for a process that only writes. It needs no handlers, holds no
   * lease, and writes at once. What opening a store may fail with is in the layer's error.
   *
   * @example
   * ```ts
   * import { Effect } from "effect"
   * import { Job, MemoryJobStore, Scheduler } from "effect-scheduler"
   *
   * class Mail extends Job.make("Mail") {}
   *
   * const Client = Scheduler.layerClient({ default: MemoryJobStore.layer })
   *
   * const program = Effect.gen(function* () {
   *   const scheduler = yield* Scheduler
   *   yield* scheduler.enqueue(Mail)
   *   return (yield* scheduler.runs()).items.map(({ state }) => state)
   * }).pipe(Effect.provide(Client))
   *
   * await Effect.runPromise(program) // => ["pending"]
   * ```
   */
  static layerClient<const S extends Stores>(
    stores: S,
    options: Omit<SchedulerOptions, "stores" | "autoStart"> = {}
  ): Layer.Layer<Scheduler, StoresError<S> | SchedulerError, StoresServices<S>> {
    return Layer.provide(Layer.effect(Scheduler, make({ ...options, stores }, true)), Layer.fresh(JobRegistry.layer))
  }

  /**
   * A schedule as a part of the program's layers: a job of this name whose handler is the effect, with a cron trigger.
   * The schedule is stored and stays when the layer closes; `prune` removes those that are declared no more.
   *
   * A wrong literal is a compile error, as for `Trigger.cron`. The layer fails as `scheduler.schedule` does.
   *
   * @example
   * ```ts
   * import { Effect, Layer } from "effect"
   * import { Scheduler } from "effect-scheduler"
   *
   * const Nightly = Scheduler.cron("nightly", "0 3 * * *", Effect.log("Good night"), { timeZone: "Europe/Berlin" })
   *
   * const Main = Layer.provideMerge(Nightly, Scheduler.layer())
   *
   * const described = Effect.gen(function* () {
   *   const scheduler = yield* Scheduler
   *   return (yield* scheduler.list()).items.map(({ id, state }) => [id, state])
   * }).pipe(Effect.provide(Main))
   *
   * await Effect.runPromise(described) // => [["nightly", "active"]]
   * ```
   */
  static cron<const S extends string, A, E, R>(
    name: string,
    text: Trigger.CronText<S>,
    effect: Effect.Effect<A, E, R>,
    options?: DeclareOptions & Trigger.CronOptions
  ): Layer.Layer<never, SchedulerError | JobStoreError, Scheduler | JobRegistry | Exclude<R, JobRun>> {
    return declare(name, Trigger.cron(text, options), effect, options)
  }

  /**
   * As `cron`, each so often. Fails as `scheduler.schedule` does.
   *
   * @example
   * ```ts
   * import { Effect, Layer } from "effect"
   * import { Scheduler } from "effect-scheduler"
   * import { settled } from "effect-scheduler/testing"
   * import { TestClock } from "effect/testing"
   *
   * let beats = 0
   * const Beat = Scheduler.every("beat", "5 seconds", Effect.sync(() => beats++))
   *
   * const test = Effect.gen(function* () {
   *   for (let times = 0; times < 3; times++) yield* TestClock.adjust("5 seconds")
   *   yield* settled
   * }).pipe(Effect.provide(Layer.provideMerge(Beat, Scheduler.layer())), Effect.provide(TestClock.layer()))
   *
   * await Effect.runPromise(Effect.as(test, "done")) // => "done"
   * beats // => 3
   * ```
   */
  static every<A, E, R>(
    name: string,
    duration: Duration.Input,
    effect: Effect.Effect<A, E, R>,
    options?: DeclareOptions
  ): Layer.Layer<never, SchedulerError | JobStoreError, Scheduler | JobRegistry | Exclude<R, JobRun>> {
    return declare(name, Trigger.every(duration), effect, options)
  }
}

const declare = <A, E, R>(
  name: string,
  trigger: Trigger.Trigger,
  effect: Effect.Effect<A, E, R>,
  options: DeclareOptions = {}
): Layer.Layer<never, SchedulerError | JobStoreError, Scheduler | JobRegistry | Exclude<R, JobRun>> => {
  const { timeout, ...rest } = options
  // Nothing is known of what it may fail with: history has it where it can be said in JSON, and its message.
  const job = Job.make(name, { error: Schema.Unknown, timeout })
  return Layer.provideMerge(
    Layer.effectDiscard(
      Effect.flatMap(Effect.service(Scheduler), (scheduler) => scheduler.schedule(job, { ...rest, id: name, trigger }))
    ),
    job.toLayer(() => Effect.asVoid(effect))
  )
}
