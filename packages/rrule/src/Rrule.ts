/**
 * iCalendar recurrence (RFC 5545) as a trigger: a `DTSTART` and an `RRULE`, with `RDATE` and `EXDATE` where wanted, as
 * calendars write them.
 *
 * The text is what is stored. A process that reads such a trigger from a store finds its functions in
 * `Trigger.TriggerRegistry`, so give the scheduler `Rrule.rule`:
 *
 * ```ts
 * import { Rrule } from "@effect-scheduler/rrule"
 * import { Layer } from "effect"
 * import { Scheduler } from "effect-scheduler"
 *
 * Layer.isLayer(Scheduler.layer({ triggers: [Rrule.rule] })) // => true
 * ```
 *
 * @module
 * @since 0.1.0
 */
import { type DateTime, Result, Schema } from "effect"
import { Trigger } from "effect-scheduler"
import { compile } from "./internal/compile.ts"
import type { RruleParseError } from "./internal/error.ts"
import { nextOf, prevOf } from "./internal/search.ts"

export { RruleParseError } from "./internal/error.ts"

/**
 * The text of a recurrence that `rrule` accepts.
 *
 * ```ts
 * import { Rrule } from "@effect-scheduler/rrule"
 * import { Schema } from "effect"
 *
 * Schema.is(Rrule.RruleText)("DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY") // => true
 * Schema.is(Rrule.RruleText)("RRULE:FREQ=DAILY") // => false
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const RruleText = Schema.String.check(
  Schema.makeFilter((text: string) =>
    Result.match(compile(text), { onFailure: (error) => error.message, onSuccess: () => undefined })
  )
)

/**
 * The rule by which the triggers of this module are stored and found again: name `"rrule"`, parameters `{ text }`.
 *
 * Goes into the scheduler's option `triggers`, or into `Trigger.layerRegistry`.
 *
 * ```ts
 * import { Rrule } from "@effect-scheduler/rrule"
 * import { Schema } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const stored = Schema.encodeSync(Trigger.Trigger)(Rrule.rrule("DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY"))
 * stored.trigger._tag // => "Custom"
 * Rrule.rule.name // => "rrule"
 * ```
 *
 * @category registry
 * @since 0.1.0
 */
export const rule: Trigger.CustomTrigger<{ readonly text: string }> = Trigger.custom(
  "rrule",
  Schema.Struct({ text: RruleText }),
  {
    next: ({ text }: { readonly text: string }, after: DateTime.Utc) =>
      nextOf(Result.getOrThrow(compile(text)), after.epochMilliseconds),
    prev: ({ text }: { readonly text: string }, atOrBefore: DateTime.Utc) =>
      prevOf(Result.getOrThrow(compile(text)), atOrBefore.epochMilliseconds)
  }
)

/**
 * A trigger that fires as an iCalendar recurrence says. Throws `RruleParseError`; `parseRrule` is the same for text that
 * is not known when the program is written.
 *
 * The text is a `DTSTART` and an `RRULE` line, and any number of `RDATE` and `EXDATE` lines; folded lines and both line
 * ends are read. `DTSTART` is required: a rule takes from it the time of day, the zone and the phase of `INTERVAL`. Where
 * it does not match the rule it is no firing. Without `TZID` local times are UTC, never the machine's; a `DATE` is its
 * midnight.
 *
 * Clock changes as RFC 5545 has them. A local time that the rule computes and that lies in a gap is no firing, and
 * `COUNT` does not count it; a `DTSTART` or `RDATE` there is read with the offset before the gap. In an overlap a local
 * time is its first pass, so `FREQ=HOURLY` fires once in the repeated hour.
 *
 * Refused rather than guessed at: parts out of their range or twice in a rule, `EXRULE`, `RSCALE`, periods, second 60, a
 * `COUNT` over 10,000 (give `UNTIL`), an `INTERVAL` of more than a hundred years, and in a yearly rule the combinations for which implementations differ
 * (`BYYEARDAY` with `BYDAY`; `BYWEEKNO` without `BYDAY`; two of `BYWEEKNO`, `BYYEARDAY`, `BYMONTHDAY` and a numbered
 * `BYDAY`). Instants end with the year 2999.
 *
 * A text is compiled once in a process. However long ago the rule began, an instant is found in 0.1 ms, up to 5 ms where
 * a daily rule has several conditions. A rule that never fires is valid and has no instants: a day that no month has is
 * seen at once; anything else, like the sixth Monday of a month, by a search that gives up after 500 years (fewer where
 * periods are shorter than a month: 20,000 days, 10,000 weeks, hours, minutes or seconds that the conditions leave) and
 * can take a second or two, once.
 *
 * ```ts
 * import { Rrule } from "@effect-scheduler/rrule"
 * import { Trigger } from "effect-scheduler"
 *
 * const lastFriday = Rrule.rrule("DTSTART;TZID=Europe/Berlin:20260101T170000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR")
 * String(Trigger.next(lastFriday, "2026-03-01")) // => "some(DateTime.Utc(2026-03-27T16:00:00.000Z))"
 * String(Trigger.next(lastFriday, "2026-04-01")) // => "some(DateTime.Utc(2026-04-24T15:00:00.000Z))"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const rrule = (text: string): Trigger.Custom => Result.getOrThrow(parseRrule(text))

/**
 * `rrule` for text that is not known when the program is written: a `Result` whose error says which part is wrong, what
 * stands there and what was expected.
 *
 * ```ts
 * import { Rrule } from "@effect-scheduler/rrule"
 * import { Result } from "effect"
 *
 * const parsed = Rrule.parseRrule("DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY;BYHOUR=25")
 * Result.isFailure(parsed) ? parsed.failure.message : "" // => "BYHOUR: \"25\" is not valid: expected 0 to 23"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const parseRrule = (text: string): Result.Result<Trigger.Custom, RruleParseError> =>
  Result.map(compile(text), () => rule({ text }))
