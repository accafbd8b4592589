/**
 * The schema of the stored form. A new version gets a schema of its own, and the old one stays readable.
 */
import { Schema } from "effect"
import { ClockChange } from "./clockChange.ts"
import { FIELD_NAMES } from "./cronFields.ts"

const Instant = Schema.String
const Millis = Schema.Int
const anchor = { anchor: Schema.optionalKey(Instant) }
const zoned = { timeZone: Schema.String, clockChange: ClockChange }

const Bounds = Schema.Struct({ start: Schema.optionalKey(Instant), end: Schema.optionalKey(Instant) })

export type BoundsJson = typeof Bounds.Type

const WindowJson = Schema.Struct({
  days: Schema.Array(Schema.String),
  from: Schema.String,
  to: Schema.String,
  timeZone: Schema.String
})

export type WindowJson = typeof WindowJson.Type

const Fields = Schema.Record(Schema.Literals(FIELD_NAMES), Schema.optionalKey(Schema.String))

const leaves = [
  Schema.TaggedStruct("At", { at: Instant }),
  Schema.TaggedStruct("Every", { every: Millis, start: Schema.optionalKey(Instant), ...anchor }),
  Schema.TaggedStruct("Cron", { text: Schema.String, ...zoned }),
  Schema.TaggedStruct("CronFields", { fields: Fields, ...zoned }),
  Schema.TaggedStruct("Calendar", {
    years: Schema.optionalKey(Schema.Int),
    months: Schema.optionalKey(Schema.Int),
    weeks: Schema.optionalKey(Schema.Int),
    days: Schema.optionalKey(Schema.Int),
    at: Schema.String,
    start: Schema.optionalKey(Schema.String),
    day: Schema.Literals(["skip", "clamp"]),
    ...zoned,
    ...anchor
  }),
  Schema.TaggedStruct("Custom", { name: Schema.String, params: Schema.Json })
] as const

type Leaf = (typeof leaves)[number]["Type"]

/** Written out because the type refers to itself. */
export type RuleJson =
  | Leaf
  | { readonly _tag: "Or"; readonly of: readonly [RuleJson, ...Array<RuleJson>] }
  | { readonly _tag: "And"; readonly of: readonly [RuleJson, ...Array<RuleJson>]; readonly tolerance: number }
  | ({ readonly _tag: "Bounded"; readonly of: RuleJson } & BoundsJson)
  | { readonly _tag: "Except"; readonly of: RuleJson; readonly rule: RuleJson }
  | {
      readonly _tag: "ExceptDates"
      readonly of: RuleJson
      readonly dates: ReadonlyArray<string>
      readonly timeZone: string
    }
  | { readonly _tag: "During"; readonly of: RuleJson; readonly windows: ReadonlyArray<WindowJson> }
  | { readonly _tag: "Offset"; readonly of: RuleJson; readonly by: number }
  | { readonly _tag: "StartNow"; readonly of: RuleJson; readonly anchor?: string }

const of = Schema.suspend((): Schema.Codec<RuleJson> => RuleJson)

const RuleJson: Schema.Codec<RuleJson> = Schema.Union([
  ...leaves,
  Schema.TaggedStruct("Or", { of: Schema.NonEmptyArray(of) }),
  Schema.TaggedStruct("And", { of: Schema.NonEmptyArray(of), tolerance: Millis }),
  Schema.TaggedStruct("Bounded", { of, ...Bounds.fields }),
  Schema.TaggedStruct("Except", { of, rule: of }),
  Schema.TaggedStruct("ExceptDates", { of, dates: Schema.Array(Schema.String), timeZone: Schema.String }),
  Schema.TaggedStruct("During", { of, windows: Schema.Array(WindowJson) }),
  Schema.TaggedStruct("Offset", { of, by: Millis }),
  Schema.TaggedStruct("StartNow", { of, ...anchor })
])

const SpacedJson = Schema.TaggedStruct("Spaced", {
  spaced: Millis,
  first: Millis,
  limits: Schema.optionalKey(
    Schema.Array(
      Schema.Union([
        Schema.TaggedStruct("Bounds", Bounds.fields),
        Schema.TaggedStruct("Windows", { windows: Schema.Array(WindowJson) })
      ])
    )
  ),
  ...anchor
})

export type SpacedJson = typeof SpacedJson.Type

/**
 * The stored form of a trigger: plain JSON, with the version of its format.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * Schema.is(Trigger.TriggerJson)({ version: 1, trigger: { _tag: "At", at: "2030-01-01T09:00:00.000Z" } }) // => true
 * Schema.is(Trigger.TriggerJson)({ version: 1, trigger: { _tag: "Later" } }) // => false
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const TriggerJson: Schema.Codec<TriggerJson> = Schema.Struct({
  version: Schema.Literal(1),
  trigger: Schema.Union([SpacedJson, RuleJson])
})

/**
 * The type of `TriggerJson`. Instants are ISO texts, intervals milliseconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface TriggerJson {
  readonly version: 1
  readonly trigger: RuleJson | SpacedJson
}
