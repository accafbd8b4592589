/**
 * The search backwards: `searchNext.ts` mirrored.
 */
import { customPrev } from "./customSearch.ts"
import { beforeExcluded } from "./excluded.ts"
import { everyPrev } from "./grid.ts"
import type { Members } from "./members.ts"
import type { Rule, Trigger } from "./model.ts"
import { spacedFirst } from "./spaced.ts"
import { isCombination, isStopped, STOPPED, type Steps } from "./Steps.ts"
import { walkPrev } from "./walk.ts"
import { prevOpening } from "./Window.ts"

/**
 * The last instant at or before `from` where that is at or after `until`. Else any instant before `until` down to which
 * there is none; or `STOPPED`.
 */
export const prevOf = (trigger: Trigger, from: number, until: number, steps: Steps): number => {
  switch (trigger._tag) {
    case "Cron":
    case "Calendar":
      return walkPrev(trigger.rule, trigger.zone, trigger.policy, Math.floor(from / 1000)) * 1000
    case "Every":
      return everyPrev(trigger, from)
    case "At":
      return trigger.at <= from ? trigger.at : -Infinity
    case "Spaced": {
      const at = spacedFirst(trigger, trigger.anchor ?? 0)
      return at !== undefined && at <= from ? at : -Infinity
    }
    case "Custom":
      return customPrev(trigger, from, steps)
    case "Or":
      return orPrev(trigger.of, from, until, steps)
    case "And":
      return andPrev(trigger.of, trigger.tolerance, from, until, steps)
    case "Except":
      return exceptPrev(trigger.of, trigger.rule, from, until, steps)
    case "ExceptDates":
      return leapPrev(trigger.of, (at) => beforeExcluded(trigger.dates, trigger.zone, at), from, until, steps)
    case "During":
      return leapPrev(trigger.of, (at) => prevOpening(trigger.windows, at), from, until, steps)
    case "Bounded": {
      const start = trigger.start ?? -Infinity
      const end = trigger.end === undefined ? from : Math.min(from, trigger.end)
      if (end < start) return -Infinity
      const at = prevOf(trigger.of, end, Math.max(until, start), steps)
      const reached = isStopped(at) && steps.fault === undefined ? steps.reached : at
      return reached < start ? -Infinity : at
    }
    case "Offset": {
      const at = prevOf(trigger.of, from - trigger.by, until - trigger.by, steps)
      return isStopped(at) ? steps.stop(steps.reached + trigger.by) : at + trigger.by
    }
    case "StartNow": {
      const anchor = trigger.anchor ?? 0
      if (from < anchor) return -Infinity
      const at = prevOf(trigger.of, from, Math.max(until, anchor), steps)
      const reached = isStopped(at) && steps.fault === undefined ? steps.reached : at
      return reached < anchor ? anchor : at
    }
  }
}

const orPrev = (of: ReadonlyArray<Rule>, from: number, until: number, steps: Steps): number => {
  let last = -Infinity
  let combinations = 0
  for (const member of of) {
    if (isCombination(member)) combinations++
    else last = Math.max(last, prevOf(member, from, until, steps))
    if (steps.fault !== undefined) return STOPPED
  }
  let reached = -Infinity
  for (const member of of) {
    if (!isCombination(member)) continue
    const at = steps.shared(combinations--, () => prevOf(member, from, Math.max(until, last), steps))
    if (steps.fault !== undefined) return STOPPED
    if (isStopped(at)) reached = Math.max(reached, steps.reached)
    else last = Math.max(last, at)
  }
  return last >= reached ? last : steps.stop(reached)
}

const andPrev = (of: Members, tolerance: number, from: number, until: number, steps: Steps): number => {
  let at = prevOf(of[0], from, until, steps)
  while (at >= until) {
    let latest = at
    for (let i = 1; i < of.length && latest === at; i++) {
      const near = prevOf(of[i]!, at + tolerance, at - tolerance, steps)
      if (steps.fault !== undefined) return STOPPED
      latest = Math.min(at, (isStopped(near) ? steps.reached : near) + tolerance)
      if (isStopped(near) && latest === at) return steps.stop(at)
    }
    if (latest === at || latest < until) return latest
    if (!steps.take()) return steps.stop(latest)
    at = prevOf(of[0], latest, until, steps)
  }
  return at
}

const exceptPrev = (of: Rule, rule: Rule, from: number, until: number, steps: Steps): number => {
  let at = prevOf(of, from, until, steps)
  while (at >= until) {
    const excluded = prevOf(rule, at, at, steps)
    if (steps.fault !== undefined) return STOPPED
    if (isStopped(excluded)) return steps.reached < at ? at : steps.stop(at)
    if (excluded !== at) return at
    if (!steps.take()) return steps.stop(at - 1)
    at = prevOf(of, at - 1, until, steps)
  }
  return at
}

const leapPrev = (of: Rule, allowed: (at: number) => number, from: number, until: number, steps: Steps): number => {
  let at = prevOf(of, from, until, steps)
  while (at >= until) {
    const latest = allowed(at)
    if (latest === at || latest < until) return latest
    if (!steps.take()) return steps.stop(latest)
    at = prevOf(of, latest, until, steps)
  }
  return at
}
