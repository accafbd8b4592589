import { DateTime, Option } from "effect"
import * as Trigger from "../../src/Trigger.ts"

export const iso = (instant: DateTime.DateTime): string => DateTime.formatIso(instant).replace(".000Z", "Z")

export const isoNext = (trigger: Trigger.Trigger, after: DateTime.DateTime.Input): string | undefined =>
  Option.getOrUndefined(Option.map(Trigger.next(trigger, after), iso))

export const isoPrev = (trigger: Trigger.Trigger, atOrBefore: DateTime.DateTime.Input): string | undefined =>
  Option.getOrUndefined(Option.map(Trigger.prev(trigger, atOrBefore), iso))

export const isoBetween = (
  trigger: Trigger.Trigger,
  from: DateTime.DateTime.Input,
  to: DateTime.DateTime.Input
): ReadonlyArray<string> => Array.from(Trigger.between(trigger, from, to), iso)
