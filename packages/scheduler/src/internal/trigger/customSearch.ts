/**
 * Asks the functions of a custom rule, and holds them to their contract.
 */
import { type DateTime, Option, Result } from "effect"
import { triggerError } from "./error.ts"
import { formatInstant, MAX_INSTANT, utcOf } from "./instant.ts"
import type { Custom } from "./model.ts"
import { isStopped, type Steps } from "./Steps.ts"

export const customNext = (trigger: Custom, after: number, steps: Steps): number => {
  const { resolved } = trigger
  if (resolved === undefined) return steps.fail(triggerError({ _tag: "UnknownCustom", name: trigger.name }))
  if (after >= MAX_INSTANT) return Infinity
  const argument = Math.max(after, -MAX_INSTANT)
  const at = ask(() => resolved.definition.next(resolved.params, utcOf(argument)), Infinity, steps)
  return at > argument || isStopped(at)
    ? at
    : misbehaved(trigger, "next", at, `after ${formatInstant(argument)}`, steps)
}

export const customPrev = (trigger: Custom, atOrBefore: number, steps: Steps): number => {
  const { resolved } = trigger
  if (resolved === undefined) return steps.fail(triggerError({ _tag: "UnknownCustom", name: trigger.name }))
  if (atOrBefore <= -MAX_INSTANT) return -Infinity
  const argument = Math.min(atOrBefore, MAX_INSTANT)
  const { prev } = resolved.definition
  if (prev === undefined) return prevByNext(trigger, argument, steps)
  const at = ask(() => prev(resolved.params, utcOf(argument)), -Infinity, steps)
  return at <= argument || isStopped(at)
    ? at
    : misbehaved(trigger, "prev", at, `at or before ${formatInstant(argument)}`, steps)
}

/**
 * `next` never goes back when its argument goes forward, so the last instant at or before this one is `next` of the last
 * argument for which it is not later: found by bisection in about a hundred questions.
 */
const prevByNext = (trigger: Custom, atOrBefore: number, steps: Steps): number => {
  let high = atOrBefore
  let low = high
  let found = Infinity
  for (let distance = 1000; !(found <= atOrBefore); distance *= 2) {
    if (low <= -MAX_INSTANT) return -Infinity
    low = Math.max(atOrBefore - distance, -MAX_INSTANT)
    found = customNext(trigger, low, steps)
    if (isStopped(found)) return found
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    const at = customNext(trigger, middle, steps)
    if (isStopped(at)) return at
    if (at <= atOrBefore) {
      low = middle
      found = at
    } else {
      high = middle
    }
  }
  return found
}

const ask = (question: () => Option.Option<DateTime.DateTime>, none: number, steps: Steps): number => {
  const answer = Result.try(() =>
    Option.match(question(), { onNone: () => none, onSome: (at) => at.epochMilliseconds })
  )
  return Result.isSuccess(answer) ? answer.success : steps.fail(answer.failure)
}

const misbehaved = (trigger: Custom, method: string, at: number, wanted: string, steps: Steps): number =>
  steps.fail(
    triggerError({
      _tag: "CustomMisbehaved",
      name: trigger.name,
      problem: `${method} must be ${wanted}, and was ${Math.abs(at) <= MAX_INSTANT ? formatInstant(at) : String(at)}`
    })
  )
