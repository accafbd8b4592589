/**
 * A job is what is run: a name, the schemas of its payload, success and error, and its policies. Its handler is provided
 * as a Layer, so that the program that schedules a job need not be the one that runs it.
 *
 * @module
 * @since 0.1.0
 */
import { Duration, Effect, Layer, Schema, type Schedule, type Struct } from "effect"
import { hasProperty } from "effect/Predicate"
import { JobRegistry } from "./JobRegistry.ts"
import type { JobRun } from "./JobRun.ts"
import type { Delivery, Priority } from "./JobSchedule.ts"

/**
 * What every job has under this key, by which `isJob` knows it.
 *
 * @example
 * ```ts
 * import { Job } from "effect-scheduler"
 *
 * class Backup extends Job.make("Backup") {}
 *
 * Backup[Job.TypeId] // => "~effect-scheduler/Job"
 * ```
 *
 * @category type ids
 * @since 0.1.0
 */
export const TypeId = "~effect-scheduler/Job"

/**
 * A schema that needs no services, as everything that is stored must be readable anywhere.
 *
 * @category models
 * @since 0.1.0
 */
export type PlainSchema = Schema.ConstraintCodec<unknown, unknown>

/**
 * What a retry schedule is stepped with: why an execution of the run failed.
 *
 * @category models
 * @since 0.1.0
 */
export type JobFailure<E> =
  | { readonly _tag: "Failed"; readonly error: E }
  | { readonly _tag: "Died"; readonly message: string }
  | { readonly _tag: "TimedOut" }

/**
 * A named definition of work, made by `Job.make`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Job<
  out Name extends string,
  out Payload extends PlainSchema,
  out Success extends PlainSchema,
  out Error extends PlainSchema
> {
  new (_: never): {}

  readonly [TypeId]: typeof TypeId
  readonly jobName: Name
  readonly payloadSchema: Payload
  readonly successSchema: Success
  readonly errorSchema: Error
  readonly settings: Settings

  /**
   * Registers the handler for as long as the layer lives, in the `JobRegistry` that schedulers of the same program read.
   * Pass a function of the payload, or an effect that makes one (run once when the layer is built).
   *
   * Closing the layer drains the job: no run of it is claimed any more, those that run have until the drain deadline,
   * the rest are interrupted and given back. So what the handler uses is still open while it runs.
   *
   * A second handler for the same name is a defect.
   */
  toLayer<R, EX = never, RX = never>(
    handler:
      | ((payload: Payload["Type"]) => Effect.Effect<Success["Type"], Error["Type"], R>)
      | Effect.Effect<(payload: Payload["Type"]) => Effect.Effect<Success["Type"], Error["Type"], R>, EX, RX>
  ): Layer.Layer<never, EX, JobRegistry | Exclude<R, JobRun> | RX>
}

/**
 * A job whose schemas are not known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Any {
  readonly [TypeId]: typeof TypeId
  readonly jobName: string
  readonly payloadSchema: PlainSchema
  readonly successSchema: PlainSchema
  readonly errorSchema: PlainSchema
  readonly settings: Settings
}

/**
 * The type of a job's payload, as its handler gets it.
 *
 * @category models
 * @since 0.1.0
 */
export type Payload<J extends Any> = J["payloadSchema"]["Type"]

/**
 * The type of a job's success.
 *
 * @category models
 * @since 0.1.0
 */
export type Success<J extends Any> = J["successSchema"]["Type"]

/**
 * The type of the errors that a job's handler may fail with.
 *
 * @category models
 * @since 0.1.0
 */
export type Error<J extends Any> = J["errorSchema"]["Type"]

/**
 * A job's policies with their defaults filled in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /** Milliseconds, or `Infinity`. */
  readonly timeout: number
  /** Running runs over all nodes; undefined for no bound of its own. */
  readonly concurrency: number | undefined
  readonly queue: string
  readonly priority: Priority
  readonly delivery: Delivery
  /** Makes the concurrency key of a payload. */
  readonly key: ((payload: never) => string) | undefined
  readonly retry: Schedule.Schedule<unknown, never> | undefined
}

/**
 * The policies that every job has.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Payload> {
  /** How long one execution may take; default 1 hour. `Infinity` must be written. */
  readonly timeout?: Duration.Input | undefined
  /** At most so many runs of the job at once, over all nodes; default no bound. */
  readonly concurrency?: number | undefined
  /** The name of the queue whose bound it shares; default `"default"`. */
  readonly queue?: string | undefined
  /** 0 is claimed first, 3 last; default 2. */
  readonly priority?: Priority | undefined
  /** At most one run of each key runs at a time, over all nodes; the others wait. A key has at most 255 characters. */
  readonly key?: ((payload: Payload) => string) | undefined
}

/**
 * Retries are for jobs that may be executed again: `delivery: "atMostOnce"` refuses them.
 *
 * @category models
 * @since 0.1.0
 */
export type Repeating<E> =
  | {
      readonly delivery?: "atLeastOnce" | undefined
      /** Stepped once for each failure, with the instants of the failures; its end ends the run. Default: no retry. */
      readonly retry?: Schedule.Schedule<unknown, JobFailure<E>> | undefined
    }
  | { readonly delivery: "atMostOnce"; readonly retry?: never }

type PayloadSchema<P> = P extends PlainSchema ? P : P extends Schema.Struct.Fields ? Schema.Struct<P> : never

type PayloadInput = PlainSchema | { readonly [key: string]: PlainSchema }

/**
 * Whether a value is a job.
 *
 * @example
 * ```ts
 * import { Job } from "effect-scheduler"
 *
 * class Backup extends Job.make("Backup") {}
 *
 * Job.isJob(Backup) // => true
 * Job.isJob("Backup") // => false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isJob = (u: unknown): u is Any => hasProperty(u, TypeId)

/**
 * Defines a job. Without schemas its payload and success are `void` and its handler cannot fail.
 *
 * A wrong number (a concurrency below one, a negative timeout) is thrown as a `RangeError` when the job is defined.
 *
 * @example
 * ```ts
 * import { Effect, Schema, Schedule } from "effect"
 * import { Job } from "effect-scheduler"
 *
 * class SendDigest extends Job.make("SendDigest", {
 *   payload: { userId: Schema.String },
 *   success: Schema.Number,
 *   retry: Schedule.exponential("1 second").pipe(Schedule.upTo({ times: 5 })),
 *   timeout: "2 minutes",
 *   concurrency: 4,
 *   key: ({ userId }) => userId
 * }) {}
 *
 * const SendDigestLive = SendDigest.toLayer(({ userId }) => Effect.succeed(userId.length))
 *
 * SendDigest.jobName // => "SendDigest"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Name extends string,
  const P extends PayloadInput = Schema.Void,
  Success extends PlainSchema = Schema.Void,
  Error extends PlainSchema = Schema.Never
>(
  name: Name,
  options?: {
    readonly payload?: P | undefined
    readonly success?: Success | undefined
    readonly error?: Error | undefined
  } & Options<Struct.Simplify<PayloadSchema<P>["Type"]>> &
    Repeating<Error["Type"]>
): Job<Name, PayloadSchema<P>, Success, Error> => {
  const timeout =
    options?.timeout === undefined ? 3_600_000 : Duration.toMillis(Duration.fromInputUnsafe(options.timeout))
  if (name.length === 0 || name.length > 255) {
    throw new RangeError(`Job.make: a job's name has 1 to 255 characters, "${name}" has ${name.length}`)
  }
  if (!(timeout > 0)) throw new RangeError(`Job.make("${name}"): timeout must be more than zero`)
  const concurrency = options?.concurrency
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new RangeError(`Job.make("${name}"): concurrency must be a whole number of at least 1, not ${concurrency}`)
  }
  const payload = options?.payload
  const settings: Settings = {
    timeout,
    concurrency,
    queue: options?.queue ?? "default",
    priority: options?.priority ?? 2,
    delivery: options?.delivery ?? "atLeastOnce",
    key: options?.key,
    retry: options?.retry
  }
  // A constructor, so that `class SendDigest extends Job.make(…) {}` gives the job a name for types too.
  return Object.assign(function () {}, {
    [TypeId]: TypeId,
    jobName: name,
    payloadSchema:
      payload === undefined
        ? Schema.Void
        : Schema.isSchema(payload)
          ? payload
          : Schema.Struct(payload as Schema.Struct.Fields),
    successSchema: options?.success ?? Schema.Void,
    errorSchema: options?.error ?? Schema.Never,
    settings,
    toLayer
  }) as unknown as Job<Name, PayloadSchema<P>, Success, Error>
}

function toLayer(
  this: Any,
  handler:
    | ((payload: never) => Effect.Effect<unknown, unknown>)
    | Effect.Effect<(payload: never) => Effect.Effect<unknown, unknown>>
) {
  return Layer.effectDiscard(
    Effect.gen({ self: this }, function* () {
      const registry = yield* JobRegistry
      const context = yield* Effect.context<never>()
      const run = Effect.isEffect(handler) ? yield* handler : handler
      yield* registry.register(this, run, context)
    })
  )
}
