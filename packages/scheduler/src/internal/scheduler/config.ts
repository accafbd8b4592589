import { Config, Duration, Effect, Option, Schema, SchemaGetter } from "effect"
import type { SchedulerOptions } from "../../SchedulerOptions.ts"
import { merge } from "../policy.ts"
import { refuseUnknown } from "./unknownKeys.ts"

const Span = Schema.String.check(
  Schema.makeFilter(
    (text) => Option.isSome(Duration.fromInput(text as Duration.Input)) || 'Expected a duration, as "10 seconds"'
  )
).pipe(Schema.decodeTo(Schema.DurationFromString))

const span = (least: number) =>
  Schema.optionalKey(
    Span.check(
      Schema.makeFilter((value) => Duration.toMillis(value) >= least || `Expected a duration of at least ${least} ms`)
    )
  )
const duration = span(0)
// `Infinity` is an answer to "at most how many".
const count = (least: number) =>
  Schema.NumberFromString.check(
    Schema.makeFilter(
      (value) =>
        value === Infinity ||
        (Number.isInteger(value) && value >= least) ||
        `Expected a whole number of at least ${least}, or Infinity`
    )
  )
const whole = Schema.optionalKey(count(1))

const delays = Schema.Array(Span)

/** A list in one text, for sources that have no lists, with commas. */
const Separated = Schema.String.pipe(
  Schema.decodeTo(Schema.Array(Schema.Trim), {
    decode: SchemaGetter.split(),
    encode: SchemaGetter.forbidden(() => "")
  }),
  Schema.decodeTo(delays)
)

const Policies = Schema.Struct({
  missed: Schema.optionalKey(
    Schema.Struct({
      run: Schema.optionalKey(Schema.Literals(["none", "latest", "all"])),
      grace: duration,
      within: duration,
      limit: whole
    })
  ),
  overlap: Schema.optionalKey(Schema.Literals(["skip", "bufferOne", "bufferAll", "cancelPrevious", "allow"])),
  maxInstances: whole,
  buffer: Schema.optionalKey(count(0)),
  jitter: duration,
  maxRuns: whole
})

const Options = Schema.Struct({
  maxRunning: whole,
  queues: Schema.optionalKey(Schema.Record(Schema.String, Schema.Struct({ concurrency: count(1) }))),
  policies: Schema.optionalKey(Policies),
  lease: span(100),
  pollInterval: span(1),
  storeTimeout: span(1),
  drainDeadline: duration,
  stuckAfter: duration,
  unresolvedAfter: duration,
  janitorInterval: span(1),
  recoveryDelays: Schema.optionalKey(Schema.Union([delays, Separated])),
  retention: Schema.optionalKey(
    Schema.Struct({ succeeded: duration, others: duration, exhausted: duration, keys: duration })
  ),
  payloadLimit: whole,
  resultLimit: whole,
  eventsBuffer: whole,
  autoStart: Schema.optionalKey(Schema.Boolean),
  origin: Schema.optionalKey(Schema.String)
})

/** Every option that a text can say, as keys under `scheduler`. */
const options = Effect.andThen(
  refuseUnknown(Options.ast, "scheduler"),
  Config.withDefault(Config.schema(Options, "scheduler"), {})
)

type Configurable = Omit<SchedulerOptions, "stores" | "triggers">

/** What configuration says, and code where configuration says nothing: option by option, also inside groups of options. */
export const over = <O extends Configurable>(code: O): Effect.Effect<O, Config.ConfigError> =>
  Effect.map(options, (given: Configurable) => ({
    ...code,
    ...given,
    queues: { ...code.queues, ...given.queues },
    policies: merge(code.policies, given.policies ?? {}),
    retention: { ...code.retention, ...given.retention }
  }))
