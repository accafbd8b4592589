/**
 * Instants and durations at the border: `DateTime` and `Duration` outside, milliseconds inside.
 */
import { DateTime, Duration, Option } from "effect"
import { parseDay } from "../zone/civil.ts"
import { triggerError } from "./error.ts"

/** The instants that a `Date` and a `DateTime` can hold. */
export const MAX_INSTANT = 8.64e15

const EPOCH: DateTime.Utc = DateTime.makeUnsafe(0)

/** Several times cheaper than `DateTime.makeUnsafe` of a number, which goes through a `Date`. */
export const utcOf = (instant: number): DateTime.Utc => DateTime.mapEpochMillis(EPOCH, () => instant)

export const formatInstant = (instant: number): string => DateTime.formatIso(utcOf(instant))

export const instantOf = (input: DateTime.DateTime.Input, option: string): number => {
  if (typeof input === "number" && Math.abs(input) <= MAX_INSTANT) return Math.floor(input)
  if (DateTime.isDateTime(input)) return input.epochMilliseconds
  const made = isMissingDate(input) ? Option.none() : DateTime.make(input)
  if (Option.isSome(made)) return made.value.epochMilliseconds
  throw triggerError({
    _tag: "InvalidInstant",
    option,
    instant: typeof input === "string" ? JSON.stringify(input) : String(input)
  })
}

/** `Date` takes February 30 for March 2. */
const isMissingDate = (input: DateTime.DateTime.Input): boolean =>
  typeof input === "string" && /^\d{4}-\d{2}-\d{2}(?!\d)/.test(input) && parseDay(input.slice(0, 10)) === undefined

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
