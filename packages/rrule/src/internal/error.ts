/**
 * What can be wrong with the text of a recurrence.
 */
import { Schema } from "effect"

/**
 * Text that is no recurrence, or one that is not supported. `part` is the property (`"DTSTART"`, `"RRULE"`, `"RDATE"`,
 * `"EXDATE"`), the part of the rule (`"BYHOUR"`), or `"text"` for a line that is none of these; `found` is what stands
 * there, empty where the part is missing.
 *
 * ```ts
 * import { Rrule } from "@effect-scheduler/rrule"
 * import { Result } from "effect"
 *
 * const error = Result.getOrThrow(Result.flip(Rrule.parseRrule("RRULE:FREQ=DAILY")))
 * error.part // => "DTSTART"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class RruleParseError extends Schema.TaggedError<RruleParseError>()("RruleParseError", {
  text: Schema.String,
  part: Schema.String,
  found: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return this.found === ""
      ? `${this.part} is missing: expected ${this.expected}`
      : `${this.part}: ${JSON.stringify(this.found)} is not valid: expected ${this.expected}`
  }
}
