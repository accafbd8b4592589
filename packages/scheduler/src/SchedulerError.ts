/**
 * What a scheduler answers when it cannot do what it was asked.
 *
 * @module
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Outcome } from "./JobRun.ts"

/** No schedule of this id is in that store. */
export class ScheduleNotFound extends Schema.TaggedError<ScheduleNotFound>()("ScheduleNotFound", {
  scheduleId: Schema.String,
  store: Schema.String
}) {
  override get message(): string {
    return `No schedule "${this.scheduleId}" in store "${this.store}". List what is there with scheduler.list()`
  }
}

/** `onConflict: "fail"` found a schedule of this id. */
export class ScheduleExists extends Schema.TaggedError<ScheduleExists>()("ScheduleExists", {
  scheduleId: Schema.String,
  store: Schema.String
}) {
  override get message(): string {
    return `A schedule "${this.scheduleId}" is in store "${this.store}" already, and onConflict is "fail": give another id, or "update", "keep" or "replace"`
  }
}

/** A schedule that is kept for `start` is in no store yet, which this verb needs. */
export class NotStarted extends Schema.TaggedError<NotStarted>()("NotStarted", {
  scheduleId: Schema.String,
  verb: Schema.String
}) {
  override get message(): string {
    return `Schedule "${this.scheduleId}" is kept until the scheduler starts, and ${this.verb} needs it stored: call scheduler.start before`
  }
}

/** No run of this id, unfinished or in history. */
export class RunNotFound extends Schema.TaggedError<RunNotFound>()("RunNotFound", {
  runId: Schema.String,
  store: Schema.String
}) {
  override get message(): string {
    return `No run "${this.runId}" in store "${this.store}": it never was, or its history has passed its retention`
  }
}

/** `rerun` of a run that succeeded or has not ended: only ended runs that did not succeed keep their payload. */
export class RunNotRepeatable extends Schema.TaggedError<RunNotRepeatable>()("RunNotRepeatable", {
  runId: Schema.String,
  why: Schema.String
}) {
  override get message(): string {
    return `Run "${this.runId}" cannot be run again: ${this.why}`
  }
}

/** No store of this alias. */
export class UnknownStore extends Schema.TaggedError<UnknownStore>()("UnknownStore", {
  store: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `No store "${this.store}" here; there is ${this.known.map((alias) => `"${alias}"`).join(", ")}`
  }
}

/** A store of this alias is there already. */
export class DuplicateStore extends Schema.TaggedError<DuplicateStore>()("DuplicateStore", { store: Schema.String }) {
  override get message(): string {
    return `A store "${this.store}" is there already: close its scope before adding another one under this alias`
  }
}

/** A value that does not fit: which one, and what was expected. */
export class InvalidOption extends Schema.TaggedError<InvalidOption>()("InvalidOption", {
  /** What it was for, as `schedule "digest:42"`. */
  subject: Schema.String,
  option: Schema.String,
  expected: Schema.String,
  actual: Schema.String
}) {
  override get message(): string {
    return `${this.subject}: ${this.option} must be ${this.expected}, not ${this.actual}`
  }
}

/** A payload that does not fit its job's schema, or is too large. */
export class InvalidPayload extends Schema.TaggedError<InvalidPayload>()("InvalidPayload", {
  subject: Schema.String,
  job: Schema.String,
  why: Schema.String
}) {
  override get message(): string {
    return `${this.subject}: the payload does not fit job "${this.job}": ${this.why}`
  }
}

/** `execute` cannot wait inside an open transaction: the run is not visible before the commit. */
export class InsideTransaction extends Schema.TaggedError<InsideTransaction>()("InsideTransaction", {
  verb: Schema.String
}) {
  override get message(): string {
    return `${this.verb} was called inside an open transaction of the store's own client and would wait for ever: enqueue here, and await after the commit`
  }
}

/** A row that this node cannot read (it was written by a newer version, or its custom rule is not registered). */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  scheduleId: Schema.String,
  why: Schema.String
}) {
  override get message(): string {
    return `Schedule "${this.scheduleId}" was left as it is: ${this.why}`
  }
}

/**
 * Every reason of a `SchedulerError`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Scheduler } from "effect-scheduler"
 *
 * const program = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   yield* scheduler.pause("digest")
 *   return "paused"
 * }).pipe(
 *   Effect.catchReason("SchedulerError", "ScheduleNotFound", ({ scheduleId }) => Effect.succeed(`no ${scheduleId}`)),
 *   Effect.provide(Scheduler.layer())
 * )
 *
 * await Effect.runPromise(program) // => "no digest"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const SchedulerErrorReason = Schema.Union([
  ScheduleNotFound,
  ScheduleExists,
  NotStarted,
  RunNotFound,
  RunNotRepeatable,
  UnknownStore,
  DuplicateStore,
  InvalidOption,
  InvalidPayload,
  InsideTransaction,
  Unreadable
])

/**
 * A verb of the scheduler that was refused. `Effect.catchReason("SchedulerError", "ScheduleNotFound", …)` handles one
 * reason; the message is the reason's.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Scheduler } from "effect-scheduler"
 *
 * const program = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   return yield* scheduler.unschedule("digest")
 * }).pipe(Effect.flip, Effect.provide(Scheduler.layer()))
 *
 * const error = await Effect.runPromise(program)
 * error.message // => 'No schedule "digest" in store "default". List what is there with scheduler.list()'
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class SchedulerError extends Schema.TaggedError<SchedulerError>()("SchedulerError", {
  reason: SchedulerErrorReason
}) {
  override get message(): string {
    return this.reason.message
  }
}

const meanings: { readonly [K in Outcome]?: string } = {
  expired: "it was too late to start it",
  lost: "its node stopped or died, and it may not be executed again",
  skipped: "a newer run took its place"
}

/**
 * The awaited run ended otherwise than by its job's own success or error: its outcome, and what history says of it.
 * `resultNotStored` is a success whose value was above the result limit.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, Scheduler } from "effect-scheduler"
 *
 * class Backup extends Job.make("Backup") {}
 *
 * const Main = Layer.provideMerge(Backup.toLayer(() => Effect.die("no disk")), Scheduler.layer())
 *
 * const program = Effect.flatMap(Scheduler, (scheduler) => scheduler.execute(Backup)).pipe(
 *   Effect.as(["succeeded", ""]),
 *   Effect.catchTag("RunNotSucceeded", ({ detail, reason }) => Effect.succeed([reason, detail])),
 *   Effect.provide(Main)
 * )
 *
 * await Effect.runPromise(program) // => ["failed", "Error: no disk"]
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class RunNotSucceeded extends Schema.TaggedError<RunNotSucceeded>()("RunNotSucceeded", {
  runId: Schema.String,
  job: Schema.String,
  reason: Schema.Union([Outcome, Schema.Literal("resultNotStored")]),
  detail: Schema.String
}) {
  override get message(): string {
    const run = `Run "${this.runId}" of job "${this.job}"`
    if (this.reason === "resultNotStored") return `${run} succeeded, and its result cannot be had: ${this.detail}`
    const detail = this.detail === "" ? meanings[this.reason] : this.detail
    return `${run} ended as ${this.reason}${detail === undefined ? "" : `: ${detail}`}. scheduler.rerun runs it again`
  }
}
