/**
 * Instants and durations at the border: `DateTime` and `Duration` outside, milliseconds inside.
 */
import { DateTime, Duration, Option } from "effect"
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
  const made = DateTime.make(input)
  if (Option.isSome(made)) return made.value.epochMilliseconds
  throw triggerError({
    _tag: "InvalidInstant",
    option,
    instant: typeof input === "string" ? JSON.stringify(input) : String(input)
  })
}

export const optionalInstant = (input: DateTime.DateTime.Input | undefined, option: string): number | undefined =>
  input === undefined ? undefined : instantOf(input, option)

/** A whole number of milliseconds from 1 up, or from 0 where that is allowed. */
export const intervalOf = (input: Duration.Input, least: 0 | 1): number => {
  const expected = `a whole number of milliseconds from ${least} to ${MAX_INSTANT}`
  const duration = Duration.fromInput(input)
  const millis = Option.isSome(duration) ? Duration.toMillis(duration.value) : NaN
  if (Number.isSafeInteger(millis) && millis >= least && millis <= MAX_INSTANT) return millis
  throw triggerError({ _tag: "InvalidInterval", interval: textOf(input, millis), expected })
}

const textOf = (input: Duration.Input, millis: number): string =>
  typeof input === "string" ? JSON.stringify(input) : Number.isNaN(millis) ? String(input) : `${millis} ms`
