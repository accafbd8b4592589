/**
 * Field-wise cron, as APScheduler has it: each field by name, all of which must match.
 */
import { Result } from "effect"
import { bitsOf, foldSunday, isWild, setOf, smallSetOf, yearsOf } from "./cronFieldParts.ts"
import {
  DAY,
  eachItem,
  type FieldGrammar,
  HOUR,
  MINUTE,
  MONTH,
  parseItem,
  parseValue,
  Problem,
  SECOND,
  WEEK,
  WEEKDAY,
  YEAR
} from "./cronItem.ts"
import { CronParseError } from "./error.ts"
import {
  anyMonthDay,
  anyWeekday,
  type FieldSet,
  type MonthDays,
  noMonthDays,
  noWeekdays,
  type Weekdays
} from "./fieldSet.ts"

/** The fields from the most to the least significant one, which is the order in which they are stored. */
export const FIELD_NAMES = ["year", "month", "day", "week", "dayOfWeek", "hour", "minute", "second"] as const

type FieldName = (typeof FIELD_NAMES)[number]

export type FieldTexts = { readonly [Name in FieldName]?: string }

const open = (field: FieldGrammar, name: FieldName): FieldGrammar => ({
  ...field,
  name,
  question: false,
  openRange: true
})

const GRAMMARS = {
  year: open(YEAR, "year"),
  month: open(MONTH, "month"),
  day: open(DAY, "day"),
  week: open(WEEK, "week"),
  hour: open(HOUR, "hour"),
  minute: open(MINUTE, "minute"),
  second: open(SECOND, "second")
}

/** The grammar looks at the name `weekday` for where a week ends; a number is refused before it is read. */
const DAY_OF_WEEK: FieldGrammar = { ...open(WEEKDAY, "dayOfWeek"), name: "weekday", numbers: false }

const TWO_CONVENTIONS =
  "names, mon to sun: a number is refused because two conventions exist, 0 as Sunday (cron) and 0 as Monday (APScheduler)"

export interface ParsedFields {
  readonly texts: FieldTexts
  readonly fields: FieldSet
}

export const parseFields = (
  input: Readonly<Record<string, string | number | undefined>>
): Result.Result<ParsedFields, CronParseError> => {
  const texts: { [Name in FieldName]?: string } = {}
  for (const name of Object.keys(input)) {
    if (!FIELD_NAMES.includes(name as FieldName)) {
      return fail("fields", { found: name, expected: `one of ${FIELD_NAMES.join(", ")}` })
    }
  }
  for (const name of FIELD_NAMES) {
    const value = input[name]
    if (value === undefined) continue
    if (typeof value === "number" && name === "dayOfWeek") {
      return fail(name, { text: String(value), expected: TWO_CONVENTIONS })
    }
    if (typeof value !== "string" && !Number.isInteger(value)) {
      return fail(name, { text: String(value), expected: "a text or an integer" })
    }
    texts[name] = String(value).trim().replace(/\s+/g, " ").replace(/ ?, ?/g, ",").toLowerCase()
  }
  const least = FIELD_NAMES.findLastIndex((name) => texts[name] !== undefined)
  if (least < 0) return fail("fields", { expected: `at least one of ${FIELD_NAMES.join(", ")}` })
  return Result.map(build(texts, least), (fields) => ({ texts, fields }))
}

const build = (texts: FieldTexts, least: number): Result.Result<FieldSet, CronParseError> => {
  /** What is left out is `*` where it is more significant than a given field, and the least value where it is less. */
  const text = (name: keyof typeof GRAMMARS): string =>
    texts[name] ?? (FIELD_NAMES.indexOf(name) < least || name === "week" ? "*" : String(GRAMMARS[name].min))
  const read = <A>(
    name: keyof typeof GRAMMARS,
    parse: (text: string, grammar: FieldGrammar) => A | Problem
  ): Result.Result<A, CronParseError> => settle(name, text(name), parse(text(name), GRAMMARS[name]))
  const dayOfWeek = texts.dayOfWeek ?? "*"
  return Result.gen(function* () {
    return {
      years: yield* read("year", yearsOf),
      months: yield* read("month", smallSetOf),
      days: yield* read("day", parseDays),
      weeks: text("week") === "*" ? undefined : yield* read("week", setOf),
      weekdays: yield* settle("dayOfWeek", dayOfWeek, parseDayOfWeek(dayOfWeek)),
      hours: yield* read("hour", smallSetOf),
      minutes: yield* read("minute", setOf),
      seconds: yield* read("second", setOf),
      match: "all" as const,
      wild: isWild(text("minute")) || isWild(text("hour"))
    }
  })
}

const ORDINALS = ["1st", "2nd", "3rd", "4th", "5th"]

const parseDays = (text: string, grammar: FieldGrammar): MonthDays | Problem => {
  if (text === "*") return anyMonthDay()
  const days = noMonthDays()
  const problem = eachItem(text, (part) => {
    const words = part.split(" ")
    const ordinal = ORDINALS.indexOf(words[0]!)
    if (words[0] === "last" && words.length === 1) {
      days.last = true
      return undefined
    }
    if (words.length === 2 && (ordinal >= 0 || words[0] === "last")) {
      const weekday = parseValue(words[1]!, DAY_OF_WEEK)
      if (weekday === undefined) return new Problem(part.lastIndexOf(words[1]!), words[1]!, "mon to sun")
      if (ordinal < 0) days.lastOf |= 1 << weekday
      else days.nth[ordinal]! |= 1 << weekday
      return undefined
    }
    const item = parseItem(part, grammar)
    if (item instanceof Problem) {
      const expected = `1 to 31, "last", or "1st" to "5th" or "last" before mon to sun`
      return words.length === 1 && !/[a-z]/.test(part) ? item : new Problem(0, part, expected)
    }
    days.set |= bitsOf(item)
    return undefined
  })
  return problem ?? days
}

/** The days of the week by name, also for windows: `mon-fri`, `sat,sun`, `*`. */
export const parseDayOfWeek = (text: string): Weekdays | Problem => {
  if (text === "*") return anyWeekday()
  const weekdays = noWeekdays()
  const problem = eachItem(text, (name) => {
    const numeric = name.split("/")[0]!.search(/\d/)
    if (numeric >= 0) return new Problem(numeric, name, TWO_CONVENTIONS)
    if (name.startsWith("*/")) return new Problem(0, name, "names: a step needs to know on which day the week begins")
    const item = parseItem(name, DAY_OF_WEEK)
    if (item instanceof Problem) return item
    weekdays.set |= foldSunday(bitsOf(item))
    return undefined
  })
  return problem ?? weekdays
}

const settle = <A>(name: string, text: string, parsed: A | Problem): Result.Result<A, CronParseError> =>
  parsed instanceof Problem
    ? fail(name, { text, found: parsed.found, position: parsed.offset, expected: parsed.expected })
    : Result.succeed(parsed)

const fail = (
  field: string,
  at: { readonly text?: string; readonly found?: string; readonly position?: number; readonly expected: string }
): Result.Result<never, CronParseError> => {
  const text = at.text ?? at.found ?? ""
  return Result.fail(
    new CronParseError({ text, field, found: at.found ?? text, position: at.position ?? 0, expected: at.expected })
  )
}
