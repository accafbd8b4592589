/**
 * Cron triggers from text, from fields and from Effect's `Cron`.
 */
import { Cron as EffectCron, DateTime, Option, Result } from "effect"
import { Schema } from "effect"
import { type Zone, zoneOf } from "../zone/Zone.ts"
import { ClockChange, policyOf } from "./clockChange.ts"
import { parseFields } from "./cronFields.ts"
import { parseText } from "./cronText.ts"
import { CronParseError } from "./error.ts"
import { FieldRule } from "./FieldRule.ts"
import type { CronText } from "./literal.ts"
import { type TimeZoneInput, zoneName } from "./localText.ts"
import { Cron, type CronSource } from "./model.ts"

/**
 * The field-wise form of cron: every field given must match, a field left out is `*` where it is more significant than a
 * given one, and its least value where it is less significant; `week` and `dayOfWeek` are `*` when left out.
 *
 * A value is `*`, a number, a range `a-b`, a step of these (`*` followed by `/n`, `a-b/n`, `a/n`), or a list; months also
 * by name. `day` also takes `last`, `2nd fri` and `last sun`, `week` is the ISO week, and `dayOfWeek` takes names only.
 *
 * @category models
 * @since 0.1.0
 */
export interface CronFields {
  readonly year?: number | string | undefined
  readonly month?: number | string | undefined
  readonly day?: number | string | undefined
  readonly week?: number | string | undefined
  /** `mon` to `sun`. A number is refused, because two conventions exist. */
  readonly dayOfWeek?: string | undefined
  readonly hour?: number | string | undefined
  readonly minute?: number | string | undefined
  readonly second?: number | string | undefined
}

/**
 * The zone in which a pattern names local times, UTC when left out, and what happens when its clock changes.
 *
 * @category models
 * @since 0.1.0
 */
export interface CronOptions {
  readonly timeZone?: TimeZoneInput | undefined
  readonly clockChange?: ClockChange | undefined
}

/**
 * Fires at the local times that a pattern names: the Open Cron Pattern Specification 1.0 to 1.4 in full, in 5 fields, 6
 * (seconds first) or 7 (year last), or a nickname such as `@daily`; or the pattern by fields; or Effect's `Cron`.
 *
 * Text must be a literal and is checked when it is compiled; for text that is not known then use `parseCron`. A zone that
 * is not given is UTC, never the machine's; Effect's `Cron` brings its own zone and policy, which the options override.
 * Cron resolves to the second. Sunday is 0 or 7. Where both day and weekday restrict (are not a bare `*` or `?`), either
 * matches, or both must with `+` before the weekday. Years are 1 to 9999, and `*` with a step counts them from 1970.
 *
 * Throws `CronParseError`, so a wrong pattern that got past the types is a defect.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const digest = Trigger.cron("0 9 * * MON-FRI", { timeZone: "Europe/Berlin" })
 * String(Trigger.next(digest, "2026-03-27T12:00:00Z")) // => "some(DateTime.Utc(2026-03-30T07:00:00.000Z))"
 *
 * const payday = Trigger.cron({ day: "last fri", hour: 12 })
 * String(Trigger.next(payday, "2026-03-27T12:00:00Z")) // => "some(DateTime.Utc(2026-04-24T12:00:00.000Z))"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const cron = <const S extends string | CronFields | EffectCron.Cron>(
  pattern: CronText<S, CronFields | EffectCron.Cron>,
  options?: CronOptions
): Cron => {
  const parsed = parseCron(pattern as string | CronFields | EffectCron.Cron, options)
  if (Result.isSuccess(parsed)) return parsed.success
  throw parsed.failure
}

/**
 * The same as `cron` for a pattern that is not known when the program is written, as a `Result`.
 *
 * The `CronParseError` has the field, the position in the text, what was found there and what was expected. An unknown
 * zone is one too, in the field `"timeZone"`.
 *
 * ```ts
 * import { Result } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const wrong = Trigger.parseCron("0 25 * * *")
 * Result.isFailure(wrong) && wrong.failure.field // => "hour"
 * Result.isFailure(wrong) && wrong.failure.position // => 2
 * Result.isFailure(wrong) && wrong.failure.expected // => "0 to 23"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const parseCron = (
  pattern: string | CronFields | EffectCron.Cron,
  options?: CronOptions
): Result.Result<Cron, CronParseError> => {
  if (EffectCron.isCron(pattern)) return fromEffect(pattern, options)
  if (typeof pattern === "string") {
    return Result.flatMap(ruleOfText(pattern), ({ text, rule }) => make({ _tag: "Text", text }, rule, options))
  }
  return Result.flatMap(parseFields(pattern as Readonly<Record<string, string | number | undefined>>), (parsed) =>
    make({ _tag: "Fields", fields: parsed.texts }, new FieldRule(parsed.fields), options)
  )
}

const isClockChange = Schema.is(ClockChange)

const make = (
  source: CronSource,
  rule: FieldRule,
  options: CronOptions | undefined
): Result.Result<Cron, CronParseError> => {
  const zone = zoneOf(zoneName(options?.timeZone))
  if (zone === undefined) return invalid("timeZone", zoneName(options?.timeZone), "an IANA time zone or an offset")
  const clockChange = options?.clockChange ?? "vixie"
  if (!isClockChange(clockChange)) {
    const expected = `"vixie", "ocps", "compatible", or { gap: "skip" | "shift" | "gapEnd", overlap: "first" | "last" | "both" }`
    return invalid("clockChange", JSON.stringify(clockChange), expected)
  }
  return Result.succeed(cronOf(source, zone, clockChange, rule))
}

const cronOf = (source: CronSource, zone: Zone, clockChange: ClockChange, rule: FieldRule): Cron =>
  new Cron(source, zone, clockChange, rule, policyOf(clockChange, rule.fields.wild))

const invalid = (field: string, found: string, expected: string): Result.Result<never, CronParseError> =>
  Result.fail(new CronParseError({ text: found, field, found, position: 0, expected }))

interface TextRule {
  readonly text: string
  readonly rule: FieldRule
}

/** The rules of texts met lately: equal patterns share one rule, and most programs have few patterns. */
const rules = new Map<string, TextRule>()
const MAX_RULES = 2_000

const ruleOfText = (text: string): Result.Result<TextRule, CronParseError> => {
  const known = rules.get(text)
  if (known !== undefined) return Result.succeed(known)
  return Result.map(parseText(text), (parsed) => {
    const made = rules.get(parsed.text) ?? { text: parsed.text, rule: new FieldRule(parsed.fields) }
    if (rules.size >= MAX_RULES) rules.clear()
    rules.set(text, made)
    rules.set(parsed.text, made)
    return made
  })
}

/**
 * Effect's `Cron` as text and options. It moves a local time in a gap by the length of the gap.
 */
const fromEffect = (
  pattern: EffectCron.Cron,
  options: CronOptions | undefined
): Result.Result<Cron, CronParseError> => {
  const overlap = pattern.onDstOverlap === "earlier" ? "first" : pattern.onDstOverlap === "later" ? "last" : "both"
  const fields = EffectCron.format(pattern, { includeSeconds: true }).split(" ")
  // `and` is in the value but not in its type.
  const and = (pattern as { readonly and?: boolean }).and === true
  const weekday = `${and ? "+" : ""}${fields[5]}`
  return parseCron([...fields.slice(0, 5), weekday].join(" "), {
    timeZone: options?.timeZone ?? Option.match(pattern.tz, { onNone: () => "UTC", onSome: DateTime.zoneToString }),
    clockChange: options?.clockChange ?? { gap: "shift", overlap }
  })
}
