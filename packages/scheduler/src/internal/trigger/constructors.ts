/**
 * The constructors of triggers apart from `cron` and `custom`.
 */
import type { DateTime, Duration } from "effect"
import { Schema } from "effect"
import { calendarOf } from "./anchor.ts"
import type { CalendarPlan } from "./CalendarRule.ts"
import { ClockChange, policyOf } from "./clockChange.ts"
import type { CronOptions } from "./cron.ts"
import { invalidOption } from "./error.ts"
import { instantOf, intervalOf, optionalInstant } from "./instant.ts"
import { dayFrom, type LocalDate, timeFrom, zoneFrom } from "./localText.ts"
import type { Members } from "./members.ts"
import { And, At, type Calendar, Every, Or, type Rule, Spaced } from "./model.ts"

/**
 * Fires once, at an instant: milliseconds, a `Date`, a `DateTime`, or ISO text (read as UTC where it has no offset).
 *
 * An instant that has passed when its schedule is stored is due at once, and the missed policy decides. Throws
 * `TriggerError` for what is no instant.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const launch = Trigger.at("2026-07-01T10:00:00Z")
 * String(Trigger.next(launch, 0)) // => "some(DateTime.Utc(2026-07-01T10:00:00.000Z))"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const at = (instant: DateTime.DateTime.Input): At => new At(instantOf(instant, "at"))

/**
 * Fires each `duration` of elapsed time: never drifts, and a restart does not move it.
 *
 * `start` is the first firing. Without it the times count from the instant at which the schedule is first stored (see
 * `anchor`), which is not a firing itself. The duration is a whole number of milliseconds from 1; anything else throws
 * `TriggerError`.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const poll = Trigger.every("15 minutes", { start: "2026-01-01T00:05:00Z" })
 * String(Trigger.next(poll, "2026-01-01T00:05:00Z")) // => "some(DateTime.Utc(2026-01-01T00:20:00.000Z))"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const every = (
  duration: Duration.Input,
  options?: { readonly start?: DateTime.DateTime.Input | undefined }
): Every => new Every(intervalOf(duration, 1), optionalInstant(options?.start, "start"), undefined)

/**
 * Fires `duration` after the last run ended, whatever its outcome; the first time `first` after the schedule was stored
 * (at once when left out).
 *
 * It is a schedule's own rhythm and no set of instants, so only `bounded` and `during` take it, and move its time to
 * where they allow it. Its one due time is never missed and never skipped. Asked as if it were a set, it has its first
 * time only.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const crawl = Trigger.spaced("10 minutes", { first: "1 minute" })
 * String(crawl) // => "10 minutes after the end of the last run, first after 1 minute"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const spaced = (duration: Duration.Input, options?: { readonly first?: Duration.Input | undefined }): Spaced =>
  new Spaced(intervalOf(duration, 1), intervalOf(options?.first ?? 0, 0), [], undefined)

/**
 * What `calendar` counts, and from where. At least one of the four steps must be more than zero.
 *
 * @category models
 * @since 0.1.0
 */
export interface CalendarSteps {
  readonly years?: number | undefined
  readonly months?: number | undefined
  readonly weeks?: number | undefined
  readonly days?: number | undefined
  /** The local time of day, as `09:00` or `09:00:30`; midnight when left out. */
  readonly at?: string | undefined
  /** The first date. Without it the local date at which the schedule is first stored (see `anchor`). */
  readonly start?: LocalDate | undefined
  /** For a date that does not exist, such as February 30: leave it out (the default), or take the month's last day. */
  readonly day?: "skip" | "clamp" | undefined
}

/**
 * Fires on dates counted from a local date, at a local time: days that are days whatever the clock does.
 *
 * The start is a firing. With `"skip"` months are added to the date before until the day of the month exists, then weeks
 * and days; with `"clamp"` all steps are counted from the start, so that the 31st comes back after a shorter month.
 * `clockChange` is `{ gap: "gapEnd", overlap: "first" }` when left out. Steps that are no whole numbers from 0 to 120,000,
 * an unknown zone, and a date or time that does not exist throw `TriggerError`.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const rent = Trigger.calendar({ months: 1, start: "2026-01-31", at: "08:00", day: "clamp" })
 * String(Trigger.next(rent, "2026-02-01")) // => "some(DateTime.Utc(2026-02-28T08:00:00.000Z))"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const calendar = (steps: CalendarSteps, options?: CronOptions): Calendar => {
  const plan: CalendarPlan = {
    years: stepOf(steps.years, "years"),
    months: stepOf(steps.months, "months"),
    weeks: stepOf(steps.weeks, "weeks"),
    days: stepOf(steps.days, "days"),
    at: timeFrom(steps.at ?? "00:00", "at", false),
    start: steps.start === undefined ? undefined : dayFrom(steps.start, "start"),
    day: steps.day ?? "skip"
  }
  if (plan.years + plan.months + plan.weeks + plan.days === 0) {
    throw invalidOption("calendar", "no step", "years, months, weeks or days more than 0")
  }
  if (plan.day !== "skip" && plan.day !== "clamp") throw invalidOption("day", plan.day, `"skip" or "clamp"`)
  const clockChange = options?.clockChange ?? GAP_END
  if (!isClockChange(clockChange))
    throw invalidOption("clockChange", JSON.stringify(clockChange), "a clock-change rule")
  return calendarOf(plan, undefined, zoneFrom(options?.timeZone), clockChange, policyOf(clockChange, false))
}

const isClockChange = Schema.is(ClockChange)

const GAP_END: ClockChange = { gap: "gapEnd", overlap: "first" }

const stepOf = (step: number | undefined, option: string): number => {
  if (step === undefined) return 0
  if (Number.isInteger(step) && step >= 0 && step <= 120_000) return step
  throw invalidOption(option, step, "a whole number from 0 to 120000")
}

/**
 * Fires when any of its members does; where several do at one instant, once.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const both = Trigger.or(Trigger.cron("0 9 * * *"), Trigger.at("2026-01-01T08:30:00Z"))
 * String(Trigger.next(both, "2026-01-01")) // => "some(DateTime.Utc(2026-01-01T08:30:00.000Z))"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const or = (first: Rule, ...others: ReadonlyArray<Rule>): Or => new Or([first, ...others])

/**
 * Fires at the instants of its first member at which every other member has one within ± `tolerance` (zero when left
 * out).
 *
 * It leaps from member to member, at most 10,000 times in a search; `next` answers none when that was not enough, while a
 * schedule looks again from there.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const friday13 = Trigger.and([Trigger.cron("0 0 13 * *"), Trigger.cron("0 0 * * FRI")])
 * String(Trigger.next(friday13, "2026-01-01")) // => "some(DateTime.Utc(2026-02-13T00:00:00.000Z))"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const and = (members: Members, options?: { readonly tolerance?: Duration.Input | undefined }): And => {
  if (members.length === 0) throw invalidOption("and", "[]", "at least one member")
  return new And(members, intervalOf(options?.tolerance ?? 0, 0))
}
