/**
 * Cron text: the Open Cron Pattern Specification 1.0 to 1.4. `literal.ts` decides the same for literals as types; a test
 * holds the two together.
 */
import { Result } from "effect"
import { bitsOf, foldSunday, isWild, setOf, smallSetOf, yearsOf } from "./cronFieldParts.ts"
import {
  DAY,
  eachItem,
  type FieldGrammar,
  HOUR,
  isWildcard,
  MINUTE,
  MONTH,
  parseItem,
  parseValue,
  Problem,
  SECOND,
  valuesOf,
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

export interface ParsedText {
  /** The text with single blanks, names in upper case and nicknames in lower case. */
  readonly text: string
  readonly fields: FieldSet
}

const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"]
])

interface Part {
  readonly text: string
  readonly position: number
}

export const parseText = (text: string): Result.Result<ParsedText, CronParseError> => {
  const parts = split(text)
  const nickname = parts.length === 1 && parts[0]!.text.startsWith("@") ? parts[0]! : undefined
  if (nickname !== undefined) return parseNickname(text, nickname)
  if (parts.length < 5 || parts.length > 7) {
    const at = parts.length > 7 ? parts[7]!.position : text.length
    return fail(text, "text", at, text, `5, 6 (seconds first) or 7 (year last) fields, not ${parts.length}`)
  }
  const [second, minute, hour, day, month, weekday, year] = parts.length === 5 ? [ZERO, ...parts] : parts
  const normal = parts.map((part) => part.text.toUpperCase()).join(" ")
  return Result.map(parseParts(text, second!, minute!, hour!, day!, month!, weekday!, year ?? ANY), (fields) => ({
    text: normal,
    fields
  }))
}

const ZERO: Part = { text: "0", position: 0 }
const ANY: Part = { text: "*", position: 0 }

/** By hand: blanks and tabs only, and several times cheaper than a regular expression with positions. */
const split = (text: string): Array<Part> => {
  const parts: Array<Part> = []
  let start = -1
  for (let i = 0; i <= text.length; i++) {
    const blank = i === text.length || text[i] === " " || text[i] === "\t"
    if (!blank && start < 0) start = i
    if (blank && start >= 0) {
      parts.push({ text: text.slice(start, i), position: start })
      start = -1
    }
  }
  return parts
}

const parseNickname = (text: string, nickname: Part): Result.Result<ParsedText, CronParseError> => {
  const name = isAscii(nickname.text) ? nickname.text.toLowerCase() : nickname.text
  const pattern = NICKNAMES.get(name)
  if (pattern === undefined) {
    const expected =
      name === "@reboot"
        ? "a time: run the effect when the program starts instead"
        : `one of ${Array.from(NICKNAMES.keys()).join(", ")}`
    return fail(text, "text", nickname.position, nickname.text, expected)
  }
  return Result.map(parseText(pattern), ({ fields }) => ({ text: name, fields }))
}

const parseParts = (
  text: string,
  second: Part,
  minute: Part,
  hour: Part,
  day: Part,
  month: Part,
  weekday: Part,
  year: Part
): Result.Result<FieldSet, CronParseError> => {
  const seconds = field(second, SECOND, setOf)
  if (seconds instanceof Problem) return failAt(text, SECOND, seconds)
  const minutes = field(minute, MINUTE, setOf)
  if (minutes instanceof Problem) return failAt(text, MINUTE, minutes)
  const hours = field(hour, HOUR, smallSetOf)
  if (hours instanceof Problem) return failAt(text, HOUR, hours)
  const days = field(day, DAY, parseDays)
  if (days instanceof Problem) return failAt(text, DAY, days)
  const months = field(month, MONTH, smallSetOf)
  if (months instanceof Problem) return failAt(text, MONTH, months)
  const weekdays = field(weekday, WEEKDAY, parsePlusWeekdays)
  if (weekdays instanceof Problem) return failAt(text, WEEKDAY, weekdays)
  const years = field(year, YEAR, yearsOf)
  if (years instanceof Problem) return failAt(text, YEAR, years)
  return Result.succeed({
    seconds,
    minutes,
    hours,
    months,
    years,
    weeks: undefined,
    days,
    weekdays,
    match: weekday.text.startsWith("+") ? "all" : "any",
    wild: isWild(minute.text) || isWild(hour.text)
  })
}

/** Runs the parser of a field on its text in lower case; a problem then says where it is in the whole text. */
const field = <A>(
  part: Part,
  grammar: FieldGrammar,
  parse: (text: string, grammar: FieldGrammar) => A | Problem
): A | Problem => {
  if (!isAscii(part.text)) {
    const offset = part.text.search(/[^\x21-\x7e]/)
    return new Problem(part.position + offset, part.text.slice(offset, offset + 1), valuesOf(grammar))
  }
  const parsed = parse(part.text.toLowerCase(), grammar)
  if (!(parsed instanceof Problem)) return parsed
  const found = part.text.slice(parsed.offset, parsed.offset + parsed.found.length)
  return new Problem(part.position + parsed.offset, found, parsed.expected)
}

/** Lower case of other letters can be ASCII: of the Kelvin sign it is `k`. */
const isAscii = (text: string): boolean => /^[\x21-\x7e]*$/.test(text)

const parseDays = (text: string, grammar: FieldGrammar): MonthDays | Problem => {
  if (isWildcard(text, grammar)) return anyMonthDay()
  const days = noMonthDays()
  if (text === "lw") return { ...days, lastWorkday: true }
  if (text.endsWith("w")) {
    const day = parseValue(text.slice(0, -1), grammar)
    return day === undefined
      ? new Problem(0, text, `"W" after one day from 1 to 31 or after "L", as the whole field`)
      : { ...days, nearest: 1 << day }
  }
  const problem = eachItem(text, (part) => {
    if (part === "l") {
      days.last = true
      return undefined
    }
    const item = parseItem(part, grammar)
    if (item instanceof Problem) return item
    days.set |= bitsOf(item)
    return undefined
  })
  return problem ?? days
}

const parsePlusWeekdays = (text: string, grammar: FieldGrammar): Weekdays | Problem => {
  if (!text.startsWith("+")) return parseWeekdays(text, grammar)
  const weekdays = parseWeekdays(text.slice(1), grammar)
  return weekdays instanceof Problem ? weekdays.moved(1) : weekdays
}

const parseWeekdays = (text: string, grammar: FieldGrammar): Weekdays | Problem => {
  if (isWildcard(text, grammar)) return anyWeekday()
  const weekdays = noWeekdays()
  const problem = eachItem(text, (part) => {
    const hash = part.indexOf("#")
    const last = hash < 0 && part.endsWith("l")
    if (hash < 0 && !last) {
      const item = parseItem(part, grammar)
      if (item instanceof Problem) return item
      weekdays.set |= foldSunday(bitsOf(item))
      return undefined
    }
    const name = part.slice(0, last ? -1 : hash)
    const weekday = parseValue(name, grammar)
    if (weekday === undefined) return new Problem(0, name, valuesOf(grammar))
    const which = last ? "l" : part.slice(hash + 1)
    if (!/^[1-5l]$/.test(which)) return new Problem(hash + 1, which, `1 to 5 or "L" after "#"`)
    if (which === "l") weekdays.lastOf |= 1 << (weekday % 7)
    else weekdays.nth[Number(which) - 1]! |= 1 << (weekday % 7)
    return undefined
  })
  return problem ?? weekdays
}

const fail = (
  text: string,
  field: string,
  position: number,
  found: string,
  expected: string
): Result.Result<never, CronParseError> => Result.fail(new CronParseError({ text, field, position, found, expected }))

const failAt = (text: string, grammar: FieldGrammar, problem: Problem): Result.Result<never, CronParseError> =>
  fail(text, grammar.name, problem.offset, problem.found, problem.expected)
