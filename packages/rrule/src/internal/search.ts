/**
 * The instants next to another one, in epoch milliseconds.
 */
import { DateTime, Option, Result } from "effect"
import type { RRuleTemporal } from "rrule-temporal"
import { type Compiled, LAST_INSTANT } from "./compile.ts"

/** The first instant after this one. */
export const nextOf = (compiled: Compiled, after: number): Option.Option<DateTime.Utc> => {
  if (compiled._tag === "Listed") return at(compiled.instants[countUpTo(compiled.instants, after)])
  if (after < compiled.first) return at(compiled.first)
  if (after >= LAST_INSTANT) return Option.none()
  return at(compiled.rule.next(dateOf(after))?.epochMilliseconds)
}

/** The last instant at or before this one. */
export const prevOf = (compiled: Compiled, atOrBefore: number): Option.Option<DateTime.Utc> => {
  if (compiled._tag === "Listed") return at(compiled.instants[countUpTo(compiled.instants, atOrBefore) - 1])
  if (atOrBefore < compiled.first) return Option.none()
  const last = Math.min(atOrBefore, LAST_INSTANT)
  const found = Result.try(() => compiled.rule.previous(dateOf(last), true)?.epochMilliseconds)
  return at(Result.isSuccess(found) ? found.success : prevByNext(compiled.rule, compiled.first, last))
}

/**
 * The library enumerates forwards to look back, and gives up where a rule of minutes or seconds rests for months. Its
 * `next` leaps over these, and never goes back when its argument goes forward: about forty questions.
 */
const prevByNext = (rule: RRuleTemporal, first: number, atOrBefore: number): number => {
  let found = first
  let high = atOrBefore
  while (high - found > 1) {
    const middle = Math.floor((found + high) / 2)
    const next = rule.next(dateOf(middle))?.epochMilliseconds ?? Infinity
    if (next <= atOrBefore) found = next
    else high = middle
  }
  // `next` answers strictly after, so an instant right behind the last one found is still to be asked for.
  const next = rule.next(dateOf(found))?.epochMilliseconds ?? Infinity
  return next <= atOrBefore ? next : found
}

const at = (instant: number | undefined): Option.Option<DateTime.Utc> =>
  instant === undefined || instant > LAST_INSTANT ? Option.none() : Option.some(DateTime.makeUnsafe(instant))

const dateOf = (instant: number): Date => DateTime.toDateUtc(DateTime.makeUnsafe(instant))

/** How many of the sorted instants are at or before this one. */
const countUpTo = (instants: ReadonlyArray<number>, atOrBefore: number): number => {
  let low = 0
  let high = instants.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (instants[middle]! <= atOrBefore) low = middle + 1
    else high = middle
  }
  return low
}
