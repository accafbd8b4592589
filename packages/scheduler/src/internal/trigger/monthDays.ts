import { daysFromCivil, daysInMonth, isLeapYear, isoWeekOf, weekdayOf } from "../zone/civil.ts"
/**
 * Which days of a month a pattern allows. Apart from ISO weeks that depends only on the weekday on which the month begins
 * and on its length, so 28 bit sets say it for every month there will be.
 */
import { countBits, has60 } from "./bits.ts"
import type { FieldSet } from "./fieldSet.ts"

/** Index by weekday of the first (0 is Sunday) and length: `first * 4 + length - 28`. Bits 1 to 31. */
export const monthMasks = (fields: FieldSet): Int32Array => {
  const masks = new Int32Array(28)
  for (let first = 0; first < 7; first++) {
    for (let length = 28; length <= 31; length++) masks[first * 4 + length - 28] = maskOf(fields, first, length)
  }
  return masks
}

const maskOf = (fields: FieldSet, first: number, length: number): number => {
  const whole = wholeMonth(length)
  const { days, weekdays } = fields
  const byDay =
    days.set |
    (days.last ? 1 << length : 0) |
    (days.lastWorkday ? 1 << nearestWorkday(length, first, length) : 0) |
    nearestMask(days.nearest, first, length) |
    nthMask(days.nth, days.lastOf, first, length)
  const byWeekday = weeklyMask(weekdays.set, first) | nthMask(weekdays.nth, weekdays.lastOf, first, length)
  if (!days.restricted) return whole & (weekdays.restricted ? byWeekday : -1)
  if (!weekdays.restricted) return whole & byDay
  return whole & (fields.match === "any" ? byDay | byWeekday : byDay & byWeekday)
}

const wholeMonth = (length: number): number => (length === 31 ? -1 : (2 << length) - 1) & ~1

const weeklyMask = (weekdays: number, first: number): number => {
  let mask = 0
  for (let day = 1; day <= 31; day++) if ((weekdays & (1 << ((first + day - 1) % 7))) !== 0) mask |= 1 << day
  return mask
}

const nthMask = (nth: ReadonlyArray<number>, lastOf: number, first: number, length: number): number => {
  let mask = 0
  for (let weekday = 0; weekday < 7; weekday++) {
    const firstOne = 1 + ((weekday - first + 7) % 7)
    for (let n = 0; n < 5; n++) {
      const day = firstOne + n * 7
      if (day <= length && (nth[n]! & (1 << weekday)) !== 0) mask |= 1 << day
    }
    if ((lastOf & (1 << weekday)) !== 0) mask |= 1 << (firstOne + (((length - firstOne) / 7) | 0) * 7)
  }
  return mask
}

const nearestMask = (days: number, first: number, length: number): number => {
  let mask = 0
  for (let day = 1; day <= length; day++) if ((days & (1 << day)) !== 0) mask |= 1 << nearestWorkday(day, first, length)
  return mask
}

/** The nearest day from Monday to Friday without leaving the month. */
const nearestWorkday = (day: number, first: number, length: number): number => {
  const weekday = (first + day - 1) % 7
  if (weekday === 6) return day > 1 ? day - 1 : day + 2
  if (weekday === 0) return day < length ? day + 1 : day - 2
  return day
}

/** The days of one month whose ISO week is allowed, bits 1 to 31. */
export const weekMask = (weeks: FieldSet["weeks"] & {}, firstDay: number): number => {
  let mask = 0
  for (let day = 1; day <= 31;) {
    const days = firstDay + day - 1
    const left = 7 - ((weekdayOf(days) + 6) % 7)
    if (has60(weeks, isoWeekOf(days))) for (let i = 0; i < left && day + i <= 31; i++) mask |= 1 << (day + i)
    day += left
  }
  return mask
}

/**
 * How many days of a year match, by kind of year: `14` kinds, its first weekday plus 7 for a leap year. With ISO weeks
 * there is no such table.
 */
export const yearCounts = (months: number, masks: Int32Array): Int32Array => {
  const counts = new Int32Array(14)
  // 2001 to 2028 has each kind of year.
  for (let year = 2001; year <= 2028; year++) {
    let count = 0
    for (let month = 1; month <= 12; month++) {
      if ((months & (1 << month)) === 0) continue
      count += countBits(masks[maskIndex(year, month)]!)
    }
    counts[kindOfYear(year)] = count
  }
  return counts
}

export const kindOfYear = (year: number): number => weekdayOf(daysFromCivil(year, 1, 1)) + (isLeapYear(year) ? 7 : 0)

const maskIndex = (year: number, month: number): number =>
  weekdayOf(daysFromCivil(year, month, 1)) * 4 + daysInMonth(year, month) - 28
