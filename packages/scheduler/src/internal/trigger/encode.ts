/**
 * The stored form: plain JSON with a version. Instants are ISO text, durations milliseconds, dates and times of day text.
 */
import { formatDay } from "../zone/civil.ts"
import { WEEKDAYS } from "./cronItem.ts"
import { formatInstant } from "./instant.ts"
import type { BoundsJson, RuleJson, SpacedJson, TriggerJson, WindowJson } from "./json.ts"
import { formatTime } from "./localText.ts"
import { mapMembers } from "./members.ts"
import type { Calendar, Cron, Every, Rule, Spaced, SpacedLimit, StartNow, Trigger } from "./model.ts"
import type { Window } from "./Window.ts"

/**
 * The version of the stored form that this release writes, and the newest that it reads.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * Trigger.version // => 1
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const version = 1

export const encode = (trigger: Trigger): TriggerJson =>
  stored(trigger._tag === "Spaced" ? encodeSpaced(trigger) : encodeRule(trigger))

export const stored = (trigger: TriggerJson["trigger"]): TriggerJson => ({ version, trigger })

const keys = new WeakMap<Trigger, string>()

/** Equal triggers, and only they, have the same key. */
export const keyOf = (trigger: Trigger): string => {
  const known = keys.get(trigger)
  if (known !== undefined) return known
  const key = JSON.stringify(sorted(trigger.toJSON()))
  keys.set(trigger, key)
  return key
}

/** Parameters of custom rules may come back from a store with their keys in another order. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)])
  )
}

const encodeRule = (rule: Rule): RuleJson => {
  switch (rule._tag) {
    case "At":
      return { _tag: "At", at: formatInstant(rule.at) }
    case "Every":
      return encodeEvery(rule)
    case "Cron":
      return encodeCron(rule)
    case "Calendar":
      return encodeCalendar(rule)
    case "Or":
      return { _tag: "Or", of: mapMembers(rule.of, encodeRule) }
    case "And":
      return { _tag: "And", of: mapMembers(rule.of, encodeRule), tolerance: rule.tolerance }
    case "Custom":
      return { _tag: "Custom", name: rule.name, params: rule.params as never }
    case "Bounded":
      return { _tag: "Bounded", of: encodeRule(rule.of), ...encodeBounds(rule) }
    case "Except":
      return { _tag: "Except", of: encodeRule(rule.of), rule: encodeRule(rule.rule) }
    case "ExceptDates":
      return {
        _tag: "ExceptDates",
        of: encodeRule(rule.of),
        dates: rule.dates.map(formatDay),
        timeZone: rule.timeZone
      }
    case "During":
      return { _tag: "During", of: encodeRule(rule.of), windows: rule.windows.map(encodeWindow) }
    case "Offset":
      return { _tag: "Offset", of: encodeRule(rule.of), by: rule.by }
    case "StartNow":
      return { _tag: "StartNow", of: encodeRule(rule.of), ...encodeAnchor(rule) }
  }
}

const encodeEvery = (rule: Every): RuleJson => ({
  _tag: "Every",
  every: rule.every,
  ...(rule.start === undefined ? {} : { start: formatInstant(rule.start) }),
  ...encodeAnchor(rule)
})

const encodeSpaced = (trigger: Spaced): SpacedJson => ({
  _tag: "Spaced",
  spaced: trigger.spaced,
  first: trigger.first,
  ...(trigger.limits.length === 0 ? {} : { limits: trigger.limits.map(encodeLimit) }),
  ...encodeAnchor(trigger)
})

const encodeLimit = (limit: SpacedLimit): NonNullable<SpacedJson["limits"]>[number] =>
  limit._tag === "Windows"
    ? { _tag: "Windows", windows: limit.windows.map(encodeWindow) }
    : { _tag: "Bounds", ...encodeBounds(limit) }

export const encodeCron = (rule: Cron): RuleJson =>
  rule.source._tag === "Text"
    ? { _tag: "Cron", text: rule.source.text, timeZone: rule.timeZone, clockChange: rule.clockChange }
    : { _tag: "CronFields", fields: rule.source.fields, timeZone: rule.timeZone, clockChange: rule.clockChange }

const encodeCalendar = (rule: Calendar): RuleJson => {
  const { years, months, weeks, days, at, start, day } = rule.plan
  return {
    _tag: "Calendar",
    ...(years === 0 ? {} : { years }),
    ...(months === 0 ? {} : { months }),
    ...(weeks === 0 ? {} : { weeks }),
    ...(days === 0 ? {} : { days }),
    at: formatTime(at),
    ...(start === undefined ? {} : { start: formatDay(start) }),
    day,
    timeZone: rule.timeZone,
    clockChange: rule.clockChange,
    ...encodeAnchor(rule)
  }
}

const encodeAnchor = (rule: Every | Calendar | Spaced | StartNow): { readonly anchor?: string } =>
  rule.anchor === undefined ? {} : { anchor: formatInstant(rule.anchor) }

const encodeBounds = (bounds: {
  readonly start: number | undefined
  readonly end: number | undefined
}): BoundsJson => ({
  ...(bounds.start === undefined ? {} : { start: formatInstant(bounds.start) }),
  ...(bounds.end === undefined ? {} : { end: formatInstant(bounds.end) })
})

const encodeWindow = (window: Window): WindowJson => ({
  days: WEEKDAYS.filter((_, day) => (window.days & (1 << day)) !== 0),
  from: formatTime(window.from),
  to: formatTime(window.to),
  timeZone: window.zone.id
})
