/**
 * A window of local time that opens on some days of the week. One that closes at or before the time at which it opens
 * closes on the following day.
 */
import { SECONDS_PER_DAY, weekdayOf } from "../zone/civil.ts"
import type { Zone } from "../zone/Zone.ts"
import { asShown } from "./clockChange.ts"
import type { LocalRule } from "./LocalRule.ts"
import { walkNext, walkPrev } from "./walk.ts"

export class Window {
  /** The days on which it opens, bit 0 being Sunday. */
  readonly days: number
  /** Seconds from midnight; `to` is not in the window. */
  readonly from: number
  readonly to: number
  readonly zone: Zone
  readonly #rule: LocalRule

  constructor(days: number, from: number, to: number, zone: Zone) {
    this.days = days
    this.from = from
    this.to = to
    this.zone = zone
    const length = to > from ? to - from : to - from + SECONDS_PER_DAY
    this.#rule = openSeconds(days, from, length)
  }

  isOpen(second: number): boolean {
    const local = second + this.zone.spanAt(second).offset
    return this.#rule.next(local) === local
  }

  /** The first second at or after this one in which it is open. */
  nextOpen(second: number): number {
    return walkNext(this.#rule, this.zone, asShown, second)
  }

  /** The last second at or before this one in which it is open. */
  prevOpen(second: number): number {
    return walkPrev(this.#rule, this.zone, asShown, second)
  }
}

/** The local seconds in which a window is open. It is at most a day long, so two days tell. */
const openSeconds = (days: number, from: number, length: number): LocalRule => {
  const opensOn = (day: number): boolean => (days & (1 << weekdayOf(day))) !== 0
  return {
    periodic: true,
    next: (local) => {
      const today = Math.floor((local - from) / SECONDS_PER_DAY)
      if (opensOn(today) && local < today * SECONDS_PER_DAY + from + length) return local
      let day = today + 1
      while (!opensOn(day)) day++
      return day * SECONDS_PER_DAY + from
    },
    prev: (local) => {
      let day = Math.floor((local - from) / SECONDS_PER_DAY)
      while (!opensOn(day)) day--
      return Math.min(local, day * SECONDS_PER_DAY + from + length - 1)
    }
  }
}

const isOpen = (windows: ReadonlyArray<Window>, instant: number): boolean => {
  const second = Math.floor(instant / 1000)
  return windows.some((window) => window.isOpen(second))
}

/** The first instant at or after this one at which a window is open, in milliseconds. */
export const nextOpening = (windows: ReadonlyArray<Window>, instant: number): number => {
  if (isOpen(windows, instant)) return instant
  const second = Math.floor(instant / 1000) + 1
  return Math.min(...windows.map((window) => window.nextOpen(second))) * 1000
}

/** The last instant at or before this one at which a window is open, in milliseconds. */
export const prevOpening = (windows: ReadonlyArray<Window>, instant: number): number => {
  if (isOpen(windows, instant)) return instant
  const second = Math.floor(instant / 1000) - 1
  return Math.max(...windows.map((window) => window.prevOpen(second))) * 1000 + 999
}
