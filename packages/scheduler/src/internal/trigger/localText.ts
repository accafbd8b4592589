/**
 * Local dates, times of day and zones as users write them.
 */
import { DateTime } from "effect"
import { dayFromParts, parseDay } from "../zone/civil.ts"
import { type Zone, zoneOf } from "../zone/Zone.ts"
import { invalidOption, triggerError } from "./error.ts"

/**
 * A date without a zone: `"2026-02-28"`, or its parts, of which month and day are numbers from 1.
 *
 * @category models
 * @since 0.1.0
 */
export type LocalDate = string | { readonly year: number; readonly month: number; readonly day: number }

/**
 * A time zone: an IANA name, an offset such as `"+02:00"`, or Effect's `TimeZone`.
 *
 * @category models
 * @since 0.1.0
 */
export type TimeZoneInput = string | DateTime.TimeZone

export const zoneFrom = (input: TimeZoneInput | undefined): Zone => {
  const name = zoneName(input)
  const zone = zoneOf(name)
  if (zone === undefined) throw triggerError({ _tag: "UnknownTimeZone", timeZone: name })
  return zone
}

export const zoneName = (input: TimeZoneInput | undefined): string =>
  input === undefined ? "UTC" : typeof input === "string" ? input : DateTime.zoneToString(input)

export const dayFrom = (input: LocalDate, option: string): number => {
  const day = typeof input === "string" ? parseDay(input) : dayFromParts(input.year, input.month, input.day)
  if (day !== undefined) return day
  const value = typeof input === "string" ? input : `${input.year}-${input.month}-${input.day}`
  throw invalidOption(option, value, "a date that exists, as 2026-02-28, in the years 1 to 9999")
}

/** Seconds from midnight of `9:05`, `09:05` or `09:05:30`; `24:00` where the end of the day is allowed. */
export const timeFrom = (text: string, option: string, endOfDay: boolean): number => {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text)
  if (match !== null) {
    const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
    const time = hour * 3600 + minute * 60 + second
    if (minute < 60 && second < 60 && (time < 86_400 || (endOfDay && time === 86_400))) return time
  }
  throw invalidOption(option, text, `a time of day, as 09:05 or 09:05:30${endOfDay ? ", up to 24:00" : ""}`)
}

/** `09:05`, or `09:05:30` where there are seconds. */
export const formatTime = (time: number): string => {
  const second = time % 60
  const text = `${two(Math.floor(time / 3600))}:${two(Math.floor(time / 60) % 60)}`
  return second === 0 ? text : `${text}:${two(second)}`
}

const two = (value: number): string => String(value).padStart(2, "0")
