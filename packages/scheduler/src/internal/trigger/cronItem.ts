/**
 * The grammar that both forms of cron share: an item of a field is `*`, a value, a range, or one of these with a step.
 */

export interface FieldGrammar {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Where `*` begins when it has a step. Differs from `min` only for years. */
  readonly stepsFrom: number
  readonly names: ReadonlyArray<string>
  /** The value of the first name. */
  readonly namesFrom: number
  /** Whether `?` stands for `*`. */
  readonly question: boolean
  /** Whether `a/n` means `a-max/n`, as field-wise; OCPS refuses it. */
  readonly openRange: boolean
  /** Whether a value may be written as a number. */
  readonly numbers: boolean
}

/** The values of an item: `from`, `from + step`, … up to `to`. */
export interface Item {
  readonly from: number
  readonly to: number
  readonly step: number
}

/** Where an item is wrong: `offset` counts from its first character. */
export class Problem {
  readonly offset: number
  readonly found: string
  readonly expected: string

  constructor(offset: number, found: string, expected: string) {
    this.offset = offset
    this.found = found
    this.expected = expected
  }

  /** The same problem seen from `by` characters before. */
  moved(by: number): Problem {
    return new Problem(this.offset + by, this.found, this.expected)
  }
}

const MAX_STEP = 9999

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
export const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

const grammar = (name: string, min: number, max: number, more?: Partial<FieldGrammar>): FieldGrammar => ({
  name,
  min,
  max,
  stepsFrom: min,
  names: [],
  namesFrom: 0,
  question: false,
  openRange: false,
  numbers: true,
  ...more
})

export const SECOND = grammar("second", 0, 59)
export const MINUTE = grammar("minute", 0, 59)
export const HOUR = grammar("hour", 0, 23)
export const DAY = grammar("day", 1, 31, { question: true })
export const MONTH = grammar("month", 1, 12, { names: MONTHS, namesFrom: 1 })
export const WEEKDAY = grammar("weekday", 0, 7, { names: WEEKDAYS, question: true })
/** `*` with a step counts from 1970, as in OCPS 1.2, so that an even step means the even years. */
export const YEAR = grammar("year", 1, 9999, { stepsFrom: 1970 })
export const WEEK = grammar("week", 1, 53)

/** What a value of the field may be, for error messages. */
export const valuesOf = (field: FieldGrammar): string => {
  const names = field.names.length === 0 ? "" : `${field.names[0]} to ${field.names[field.names.length - 1]}`
  if (!field.numbers) return names
  return `${field.min} to ${field.max}${names === "" ? "" : ` or ${names}`}`
}

/** Parses one item, which is in lower case. */
export const parseItem = (text: string, field: FieldGrammar): Item | Problem => {
  const slash = text.indexOf("/")
  const base = slash < 0 ? text : text.slice(0, slash)
  const step = slash < 0 ? 1 : parseStep(text.slice(slash + 1))
  if (step === undefined) return new Problem(slash + 1, text.slice(slash + 1), `a step from 1 to ${MAX_STEP}`)
  if (isAll(base, field)) {
    const from = slash < 0 ? field.min : field.stepsFrom
    return { from, to: field.name === "weekday" ? 6 : field.max, step }
  }
  const dash = base.indexOf("-")
  if (dash >= 0) return parseRange(base, dash, step, field)
  const value = parseValue(base, field)
  if (value === undefined) return new Problem(0, base, valuesOf(field))
  if (slash < 0) return { from: value, to: value, step }
  if (!field.openRange) return new Problem(0, text, `"*" or a range before the step`)
  return { from: value, to: field.name === "weekday" ? 6 : field.max, step }
}

const isAll = (text: string, field: FieldGrammar): boolean => text === "*" || (text === "?" && field.question)

const parseRange = (text: string, dash: number, step: number, field: FieldGrammar): Item | Problem => {
  const left = text.slice(0, dash)
  const right = text.slice(dash + 1)
  const from = parseValue(left, field)
  if (from === undefined) return new Problem(0, left, valuesOf(field))
  // Sunday at the end of a range is the day after Saturday.
  const to = right === "sun" ? 7 : parseValue(right, field)
  if (to === undefined) return new Problem(dash + 1, right, valuesOf(field))
  if (from > to) return new Problem(0, text, "a range that does not end before it begins")
  return { from, to, step }
}

export const parseValue = (text: string, field: FieldGrammar): number | undefined => {
  const named = field.names.indexOf(text)
  if (named >= 0) return named + field.namesFrom
  if (!field.numbers || !/^\d+$/.test(text) || text.length > (field.max > 99 ? 4 : 2)) return undefined
  const value = Number(text)
  return value >= field.min && value <= field.max ? value : undefined
}

const parseStep = (text: string): number | undefined =>
  /^\d{1,4}$/.test(text) && Number(text) > 0 ? Number(text) : undefined

/** Whether the field is nothing but `*` or `?`. */
export const isWildcard = (text: string, field: FieldGrammar): boolean => isAll(text, field)

/** Calls `item` for each item of a list with its place in it; stops at the first problem. */
export const eachItem = (
  text: string,
  item: (text: string, offset: number) => Problem | undefined
): Problem | undefined => {
  let start = 0
  while (true) {
    const comma = text.indexOf(",", start)
    const end = comma < 0 ? text.length : comma
    const problem = item(text.slice(start, end), start)
    if (problem !== undefined) return problem.moved(start)
    if (comma < 0) return undefined
    start = comma + 1
  }
}
