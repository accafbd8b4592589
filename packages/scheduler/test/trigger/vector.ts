import { DateTime } from "effect"
import * as Trigger from "../../src/Trigger.ts"

/** A vector as `shared/vectors/README.md` describes it. */
export interface Vector {
  readonly id: string
  readonly trigger: VectorTrigger
  readonly from: string
  readonly inclusive: boolean
  readonly expected?: ReadonlyArray<string>
  readonly byPreset?: Readonly<Record<string, ReadonlyArray<string>>>
  readonly presets?: ReadonlyArray<string>
  readonly exhausted?: boolean
  readonly invalid?: boolean
}

export type VectorTrigger = {
  readonly timeZone: string
  readonly gap?: Trigger.ClockChangeRule["gap"]
  readonly overlap?: Trigger.ClockChangeRule["overlap"]
  readonly start?: string
  readonly end?: string
} & (
  | { readonly kind: "cron"; readonly expression: string }
  | { readonly kind: "fields"; readonly fields: Trigger.CronFields }
  | ({ readonly kind: "interval" } & Partial<Record<"days" | "hours" | "minutes" | "seconds", number>>)
  | ({ readonly kind: "calendar"; readonly hour?: number; readonly minute?: number } & Partial<
      Record<"years" | "months" | "weeks" | "days", number>
    >)
  | { readonly kind: "at"; readonly at: string }
  | { readonly kind: "or"; readonly of: ReadonlyArray<VectorTrigger> }
  | { readonly kind: "and"; readonly of: ReadonlyArray<VectorTrigger>; readonly thresholdSeconds: number }
)

/** The presets that a vector names, each with the instants expected under it. */
export const cases = (vector: Vector): ReadonlyArray<readonly [string | undefined, ReadonlyArray<string>]> =>
  vector.byPreset !== undefined
    ? Object.entries(vector.byPreset)
    : (vector.presets ?? [undefined]).map((preset) => [preset, vector.expected ?? []] as const)

const clockChangeOf = (preset: string | undefined, trigger: VectorTrigger): Trigger.ClockChange => {
  if (preset === "gap-end") return { gap: "gapEnd", overlap: "first" }
  if (preset === "vixie" || preset === "ocps" || preset === "compatible") return preset
  return trigger.gap === undefined ? "vixie" : { gap: trigger.gap, overlap: trigger.overlap! }
}

const local = (text: string, timeZone: string): DateTime.DateTime =>
  /[+-]\d\d:\d\d$/.test(text)
    ? DateTime.makeUnsafe(text)
    : DateTime.makeZonedUnsafe(text, { timeZone, adjustForTimeZone: true })

export const triggerOf = (vector: VectorTrigger, preset: string | undefined): Trigger.Rule => {
  const rule = ruleOf(vector, preset)
  const start =
    vector.kind === "fields" && vector.start !== undefined ? local(vector.start, vector.timeZone) : undefined
  const end = endOf(vector)
  return start === undefined && end === undefined ? rule : Trigger.bounded(rule, { start, end })
}

/** A calendar ends on a date, which is included; the others at an instant. */
const endOf = (vector: VectorTrigger): DateTime.DateTime | undefined => {
  if (vector.end === undefined) return undefined
  return local(vector.kind === "calendar" ? `${vector.end}T23:59:59` : vector.end, vector.timeZone)
}

const ruleOf = (vector: VectorTrigger, preset: string | undefined): Trigger.Rule => {
  const options = { timeZone: vector.timeZone, clockChange: clockChangeOf(preset, vector) }
  switch (vector.kind) {
    case "cron":
      return parsed(vector.expression, options)
    case "fields":
      return parsed(vector.fields, options)
    case "interval": {
      const { days = 0, hours = 0, minutes = 0, seconds = 0 } = vector
      const every = ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000
      return Trigger.every(every, { start: local(vector.start!, vector.timeZone) })
    }
    case "calendar":
      return Trigger.calendar({ ...vector, at: `${two(vector.hour)}:${two(vector.minute)}` }, options)
    case "at":
      return Trigger.at(local(vector.at, vector.timeZone))
    case "or": {
      const [first, ...others] = vector.of.map((member) => triggerOf(member, undefined))
      return Trigger.or(first!, ...others)
    }
    case "and": {
      const [first, ...others] = vector.of.map((member) => triggerOf(member, undefined))
      return Trigger.and([first!, ...others], { tolerance: `${vector.thresholdSeconds} seconds` })
    }
  }
}

const parsed = (pattern: string | Trigger.CronFields, options: Trigger.CronOptions): Trigger.Rule => {
  const result = Trigger.parseCron(pattern, options)
  if (result._tag === "Failure") throw result.failure
  return result.success
}

const two = (value = 0): string => String(value).padStart(2, "0")
