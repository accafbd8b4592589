/**
 * What can be wrong with a trigger: the errors of the public module.
 */
import { Schema } from "effect"

const WHERE: Readonly<Record<string, string>> = {
  text: "cron",
  fields: "cron",
  timeZone: "timeZone",
  clockChange: "clockChange"
}

/**
 * Cron text, or field-wise cron, that is not valid: which field, where, and what was expected there.
 *
 * `field` is `"second"`, `"minute"`, `"hour"`, `"day"`, `"month"`, `"weekday"` or `"year"`, in the field-wise form also
 * `"week"` and `"dayOfWeek"`; `"text"` when the text has not 5 to 7 fields or a nickname is unknown; `"fields"` when the
 * field-wise form as a whole is wrong; `"timeZone"` or `"clockChange"` for the options. `position` counts characters from
 * 0, in the text or in the value of the field.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 * import { Result } from "effect"
 *
 * const error = Result.getOrThrow(Result.flip(Trigger.parseCron("0 25 * * *")))
 * error.message // => 'hour field: "25" is not valid at position 2 of "0 25 * * *": expected 0 to 23'
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class CronParseError extends Schema.TaggedError<CronParseError>()("CronParseError", {
  text: Schema.String,
  field: Schema.String,
  found: Schema.String,
  position: Schema.Int,
  expected: Schema.String
}) {
  override get message(): string {
    return `${WHERE[this.field] ?? `${this.field} field`}: ${JSON.stringify(this.found)} is not valid at position ${this.position} of ${JSON.stringify(
      this.text
    )}: expected ${this.expected}`
  }
}

const UnknownTimeZone = Schema.TaggedStruct("UnknownTimeZone", { timeZone: Schema.String })
const InvalidInterval = Schema.TaggedStruct("InvalidInterval", { interval: Schema.String, expected: Schema.String })
const InvalidInstant = Schema.TaggedStruct("InvalidInstant", { option: Schema.String, instant: Schema.String })
const EndBeforeStart = Schema.TaggedStruct("EndBeforeStart", { start: Schema.String, end: Schema.String })
const InvalidOption = Schema.TaggedStruct("InvalidOption", {
  option: Schema.String,
  value: Schema.String,
  expected: Schema.String
})
const UnknownCustom = Schema.TaggedStruct("UnknownCustom", { name: Schema.String })
const CustomMisbehaved = Schema.TaggedStruct("CustomMisbehaved", { name: Schema.String, problem: Schema.String })

/**
 * Why a trigger could not be made: an unknown time zone; an interval that is zero or less, not finite or over the range;
 * an instant that is none; an end before its start; any other option that is not valid. `UnknownCustom` and
 * `CustomMisbehaved` are the causes of a search that found a custom rule without its functions, or one that answered
 * against its contract.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 * import { Result } from "effect"
 *
 * const reason = Result.try({
 *   try: () => Trigger.calendar({ days: 1 }, { timeZone: "Europe/Berlim" }),
 *   catch: (error) => (error instanceof Trigger.TriggerError ? error.reason._tag : "another")
 * })
 * Result.merge(Result.map(reason, () => "none")) // => "UnknownTimeZone"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const TriggerErrorReason = Schema.Union([
  UnknownTimeZone,
  InvalidInterval,
  InvalidInstant,
  EndBeforeStart,
  InvalidOption,
  UnknownCustom,
  CustomMisbehaved
])

/**
 * The type of `TriggerErrorReason`.
 *
 * @category errors
 * @since 0.1.0
 */
export type TriggerErrorReason = typeof TriggerErrorReason.Type

/**
 * A trigger that cannot be made, with a tagged `reason`. The constructors of this module throw it, so it reaches an
 * Effect as a defect; decoding a stored trigger turns it into a `SchemaError`.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 * import { Result } from "effect"
 *
 * const wrong = Result.try({ try: () => Trigger.at("tomorrow"), catch: (error) => error instanceof Trigger.TriggerError })
 * Result.isFailure(wrong) && wrong.failure // => true
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class TriggerError extends Schema.TaggedError<TriggerError>()("TriggerError", { reason: TriggerErrorReason }) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "UnknownTimeZone":
        return `unknown time zone ${JSON.stringify(reason.timeZone)}: expected an IANA name, as "Europe/Berlin", or an offset, as "+02:00"`
      case "InvalidInterval":
        return `interval ${reason.interval} is not valid: expected ${reason.expected}`
      case "InvalidInstant":
        return `${reason.option}: ${reason.instant} is not an instant: expected milliseconds, a Date, a DateTime or an ISO text, as "2030-01-01T09:00:00Z"`
      case "EndBeforeStart":
        return `the end ${reason.end} is before the start ${reason.start}`
      case "InvalidOption":
        return `${reason.option}: ${reason.value} is not valid: expected ${reason.expected}`
      case "UnknownCustom":
        return `no custom trigger ${JSON.stringify(reason.name)} is registered: give its definition to the scheduler's option "triggers", or to Trigger.layerRegistry`
      case "CustomMisbehaved":
        return `custom trigger ${JSON.stringify(reason.name)}: ${reason.problem}`
    }
  }
}

export const triggerError = (reason: TriggerErrorReason): TriggerError => new TriggerError({ reason })

export const invalidOption = (option: string, value: unknown, expected: string): TriggerError =>
  triggerError({
    _tag: "InvalidOption",
    option,
    value: typeof value === "string" ? JSON.stringify(value) : String(value),
    expected
  })
