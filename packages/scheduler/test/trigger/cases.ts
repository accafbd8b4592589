/** Random triggers, each beside its rule in the model, and random instants of a zone. */
import { DateTime, Option, Result } from "effect"
import * as Trigger from "../../src/Trigger.ts"
import * as model from "./model.ts"
import type { Random } from "./random.ts"
import { cronText } from "./random.ts"

export const second = 1000
export const minute = 60_000
export const hour = 3_600_000
export const day = 86_400_000
export const year = 366 * day

export const zones: ReadonlyArray<string> = ["UTC", ...Intl.supportedValuesOf("timeZone")]

/** A start of a two-year window: mostly since 1970 and before the rules of all zones repeat. */
const window = (random: Random): number => {
  const kind = random.next()
  const [first, last] = kind < 0.8 ? [1970, 2036] : kind < 0.9 ? [1900, 1969] : [2037, 2098]
  return Date.UTC(random.int(first!, last!), random.int(0, 11), random.int(1, 28))
}

export interface Place {
  readonly zone: string
  readonly instant: number
  readonly transition: model.Transition | undefined
}

/** A zone and an instant; half of the instants lie within two days of a transition of the zone. */
export const place = (random: Random): Place => {
  if (random.chance(0.5)) return placeAtChange(random)
  return { zone: random.pick(zones), instant: window(random) + random.int(0, 2 * year), transition: undefined }
}

/** An instant within two days of a transition of its zone. */
export const placeAtChange = (random: Random): Place & { readonly transition: model.Transition } => {
  for (;;) {
    const zone = random.pick(zones)
    const start = window(random)
    const changes = model.transitions(zone, start, start + 2 * year)
    if (changes.length === 0) continue
    const transition = random.pick(changes)
    const away = random.chance(0.6) ? random.int(-3 * hour, 3 * hour) : random.int(-2 * day, 2 * day)
    const instant = transition.at + (random.chance(0.5) ? Math.floor(away / minute) * minute : away)
    return { zone, instant, transition }
  }
}

/** Changes of three hours or more: dates that were left out, had twice, or a station that moved its clock. */
export const corrections: ReadonlyArray<readonly [zone: string, from: string, to: string]> = [
  ["Pacific/Apia", "2011-12-28T00:00:00Z", "2012-01-02T00:00:00Z"],
  ["Pacific/Fakaofo", "2011-12-28T00:00:00Z", "2012-01-02T00:00:00Z"],
  ["Pacific/Kwajalein", "1993-08-19T00:00:00Z", "1993-08-23T00:00:00Z"],
  ["Pacific/Kwajalein", "1969-09-28T00:00:00Z", "1969-10-03T00:00:00Z"],
  ["Pacific/Kiritimati", "1994-12-29T00:00:00Z", "1995-01-03T00:00:00Z"],
  ["Pacific/Enderbury", "1994-12-29T00:00:00Z", "1995-01-03T00:00:00Z"],
  ["Antarctica/Casey", "2009-10-16T00:00:00Z", "2009-10-20T00:00:00Z"],
  ["Antarctica/Casey", "2010-03-03T00:00:00Z", "2010-03-07T00:00:00Z"],
  ["Antarctica/Davis", "2009-10-16T00:00:00Z", "2009-10-20T00:00:00Z"],
  ["Asia/Manila", "1844-12-29T00:00:00Z", "1845-01-03T00:00:00Z"],
  ["America/Juneau", "1867-10-16T00:00:00Z", "1867-10-21T00:00:00Z"],
  ["Pacific/Guam", "1844-12-29T00:00:00Z", "1845-01-03T00:00:00Z"]
]

/** An instant at a correction. */
export const correction = (random: Random): Place => {
  for (;;) {
    const [zone, from, to] = random.pick(corrections)
    const transition = model.transitions(zone, Date.parse(from), Date.parse(to))[0]
    if (transition === undefined) continue
    return { zone, instant: transition.at + random.int(-2 * day, 2 * day), transition }
  }
}

export const clockChange = (random: Random): model.ClockChange | model.Preset =>
  random.chance(0.6)
    ? random.pick(["vixie", "vixie", "ocps", "compatible"] as const)
    : {
        gap: random.pick(["skip", "shift", "gapEnd"] as const),
        overlap: random.pick(["first", "last", "both"] as const)
      }

/** Cron text that fires often around the local hour of a clock change. */
const textAround = (random: Random, transition: model.Transition): string => {
  const local = new Date(transition.at + Math.min(transition.before, transition.after))
  const at = local.getUTCHours()
  const near = () => (at + random.int(-1, 3) + 24) % 24
  const sorted = [near(), near()].toSorted((a, b) => a - b)
  const minutes = random.pick(["*", "*/15", "0", "30", String(random.int(0, 59)), "0,30", "59", "0-10/3", "5,*/20"])
  const hours = random.pick(["*", "*/2", String(near()), sorted.join(","), sorted.join("-"), "0-4", `${near()},*/5`])
  const days = random.pick(["*", "*", "*", `${local.getUTCDate()}`, "*/2", "L", "1-7"])
  const weekdays = random.pick(["*", "*", "*", `${local.getUTCDay()}`, "0#1", "5L", "SUN#L"])
  const seconds = random.chance(0.7) ? "" : `${random.pick(["*/7", "0,59", "30", "*"])} `
  return `${seconds}${minutes} ${hours} ${days} * ${weekdays}`
}

export interface Case {
  readonly trigger: Trigger.Rule
  readonly rule: model.Rule
  readonly text: string
  /** How far the model enumerates at a time; beyond, it looks only at the ends of what the engine skipped. */
  readonly reach: number
  /** Whether it may fire more than once a minute. */
  readonly dense: boolean
}

const isDense = (pattern: model.Pattern): boolean =>
  pattern.hours.length * pattern.minutes.length * pattern.seconds.length > 1440

const options = (zone: string, change: model.ClockChange | model.Preset) => ({ timeZone: zone, clockChange: change })

export const cron = (random: Random, at: Place): Case =>
  at.transition !== undefined && random.chance(0.6)
    ? cronAround(random, at.zone, at.transition)
    : cronOf(random, at.zone, cronText(random))

/** Cron that fires in the hours of a clock change. */
export const cronAround = (random: Random, zone: string, transition: model.Transition): Case =>
  cronOf(random, zone, textAround(random, transition))

const cronOf = (random: Random, zone: string, text: string): Case => {
  const change = clockChange(random)
  const pattern = model.cronPattern(text)
  return {
    trigger: Result.getOrThrow(Trigger.parseCron(text, options(zone, change))),
    rule: model.zoned(pattern, zone, change),
    text: `cron ${JSON.stringify(text)} in ${zone} with ${JSON.stringify(change)}`,
    reach: 3 * year,
    dense: isDense(pattern)
  }
}

const fieldText = (random: Random, low: number, high: number): string => {
  const from = random.int(low, high)
  const to = random.int(from, high)
  return random.pick([
    "*",
    String(from),
    `*/${random.int(1, Math.max(1, Math.floor((high - low) / 2)))}`,
    `${from}-${to}`,
    `${from}-${to}/${random.int(1, 5)}`,
    `${from}/${random.int(1, 9)}`,
    `${from},${random.int(low, high)}`
  ])
}

const ordinal = ["1st", "2nd", "3rd", "4th", "5th", "last"]
const weekdayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

export const fields = (random: Random, at: Place): Case => {
  const given: { -readonly [K in model.FieldName]?: string } = {}
  if (random.chance(0.05)) given.year = fieldText(random, 1975, 2080)
  if (random.chance(0.2))
    given.month = random.chance(0.3) ? random.pick(["jan", "feb-jun", "Oct,Nov"]) : fieldText(random, 1, 12)
  if (random.chance(0.35)) {
    given.day = random.chance(0.5)
      ? fieldText(random, 1, 31)
      : random.chance(0.3)
        ? "last"
        : `${random.pick(ordinal)} ${random.pick(weekdayNames)}`
  }
  if (random.chance(0.1)) given.week = fieldText(random, 1, 53)
  if (random.chance(0.25)) {
    const from = random.int(0, 5)
    given.dayOfWeek = random.chance(0.5)
      ? random.pick(weekdayNames)
      : `${weekdayNames[from]}-${weekdayNames[random.int(from, 6)]}`
  }
  if (random.chance(0.6)) given.hour = fieldText(random, 0, 23)
  if (random.chance(0.5)) given.minute = fieldText(random, 0, 59)
  if (random.chance(0.2)) given.second = fieldText(random, 0, 59)
  if (Object.keys(given).length === 0) given.minute = "*/15"
  const change = clockChange(random)
  const pattern = model.fieldsPattern(given)
  return {
    trigger: Result.getOrThrow(Trigger.parseCron(given, options(at.zone, change))),
    rule: model.zoned(pattern, at.zone, change),
    text: `fields ${JSON.stringify(given)} in ${at.zone} with ${JSON.stringify(change)}`,
    reach: 3 * year,
    dense: isDense(pattern)
  }
}

/** Once on each day that the fields of days name, which are `L`, `W` and `#` for the most part. */
export const days = (random: Random): Case => {
  const weekday = () => random.pick(["0", "1", "5", "6", "7", "sun", "MON", "fri"])
  const dayText = random.pick([
    "*",
    "?",
    "L",
    "LW",
    "1W",
    "2W",
    "15W",
    "29W",
    "30W",
    "31W",
    "L,1-7/2",
    `${random.int(1, 31)}`,
    "*/5"
  ])
  const nth = () => random.pick([`${weekday()}#${random.int(1, 5)}`, `${weekday()}L`, `${weekday()}#L`, weekday()])
  const weekdayText = random.pick(["*", "?", nth(), `${nth()},${nth()}`, `+${nth()}`, "1-5", "+5-7", "fri-sun", "*/2"])
  const monthText = random.pick(["*", "*", "2", "*/3", "apr-jun", "1,11"])
  const yearText = random.pick(["", "", " */2", " */3", " 1900-2000/4,2001-2100"])
  const text = `0 12 ${dayText} ${monthText} ${weekdayText}`
  const whole = yearText === "" ? text : `0 ${text}${yearText}`
  return {
    trigger: Result.getOrThrow(Trigger.parseCron(whole)),
    rule: model.zoned(model.cronPattern(whole), "UTC", "vixie"),
    text: `cron ${JSON.stringify(whole)}`,
    reach: 3 * year,
    dense: false
  }
}

export const utc = (instant: number): DateTime.Utc => DateTime.makeUnsafe(instant)

export const next = (trigger: Trigger.Trigger, after: number): number | undefined =>
  Option.getOrUndefined(Option.map(Trigger.next(trigger, utc(after)), (time) => time.epochMilliseconds))

export const prev = (trigger: Trigger.Trigger, atOrBefore: number): number | undefined =>
  Option.getOrUndefined(Option.map(Trigger.prev(trigger, utc(atOrBefore)), (time) => time.epochMilliseconds))

export const matches = (trigger: Trigger.Trigger, at: number): boolean => Trigger.matches(trigger, utc(at))

export const count = (trigger: Trigger.Trigger, after: number, upTo: number): number =>
  Trigger.count(trigger, utc(after), utc(upTo))
