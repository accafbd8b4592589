/**
 * The times of a spaced trigger: set by what happens to its schedule, then moved on until every limit allows them.
 */
import { MAX_INSTANT } from "./instant.ts"
import { isSpaced, type Spaced, type SpacedLimit, type Trigger } from "./model.ts"
import { nextOpening } from "./Window.ts"

export { isSpaced }

/** The time before any run has ended: the anchor plus `first`. Undefined when a limit leaves none. */
export const spacedFirst = (trigger: Trigger, anchor: number): number | undefined =>
  isSpaced(trigger) ? allowed(trigger, anchor + trigger.first) : undefined

/** The time after a run ended. Undefined when a limit leaves none. */
export const spacedNext = (trigger: Trigger, end: number): number | undefined =>
  isSpaced(trigger) ? allowed(trigger, end + trigger.spaced) : undefined

/** Windows may open rarely together; that they never do is found out by giving up. */
const ROUNDS = 10_000

const allowed = (trigger: Spaced, instant: number): number | undefined => {
  let at = instant
  for (let round = 0; round < ROUNDS && at <= MAX_INSTANT; round++) {
    const before = at
    for (const limit of trigger.limits) at = moved(limit, at)
    if (at === before) return at
  }
  return undefined
}

const moved = (limit: SpacedLimit, at: number): number => {
  if (limit._tag === "Windows") return nextOpening(limit.windows, at)
  if (limit.start !== undefined && at < limit.start) return limit.start
  return limit.end !== undefined && at > limit.end ? Infinity : at
}
