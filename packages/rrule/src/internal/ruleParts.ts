/**
 * The parts of an RRULE: their grammar and ranges, and the combinations that are refused.
 */
import { Result } from "effect"

export type Frequency = "YEARLY" | "MONTHLY" | "WEEKLY" | "DAILY" | "HOURLY" | "MINUTELY" | "SECONDLY"

/** A part that is wrong, before the text around it is known. */
export interface PartProblem {
  readonly part: string
  readonly found: string
  readonly expected: string
}

export interface RuleParts {
  readonly frequency: Frequency
  readonly count: number | undefined
  /** Whether months and their days leave any day at all. */
  readonly possible: boolean
  /** The rule without COUNT, and with an UNTIL at the latest at the end of the last year. */
  readonly bounded: (form: Form) => string
}

/** How a date is written: a day, an instant, a local time. */
export type Form = "date" | "utc" | "local"

/** The last year that has instants: what would be looked for beyond it is not found in reasonable time. */
export const LAST_YEAR = 2999

/** Instants are listed for a rule with COUNT, so there are at most so many. */
const MAX_COUNT = 10_000

/** A hundred years. */
const MAX_INTERVAL: Readonly<Record<Frequency, number>> = {
  YEARLY: 100,
  MONTHLY: 1200,
  WEEKLY: 5217,
  DAILY: 36_524,
  HOURLY: 876_576,
  MINUTELY: 52_594_560,
  SECONDLY: 3_155_673_600
}

const FREQUENCIES: ReadonlyArray<string> = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]

interface PartRule {
  readonly expected: string
  readonly accepts: (value: string) => boolean
}

const number = (min: number, max: number): PartRule => ({
  expected: `${min} to ${max}`,
  accepts: (value) => /^\d{1,10}$/.test(value) && Number(value) >= min && Number(value) <= max
})

const signed = (max: number): PartRule => ({
  expected: `1 to ${max} or -${max} to -1`,
  accepts: (value) => /^[+-]?\d{1,3}$/.test(value) && Number(value) !== 0 && Math.abs(Number(value)) <= max
})

const list = (item: PartRule): PartRule => ({
  expected: item.expected,
  accepts: (value) => value.split(",").every(item.accepts)
})

const WEEKDAY = /^(?:[+-]?(?:[1-9]|[1-4]\d|5[0-3]))?(?:MO|TU|WE|TH|FR|SA|SU)$/

const PARTS: Readonly<Record<string, PartRule>> = {
  FREQ: { expected: `one of ${FREQUENCIES.join(", ")}`, accepts: (value) => FREQUENCIES.includes(value) },
  INTERVAL: number(1, MAX_INTERVAL.SECONDLY),
  COUNT: { ...number(1, MAX_COUNT), expected: `1 to ${MAX_COUNT}; for more give UNTIL` },
  UNTIL: {
    expected: "20301231T235959Z, or 20301231 for a DTSTART that is a DATE",
    accepts: (value) => /^\d{8}(?:T\d{6}Z?)?$/.test(value)
  },
  BYSECOND: list(number(0, 59)),
  BYMINUTE: list(number(0, 59)),
  BYHOUR: list(number(0, 23)),
  BYDAY: list({
    expected: "MO, TU, WE, TH, FR, SA, SU, with a number like 2MO or -1FR",
    accepts: (value) => WEEKDAY.test(value)
  }),
  BYMONTHDAY: list(signed(31)),
  BYYEARDAY: list(signed(366)),
  BYWEEKNO: list(signed(53)),
  BYMONTH: list(number(1, 12)),
  BYSETPOS: list(signed(366)),
  WKST: { expected: "MO, TU, WE, TH, FR, SA or SU", accepts: (value) => /^(?:MO|TU|WE|TH|FR|SA|SU)$/.test(value) }
}

export const readRuleParts = (value: string): Result.Result<RuleParts, PartProblem> => {
  const parts = new Map<string, string>()
  for (const item of value.toUpperCase().split(";")) {
    const [part = "", ...rest] = item.split("=")
    const found = rest.join("=")
    const rule = PARTS[part]
    if (rule === undefined) return wrong("RRULE", item, `parts of a rule: ${Object.keys(PARTS).join(", ")}`)
    if (parts.has(part)) return wrong(part, found, "each part once")
    if (!rule.accepts(found)) return wrong(part, found, rule.expected)
    parts.set(part, found)
  }
  const frequency = parts.get("FREQ")
  if (frequency === undefined) return wrong("FREQ", "", PARTS["FREQ"]!.expected)
  const interval = number(1, MAX_INTERVAL[frequency as Frequency])
  const every = parts.get("INTERVAL")
  if (every !== undefined && !interval.accepts(every)) return wrong("INTERVAL", every, interval.expected)
  const combination = refused(frequency, parts)
  if (combination !== undefined) return Result.fail(combination)
  const count = parts.get("COUNT")
  return Result.succeed({
    frequency: frequency as Frequency,
    count: count === undefined ? undefined : Number(count),
    possible: isPossible(numbers(parts.get("BYMONTH")), numbers(parts.get("BYMONTHDAY"))),
    bounded: (form) => {
      const until = parts.get("UNTIL")
      const last = `${LAST_YEAR}1231${form === "date" ? "" : form === "utc" ? "T235959Z" : "T235959"}`
      const kept = Array.from(parts).filter(([part]) => part !== "COUNT" && part !== "UNTIL")
      return [...kept, ["UNTIL", until === undefined || until > last ? last : until]]
        .map(([part, value]) => `${part}=${value}`)
        .join(";")
    }
  })
}

const wrong = (part: string, found: string, expected: string): Result.Result<never, PartProblem> =>
  Result.fail({ part, found, expected })

/**
 * What RFC 5545 leaves open, and where the library's `next` was seen to differ from its own enumeration, or to leave a
 * part out of account.
 */
const refused = (frequency: string, parts: ReadonlyMap<string, string>): PartProblem | undefined => {
  if (frequency !== "YEARLY") return undefined
  const days = parts.get("BYDAY")
  if (parts.has("BYYEARDAY") && days !== undefined) {
    return { part: "BYDAY", found: days, expected: "no BYDAY where a yearly rule has BYYEARDAY" }
  }
  const weeks = parts.get("BYWEEKNO")
  if (weeks !== undefined && days === undefined) {
    return { part: "BYWEEKNO", found: weeks, expected: "a BYDAY beside it, which names the days of the week" }
  }
  const numbered = days !== undefined && /\d/.test(days)
  const choices = ["BYWEEKNO", "BYYEARDAY", "BYMONTHDAY"].filter((part) => parts.has(part))
  if (choices.length + (numbered ? 1 : 0) < 2) return undefined
  const part = choices.at(-1)!
  return {
    part,
    found: parts.get(part)!,
    expected: "only one of BYWEEKNO, BYYEARDAY, BYMONTHDAY and a numbered BYDAY in a yearly rule"
  }
}

const numbers = (value: string | undefined): ReadonlyArray<number> =>
  value === undefined ? [] : value.split(",").map(Number)

const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const isPossible = (months: ReadonlyArray<number>, days: ReadonlyArray<number>): boolean =>
  days.length === 0 ||
  months.length === 0 ||
  months.some((month) => days.some((day) => Math.abs(day) <= LONGEST[month - 1]!))
