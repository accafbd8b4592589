/**
 * The grid of `every`: instants at equal distance, by division. A start is a firing, an anchor is not.
 */
import type { Every } from "./model.ts"

const firstOf = (trigger: Every): number => trigger.start ?? (trigger.anchor ?? 0) + trigger.every

/** The index in the grid, counted from its first instant, of the last instant at or before this one. */
const indexOf = (trigger: Every, instant: number): number => {
  const first = firstOf(trigger)
  const index = Math.floor((instant - first) / trigger.every)
  // Division of large numbers may round up to the next integer.
  return first + index * trigger.every > instant ? index - 1 : index
}

export const everyNext = (trigger: Every, after: number): number => {
  const first = firstOf(trigger)
  return after < first ? first : first + (indexOf(trigger, after) + 1) * trigger.every
}

export const everyPrev = (trigger: Every, atOrBefore: number): number => {
  const first = firstOf(trigger)
  return atOrBefore < first ? -Infinity : first + indexOf(trigger, atOrBefore) * trigger.every
}

/** How many there are in (after, upTo]. */
export const everyCount = (trigger: Every, after: number, upTo: number): number => {
  const upToIndex = Math.max(-1, indexOf(trigger, upTo))
  return Math.max(0, upToIndex - Math.max(-1, indexOf(trigger, after)))
}
