/**
 * Triggers beside their times, listed by arithmetic of their own: what decisions are compared with.
 */
import { DateTime, Option, Schema } from "effect"
import * as Trigger from "../../src/Trigger.ts"
import { type Random } from "../trigger/random.ts"

/** A round instant that the tests count from: 2026-01-05T00:00:00Z, a Monday. */
export const epoch = 1_767_571_200_000

export interface Rule {
  readonly name: string
  /** Anchored. */
  readonly trigger: Trigger.Trigger
  /** All its times in (after, upTo], in order. */
  readonly times: (after: number, upTo: number) => ReadonlyArray<number>
}

/** The first time of a rule after an instant, within a week. */
export const nextOf = (rule: Rule, after: number): number | undefined => {
  for (let reach = 60_000; ; reach *= 8) {
    const [next] = rule.times(after, after + Math.min(reach, 7 * 86_400_000))
    if (next !== undefined || reach > 7 * 86_400_000) return next
  }
}

type RuleOf = Rule & { readonly trigger: Exclude<Trigger.Trigger, { readonly _tag: "Spaced" }> }

const grid = (period: number, phase: number, after: number, upTo: number): Array<number> => {
  const found: Array<number> = []
  for (let at = after + period - ((((after - phase) % period) + period) % period); at <= upTo; at += period)
    found.push(at)
  return found
}

/** Each period from the epoch, which is itself no time. */
const everyMillis = (millis: number): RuleOf => ({
  name: `every ${millis} ms`,
  trigger: Trigger.anchor(Trigger.every(millis), epoch),
  times: (after, upTo) => grid(millis, epoch, Math.max(after, epoch), upTo)
})

export const everySeconds = (seconds: number): RuleOf => everyMillis(seconds * 1000)

const cronSeconds = (step: number): RuleOf => ({
  name: `cron */${step} s`,
  trigger: Trigger.cron(`*/${step} * * * * *` as "*/5 * * * * *"),
  times: (after, upTo) => grid(step * 1000, 0, after, upTo)
})

const cronMinutes = (first: number, second: number): RuleOf => ({
  name: `cron ${first},${second}`,
  trigger: Trigger.cron(`${first},${second} * * * *` as "1,2 * * * *"),
  times: (after, upTo) =>
    grid(60_000, 0, after, upTo).filter((at) => [first, second].includes(Math.floor(at / 60_000) % 60))
})

const squares = (start: number, upTo: number): Array<number> => {
  const found: Array<number> = []
  for (let k = 0; start + k * k * 1000 <= upTo; k++) found.push(start + k * k * 1000)
  return found
}

const nextSquare = ({ start }: { readonly start: number }, after: DateTime.Utc) => {
  const k = Math.max(0, Math.floor(Math.sqrt(Math.max(0, after.epochMilliseconds - start) / 1000)) - 1)
  for (let i = k; ; i++) {
    const at = start + i * i * 1000
    if (at > after.epochMilliseconds) return Option.some(DateTime.makeUnsafe(at))
  }
}

/** Gaps that grow; it cannot be asked backwards, and is counted one by one. */
export const Squares = Trigger.custom("Squares", Schema.Struct({ start: Schema.Number }), { next: nextSquare })

const custom = (start: number): RuleOf => ({
  name: "squares",
  trigger: Squares({ start }),
  times: (after, upTo) => squares(start, upTo).filter((at) => at > after)
})

const union = (one: RuleOf, other: RuleOf): RuleOf => ({
  name: `${one.name} or ${other.name}`,
  trigger: Trigger.or(one.trigger, other.trigger),
  times: (after, upTo) =>
    Array.from(new Set([...one.times(after, upTo), ...other.times(after, upTo)])).toSorted((a, b) => a - b)
})

const without = (one: RuleOf, other: RuleOf): RuleOf => ({
  name: `${one.name} except ${other.name}`,
  trigger: Trigger.except(one.trigger, other.trigger),
  times: (after, upTo) => {
    const excluded = new Set(other.times(after, upTo))
    return one.times(after, upTo).filter((at) => !excluded.has(at))
  }
})

const bounded = (rule: RuleOf, start: number, end: number): RuleOf => ({
  name: `${rule.name} in bounds`,
  trigger: Trigger.bounded(rule.trigger, { start, end }),
  times: (after, upTo) => rule.times(Math.max(after, start - 1), Math.min(upTo, end))
})

const moved = (rule: RuleOf, by: number): RuleOf => ({
  name: `${rule.name} + ${by}`,
  trigger: Trigger.offset(rule.trigger, by),
  times: (after, upTo) => rule.times(after - by, upTo - by).map((at) => at + by)
})

/** Any kind of trigger, with some seconds or minutes between its times, for some hours after the epoch. */
export const randomRule = (random: Random, depth = 2): RuleOf => {
  const kind = random.int(0, depth > 0 ? 8 : 4)
  switch (kind) {
    case 0:
      return everyMillis(random.int(700, 90_000))
    case 1:
      return everySeconds(random.int(1, 120))
    case 2:
      return cronSeconds(random.pick([2, 5, 10, 30]))
    case 3:
      return cronMinutes(random.int(0, 29), random.int(30, 59))
    case 4:
      return custom(epoch + random.int(-1000, 1000) * 1000)
    case 5:
      return union(randomRule(random, depth - 1), randomRule(random, depth - 1))
    case 6:
      return without(randomRule(random, depth - 1), randomRule(random, depth - 1))
    case 7: {
      const start = epoch + random.int(0, 3_600_000)
      return bounded(randomRule(random, depth - 1), start, start + random.int(0, 7_200_000))
    }
    default:
      return moved(randomRule(random, depth - 1), random.int(0, 5000))
  }
}
