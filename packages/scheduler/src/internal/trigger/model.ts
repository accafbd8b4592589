/**
 * The values: one class for each case of the union. They are immutable, equal when their encoded forms are, and carry
 * what a search needs, computed when they are made.
 */
import { Equal, Hash, Pipeable, Predicate } from "effect"
import { NodeInspectSymbol } from "effect/Inspectable"
import type { Zone } from "../zone/Zone.ts"
import type { CalendarPlan, CalendarRule } from "./CalendarRule.ts"
import type { ClockChange, Policy } from "./clockChange.ts"
import type { FieldTexts } from "./cronFields.ts"
import type { CustomDefinition } from "./custom.ts"
import { describe, describeCron } from "./describe.ts"
import { encode, encodeCron, keyOf, stored } from "./encode.ts"
import type { FieldRule } from "./FieldRule.ts"
import type { TriggerJson } from "./json.ts"
import type { Members } from "./members.ts"
import type { Window } from "./Window.ts"

const TypeId = "~effect-scheduler/Trigger"

abstract class Base extends Pipeable.Class {
  /** In words, as `describe` has it. */
  abstract override toString(): string

  /** The encoded form. */
  abstract toJSON(): TriggerJson

  readonly [TypeId] = TypeId;

  /** Triggers are equal when their encoded forms are. */
  [Equal.symbol](this: Trigger, that: unknown): boolean {
    return this === that || (isTrigger(that) && keyOf(this) === keyOf(that))
  }

  /** Of the encoded form. */
  [Hash.symbol](this: Trigger): number {
    return Hash.string(keyOf(this))
  }

  /** The encoded form. */
  [NodeInspectSymbol](this: Trigger): unknown {
    return this.toJSON()
  }
}

/** Every kind but `Cron`, which tells its own words and form, so that a bundle with `cron` alone has those of no other kind. */
abstract class Kind extends Base {
  override toString(this: Trigger): string {
    return describe(this)
  }

  override toJSON(this: Trigger): TriggerJson {
    return encode(this)
  }
}

/** One instant. */
export class At extends Kind {
  readonly _tag = "At"
  /** Milliseconds since the epoch, as every instant in these values. */
  readonly at: number

  constructor(at: number) {
    super()
    this.at = at
  }
}

/** A grid of elapsed time, in milliseconds. Without a start it needs an anchor, which is not itself a firing. */
export class Every extends Kind {
  readonly _tag = "Every"
  readonly every: number
  readonly start: number | undefined
  readonly anchor: number | undefined

  constructor(every: number, start: number | undefined, anchor: number | undefined) {
    super()
    this.every = every
    this.start = start
    this.anchor = anchor
  }
}

/** The rhythm of a schedule's own runs, in milliseconds; no set of instants. */
export class Spaced extends Kind {
  readonly _tag = "Spaced"
  readonly spaced: number
  readonly first: number
  readonly limits: ReadonlyArray<SpacedLimit>
  readonly anchor: number | undefined

  constructor(spaced: number, first: number, limits: ReadonlyArray<SpacedLimit>, anchor: number | undefined) {
    super()
    this.spaced = spaced
    this.first = first
    this.limits = limits
    this.anchor = anchor
  }
}

/**
 * What `bounded` and `during` make of a spaced trigger: its time moves on until every limit allows it. Instants are epoch
 * milliseconds.
 */
export type SpacedLimit =
  | { readonly _tag: "Bounds"; readonly start: number | undefined; readonly end: number | undefined }
  | { readonly _tag: "Windows"; readonly windows: ReadonlyArray<Window> }

/** A pattern of local times, given as text or by fields. */
export class Cron extends Base {
  readonly _tag = "Cron"
  readonly source: CronSource
  readonly timeZone: string
  readonly clockChange: ClockChange
  readonly rule: FieldRule
  readonly zone: Zone
  readonly policy: Policy

  constructor(source: CronSource, zone: Zone, clockChange: ClockChange, rule: FieldRule, policy: Policy) {
    super()
    this.source = source
    this.timeZone = zone.id
    this.clockChange = clockChange
    this.rule = rule
    this.zone = zone
    this.policy = policy
  }

  override toString(): string {
    return describeCron(this)
  }

  override toJSON(): TriggerJson {
    return stored(encodeCron(this))
  }
}

/** What a pattern was given as. */
export type CronSource =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Fields"; readonly fields: FieldTexts }

/** Local dates counted from a date, at a local time. Without a start it needs an anchor. */
export class Calendar extends Kind {
  readonly _tag = "Calendar"
  readonly plan: CalendarPlan
  readonly anchor: number | undefined
  readonly timeZone: string
  readonly clockChange: ClockChange
  readonly rule: CalendarRule
  readonly zone: Zone
  readonly policy: Policy

  constructor(
    plan: CalendarPlan,
    anchor: number | undefined,
    zone: Zone,
    clockChange: ClockChange,
    rule: CalendarRule,
    policy: Policy
  ) {
    super()
    this.plan = plan
    this.anchor = anchor
    this.timeZone = zone.id
    this.clockChange = clockChange
    this.rule = rule
    this.zone = zone
    this.policy = policy
  }
}

/** The union of its members. */
export class Or extends Kind {
  readonly _tag = "Or"
  readonly of: Members

  constructor(of: Members) {
    super()
    this.of = of
  }
}

/** The instants of the first member at which every other has one within the tolerance, in milliseconds. */
export class And extends Kind {
  readonly _tag = "And"
  readonly of: Members
  readonly tolerance: number

  constructor(of: Members, tolerance: number) {
    super()
    this.of = of
    this.tolerance = tolerance
  }
}

/** A user's own rule: its name and encoded parameters, and its functions once they are known. */
export class Custom extends Kind {
  readonly _tag = "Custom"
  readonly name: string
  /** A plain JSON value. */
  readonly params: unknown
  readonly resolved: { readonly definition: CustomDefinition; readonly params: unknown } | undefined

  constructor(
    name: string,
    params: unknown,
    resolved: { readonly definition: CustomDefinition; readonly params: unknown } | undefined
  ) {
    super()
    this.name = name
    this.params = params
    this.resolved = resolved
  }
}

/** The instants from `start` to `end`, both included. */
export class Bounded extends Kind {
  readonly _tag = "Bounded"
  readonly of: Rule
  readonly start: number | undefined
  readonly end: number | undefined

  constructor(of: Rule, start: number | undefined, end: number | undefined) {
    super()
    this.of = of
    this.start = start
    this.end = end
  }
}

/** The instants at which another rule has none. */
export class Except extends Kind {
  readonly _tag = "Except"
  readonly of: Rule
  readonly rule: Rule

  constructor(of: Rule, rule: Rule) {
    super()
    this.of = of
    this.rule = rule
  }
}

/** The instants on other than some local dates, which are sorted day numbers. */
export class ExceptDates extends Kind {
  readonly _tag = "ExceptDates"
  readonly of: Rule
  readonly dates: ReadonlyArray<number>
  readonly timeZone: string
  readonly zone: Zone

  constructor(of: Rule, dates: ReadonlyArray<number>, zone: Zone) {
    super()
    this.of = of
    this.dates = dates
    this.timeZone = zone.id
    this.zone = zone
  }
}

/** The instants in any of some windows of local time. */
export class During extends Kind {
  readonly _tag = "During"
  readonly of: Rule
  readonly windows: ReadonlyArray<Window>

  constructor(of: Rule, windows: ReadonlyArray<Window>) {
    super()
    this.of = of
    this.windows = windows
  }
}

/** The instants moved by a number of milliseconds. */
export class Offset extends Kind {
  readonly _tag = "Offset"
  readonly of: Rule
  readonly by: number

  constructor(of: Rule, by: number) {
    super()
    this.of = of
    this.by = by
  }
}

/** One firing at the anchor, then the instants after it. */
export class StartNow extends Kind {
  readonly _tag = "StartNow"
  readonly of: Rule
  readonly anchor: number | undefined

  constructor(of: Rule, anchor: number | undefined) {
    super()
    this.of = of
    this.anchor = anchor
  }
}

/** A trigger that is a set of instants: what combinations and modifiers take. */
export type Rule =
  | At
  | Every
  | Cron
  | Calendar
  | Or
  | And
  | Custom
  | Bounded
  | Except
  | ExceptDates
  | During
  | Offset
  | StartNow

export type Trigger = Rule | Spaced

/**
 * Whether a value is a trigger.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * Trigger.isTrigger(Trigger.every("1 hour")) // => true
 * Trigger.isTrigger("1 hour") // => false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isTrigger = (value: unknown): value is Trigger => Predicate.hasProperty(value, TypeId)

/**
 * Whether a trigger is spaced: its next time is set by the end of the run before.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * Trigger.isSpaced(Trigger.spaced("1 hour")) // => true
 * Trigger.isSpaced(Trigger.every("1 hour")) // => false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isSpaced = (trigger: Trigger): trigger is Spaced => trigger._tag === "Spaced"
