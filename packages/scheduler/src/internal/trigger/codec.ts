/**
 * The schema of triggers: from plain JSON with a version and back.
 */
import { Effect, Result, Schema, SchemaIssue, SchemaTransformation } from "effect"
import { anchorAt } from "./anchor.ts"
import * as Make from "./constructors.ts"
import { parseCron } from "./cron.ts"
import { encode } from "./encode.ts"
import { instantOf, optionalInstant } from "./instant.ts"
import { type BoundsJson, type RuleJson, type SpacedJson, TriggerJson } from "./json.ts"
import * as Model from "./model.ts"
import { bounded, during, except, offset } from "./modifiers.ts"

/**
 * A trigger: when. Either a set of instants (`Rule`), or `spaced`. An immutable value with `Equal`, `Hash`, `pipe` and a
 * readable `toString`.
 *
 * @category models
 * @since 0.1.0
 */
export type Trigger = Model.Trigger

/**
 * The schema of triggers, whose encoded form is plain JSON with a version.
 *
 * Decoding an unknown version or shape, and anything that the constructors refuse, is a `SchemaError`. The functions of a
 * custom rule are not stored: a decoded one has none until it is resolved from the `TriggerRegistry`.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const json = Schema.encodeSync(Trigger.Trigger)(Trigger.every("5 minutes"))
 * json // => { version: 1, trigger: { _tag: "Every", every: 300000 } }
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Trigger: Schema.Codec<Trigger, TriggerJson> = TriggerJson.pipe(
  Schema.decodeTo(
    Schema.declare(Model.isTrigger, { identifier: "Trigger" }),
    SchemaTransformation.transformEffect({
      decode: (json) => {
        const decoded = Result.try(() => decode(json))
        return Result.isSuccess(decoded)
          ? Effect.succeed(decoded.success)
          : Effect.fail(new SchemaIssue.InvalidValue({ message: messageOf(decoded.failure) }, json))
      },
      encode: (trigger) => Effect.succeed(encode(trigger))
    })
  )
)

const messageOf = (failure: unknown): string => (failure instanceof Error ? failure.message : String(failure))

const decode = (json: TriggerJson): Model.Trigger =>
  json.trigger._tag === "Spaced" ? decodeSpaced(json.trigger) : decodeRule(json.trigger)

const decodeSpaced = (json: SpacedJson): Model.Spaced => {
  let spaced: Model.Spaced = Make.spaced(json.spaced, { first: json.first })
  for (const limit of json.limits ?? []) {
    spaced = limit._tag === "Windows" ? during(spaced, limit.windows) : bounded(spaced, limit)
  }
  return anchored(spaced, json)
}

const decodeRule = (json: RuleJson): Model.Rule => {
  switch (json._tag) {
    case "At":
      return Make.at(json.at)
    case "Every":
      return anchored(Make.every(json.every, { start: json.start }), json)
    case "Cron":
      return Result.getOrThrow(parseCron(json.text, json))
    case "CronFields":
      return Result.getOrThrow(parseCron(json.fields, json))
    case "Calendar":
      return anchored(Make.calendar(json, json), json)
    case "Or":
      return Make.or(...members(json.of))
    case "And":
      return Make.and(members(json.of), { tolerance: json.tolerance })
    case "Custom":
      return new Model.Custom(json.name, json.params, undefined)
    case "Bounded":
      return bounded(decodeRule(json.of), boundsOf(json))
    case "Except":
      return except(decodeRule(json.of), decodeRule(json.rule))
    case "ExceptDates":
      return except(decodeRule(json.of), json)
    case "During":
      return during(decodeRule(json.of), json.windows)
    case "Offset":
      return offset(decodeRule(json.of), json.by)
    case "StartNow":
      return new Model.StartNow(decodeRule(json.of), optionalInstant(json.anchor, "anchor"))
  }
}

const members = ([first, ...others]: readonly [RuleJson, ...Array<RuleJson>]): [Model.Rule, ...Array<Model.Rule>] => [
  decodeRule(first),
  ...others.map(decodeRule)
]

const boundsOf = (json: BoundsJson): BoundsJson => ({
  ...(json.start === undefined ? {} : { start: json.start }),
  ...(json.end === undefined ? {} : { end: json.end })
})

const anchored = <T extends Model.Trigger>(trigger: T, json: { readonly anchor?: string }): T =>
  json.anchor === undefined ? trigger : anchorAt(trigger, instantOf(json.anchor, "anchor"))
