/**
 * The times of a day that an hour, a minute and a second field allow: next, previous and count in constant time. A time
 * of day is a number of seconds from midnight.
 */
import { type Bits60, below60, count60, countBits, has60, next60, nextBit, prev60, prevBit } from "./bits.ts"

export class TimesOfDay {
  readonly hours: number
  readonly minutes: Bits60
  readonly seconds: Bits60
  readonly first: number
  readonly last: number
  /** How many there are in a day. */
  readonly count: number
  readonly #perMinute: number
  readonly #perHour: number
  readonly #firstInHour: number
  readonly #lastInHour: number
  readonly #firstSecond: number
  readonly #lastSecond: number

  constructor(hours: number, minutes: Bits60, seconds: Bits60) {
    this.hours = hours
    this.minutes = minutes
    this.seconds = seconds
    this.#firstSecond = next60(seconds, 0)
    this.#lastSecond = prev60(seconds, 59)
    this.#firstInHour = next60(minutes, 0) * 60 + this.#firstSecond
    this.#lastInHour = prev60(minutes, 59) * 60 + this.#lastSecond
    this.first = nextBit(hours, 0) * 3600 + this.#firstInHour
    this.last = prevBit(hours, 23) * 3600 + this.#lastInHour
    this.#perMinute = count60(seconds)
    this.#perHour = count60(minutes) * this.#perMinute
    this.count = countBits(hours) * this.#perHour
  }

  /** The first at or after `time`, or -1. */
  next(time: number): number {
    const hour = (time / 3600) | 0
    if ((this.hours & (1 << hour)) !== 0) {
      const rest = time - hour * 3600
      if (rest <= this.#lastInHour) {
        const minute = (rest / 60) | 0
        if (has60(this.minutes, minute)) {
          const second = next60(this.seconds, rest - minute * 60)
          if (second >= 0) return hour * 3600 + minute * 60 + second
        }
        return hour * 3600 + next60(this.minutes, minute + 1) * 60 + this.#firstSecond
      }
    }
    const later = nextBit(this.hours, hour + 1)
    return later < 0 ? -1 : later * 3600 + this.#firstInHour
  }

  /** The last at or before `time`, or -1. */
  prev(time: number): number {
    const hour = (time / 3600) | 0
    if ((this.hours & (1 << hour)) !== 0) {
      const rest = time - hour * 3600
      if (rest >= this.#firstInHour) {
        const minute = (rest / 60) | 0
        if (has60(this.minutes, minute)) {
          const second = prev60(this.seconds, rest - minute * 60)
          if (second >= 0) return hour * 3600 + minute * 60 + second
        }
        return hour * 3600 + prev60(this.minutes, minute - 1) * 60 + this.#lastSecond
      }
    }
    const earlier = prevBit(this.hours, hour - 1)
    return earlier < 0 ? -1 : earlier * 3600 + this.#lastInHour
  }

  /** How many are before `time`, which may be the end of the day. */
  below(time: number): number {
    if (time >= 86_400) return this.count
    const hour = (time / 3600) | 0
    const hours = countBits(this.hours & ((1 << hour) - 1)) * this.#perHour
    if ((this.hours & (1 << hour)) === 0) return hours
    const rest = time - hour * 3600
    const minute = (rest / 60) | 0
    const minutes = below60(this.minutes, minute) * this.#perMinute
    return hours + minutes + (has60(this.minutes, minute) ? below60(this.seconds, rest - minute * 60) : 0)
  }
}
