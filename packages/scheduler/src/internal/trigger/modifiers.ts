/**
 * What makes one trigger of another.
 */
import type { DateTime, Duration } from "effect"
import { dual } from "effect/Function"
import { parseDayOfWeek } from "./cronFields.ts"
import { Problem } from "./cronItem.ts"
import { invalidOption, triggerError } from "./error.ts"
import { formatInstant, millisOf, optionalInstant } from "./instant.ts"
import { dayFrom, type LocalDate, timeFrom, type TimeZoneInput, zoneFrom } from "./localText.ts"
import {
  Bounded,
  During,
  Except,
  ExceptDates,
  isSpaced,
  isTrigger,
  Offset,
  type Rule,
  Spaced,
  StartNow,
  type Trigger
} from "./model.ts"
import { Window } from "./Window.ts"

/** A modifier of a spaced trigger is one; of a rule it is a rule. */
type Of<T extends Trigger, R extends Rule> = T extends Rule ? R : Spaced

/**
 * Keeps the instants from `start` to `end`, both included.
 *
 * A spaced trigger's time moves on to `start`, and it has none after `end`. Throws `TriggerError` for an end before its
 * start.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const june = Trigger.cron("0 9 * * *").pipe(Trigger.bounded({ start: "2026-06-01", end: "2026-06-30T23:59:59Z" }))
 * Trigger.count(june, "2026-01-01", "2027-01-01") // => 30
 * ```
 *
 * @category modifiers
 * @since 0.1.0
 */
export const bounded: {
  (bounds: Bounds): <T extends Trigger>(self: T) => Of<T, Bounded>
  <T extends Trigger>(self: T, bounds: Bounds): Of<T, Bounded>
} = /* @__PURE__ */ dual(2, (self: Trigger, bounds: Bounds): Bounded | Spaced => {
  const start = optionalInstant(bounds.start, "start")
  const end = optionalInstant(bounds.end, "end")
  if (start !== undefined && end !== undefined && end < start) {
    throw triggerError({ _tag: "EndBeforeStart", start: formatInstant(start), end: formatInstant(end) })
  }
  return isSpaced(self) ? limited(self, { _tag: "Bounds", start, end }) : new Bounded(self, start, end)
})

/**
 * The first and the last instant that `bounded` keeps.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  readonly start?: DateTime.DateTime.Input | undefined
  readonly end?: DateTime.DateTime.Input | undefined
}

const limited = (self: Spaced, limit: Spaced["limits"][number]): Spaced =>
  new Spaced(self.spaced, self.first, [...self.limits, limit], self.anchor)

/**
 * Local dates with the zone in which they are dates, UTC when left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExcludedDates {
  readonly dates: ReadonlyArray<LocalDate>
  readonly timeZone?: TimeZoneInput | undefined
}

/**
 * Leaves out the instants of another trigger, or those on some local dates.
 *
 * A run of excluded dates is passed at one leap; instants of another trigger are passed one by one, at most 10,000 in a
 * search. Throws `TriggerError` for a date that does not exist and for an unknown zone.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const workdays = Trigger.cron("0 9 * * MON-FRI").pipe(Trigger.except({ dates: ["2026-12-25"] }))
 * String(Trigger.next(workdays, "2026-12-24T12:00:00Z")) // => "some(DateTime.Utc(2026-12-28T09:00:00.000Z))"
 * ```
 *
 * @category modifiers
 * @since 0.1.0
 */
export const except: {
  (excluded: Rule | ExcludedDates): (self: Rule) => Except | ExceptDates
  (self: Rule, excluded: Rule | ExcludedDates): Except | ExceptDates
} = /* @__PURE__ */ dual(2, (self: Rule, excluded: Rule | ExcludedDates): Except | ExceptDates => {
  if (isTrigger(excluded)) return new Except(self, excluded)
  const dates = new Set(excluded.dates.map((date) => dayFrom(date, "dates")))
  return new ExceptDates(
    self,
    Array.from(dates).toSorted((a, b) => a - b),
    zoneFrom(excluded.timeZone)
  )
})

/**
 * A window of local time. It opens on `days` (every day when left out) at `from` and closes before `to`; where `to` is
 * not after `from` it closes on the following day.
 *
 * @category models
 * @since 0.1.0
 */
export interface WindowOptions {
  /** Names: `"mon-fri"`, `"sat,sun"`, or `["sat", "sun"]`. */
  readonly days?: string | ReadonlyArray<string> | undefined
  /** `"09:00"`; midnight when left out. */
  readonly from?: string | undefined
  /** `"17:00"`, up to `"24:00"`, which it is when left out. */
  readonly to?: string | undefined
  /** UTC when left out. */
  readonly timeZone?: TimeZoneInput | undefined
}

/**
 * Keeps the instants at which the clock of the place is in the window, or in any of several.
 *
 * A spaced trigger's time moves on to the window's next opening. When the clock changes the window goes by what the clock
 * shows: what is skipped is not in it, what is repeated is in it twice. Throws `TriggerError` for a day, a time or a zone
 * that is not valid.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const office = Trigger.every("1 hour").pipe(Trigger.during({ days: "mon-fri", from: "09:00", to: "17:00" }))
 * String(Trigger.next(office, "2026-03-27T16:30:00Z")) // => "some(DateTime.Utc(2026-03-30T09:00:00.000Z))"
 * ```
 *
 * @category modifiers
 * @since 0.1.0
 */
export const during: {
  (windows: WindowOptions | ReadonlyArray<WindowOptions>): <T extends Trigger>(self: T) => Of<T, During>
  <T extends Trigger>(self: T, windows: WindowOptions | ReadonlyArray<WindowOptions>): Of<T, During>
} = /* @__PURE__ */ dual(2, (self: Trigger, options: WindowOptions | ReadonlyArray<WindowOptions>): During | Spaced => {
  const list: ReadonlyArray<WindowOptions> = Array.isArray(options) ? options : [options]
  if (list.length === 0) throw invalidOption("during", "[]", "at least one window")
  const windows = list.map(windowOf)
  return isSpaced(self) ? limited(self, { _tag: "Windows", windows }) : new During(self, windows)
})

const windowOf = (options: WindowOptions): Window => {
  const from = timeFrom(options.from ?? "00:00", "from", false)
  const to = timeFrom(options.to ?? "24:00", "to", true)
  if (from === to) throw invalidOption("to", options.to, "another time than from")
  return new Window(daysOf(options.days), from, to, zoneFrom(options.timeZone))
}

const EVERY_DAY = 127

const daysOf = (days: WindowOptions["days"]): number => {
  if (days === undefined) return EVERY_DAY
  const text = typeof days === "string" ? days : days.join(",")
  const parsed = parseDayOfWeek(text.toLowerCase().replace(/\s+/g, ""))
  if (parsed instanceof Problem) throw invalidOption("days", text, parsed.expected)
  return parsed.restricted ? parsed.set : EVERY_DAY
}

/**
 * Moves every instant by a duration, which may be negative.
 *
 * The duration is a whole number of milliseconds; anything else throws `TriggerError`.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const reminder = Trigger.cron("0 9 1 * *").pipe(Trigger.offset("-1 day"))
 * String(Trigger.next(reminder, "2026-01-01")) // => "some(DateTime.Utc(2026-01-31T09:00:00.000Z))"
 * ```
 *
 * @category modifiers
 * @since 0.1.0
 */
export const offset: {
  (duration: Duration.Input): (self: Rule) => Offset
  (self: Rule, duration: Duration.Input): Offset
} = /* @__PURE__ */ dual(2, (self: Rule, duration: Duration.Input): Offset => new Offset(self, millisOf(duration)))

/**
 * Fires once when the schedule is first stored (see `anchor`), then as the trigger does.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const warm = Trigger.anchor(Trigger.startNow(Trigger.cron("0 * * * *")), "2026-01-01T10:20:00Z")
 * String(Trigger.next(warm, "2026-01-01")) // => "some(DateTime.Utc(2026-01-01T10:20:00.000Z))"
 * ```
 *
 * @category modifiers
 * @since 0.1.0
 */
export const startNow = (self: Rule): StartNow => new StartNow(self, undefined)
