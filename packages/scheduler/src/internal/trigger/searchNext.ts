/**
 * The search forwards.
 */
import { customNext } from "./customSearch.ts"
import { afterExcluded } from "./excluded.ts"
import { everyNext } from "./grid.ts"
import type { Members } from "./members.ts"
import type { Rule, Trigger } from "./model.ts"
import { spacedFirst } from "./spaced.ts"
import { isCombination, isStopped, STOPPED, type Steps } from "./Steps.ts"
import { walkNext } from "./walk.ts"
import { nextOpening } from "./Window.ts"

/**
 * The first instant after `after` where that is at or before `until`. Else any instant beyond `until` up to which there
 * is none, so that nobody searches for what nobody wants; or `STOPPED`.
 */
export const nextOf = (trigger: Trigger, after: number, until: number, steps: Steps): number => {
  switch (trigger._tag) {
    case "Cron":
    case "Calendar":
      return walkNext(trigger.rule, trigger.zone, trigger.policy, Math.floor(after / 1000) + 1) * 1000
    case "Every":
      return everyNext(trigger, after)
    case "At":
      return trigger.at > after ? trigger.at : Infinity
    case "Spaced": {
      const at = spacedFirst(trigger, trigger.anchor ?? 0)
      return at !== undefined && at > after ? at : Infinity
    }
    case "Custom":
      return customNext(trigger, after, steps)
    case "Or":
      return orNext(trigger.of, after, until, steps)
    case "And":
      return andNext(trigger.of, trigger.tolerance, after, until, steps)
    case "Except":
      return exceptNext(trigger.of, trigger.rule, after, until, steps)
    case "ExceptDates":
      return leapNext(trigger.of, (at) => afterExcluded(trigger.dates, trigger.zone, at), after, until, steps)
    case "During":
      return leapNext(trigger.of, (at) => nextOpening(trigger.windows, at), after, until, steps)
    case "Bounded": {
      const end = trigger.end ?? Infinity
      const from = trigger.start === undefined ? after : Math.max(after, trigger.start - 1)
      if (from >= end) return Infinity
      const at = nextOf(trigger.of, from, Math.min(until, end), steps)
      const reached = isStopped(at) && steps.fault === undefined ? steps.reached : at
      return reached > end ? Infinity : at
    }
    case "Offset": {
      const at = nextOf(trigger.of, after - trigger.by, until - trigger.by, steps)
      return isStopped(at) ? steps.stop(steps.reached + trigger.by) : at + trigger.by
    }
    case "StartNow": {
      const anchor = trigger.anchor ?? 0
      return after < anchor ? anchor : nextOf(trigger.of, after, until, steps)
    }
  }
}

/** Members that answer at once go first: how far the others must search is then known. */
const orNext = (of: ReadonlyArray<Rule>, after: number, until: number, steps: Steps): number => {
  let first = Infinity
  let combinations = 0
  for (const member of of) {
    if (isCombination(member)) combinations++
    else first = Math.min(first, nextOf(member, after, until, steps))
    if (steps.fault !== undefined) return STOPPED
  }
  let reached = Infinity
  for (const member of of) {
    if (!isCombination(member)) continue
    const at = steps.shared(combinations--, () => nextOf(member, after, Math.min(until, first), steps))
    if (steps.fault !== undefined) return STOPPED
    if (isStopped(at)) reached = Math.min(reached, steps.reached)
    else first = Math.min(first, at)
  }
  return first <= reached ? first : steps.stop(reached)
}

const andNext = (of: Members, tolerance: number, after: number, until: number, steps: Steps): number => {
  let at = nextOf(of[0], after, until, steps)
  while (at <= until) {
    // No instant of the first member before `earliest` can have one of each other member near it.
    let earliest = at
    for (let i = 1; i < of.length && earliest === at; i++) {
      const near = nextOf(of[i]!, at - tolerance - 1, at + tolerance, steps)
      if (steps.fault !== undefined) return STOPPED
      earliest = Math.max(at, (isStopped(near) ? steps.reached : near) - tolerance)
      if (isStopped(near) && earliest === at) return steps.stop(at)
    }
    if (earliest === at || earliest > until) return earliest
    if (!steps.take()) return steps.stop(earliest)
    at = nextOf(of[0], earliest - 1, until, steps)
  }
  return at
}

const exceptNext = (of: Rule, rule: Rule, after: number, until: number, steps: Steps): number => {
  let at = nextOf(of, after, until, steps)
  while (at <= until) {
    const excluded = nextOf(rule, at - 1, at, steps)
    if (steps.fault !== undefined) return STOPPED
    if (isStopped(excluded)) return steps.reached > at ? at : steps.stop(at)
    if (excluded !== at) return at
    if (!steps.take()) return steps.stop(at + 1)
    at = nextOf(of, at, until, steps)
  }
  return at
}

/** The first instant that `allowed` leaves where it is; for any other it says where the next one may be. */
const leapNext = (of: Rule, allowed: (at: number) => number, after: number, until: number, steps: Steps): number => {
  let at = nextOf(of, after, until, steps)
  while (at <= until) {
    const earliest = allowed(at)
    if (earliest === at || earliest > until) return earliest
    if (!steps.take()) return steps.stop(earliest)
    at = nextOf(of, earliest - 1, until, steps)
  }
  return at
}
