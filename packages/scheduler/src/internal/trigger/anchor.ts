/**
 * Closing a trigger: putting an instant in wherever a rule needs one.
 */
import { SECONDS_PER_DAY } from "../zone/civil.ts"
import type { Zone } from "../zone/Zone.ts"
import { type CalendarPlan, CalendarRule } from "./CalendarRule.ts"
import type { ClockChange, Policy } from "./clockChange.ts"
import { mapMembers } from "./members.ts"
import * as Model from "./model.ts"
import { searchNext } from "./search.ts"

export const isClosed = (trigger: Model.Trigger): boolean => {
  switch (trigger._tag) {
    case "At":
    case "Cron":
    case "Custom":
      return true
    case "Every":
      return trigger.start !== undefined || trigger.anchor !== undefined
    case "Calendar":
      return trigger.plan.start !== undefined || trigger.anchor !== undefined
    case "Spaced":
      return trigger.anchor !== undefined
    case "StartNow":
      return trigger.anchor !== undefined && isClosed(trigger.of)
    case "Or":
    case "And":
      return trigger.of.every(isClosed)
    case "Except":
      return isClosed(trigger.of) && isClosed(trigger.rule)
    case "Bounded":
    case "ExceptDates":
    case "During":
    case "Offset":
      return isClosed(trigger.of)
  }
}

/** The same value where it is closed already. */
export const anchorAt = <T extends Model.Trigger>(trigger: T, instant: number): T =>
  (isClosed(trigger) ? trigger : close(trigger, instant)) as T

const close = (trigger: Model.Trigger, instant: number): Model.Trigger => {
  switch (trigger._tag) {
    case "At":
    case "Cron":
    case "Custom":
      return trigger
    case "Every":
      return new Model.Every(trigger.every, trigger.start, instant)
    case "Calendar":
      return calendarOf(trigger.plan, instant, trigger.zone, trigger.clockChange, trigger.policy)
    case "Spaced":
      return new Model.Spaced(trigger.spaced, trigger.first, trigger.limits, instant)
    case "StartNow":
      return new Model.StartNow(anchorAt(trigger.of, instant), trigger.anchor ?? instant)
    case "Or":
      return new Model.Or(mapMembers(trigger.of, (member) => anchorAt(member, instant)))
    case "And":
      return new Model.And(
        mapMembers(trigger.of, (member) => anchorAt(member, instant)),
        trigger.tolerance
      )
    case "Except":
      return new Model.Except(anchorAt(trigger.of, instant), anchorAt(trigger.rule, instant))
    case "ExceptDates":
      return new Model.ExceptDates(anchorAt(trigger.of, instant), trigger.dates, trigger.zone)
    case "Bounded":
      return new Model.Bounded(anchorAt(trigger.of, instant), trigger.start, trigger.end)
    case "During":
      return new Model.During(anchorAt(trigger.of, instant), trigger.windows)
    case "Offset":
      return new Model.Offset(anchorAt(trigger.of, instant), trigger.by)
  }
}

/** Without a start the first date is the local date of the anchor, and of the epoch while there is none. */
export const calendarOf = (
  plan: CalendarPlan,
  anchor: number | undefined,
  zone: Zone,
  clockChange: ClockChange,
  policy: Policy
): Model.Calendar => {
  const second = Math.floor((anchor ?? 0) / 1000)
  const start = plan.start ?? Math.floor((second + zone.spanAt(second).offset) / SECONDS_PER_DAY)
  return new Model.Calendar(plan, anchor, zone, clockChange, new CalendarRule(plan, start), policy)
}

/** Whether every instant was given by hand: `at`, and what is made of it without a rule. */
const isExplicit = (trigger: Model.Trigger): boolean => {
  switch (trigger._tag) {
    case "At":
      return true
    case "Or":
      return trigger.of.every(isExplicit)
    case "Bounded":
    case "During":
    case "ExceptDates":
    case "Offset":
      return isExplicit(trigger.of)
    default:
      return false
  }
}

/**
 * The watermark of a schedule when it is stored: nothing before is its business. Instants given by hand are, so that one
 * that has passed already is due at once and the missed policy decides.
 */
export const firstWatermark = (trigger: Model.Trigger, storingInstant: number): number => {
  if (isExplicit(trigger)) {
    const first = searchNext(trigger, -Infinity)
    if (first._tag === "Found") return Math.min(first.at, storingInstant) - 1
  }
  return storingInstant - 1
}
