/**
 * A user's own rules: definitions, the registry that finds them by name, and resolving a decoded trigger against it.
 */
import { Context, type DateTime, Layer, type Option, Result, Schema } from "effect"
import { invalidOption } from "./error.ts"
import { mapMembers } from "./members.ts"
import * as Model from "./model.ts"

/**
 * A custom rule: its name in stored triggers, the schema of its parameters, and its functions.
 *
 * `next` answers the first instant after its argument, and never an earlier one for a later argument. `prev` answers the
 * last one at or before its argument; without it, it is found from `next` by bisection. Both must be pure: every node
 * computes with them, and a schedule whose rule throws or answers against this is faulty.
 *
 * @category models
 * @since 0.1.0
 */
// The parameters of the definitions in a registry differ; each is only ever called with what its own schema decoded.
// oxlint-disable-next-line typescript/no-explicit-any
export interface CustomDefinition<P = any> {
  readonly name: string
  readonly params: Schema.Codec<P, unknown>
  /** The first instant after this one. */
  readonly next: (params: P, after: DateTime.Utc) => Option.Option<DateTime.DateTime>
  /** The last instant at or before this one. */
  readonly prev?: ((params: P, atOrBefore: DateTime.Utc) => Option.Option<DateTime.DateTime>) | undefined
}

/**
 * A custom rule as a constructor of its triggers.
 *
 * @category models
 * @since 0.1.0
 */
export interface CustomTrigger<P> extends CustomDefinition<P> {
  (params: P): Model.Custom
}

/**
 * Defines a rule of one's own, stored by name and parameters: calling the result with parameters makes a trigger.
 *
 * A process that reads such a trigger from a store finds its functions in the `TriggerRegistry`, so put the definition
 * into its layer too. Throws `TriggerError` for parameters that their schema refuses.
 *
 * ```ts
 * import { DateTime, Option, Schema } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const Doubling = Trigger.custom("Doubling", Schema.Struct({ from: Schema.Number }), {
 *   next: ({ from }, after) => {
 *     let at = from
 *     while (at <= after.epochMilliseconds) at *= 2
 *     return Option.some(DateTime.makeUnsafe(at))
 *   }
 * })
 *
 * String(Trigger.next(Doubling({ from: 1000 }), 5000)) // => "some(DateTime.Utc(1970-01-01T00:00:08.000Z))"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const custom = <P, I>(
  name: string,
  params: Schema.Codec<P, I>,
  functions: {
    readonly next: (params: P, after: DateTime.Utc) => Option.Option<DateTime.DateTime>
    readonly prev?: ((params: P, atOrBefore: DateTime.Utc) => Option.Option<DateTime.DateTime>) | undefined
  }
): CustomTrigger<P> => {
  if (name.length === 0) throw invalidOption("custom", name, "a name")
  const encode = Schema.encodeResult(Schema.toCodecJson(params))
  const make = (value: P): Model.Custom => {
    const encoded = encode(value)
    if (Result.isFailure(encoded))
      throw invalidOption(`params of ${name}`, String(encoded.failure), "what its schema encodes")
    return new Model.Custom(name, encoded.success, { definition, params: value })
  }
  // A function has a name of its own, which only a definition replaces.
  Object.defineProperty(make, "name", { value: name })
  const definition = Object.assign(make, { params, next: functions.next, prev: functions.prev }) as CustomTrigger<P>
  return definition
}

/**
 * Where the functions of custom rules are found by name. Empty unless a layer says otherwise.
 *
 * ```ts
 * import { Effect, Option, Schema } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const Never = Trigger.custom("Never", Schema.Struct({}), { next: () => Option.none() })
 *
 * const known = Effect.map(Trigger.TriggerRegistry, (registry) => registry.lookup("Never") !== undefined)
 *
 * Effect.runSync(known) // => false
 * Effect.runSync(Effect.provide(known, Trigger.layerRegistry(Never))) // => true
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export const TriggerRegistry: Context.Reference<TriggerRegistry> = Context.Reference<TriggerRegistry>(
  "effect-scheduler/Trigger/TriggerRegistry",
  { defaultValue: () => ({ definitions: [], lookup: () => undefined }) }
)

/**
 * The shape of the registry.
 *
 * @category services
 * @since 0.1.0
 */
export interface TriggerRegistry {
  /** All of them: a scheduler asks its stores for the schedules whose rules it knows. */
  readonly definitions: ReadonlyArray<CustomDefinition>
  /** The one of this name. */
  readonly lookup: (name: string) => CustomDefinition | undefined
}

/**
 * A registry of these definitions. Throws `TriggerError` for two of one name.
 *
 * ```ts
 * import { Layer, Option, Schema } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const Never = Trigger.custom("Never", Schema.Struct({}), { next: () => Option.none() })
 * Layer.isLayer(Trigger.layerRegistry(Never)) // => true
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRegistry = (...definitions: ReadonlyArray<CustomDefinition>): Layer.Layer<never> => {
  const byName = new Map<string, CustomDefinition>()
  for (const definition of definitions) {
    if (byName.has(definition.name)) throw invalidOption("layerRegistry", definition.name, "each name once")
    byName.set(definition.name, definition)
  }
  return Layer.succeed(TriggerRegistry, { definitions, lookup: (name) => byName.get(name) })
}

/** Whether all custom rules in the trigger have their functions, and which names have none. */
export interface Resolved {
  readonly trigger: Model.Trigger
  readonly missing: ReadonlyArray<string>
}

/**
 * Gives the custom rules in a decoded trigger their functions. What has them already keeps them; parameters that the
 * definition's schema refuses count as missing. The same value comes back where nothing changed.
 */
export const resolve = (trigger: Model.Trigger, lookup: (name: string) => CustomDefinition | undefined): Resolved => {
  const missing = new Set<string>()
  const of = (rule: Model.Rule): Model.Rule => {
    switch (rule._tag) {
      case "Custom":
        return resolveCustom(rule, lookup, missing)
      case "Or":
        return rebuilt(rule, rule.of, mapMembers(rule.of, of), (members) => new Model.Or(members))
      case "And":
        return rebuilt(rule, rule.of, mapMembers(rule.of, of), (members) => new Model.And(members, rule.tolerance))
      case "Except":
        return rebuilt(rule, [rule.of, rule.rule], [of(rule.of), of(rule.rule)], ([a, b]) => new Model.Except(a, b))
      case "Bounded":
        return rebuilt(rule, [rule.of], [of(rule.of)], ([a]) => new Model.Bounded(a, rule.start, rule.end))
      case "ExceptDates":
        return rebuilt(rule, [rule.of], [of(rule.of)], ([a]) => new Model.ExceptDates(a, rule.dates, rule.zone))
      case "During":
        return rebuilt(rule, [rule.of], [of(rule.of)], ([a]) => new Model.During(a, rule.windows))
      case "Offset":
        return rebuilt(rule, [rule.of], [of(rule.of)], ([a]) => new Model.Offset(a, rule.by))
      case "StartNow":
        return rebuilt(rule, [rule.of], [of(rule.of)], ([a]) => new Model.StartNow(a, rule.anchor))
      default:
        return rule
    }
  }
  const resolved = Model.isSpaced(trigger) ? trigger : of(trigger)
  return { trigger: resolved, missing: Array.from(missing).toSorted() }
}

/** The rule itself where none of its members is another one. */
const rebuilt = <const M extends ReadonlyArray<Model.Rule>>(
  rule: Model.Rule,
  before: M,
  after: M,
  make: (members: M) => Model.Rule
): Model.Rule => (after.every((member, index) => member === before[index]) ? rule : make(after))

const resolveCustom = (
  rule: Model.Custom,
  lookup: (name: string) => CustomDefinition | undefined,
  missing: Set<string>
): Model.Custom => {
  if (rule.resolved !== undefined) return rule
  const definition = lookup(rule.name)
  const params =
    definition === undefined
      ? undefined
      : Schema.decodeUnknownResult(Schema.toCodecJson(definition.params))(rule.params)
  if (definition === undefined || params === undefined || Result.isFailure(params)) {
    missing.add(rule.name)
    return rule
  }
  return new Model.Custom(rule.name, rule.params, { definition, params: params.success })
}

/** The names of the custom rules in a trigger, sorted. */
export const customNames = (trigger: Model.Trigger): ReadonlyArray<string> => {
  const names = new Set<string>()
  const visit = (rule: Model.Trigger): void => {
    if (rule._tag === "Custom") names.add(rule.name)
    else if (rule._tag === "Or" || rule._tag === "And") rule.of.forEach(visit)
    else if ("of" in rule) {
      visit(rule.of)
      if (rule._tag === "Except") visit(rule.rule)
    }
  }
  visit(trigger)
  return Array.from(names).toSorted()
}
