/**
 * Triggers in English.
 */
import { formatDay } from "../zone/civil.ts"
import { describeFields, weekdaySetText } from "./describeCron.ts"
import { formatTime } from "./localText.ts"
import type { Calendar, Cron, Custom, Every, Rule, Spaced, Trigger } from "./model.ts"
import type { Window } from "./Window.ts"
import { durationText, everyText, instantText, listed, plural } from "./words.ts"

/**
 * The trigger in English, which is also its `toString`.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * Trigger.describe(Trigger.cron("0 9 * * MON-FRI")) // => "at 09:00 on Monday to Friday, UTC"
 * Trigger.describe(Trigger.every("90 minutes")) // => "every 1 hour 30 minutes"
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = (self: Trigger): string => {
  switch (self._tag) {
    case "At":
      return `once at ${instantText(self.at)}`
    case "Every":
      return describeEvery(self)
    case "Spaced":
      return describeSpaced(self)
    case "Cron":
      return describeCron(self)
    case "Calendar":
      return describeCalendar(self)
    case "Or":
      return listed(self.of.map(nested), "or")
    case "And":
      return `${listed(self.of.map(nested))} together${
        self.tolerance === 0 ? "" : `, within ${durationText(self.tolerance)}`
      }`
    case "Custom":
      return describeCustom(self)
    case "Bounded":
      return `${describe(self.of)}${boundsText(self.start, self.end)}`
    case "Except":
      return `${nested(self.of)} except ${nested(self.rule)}`
    case "ExceptDates":
      return `${nested(self.of)} except on ${datesText(self.dates)} in ${self.timeZone}`
    case "During":
      return `${nested(self.of)} during ${windowsText(self.windows)}`
    case "Offset":
      return self.by === 0
        ? describe(self.of)
        : `${durationText(self.by)} ${self.by < 0 ? "before" : "after"} ${nested(self.of)}`
    case "StartNow":
      return `at once${self.anchor === undefined ? "" : ` (${instantText(self.anchor)})`}, then ${nested(self.of)}`
  }
}

const nested = (rule: Rule): string => `(${describe(rule)})`

const describeEvery = (self: Every): string => {
  const text = everyText(self.every)
  if (self.start !== undefined) return `${text} from ${instantText(self.start)}`
  return self.anchor === undefined ? text : `${text} after ${instantText(self.anchor)}`
}

const describeSpaced = (self: Spaced): string => {
  const first = self.first === 0 ? "at once" : `after ${durationText(self.first)}`
  const limits = self.limits.map((limit) =>
    limit._tag === "Windows" ? ` during ${windowsText(limit.windows)}` : boundsText(limit.start, limit.end)
  )
  return `${durationText(self.spaced)} after the end of the last run, first ${first}${limits.join("")}`
}

export const describeCron = (self: Cron): string => {
  const change = self.clockChange
  const rule = typeof change === "string" ? change : `gap ${change.gap}, overlap ${change.overlap}`
  return `${describeFields(self.rule.fields)}, ${self.timeZone}${change === "vixie" ? "" : ` (clock changes: ${rule})`}`
}

const describeCalendar = (self: Calendar): string => {
  const { at, day, days, months, start, weeks, years } = self.plan
  const steps = [
    ...(years === 0 ? [] : [plural(years, "year")]),
    ...(months === 0 ? [] : [plural(months, "month")]),
    ...(weeks === 0 ? [] : [plural(weeks, "week")]),
    ...(days === 0 ? [] : [plural(days, "day")])
  ]
  const every = steps.length === 1 && steps[0]!.startsWith("1 ") ? steps[0]!.slice(2) : steps.join(" ")
  const from =
    start !== undefined
      ? ` from ${formatDay(start)}`
      : self.anchor === undefined
        ? ""
        : ` from the date of ${instantText(self.anchor)}`
  const clamp = day === "clamp" ? " or the last day of the month" : ""
  return `every ${every}${from}${clamp} at ${formatTime(at)}, ${self.timeZone}`
}

const describeCustom = (self: Custom): string => `${self.name}(${JSON.stringify(self.params)})`

const boundsText = (start: number | undefined, end: number | undefined): string =>
  `${start === undefined ? "" : `, not before ${instantText(start)}`}${
    end === undefined ? "" : `, not after ${instantText(end)}`
  }`

const SHOWN = 5

const datesText = (dates: ReadonlyArray<number>): string => {
  const shown = dates.slice(0, SHOWN).map(formatDay)
  return listed(dates.length > SHOWN ? [...shown, `${dates.length - SHOWN} more`] : shown)
}

const EVERY_DAY = 127

const windowsText = (windows: ReadonlyArray<Window>): string =>
  listed(
    windows.map((window) => `${windowText(window)} in ${window.zone.id}`),
    "or"
  )

const windowText = (window: Window): string => {
  const days = window.days === EVERY_DAY ? "" : weekdaySetText(window.days)
  if (window.from === 0 && window.to === 86_400) return days === "" ? "the whole day" : days
  return `${formatTime(window.from)} to ${formatTime(window.to)}${days === "" ? "" : ` on ${days}`}`
}
