/**
 * The local times of a cron pattern. Everything that can be known beforehand is computed once: the days of every kind of
 * month, the times of a day, the kinds of year that have a day at all.
 */
import {
  civilFromDays,
  dayOf,
  daysFromCivil,
  daysInMonth,
  MAX_DAY,
  MAX_YEAR,
  MIN_DAY,
  MIN_YEAR,
  monthOf,
  SECONDS_PER_DAY,
  weekdayOf,
  yearOf
} from "../zone/civil.ts"
import { countBits, nextBit, prevBit } from "./bits.ts"
import type { FieldSet } from "./fieldSet.ts"
import type { CountableRule } from "./LocalRule.ts"
import { KINDS_FROM, KINDS_TO, MonthDaysTable, weekOf } from "./monthDays.ts"
import { TimesOfDay } from "./timeOfDay.ts"

export class FieldRule implements CountableRule {
  readonly fields: FieldSet
  readonly times: TimesOfDay
  readonly periodic: boolean
  readonly #months: number
  readonly #years: ReadonlyArray<number> | undefined
  readonly #days: MonthDaysTable
  /** The days of the week and of the week after it, where every week has the same; else 0. */
  readonly #week: number
  #possible: boolean | undefined = undefined

  constructor(fields: FieldSet) {
    this.fields = fields
    this.times = new TimesOfDay(fields.hours, fields.minutes, fields.seconds)
    this.periodic = fields.years === undefined
    this.#months = fields.months
    this.#years = fields.years
    this.#days = new MonthDaysTable(fields)
    const week = weekOf(fields)
    this.#week = week | (week << 7)
  }

  next(local: number): number {
    if (!this.#canMatch()) return Infinity
    const day = Math.floor(local / SECONDS_PER_DAY)
    const found = this.#nextDay(day)
    if (found !== day) return found * SECONDS_PER_DAY + this.times.first
    const time = this.times.next(local - day * SECONDS_PER_DAY)
    return time >= 0 ? day * SECONDS_PER_DAY + time : this.#nextDay(day + 1) * SECONDS_PER_DAY + this.times.first
  }

  prev(local: number): number {
    if (!this.#canMatch()) return -Infinity
    const day = Math.floor(local / SECONDS_PER_DAY)
    const found = this.#prevDay(day)
    if (found !== day) return found * SECONDS_PER_DAY + this.times.last
    const time = this.times.prev(local - day * SECONDS_PER_DAY)
    return time >= 0 ? day * SECONDS_PER_DAY + time : this.#prevDay(day - 1) * SECONDS_PER_DAY + this.times.last
  }

  count(from: number, to: number): number {
    if (to <= from || !this.#canMatch()) return 0
    const firstDay = Math.floor(from / SECONDS_PER_DAY)
    const lastDay = Math.floor(to / SECONDS_PER_DAY)
    const before = this.#countDays(firstDay, firstDay + 1) * this.times.below(from - firstDay * SECONDS_PER_DAY)
    const after = this.#countDays(lastDay, lastDay + 1) * this.times.below(to - lastDay * SECONDS_PER_DAY)
    return this.#countDays(firstDay, lastDay) * this.times.count + after - before
  }

  #nextDay(day: number): number {
    const from = day < MIN_DAY ? MIN_DAY : day
    if (this.#week !== 0) {
      const weekday = weekdayOf(from)
      const found = from + nextBit(this.#week, weekday) - weekday
      return found > MAX_DAY ? Infinity : found
    }
    const civil = civilFromDays(from)
    let year = yearOf(civil)
    if (this.#isListed(year)) {
      const found = this.#nextInYear(year, monthOf(civil), dayOf(civil))
      if (found !== Infinity) return found
    }
    for (year = this.#nextYear(year + 1); year <= MAX_YEAR; year = this.#nextYear(year + 1)) {
      const found = this.#nextInYear(year, 1, 1)
      if (found !== Infinity) return found
    }
    return Infinity
  }

  #prevDay(day: number): number {
    const from = day > MAX_DAY ? MAX_DAY : day
    if (this.#week !== 0) {
      const weekday = weekdayOf(from) + 7
      const found = from + prevBit(this.#week, weekday) - weekday
      return found < MIN_DAY ? -Infinity : found
    }
    const civil = civilFromDays(from)
    let year = yearOf(civil)
    if (this.#isListed(year)) {
      const found = this.#prevInYear(year, monthOf(civil), dayOf(civil))
      if (found !== -Infinity) return found
    }
    for (year = this.#prevYear(year - 1); year >= MIN_YEAR; year = this.#prevYear(year - 1)) {
      const found = this.#prevInYear(year, 12, 31)
      if (found !== -Infinity) return found
    }
    return -Infinity
  }

  #nextInYear(year: number, month: number, day: number): number {
    for (let m = nextBit(this.#months, month); m > 0; m = nextBit(this.#months, m + 1)) {
      const first = daysFromCivil(year, m, 1)
      const found = nextBit(this.#days.month(year, m, first), m === month ? day : 1)
      if (found > 0) return first + found - 1
    }
    return Infinity
  }

  #prevInYear(year: number, month: number, day: number): number {
    for (let m = prevBit(this.#months, month); m > 0; m = prevBit(this.#months, m - 1)) {
      const first = daysFromCivil(year, m, 1)
      const found = prevBit(this.#days.month(year, m, first), m === month ? day : 31)
      if (found > 0) return first + found - 1
    }
    return -Infinity
  }

  #isListed(year: number): boolean {
    if (year < MIN_YEAR || year > MAX_YEAR) return false
    return this.#years === undefined || this.#years[lowerBound(this.#years, year)] === year
  }

  #allowsYear(year: number): boolean {
    return this.#isListed(year) && this.#days.year(year) > 0
  }

  #nextYear(year: number): number {
    const years = this.#years
    if (years === undefined) {
      let y = year < MIN_YEAR ? MIN_YEAR : year
      while (y <= MAX_YEAR && !this.#allowsYear(y)) y++
      return y
    }
    let index = lowerBound(years, year)
    while (index < years.length && !this.#allowsYear(years[index]!)) index++
    return years[index] ?? Infinity
  }

  #prevYear(year: number): number {
    const years = this.#years
    if (years === undefined) {
      let y = year > MAX_YEAR ? MAX_YEAR : year
      while (y >= MIN_YEAR && !this.#allowsYear(y)) y--
      return y
    }
    let index = lowerBound(years, year + 1) - 1
    while (index >= 0 && !this.#allowsYear(years[index]!)) index--
    return years[index] ?? -Infinity
  }

  /** The matching days in [from, to). */
  #countDays(from: number, to: number): number {
    let day = from < MIN_DAY ? MIN_DAY : from
    const end = to > MAX_DAY + 1 ? MAX_DAY + 1 : to
    let count = 0
    while (day < end) {
      const civil = civilFromDays(day)
      const year = yearOf(civil)
      const month = monthOf(civil)
      const nextYear = daysFromCivil(year + 1, 1, 1)
      if (!this.#allowsYear(year)) {
        day = nextYear
        continue
      }
      if (month === 1 && dayOf(civil) === 1 && nextYear <= end) {
        count += this.#days.year(year)
        day = nextYear
        continue
      }
      const first = day - dayOf(civil) + 1
      const next = first + daysInMonth(year, month)
      if ((this.#months & (1 << month)) !== 0) {
        const upTo = next <= end ? -1 : (1 << (end - first + 1)) - 1
        count += countBits(this.#days.month(year, month, first) & (-1 << dayOf(civil)) & upTo)
      }
      day = next
    }
    return count
  }

  /** A pattern without a day in any kind of year has none ever. Found when it is first asked for. */
  #canMatch(): boolean {
    return (this.#possible ??= this.#findAny())
  }

  #findAny(): boolean {
    if (this.#years !== undefined) return this.#years.some((year) => this.#days.year(year) > 0)
    for (let year = KINDS_FROM; year <= KINDS_TO; year++) if (this.#days.year(year) > 0) return true
    return false
  }
}

/** The index of the first member at or after `value`. */
const lowerBound = (sorted: ReadonlyArray<number>, value: number): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
