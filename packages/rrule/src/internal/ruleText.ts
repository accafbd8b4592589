/**
 * The content lines of a recurrence: unfolded, each property held to its grammar, and written again as the library wants
 * them.
 */
import { DateTime, Option, Result } from "effect"
import { RruleParseError } from "./error.ts"
import { type Form, readRuleParts, type RuleParts } from "./ruleParts.ts"

export interface RuleText {
  readonly parts: RuleParts
  /** All but the rule itself. */
  readonly dates: ReadonlyArray<string>
  readonly rule: string
  /** The rule that `parts.bounded` writes, its UNTIL as DTSTART wants it. */
  readonly bounded: string
}

interface Line {
  readonly name: string
  readonly zone: string | undefined
  readonly type: string | undefined
  readonly value: string
}

const DTSTART_FORMS =
  "20260101T090000Z, or 20260101T090000 with TZID, or VALUE=DATE with 20260101; a local time without TZID is UTC"

export const readRuleText = (text: string): Result.Result<RuleText, RruleParseError> =>
  Result.gen(function* () {
    const lines: Array<Line> = []
    for (const line of text.replace(/\r?\n[ \t]/g, "").split(/\r?\n/)) {
      if (line.trim() !== "") lines.push(yield* readLine(text, line.trim()))
    }
    const start = yield* only(text, lines, "DTSTART", `a line like DTSTART;TZID=Europe/Berlin:20260101T090000`)
    const rule = yield* only(text, lines, "RRULE", `a line like RRULE:FREQ=DAILY`)
    const form = formOf(start, start.value)
    if (form === undefined) return yield* wrong(text, "DTSTART", start.value, DTSTART_FORMS)
    for (const line of lines) {
      if (line.name !== "RDATE" && line.name !== "EXDATE") continue
      for (const value of line.value.split(",")) {
        const own = formOf(line, value)
        if (own === undefined || (own === "date") !== (form === "date") || isUnzoned(line, own, start)) {
          return yield* wrong(text, line.name, value, "dates or times written like that of DTSTART, or in UTC")
        }
      }
    }
    const parts = yield* Result.mapError(
      readRuleParts(rule.value),
      (problem) => new RruleParseError({ text, ...problem })
    )
    return {
      parts,
      dates: lines.filter((line) => line.name !== "RRULE").map(write),
      rule: `RRULE:${rule.value.toUpperCase()}`,
      bounded: `RRULE:${parts.bounded(start.zone === undefined ? form : "utc")}`
    }
  })

const readLine = (text: string, line: string): Result.Result<Line, RruleParseError> => {
  const matched = /^(DTSTART|RRULE|RDATE|EXDATE)((?:;[^:;]+)*):(.+)$/i.exec(line)
  if (matched === null) {
    return wrong(text, "text", line, "lines DTSTART, RRULE, RDATE and EXDATE, as in DTSTART:20260101T090000Z")
  }
  const name = matched[1]!.toUpperCase()
  const given = new Map<string, string>()
  for (const parameter of matched[2]!.split(";").slice(1)) {
    const [key = "", ...rest] = parameter.split("=")
    given.set(key.toUpperCase(), rest.join("=").replace(/^"(.*)"$/, "$1"))
  }
  const zone = given.get("TZID")
  const type = given.get("VALUE")?.toUpperCase()
  const unknown = Array.from(given.keys()).find((key) => name === "RRULE" || (key !== "TZID" && key !== "VALUE"))
  if (unknown !== undefined) return wrong(text, name, unknown, "no parameters but TZID and VALUE of dates")
  if (type !== undefined && type !== "DATE" && type !== "DATE-TIME") {
    return wrong(text, name, type, "VALUE=DATE or VALUE=DATE-TIME")
  }
  if (zone !== undefined && (/[+\d:]/.test(zone[0] ?? ":") || Option.isNone(DateTime.zoneMakeNamed(zone)))) {
    return wrong(text, name, zone === "" ? "TZID=" : zone, "the name of a time zone, like Europe/Berlin")
  }
  return Result.succeed({ name, zone, type, value: matched[3]!.trim() })
}

const formOf = (line: Line, value: string): Form | undefined => {
  const matched = /^\d{8}(T\d{6}(Z)?)?$/i.exec(value)
  if (matched === null) return undefined
  const form = matched[1] === undefined ? "date" : matched[2] === undefined ? "local" : "utc"
  if ((form === "date") !== (line.type === "DATE")) return undefined
  return line.zone !== undefined && form !== "local" ? undefined : form
}

/** A local time that has no zone of its own, beside a DTSTART that has one. */
const isUnzoned = (line: Line, form: Form, start: Line): boolean =>
  form === "local" && line.zone === undefined && start.zone !== undefined

const write = (line: Line): string => {
  const zone = line.zone === undefined ? "" : `;TZID=${line.zone}`
  const type = line.type === "DATE" ? ";VALUE=DATE" : ""
  return `${line.name}${zone}${type}:${line.value.toUpperCase()}`
}

const only = (
  text: string,
  lines: ReadonlyArray<Line>,
  name: string,
  expected: string
): Result.Result<Line, RruleParseError> => {
  const [line, second] = lines.filter((line) => line.name === name)
  if (line === undefined) return wrong(text, name, "", expected)
  return second === undefined ? Result.succeed(line) : wrong(text, name, second.value, `one ${name}`)
}

const wrong = (text: string, part: string, found: string, expected: string): Result.Result<never, RruleParseError> =>
  Result.fail(new RruleParseError({ text, part, found, expected }))
