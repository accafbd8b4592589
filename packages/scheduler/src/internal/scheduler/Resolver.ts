import { Option, Schema } from "effect"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import { parseJson } from "../codec.ts"
import * as policies from "../policy.ts"
import type { Definition, Resolved } from "../transitions/index.ts"
import { anchorAt } from "../trigger/anchor.ts"
import { Trigger } from "../trigger/codec.ts"
import { type CustomDefinition, customNames, resolve } from "../trigger/custom.ts"
import { keyOf, version } from "../trigger/encode.ts"

/** The versions of stored triggers that this program reads go up to this one. */
export const triggerVersion = version

/** Why a node that knows these rules leaves a row alone, seen without decoding it; undefined where it may decide for it. */
export const whyUnread = (
  row: Pick<ScheduleRecord, "version" | "needs">,
  names: ReadonlyArray<string>
): string | undefined => {
  // The same text may mean something else to a newer version.
  if (row.version > version) {
    return `it was written by a newer version (${row.version}, this one reads up to ${version})`
  }
  const missing = row.needs === "" ? [] : row.needs.split(",").filter((name) => !names.includes(name))
  return missing.length === 0 ? undefined : noRule(missing)
}

const noRule = (missing: ReadonlyArray<string>): string =>
  `no rule named ${missing.map((name) => `"${name}"`).join(", ")} is registered here: give it to the option "triggers"`

/** Between stored rows and values: triggers with their custom rules, and policies. */
export interface Resolver {
  /** The custom rules that are known here, by name. */
  readonly names: () => ReadonlyArray<string>
  /** A trigger as a row keeps it. Equal triggers give one and the same text, so that rows share it. */
  readonly define: (trigger: Trigger) => Definition
  /** A row's trigger as it was given, or why it cannot be read. */
  readonly read: (record: Pick<ScheduleRecord, "trigger" | "version" | "needs">) => Trigger | string
  /** Why a row's trigger or policies cannot be read; undefined where they can. */
  readonly why: (record: Pick<ScheduleRecord, "trigger" | "version" | "needs" | "policy">) => string | undefined
  /** What a decision needs: the trigger closed by the row's anchor, and the policy. */
  readonly resolve: (record: ScheduleRecord) => Resolved | undefined
}

/** Decoded definitions that are kept; a program with more different ones decodes some of them again. */
const cached = 10_000

export const make = (
  definitions: ReadonlyArray<CustomDefinition>,
  lookup: (name: string) => CustomDefinition | undefined
): Resolver => {
  const known = new Map(definitions.map((definition) => [definition.name, definition]))
  const read = new Map<string, Trigger | string>()
  const defined = new WeakMap<Trigger, Definition>()
  const texts = new Map<string, Definition>()
  /** What was resolved last and needs no anchor: schedules that share their definition are often due together. */
  let last: { trigger: string; policy: string; resolved: Resolved | undefined } = {
    trigger: "",
    policy: "",
    resolved: undefined
  }

  const find = (name: string) => known.get(name) ?? lookup(name)

  const decode = (text: string): Trigger | string => {
    const trigger = Option.flatMap(Option.getSuccess(parseJson(text)), decodeTrigger)
    if (Option.isNone(trigger)) return "its stored trigger cannot be decoded"
    const resolved = resolve(trigger.value, find)
    return resolved.missing.length === 0 ? resolved.trigger : noRule(resolved.missing)
  }

  const self: Resolver = {
    names: () => [...known.keys()],
    define: (trigger) => {
      const before = defined.get(trigger)
      if (before !== undefined) return before
      // A rule that is scheduled here is known here.
      for (const definition of definitionsOf(trigger)) known.set(definition.name, definition)
      const text = keyOf(trigger)
      const definition = texts.get(text) ?? { trigger: text, version, needs: customNames(trigger).join(",") }
      forget(texts)
      texts.set(text, definition)
      defined.set(trigger, definition)
      if (!read.has(text)) remember(read, text, trigger)
      return definition
    },
    read: (record) => {
      if (record.version > version) return whyUnread(record, [])!
      const before = read.get(record.trigger)
      if (before !== undefined && typeof before !== "string") return before
      const trigger = decode(record.trigger)
      remember(read, record.trigger, trigger)
      return trigger
    },
    why: (record) => {
      const trigger = self.read(record)
      if (typeof trigger === "string") return trigger
      return policies.decode(record.policy) === undefined ? "its stored policies cannot be decoded" : undefined
    },
    resolve: (record) => {
      if (record.trigger === last.trigger && record.policy === last.policy && record.version <= version) {
        return last.resolved
      }
      const trigger = self.read(record)
      const policy = policies.decode(record.policy)
      if (typeof trigger === "string" || policy === undefined) return undefined
      const anchored = anchorAt(trigger, record.anchor)
      const resolved = { trigger: anchored, policy }
      if (anchored === trigger) last = { trigger: record.trigger, policy: record.policy, resolved }
      return resolved
    }
  }
  return self
}

const decodeTrigger = Schema.decodeUnknownOption(Trigger)

const remember = <A>(cache: Map<string, A>, text: string, value: A): void => {
  forget(cache)
  cache.set(text, value)
}

const forget = (cache: Map<string, unknown>): void => {
  if (cache.size >= cached) cache.clear()
}

const definitionsOf = (trigger: Trigger): ReadonlyArray<CustomDefinition> => {
  const found: Array<CustomDefinition> = []
  const visit = (rule: Trigger): void => {
    if (rule._tag === "Custom") {
      if (rule.resolved !== undefined) found.push(rule.resolved.definition)
    } else if (rule._tag === "Or" || rule._tag === "And") rule.of.forEach(visit)
    else if ("of" in rule) {
      visit(rule.of)
      if (rule._tag === "Except") visit(rule.rule)
    }
  }
  visit(trigger)
  return found
}
