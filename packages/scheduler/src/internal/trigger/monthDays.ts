/**
 * Which days of a month a pattern allows. Apart from ISO weeks that depends only on the weekday on which the month begins
 * and on its length, so 28 bit sets say it for every month there will be.
 */
import { daysFromCivil, daysInMonth, isLeapYear, isoWeekOf, weekdayOf } from "../zone/civil.ts"
import { countBits, has60 } from "./bits.ts"
import type { FieldSet } from "./fieldSet.ts"

/** The days of a pattern, by month and counted by year; each made when it is first asked for. */
export class MonthDaysTable {
  readonly #fields: FieldSet
  /** Index by weekday of the first (0 is Sunday) and length: `first * 4 + length - 28`. Bit 0 marks what was made. */
  readonly #masks = new Int32Array(28)
  /** By kind of year, -1 while it has not been counted. */
  readonly #counts = new Int32Array(28).fill(-1)

  constructor(fields: FieldSet) {
    this.#fields = fields
  }

  /** The days that match in a month that begins on this day; bits 1 to 31. */
  month(year: number, month: number, first: number): number {
    const mask = this.#mask(weekdayOf(first), daysInMonth(year, month))
    return this.#fields.weeks === undefined ? mask : mask & weekMask(this.#fields.weeks, first)
  }

  /** How many days of a year match. */
  year(year: number): number {
    const kind = kindOfYear(year)
    const known = this.#counts[kind]!
    return known >= 0 ? known : (this.#counts[kind] = this.#countYear(year))
  }

  #mask(first: number, length: number): number {
    const index = first * 4 + length - 28
    const known = this.#masks[index]!
    if (known !== 0) return known & ~1
    const made = maskOf(this.#fields, first, length)
    this.#masks[index] = made | 1
    return made
  }

  #countYear(year: number): number {
    let first = daysFromCivil(year, 1, 1)
    let count = 0
    for (let month = 1; month <= 12; month++) {
      if ((this.#fields.months & (1 << month)) !== 0) count += countBits(this.month(year, month, first))
      first += daysInMonth(year, month)
    }
    return count
  }
}

const ALL_MONTHS = 0b1_1111_1111_1110
const ALL_WEEKDAYS = 0b111_1111

/** The weekdays of a pattern that says nothing else of its days, bit 0 being Sunday; 0 for any other. */
export const weekOf = ({ days, months, weekdays, weeks, years }: FieldSet): number => {
  const only = months === ALL_MONTHS && years === undefined && weeks === undefined && !days.restricted
  if (!only || weekdays.lastOf !== 0 || weekdays.nth.some((set) => set !== 0)) return 0
  return weekdays.restricted ? weekdays.set : ALL_WEEKDAYS
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

/** The days 1 + k, 8 + k, … of a month, by k. */
const WEEKLY = [0, 1, 2, 3, 4, 5, 6].map((k) => 0x2040_8102 << k)

const weeklyMask = (weekdays: number, first: number): number => {
  let mask = 0
  for (let weekday = 0; weekday < 7; weekday++) {
    if ((weekdays & (1 << weekday)) !== 0) mask |= WEEKLY[(weekday - first + 7) % 7]!
  }
  return mask
}

const nthMask = (nth: ReadonlyArray<number>, lastOf: number, first: number, length: number): number => {
  let mask = 0
  if (lastOf === 0 && nth.every((set) => set === 0)) return mask
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
  if (days === 0) return mask
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
const weekMask = (weeks: FieldSet["weeks"] & {}, firstDay: number): number => {
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
 * One of 28: the weekday of its first day, whether it is a leap year, and whether the year before was one, which tells in
 * which ISO week its first days are.
 */
const kindOfYear = (year: number): number =>
  weekdayOf(daysFromCivil(year, 1, 1)) + (isLeapYear(year) ? 7 : 0) + (isLeapYear(year - 1) ? 14 : 0)

/** These years are of every kind that there is. */
export const KINDS_FROM = 2001
export const KINDS_TO = 2028
