/**
 * What a scheduler tells of itself while it works.
 *
 * Events are this node's only, and are published after what they tell of was committed; history is the record of all
 * nodes. For one run they come in the order in which things happened. Instants are epoch milliseconds.
 *
 * @module
 * @since 0.1.0
 */
import { Schema } from "effect"

const base = {
  /** Rises by one with each event of this scheduler, so that a gap shows what a slow subscriber lost. */
  sequence: Schema.Finite,
  /** When it happened, in epoch milliseconds. */
  at: Schema.Finite,
  /** The id of the node that tells of it. */
  node: Schema.String,
  /** The alias of the store it is about; empty where it is about the scheduler. */
  store: Schema.String
}

const schedule = { scheduleId: Schema.String, job: Schema.String }

const range = {
  ...schedule,
  /** The first nominal time of the range, in epoch milliseconds. */
  first: Schema.Finite,
  /** The last one, inclusive, in epoch milliseconds. */
  last: Schema.Finite,
  /** How many nominal times of the range became no run. */
  count: Schema.Finite
}

const run = {
  runId: Schema.String,
  job: Schema.String,
  scheduleId: Schema.NullOr(Schema.String),
  /** Epoch milliseconds; null for a run that no schedule made. */
  nominal: Schema.NullOr(Schema.Finite),
  cause: Schema.String,
  /** The number of the claim. */
  attempt: Schema.Finite,
  /** 1 for the first execution, one more after each failure and each recovery. */
  execution: Schema.Finite
}

const ended = {
  ...run,
  /** Milliseconds from start to end. */
  duration: Schema.Finite
}

const due = {
  /** When it may start, in epoch milliseconds. */
  runAt: Schema.Finite
}

/** The scheduler began to fire and run. */
export const SchedulerStarted = Schema.TaggedStruct("SchedulerStarted", base)
/** The scheduler stopped: nothing of it is left running. */
export const SchedulerStopped = Schema.TaggedStruct("SchedulerStopped", base)
/** `pauseAll`: nothing is fired or started any more on this node. */
export const SchedulerPaused = Schema.TaggedStruct("SchedulerPaused", base)
/** `resumeAll`. */
export const SchedulerResumed = Schema.TaggedStruct("SchedulerResumed", base)
/** A store was added under this alias. */
export const StoreAdded = Schema.TaggedStruct("StoreAdded", {
  ...base,
  description: Schema.String,
  shared: Schema.Boolean
})
/** A store was removed. */
export const StoreRemoved = Schema.TaggedStruct("StoreRemoved", base)
/** A store does not answer as it should; its loops go on trying. */
export const StoreDegraded = Schema.TaggedStruct("StoreDegraded", {
  ...base,
  method: Schema.String,
  reason: Schema.String,
  message: Schema.String
})
/** A degraded store answered again. */
export const StoreRecovered = Schema.TaggedStruct("StoreRecovered", {
  ...base,
  /** Milliseconds. */
  after: Schema.Finite
})
/** A fiber of the scheduler died and is started again. */
export const FiberRestarted = Schema.TaggedStruct("FiberRestarted", {
  ...base,
  fiber: Schema.String,
  message: Schema.String
})
/** This node was marked dead: its runs were interrupted, and it goes on under a new id. */
export const NodeFenced = Schema.TaggedStruct("NodeFenced", {
  ...base,
  newNode: Schema.String,
  /** How many runs were interrupted. */
  runs: Schema.Finite
})
/** This node marked another as dead. */
export const NodeReaped = Schema.TaggedStruct("NodeReaped", { ...base, dead: Schema.String })
/** The wall clock moved by so many milliseconds against the monotonic one. */
export const ClockJumped = Schema.TaggedStruct("ClockJumped", {
  ...base,
  /** Milliseconds, negative where it went back. */
  by: Schema.Finite
})

/** A schedule was stored for the first time. */
export const ScheduleAdded = Schema.TaggedStruct("ScheduleAdded", { ...base, ...schedule })
/** A schedule's definition, policies or payload changed. */
export const ScheduleUpdated = Schema.TaggedStruct("ScheduleUpdated", { ...base, ...schedule })
/** A schedule was removed. */
export const ScheduleRemoved = Schema.TaggedStruct("ScheduleRemoved", { ...base, ...schedule })
/** A schedule was paused. */
export const SchedulePaused = Schema.TaggedStruct("SchedulePaused", { ...base, ...schedule })
/** A schedule was resumed; `skipped` nominal times passed while it was paused and were counted as paused. */
export const ScheduleResumed = Schema.TaggedStruct("ScheduleResumed", {
  ...base,
  ...schedule,
  /** How many. */
  skipped: Schema.Finite
})
/** A schedule has no nominal time left, or has fired `maxRuns` times. */
export const ScheduleExhausted = Schema.TaggedStruct("ScheduleExhausted", { ...base, ...schedule })
/** A schedule's trigger failed five times and is not asked any more. */
export const ScheduleFaulty = Schema.TaggedStruct("ScheduleFaulty", { ...base, ...schedule, message: Schema.String })
/** For a minute no live node has had a handler for this job, and runs of it wait. */
export const JobUnresolved = Schema.TaggedStruct("JobUnresolved", { ...base, job: Schema.String })

/** A run was stored. */
export const RunCreated = Schema.TaggedStruct("RunCreated", {
  ...base,
  ...run,
  ...due,
  deferred: Schema.Boolean
})
/** A handler began. */
export const RunStarted = Schema.TaggedStruct("RunStarted", {
  ...base,
  ...run,
  /** Milliseconds from `runAt`. */
  lateness: Schema.Finite
})
/** A run ended well. `result` is its encoded success value, as history keeps it. */
export const RunSucceeded = Schema.TaggedStruct("RunSucceeded", {
  ...base,
  ...ended,
  result: Schema.NullOr(Schema.String),
  resultStored: Schema.Boolean
})
/** An execution failed. With `nextAttemptAt` the run waits for a retry, without it the run has ended. */
export const RunFailed = Schema.TaggedStruct("RunFailed", {
  ...base,
  ...ended,
  message: Schema.String,
  /** Epoch milliseconds; null where no retry is left. */
  nextAttemptAt: Schema.NullOr(Schema.Finite)
})
/** Nominal times were later than their tolerance, or more than the policy keeps. */
export const RunMissed = Schema.TaggedStruct("RunMissed", { ...base, ...range })
/** Nominal times found their schedule busy. */
export const RunSkipped = Schema.TaggedStruct("RunSkipped", { ...base, ...range })
/** Nominal times found their schedule's buffer full. */
export const RunDropped = Schema.TaggedStruct("RunDropped", { ...base, ...range })
/** A run was claimed later than its tolerance and ended without a start. */
export const RunExpired = Schema.TaggedStruct("RunExpired", { ...base, ...run })
/** A run ended because someone asked for it; `started` tells whether its handler had begun. */
export const RunCancelled = Schema.TaggedStruct("RunCancelled", { ...base, ...run, started: Schema.Boolean })
/** An execution took longer than its job's timeout and is interrupted. `RunFailed` follows, `RunStuck` if it goes on, or
 * `RunSucceeded` if it comes to its end all the same. */
export const RunTimedOut = Schema.TaggedStruct("RunTimedOut", { ...base, ...run })
/** A handler goes on after its interruption. It keeps its slot. */
export const RunStuck = Schema.TaggedStruct("RunStuck", {
  ...base,
  ...run,
  /** Milliseconds since the interruption. */
  since: Schema.Finite
})
/** This node's reaper took a run back from a dead node. */
export const RunRecovered = Schema.TaggedStruct("RunRecovered", { ...base, ...run, ...due })
/** A run was given back unfinished: the scheduler stops, or its handler's layer closes. */
export const RunReleased = Schema.TaggedStruct("RunReleased", { ...base, ...run })
/** A run ended as lost: its process died too often, or it may not be executed twice. */
export const RunLost = Schema.TaggedStruct("RunLost", { ...base, ...run })

/** This subscriber was too slow: so many events before the next one were not delivered to it. */
export const EventsLost = Schema.TaggedStruct("EventsLost", {
  ...base,
  /** How many. */
  count: Schema.Finite
})

/**
 * Everything that a scheduler tells of, as a tagged union with a schema.
 *
 * @example
 * ```ts
 * import { Effect, Fiber, Layer, Schema, Stream } from "effect"
 * import { Job, Scheduler, SchedulerEvent } from "effect-scheduler"
 *
 * class Note extends Job.make("Note") {}
 *
 * // As JSON, for a log or a socket.
 * const encode = Schema.encodeSync(Schema.toCodecJson(SchedulerEvent.SchedulerEvent))
 *
 * const told = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   const fiber = yield* Effect.forkChild(
 *     scheduler.events.pipe(
 *       Stream.filter((event) => event._tag.startsWith("Run")),
 *       Stream.map((event) => (encode(event) as { readonly _tag: string })._tag),
 *       Stream.take(3),
 *       Stream.runCollect
 *     ),
 *     { startImmediately: true }
 *   )
 *   yield* scheduler.execute(Note)
 *   return Array.from(yield* Fiber.join(fiber))
 * }).pipe(Effect.provide(Layer.provideMerge(Note.toLayer(() => Effect.void), Scheduler.layer())))
 *
 * await Effect.runPromise(told) // => ["RunCreated", "RunStarted", "RunSucceeded"]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const SchedulerEvent = Schema.Union([
  SchedulerStarted,
  SchedulerStopped,
  SchedulerPaused,
  SchedulerResumed,
  StoreAdded,
  StoreRemoved,
  StoreDegraded,
  StoreRecovered,
  FiberRestarted,
  NodeFenced,
  NodeReaped,
  ClockJumped,
  ScheduleAdded,
  ScheduleUpdated,
  ScheduleRemoved,
  SchedulePaused,
  ScheduleResumed,
  ScheduleExhausted,
  ScheduleFaulty,
  JobUnresolved,
  RunCreated,
  RunStarted,
  RunSucceeded,
  RunFailed,
  RunMissed,
  RunSkipped,
  RunDropped,
  RunExpired,
  RunCancelled,
  RunTimedOut,
  RunStuck,
  RunRecovered,
  RunReleased,
  RunLost,
  EventsLost
])

/**
 * The type of `SchedulerEvent`.
 *
 * @category models
 * @since 0.1.0
 */
export type SchedulerEvent = typeof SchedulerEvent.Type

/**
 * The name of an event.
 *
 * @category models
 * @since 0.1.0
 */
export type Tag = SchedulerEvent["_tag"]

/**
 * The events of a name, or of several.
 *
 * @category models
 * @since 0.1.0
 */
export type Of<T extends Tag> = Extract<SchedulerEvent, { readonly _tag: T }>

/**
 * Narrows to events of these names, for `Stream.filter` and `Array.filter`.
 *
 * @example
 * ```ts
 * import { Effect, Fiber, Layer, Option, Stream } from "effect"
 * import { Job, Scheduler, SchedulerEvent } from "effect-scheduler"
 *
 * class Note extends Job.make("Note") {}
 *
 * const ended = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   const fiber = yield* Effect.forkChild(
 *     scheduler.events.pipe(
 *       Stream.filter(SchedulerEvent.isOneOf("RunSucceeded", "RunFailed")),
 *       // Both have a duration, in milliseconds.
 *       Stream.map(({ duration, job }) => [job, duration >= 0]),
 *       Stream.runHead
 *     ),
 *     { startImmediately: true }
 *   )
 *   yield* scheduler.execute(Note)
 *   return Option.getOrUndefined(yield* Fiber.join(fiber))
 * }).pipe(Effect.provide(Layer.provideMerge(Note.toLayer(() => Effect.void), Scheduler.layer())))
 *
 * await Effect.runPromise(ended) // => ["Note", true]
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isOneOf =
  <const T extends ReadonlyArray<Tag>>(...tags: T) =>
  (event: SchedulerEvent): event is Of<T[number]> =>
    tags.includes(event._tag)
