/**
 * Leaves out local dates: jumps over a run of excluded dates at once.
 */
import { SECONDS_PER_DAY } from "../zone/civil.ts"
import type { Zone } from "../zone/Zone.ts"

/** The index of the date in the sorted list, or -1. */
const indexOf = (dates: ReadonlyArray<number>, date: number): number => {
  let low = 0
  let high = dates.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = dates[middle]!
    if (found === date) return middle
    if (found < date) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** The first instant at or after this one that may be on another date, in milliseconds; itself where it is. */
export const afterExcluded = (dates: ReadonlyArray<number>, zone: Zone, instant: number): number => {
  const span = zone.spanAt(Math.floor(instant / 1000))
  let date = Math.floor((Math.floor(instant / 1000) + span.offset) / SECONDS_PER_DAY)
  let index = indexOf(dates, date)
  if (index < 0) return instant
  while (dates[index] === date) {
    index++
    date++
  }
  // Beyond the span the clock shows another date, perhaps the same one again.
  return Math.min(date * SECONDS_PER_DAY - span.offset, span.to) * 1000
}

/** The last instant at or before this one that may be on another date, in milliseconds; itself where it is. */
export const beforeExcluded = (dates: ReadonlyArray<number>, zone: Zone, instant: number): number => {
  const span = zone.spanAt(Math.floor(instant / 1000))
  let date = Math.floor((Math.floor(instant / 1000) + span.offset) / SECONDS_PER_DAY)
  let index = indexOf(dates, date)
  if (index < 0) return instant
  while (dates[index] === date) {
    index--
    date--
  }
  return Math.max((date + 1) * SECONDS_PER_DAY - span.offset, span.from) * 1000 - 1
}
