/**
 * From text to something that can be searched, once for each text.
 */
import { DateTime, Result } from "effect"
import { RRuleTemporal } from "rrule-temporal"
import { RruleParseError } from "./error.ts"
import { type Frequency, LAST_YEAR } from "./ruleParts.ts"
import { readRuleText, type RuleText } from "./ruleText.ts"

/** All instants of a recurrence that is counted or never fires, else the library's rule and its first instant. */
export type Compiled =
  | { readonly _tag: "Listed"; readonly instants: ReadonlyArray<number> }
  | { readonly _tag: "Open"; readonly first: number; readonly rule: RRuleTemporal }

/** Texts kept compiled; the oldest makes room. */
const KEPT = 1000

/** The library can take minutes at the ends of its own range. */
const FIRST_INSTANT = DateTime.toEpochMillis(DateTime.makeUnsafe({ year: 1 }))
export const LAST_INSTANT = DateTime.toEpochMillis(DateTime.makeUnsafe({ year: LAST_YEAR + 1 })) - 1

/**
 * Periods in which the next instant must be found. A whole cycle of the calendar (400 years) for years and months; for
 * days 54 years, which is more than the 40 between a 29 February on a weekday and the next across 2100.
 */
const PERIODS: Readonly<Record<Frequency, number>> = {
  YEARLY: 500,
  MONTHLY: 5000,
  WEEKLY: 10_000,
  DAILY: 20_000,
  HOURLY: 10_000,
  MINUTELY: 10_000,
  SECONDLY: 10_000
}

/** A rule with COUNT that fires at all is listed once. */
const COUNTED_PERIODS = 20_000

const kept = new Map<string, Result.Result<Compiled, RruleParseError>>()

export const compile = (text: string): Result.Result<Compiled, RruleParseError> => {
  const found = kept.get(text)
  if (found !== undefined) return found
  const compiled = Result.flatMap(readRuleText(text), (read) => compileText(text, read))
  const oldest = kept.size < KEPT ? undefined : kept.keys().next().value
  if (oldest !== undefined) kept.delete(oldest)
  kept.set(text, compiled)
  return compiled
}

const compileText = (text: string, read: RuleText): Result.Result<Compiled, RruleParseError> =>
  Result.gen(function* () {
    const { count, frequency, possible } = read.parts
    const rule = yield* libraryRule(text, read, read.rule, COUNTED_PERIODS)
    if (!possible) return explicit(rule)
    const open = yield* libraryRule(text, read, read.bounded, PERIODS[frequency])
    const first = Result.try(() => open.next(DateTime.toDateUtc(DateTime.makeUnsafe(FIRST_INSTANT)), true))
    if (Result.isFailure(first)) return explicit(rule)
    if (first.success === null) return listed([])
    if (count === undefined) return { _tag: "Open", first: first.success.epochMilliseconds, rule: open }
    const all = Result.try(() => rule.all())
    if (Result.isSuccess(all)) return listed(all.success)
    return yield* Result.fail(
      new RruleParseError({
        text,
        part: "COUNT",
        found: String(count),
        expected: "fewer instants, or UNTIL in its place: the last of these is too far from DTSTART"
      })
    )
  })

const libraryRule = (
  text: string,
  read: RuleText,
  rule: string,
  maxIterations: number
): Result.Result<RRuleTemporal, RruleParseError> =>
  Result.try({
    try: () =>
      new RRuleTemporal({
        rruleString: [...read.dates, rule].join("\n"),
        strict: true,
        cache: false,
        maxIterations
      }),
    catch: (cause) =>
      new RruleParseError({
        text,
        part: "RRULE",
        found: rule,
        expected: `what RFC 5545 allows (${cause instanceof Error ? cause.message : String(cause)})`
      })
  })

/** The dates that stand beside a rule that names none itself. */
const explicit = (rule: RRuleTemporal): Compiled => {
  const { exDate = [], rDate = [] } = rule.options()
  const excluded = new Set(exDate.map((at) => at.epochMilliseconds))
  return listed(rDate.filter((at) => !excluded.has(at.epochMilliseconds)))
}

const listed = (instants: ReadonlyArray<{ readonly epochMilliseconds: number }>): Compiled => ({
  _tag: "Listed",
  instants: Array.from(new Set(instants.map((at) => at.epochMilliseconds)))
    .filter((at) => at <= LAST_INSTANT)
    .toSorted((a, b) => a - b)
})
