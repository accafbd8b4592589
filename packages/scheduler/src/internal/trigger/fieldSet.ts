/**
 * What a cron pattern says, of either form, as sets: the common result of the two parsers and the input of the
 * arithmetic.
 */
import type { Bits60 } from "./bits.ts"

export interface FieldSet {
  readonly seconds: Bits60
  readonly minutes: Bits60
  readonly hours: number
  readonly months: number
  /** Sorted, without repetition; undefined for every year. */
  readonly years: ReadonlyArray<number> | undefined
  /** ISO weeks, 1 to 53; undefined for every week. */
  readonly weeks: Bits60 | undefined
  readonly days: MonthDays
  readonly weekdays: Weekdays
  /** How a date must match: `any` is the OR of day and weekday where both restrict. */
  readonly match: "any" | "all"
  /** Whether the minute or hour field has an item that begins with `*`. */
  readonly wild: boolean
}

/** The day field. `restricted` is false for a bare `*` or `?`. */
export interface MonthDays {
  restricted: boolean
  /** Bits 1 to 31. */
  set: number
  last: boolean
  /** Bits 1 to 31: the weekday (Monday to Friday) nearest to the day. */
  nearest: number
  lastWorkday: boolean
  /** Field-wise only: `2nd fri` and `last sun`, as in `Weekdays`. */
  readonly nth: Array<number>
  lastOf: number
}

/** The weekday field, bit 0 being Sunday. */
export interface Weekdays {
  restricted: boolean
  set: number
  /** For the first to the fifth of the month, the weekdays meant. */
  readonly nth: Array<number>
  /** The weekdays whose last one of the month is meant. */
  lastOf: number
}

export const noMonthDays = (): MonthDays => ({
  restricted: true,
  set: 0,
  last: false,
  nearest: 0,
  lastWorkday: false,
  nth: [0, 0, 0, 0, 0],
  lastOf: 0
})

export const noWeekdays = (): Weekdays => ({ restricted: true, set: 0, nth: [0, 0, 0, 0, 0], lastOf: 0 })

export const anyMonthDay = (): MonthDays => ({ ...noMonthDays(), restricted: false })

export const anyWeekday = (): Weekdays => ({ ...noWeekdays(), restricted: false })
