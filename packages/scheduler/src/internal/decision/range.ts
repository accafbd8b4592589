/**
 * Ranges of nominal times that become no run, counted without listing them.
 */
import type { Range } from "../../Decision.ts"
import { seek, type Times } from "./times.ts"

/** How far a count came: all of (after, upTo], or an exact part of it from its beginning. */
export interface Counted {
  readonly range: Range | undefined
  readonly upTo: number
}

/**
 * The times in (after, upTo] as a range. Where there are more than can be counted exactly it stops sooner, at an instant
 * up to which they can. Undefined where the trigger fails.
 */
export const countUpTo = (times: Times, after: number, upTo: number): Counted | undefined => {
  if (upTo <= after) return { range: undefined, upTo }
  let end = upTo
  let counted = times.count(after, end)
  while (!counted.exact && end - after > 1) {
    end = after + Math.floor((end - after) / 2)
    counted = times.count(after, end)
  }
  if (!counted.exact) return undefined
  if (counted.count === 0) return { range: undefined, upTo: end }
  const first = seek(times, after, end)
  if (first._tag !== "Found" || first.at > end) return undefined
  const last = lastOf(times, first.at, end, counted.count)
  return last === undefined ? undefined : { range: { first: first.at, last, count: counted.count }, upTo: end }
}

/** Backwards from the end, or forwards so many steps where the trigger cannot be searched backwards. */
const lastOf = (times: Times, first: number, end: number, count: number): number | undefined => {
  const last = count === 1 ? undefined : times.prev(end)
  if (last?._tag === "Found" && last.at >= first) return last.at
  let at = first
  for (let step = 1; step < count; step++) {
    const next = seek(times, at, end)
    if (next._tag !== "Found" || next.at > end) return undefined
    at = next.at
  }
  return at
}

const PARTS = 64

/**
 * All times in (after, upTo] as one range, for what has to be settled in one go. Where it has too many parts to be counted
 * exactly the count of the last one is a lower bound; where the trigger fails it ends before that.
 */
export const countAll = (times: Times, after: number, upTo: number): Range | undefined => {
  let range: Range | undefined
  let from = after
  for (let part = 0; from < upTo && part < PARTS; part++) {
    const counted = countUpTo(times, from, upTo)
    if (counted === undefined || counted.upTo <= from) return range
    range = join(range, counted.range)
    from = counted.upTo
  }
  const rest = from < upTo ? times.count(from, upTo).count : 0
  return rest === 0 ? range : join(range, { first: from + 1, last: upTo, count: rest })
}

/** The later range joined to the earlier one. */
const join = (earlier: Range | undefined, later: Range | undefined): Range | undefined =>
  earlier === undefined
    ? later
    : later === undefined
      ? earlier
      : { first: earlier.first, last: later.last, count: earlier.count + later.count }

/** The range of some times in order. */
export const rangeOf = (list: ReadonlyArray<number>): Range | undefined =>
  list.length === 0 ? undefined : { first: list[0]!, last: list[list.length - 1]!, count: list.length }
