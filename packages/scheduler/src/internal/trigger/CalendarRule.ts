/**
 * The local times of `calendar`: dates counted from a first one, at a time of day. The k-th date is found by division;
 * only where months and days are both counted, and missing dates skipped, does a date depend on the one before.
 */
import {
  civilFromDays,
  dayOf,
  daysFromCivil,
  daysInMonth,
  MAX_DAY,
  monthOf,
  SECONDS_PER_DAY,
  yearOf
} from "../zone/civil.ts"
import type { CountableRule } from "./LocalRule.ts"

/** What `calendar` was asked for. `start` is a day number, `at` seconds from midnight. */
export interface CalendarPlan {
  readonly years: number
  readonly months: number
  readonly weeks: number
  readonly days: number
  readonly at: number
  readonly start: number | undefined
  readonly day: "skip" | "clamp"
}

/** The dates in order: how many are before a day, and the one with an index. */
interface Dates {
  readonly before: (day: number) => number
  readonly date: (index: number) => number
}

export class CalendarRule implements CountableRule {
  readonly periodic = false
  readonly #at: number
  readonly #dates: Dates

  constructor(plan: CalendarPlan, start: number) {
    const months = plan.years * 12 + plan.months
    const days = plan.weeks * 7 + plan.days
    this.#at = plan.at
    this.#dates =
      months === 0
        ? byDays(start, days)
        : plan.day === "clamp" || (days === 0 && dayOf(civilFromDays(start)) <= 28)
          ? byClampedMonths(start, months, days)
          : chained(start, months, days)
  }

  next(local: number): number {
    const day = Math.ceil((local - this.#at) / SECONDS_PER_DAY)
    const date = this.#dates.date(this.#dates.before(day))
    return date > MAX_DAY ? Infinity : date * SECONDS_PER_DAY + this.#at
  }

  prev(local: number): number {
    const day = Math.min(Math.floor((local - this.#at) / SECONDS_PER_DAY), MAX_DAY)
    const index = this.#dates.before(day + 1) - 1
    return index < 0 ? -Infinity : this.#dates.date(index) * SECONDS_PER_DAY + this.#at
  }

  count(from: number, to: number): number {
    const first = Math.ceil((from - this.#at) / SECONDS_PER_DAY)
    const end = Math.min(Math.ceil((to - this.#at) / SECONDS_PER_DAY), MAX_DAY + 1)
    return Math.max(0, this.#dates.before(end) - this.#dates.before(first))
  }
}

const byDays = (start: number, step: number): Dates => ({
  before: (day) => Math.max(0, Math.ceil((day - start) / step)),
  date: (index) => start + index * step
})

/** Counted from the first date each time, so that the 31st comes back after a shorter month. */
const byClampedMonths = (start: number, months: number, days: number): Dates => {
  const civil = civilFromDays(start)
  const firstMonth = yearOf(civil) * 12 + monthOf(civil) - 1
  const date = (index: number): number => {
    const month = firstMonth + index * months
    const year = Math.floor(month / 12)
    const length = daysInMonth(year, (month % 12) + 1)
    return daysFromCivil(year, (month % 12) + 1, Math.min(dayOf(civil), length)) + index * days
  }
  const average = months * 30.436875 + days
  const before = (day: number): number => {
    if (day <= start) return 0
    let index = Math.max(0, Math.floor((day - start) / average) - 1)
    while (date(index) < day) index++
    return index
  }
  return { before, date }
}

/** One of this many dates is kept, so that a date is found by a few steps from a kept one. */
const KEEP = 16

/**
 * Each date is made from the one before: months are added until the day of the month exists, then days. There are at most
 * 120,000 dates up to the year 9999.
 */
const chained = (start: number, months: number, days: number): Dates => {
  const kept = [start]
  const following = (date: number): number => {
    const civil = civilFromDays(date)
    let month = yearOf(civil) * 12 + monthOf(civil) - 1
    do {
      month += months
      if (month >= 120_000) return Infinity
    } while (daysInMonth(Math.floor(month / 12), (month % 12) + 1) < dayOf(civil))
    return daysFromCivil(Math.floor(month / 12), (month % 12) + 1, dayOf(civil)) + days
  }
  const steps = (date: number, count: number): number => {
    let reached = date
    for (let i = 0; i < count && reached <= MAX_DAY; i++) reached = following(reached)
    return reached
  }
  /** Makes sure that a kept date is at or after the day, or that there is none. */
  const reach = (day: number): void => {
    for (let last = kept[kept.length - 1]!; last < day && last <= MAX_DAY; last = kept[kept.length - 1]!) {
      kept.push(steps(last, KEEP))
    }
  }
  const before = (day: number): number => {
    if (day <= start) return 0
    reach(day)
    let low = 0
    let high = kept.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (kept[middle]! < day) low = middle
      else high = middle - 1
    }
    let index = low * KEEP
    for (let date = kept[low]!; date < day && date <= MAX_DAY; date = following(date)) index++
    return index
  }
  const date = (index: number): number => {
    const block = Math.floor(index / KEEP)
    while (kept.length <= block && kept[kept.length - 1]! <= MAX_DAY) kept.push(steps(kept[kept.length - 1]!, KEEP))
    return kept.length <= block ? Infinity : steps(kept[block]!, index - block * KEEP)
  }
  return { before, date }
}
