/**
 * Which nominal times have passed since the watermark, and which of them the missed policy keeps.
 *
 * A few times are listed. Many are not: what is kept is found from its end, backwards from now, and the rest is counted
 * in closed form, so that two weeks of a 5 s trigger cost what a minute costs.
 */
import type { Range } from "../../Decision.ts"
import type { Search } from "../trigger/search.ts"
import { countUpTo, rangeOf } from "./range.ts"
import { LEAPS, seek, type Times } from "./times.ts"

export interface Window {
  /** All times from the watermark to the first kept one. */
  readonly missed: Range | undefined
  /** Oldest first. */
  readonly kept: ReadonlyArray<number>
  /** Every time up to here is missed or kept, or there is none. */
  readonly reached: number
  /** What comes after the last of these, where it is known already. */
  readonly next: Search | undefined
}

export interface Keep {
  readonly now: number
  /** A time later than this, in milliseconds, is not kept. */
  readonly tolerance: number
  /** How many of the newest are kept. */
  readonly newest: number
  /** How many kept times one decision takes, oldest first. Those after them are left for the next decision. */
  readonly batch: number
}

const FEW = 16
const SCAN = 10_000

export const windowOf = (times: Times, watermark: number, keep: Keep): Window => {
  const few = list(times, watermark, keep.now, FEW)
  if (!isDue(few.next, keep.now)) return ofList(few, watermark, keep)
  return many(times, watermark, keep) ?? ofList(list(times, watermark, keep.now, SCAN), watermark, keep)
}

interface List {
  readonly times: ReadonlyArray<number>
  /** The search after the last one; a time that has passed if the list ends before now. */
  readonly next: Search
}

const isDue = (search: Search, now: number): boolean => search._tag === "Found" && search.at <= now

const list = (times: Times, after: number, now: number, most: number): List => {
  const listed: Array<number> = []
  let next = seek(times, after, now)
  while (next._tag === "Found" && next.at <= now && listed.length < most) {
    listed.push(next.at)
    next = seek(times, next.at, now)
  }
  return { times: listed, next }
}

const ofList = ({ times, next }: List, watermark: number, { now, tolerance, newest, batch }: Keep): Window => {
  const more = isDue(next, now)
  const late = times.filter((time) => now - time > tolerance).length
  // Of a list that ends before now only those are missed that are too late, or have enough newer ones in the list.
  const missed = Math.max(late, times.length - newest)
  const kept = more && newest <= batch ? [] : times.slice(missed, missed + batch)
  const taken = missed + kept.length
  const whole = taken === times.length
  const last = taken === 0 ? watermark : times[taken - 1]!
  return {
    missed: rangeOf(times.slice(0, missed)),
    kept,
    // A search that spent its budget has still shown that there is nothing before its instant.
    reached: whole && next._tag === "NotBefore" ? Math.max(last, Math.min(next.at - 1, now)) : last,
    next: whole ? next : undefined
  }
}

/** Undefined where the trigger cannot be searched backwards, or fails. */
const many = (times: Times, watermark: number, keep: Keep): Window | undefined => {
  const { now, tolerance, newest, batch } = keep
  // Exactly the times after this one are not too late.
  const floor = Math.max(watermark, Math.ceil(now - tolerance) - 1)
  const found =
    newest <= batch
      ? { kept: backwards(times, floor, now, newest), next: undefined }
      : forwards(times, newestAfter(times, floor, now, newest), now, batch)
  const kept = found.kept
  if (kept === undefined) return undefined
  const end = kept.length === 0 ? now : kept[0]! - 1
  const counted = countUpTo(times, watermark, end)
  if (counted === undefined) return undefined
  if (counted.upTo < end) return { missed: counted.range, kept: [], reached: counted.upTo, next: undefined }
  const reached = kept[kept.length - 1] ?? counted.range?.last ?? watermark
  return { missed: counted.range, kept, reached, next: found.next }
}

const backwards = (times: Times, floor: number, now: number, most: number): ReadonlyArray<number> | undefined => {
  const found: Array<number> = []
  let from = now
  let leap = 0
  while (found.length < most && from > floor) {
    const search = times.prev(from)
    if (search._tag === "Faulty") return undefined
    if (search._tag === "Never") break
    if (search._tag === "Found") {
      if (search.at <= floor) break
      found.push(search.at)
      from = search.at - 1
      leap = 0
    } else {
      if (leap++ === LEAPS) return undefined
      from = search.at
    }
  }
  return found.toReversed()
}

const forwards = (times: Times, after: number, now: number, batch: number) => {
  const { times: kept, next } = list(times, after, now, batch)
  return { kept, next }
}

/** The least instant after which there are no more than `most` times up to now. */
const newestAfter = (times: Times, floor: number, now: number, most: number): number => {
  const fits = (after: number) => {
    const { count, exact } = times.count(after, now)
    return exact && count <= most
  }
  if (most === Infinity || fits(floor)) return floor
  let above = floor
  let fitting = now
  while (fitting - above > 1) {
    const middle = above + Math.floor((fitting - above) / 2)
    if (fits(middle)) fitting = middle
    else above = middle
  }
  return fitting
}
