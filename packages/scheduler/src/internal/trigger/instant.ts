/**
 * Instants and durations at the border: `DateTime` and `Duration` outside, milliseconds inside.
 */
import { DateTime, Duration, Option } from "effect"
import { parseDay } from "../zone/civil.ts"
import { triggerError } from "./error.ts"

/** The instants that a `Date` and a `DateTime` can hold. */
export const MAX_INSTANT = 8.64e15

/**
 * What `DateTime.makeUnsafe` of a number makes, at a twentieth of its cost, which was most of a question's: by a constructor
 * instead of a property that is defined on each. The tests compare the two in all that effect does with them.
 */
function Utc(this: { epochMilliseconds: number }, instant: number): void {
  this.epochMilliseconds = instant
}
Utc.prototype = Object.getPrototypeOf(DateTime.makeUnsafe(0))

export const utcOf: (instant: number) => DateTime.Utc = (instant) =>
  new (Utc as unknown as new (instant: number) => DateTime.Utc)(instant)

export const formatInstant = (instant: number): string => DateTime.formatIso(utcOf(instant))

export const instantOf = (input: DateTime.DateTime.Input, option: string): number => {
  const instant = readInstant(input)
  if (instant !== undefined) return instant
  throw triggerError({
    _tag: "InvalidInstant",
    option,
    instant: typeof input === "string" ? JSON.stringify(input) : String(input)
  })
}

/** The milliseconds of an instant as a user gives it, or undefined for what is none. */
export const readInstant = (input: DateTime.DateTime.Input): number | undefined => {
  const millis = typeof input === "number" ? input : (input as Partial<DateTime.DateTime> | null)?.epochMilliseconds
  if (typeof millis === "number" && Math.abs(millis) <= MAX_INSTANT) return Math.floor(millis)
  const exact = typeof input === "string" ? exactText(input) : input
  return exact === undefined ? undefined : Option.getOrUndefined(DateTime.make(exact))?.epochMilliseconds
}

const isoText =
  /^(?:\d{4}|[+-]\d{6})-\d{2}-\d{2}(?<time>[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?(?<offset>Z|[+-]\d{2}:?\d{2})?$/i

/**
 * ISO 8601 as `Date` reads it, without what it reads wrongly: a time without an offset is in UTC and not in the machine's
 * zone, February 30 is not March 2, and `19700-01-01` is a slip and not a year.
 */
const exactText = (text: string): string | undefined => {
  const groups = isoText.exec(text)?.groups
  if (groups === undefined || (/^\d/.test(text) && parseDay(text.slice(0, 10)) === undefined)) return undefined
  return groups["time"] !== undefined && groups["offset"] === undefined ? `${text}Z` : text
}

export const optionalInstant = (input: DateTime.DateTime.Input | undefined, option: string): number | undefined =>
  input === undefined ? undefined : instantOf(input, option)

/** A whole number of milliseconds from 1 up, or from 0 where that is allowed. */
export const intervalOf = (input: Duration.Input, least: 0 | 1): number => millisOf(input, least)

/** A whole number of milliseconds, which may be negative. */
export const millisOf = (input: Duration.Input, least = -MAX_INSTANT): number => {
  const duration = Duration.fromInput(input)
  if (Option.isNone(duration)) {
    const interval = typeof input === "string" ? JSON.stringify(input) : String(input)
    throw triggerError({ _tag: "InvalidInterval", interval, expected: `a duration, as "5 minutes"` })
  }
  const millis = Duration.toMillis(duration.value)
  if (Number.isInteger(millis) && millis >= least && millis <= MAX_INSTANT) return millis
  const expected = `a whole number of milliseconds from ${least} to ${MAX_INSTANT}`
  throw triggerError({ _tag: "InvalidInterval", interval: `${millis} ms`, expected })
}
