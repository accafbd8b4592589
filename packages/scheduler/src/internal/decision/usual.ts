/**
 * The usual decision: the trigger is a plain rule, no time or one has passed, and nothing is in the way of that one.
 *
 * It answers what the whole decision answers, at a fraction of its cost, and leaves everything else to it.
 */
import type { Decision, Due, Situation } from "../../Decision.ts"
import type { Policy } from "../../JobSchedule.ts"
import { toleranceOf } from "../policy.ts"
import type { Trigger } from "../trigger/model.ts"
import { isPlain, type Plain, plainNext } from "../trigger/search.ts"

const none: ReadonlyArray<Due> = []

export const decideUsual = ({ active, deferred, now, schedule }: Situation): Decision | undefined => {
  const { fired, policy, trigger, watermark } = schedule
  if (!isPlain(trigger)) return undefined
  const nominal = nextOf(trigger, watermark)
  if (nominal > now) return decided(none, watermark, nominal)
  const due = dueAt(nominal, trigger, policy, fired, active + deferred, now)
  return due === undefined
    ? undefined
    : decided([{ nominal, runAt: due.runAt, startBy: due.startBy }], nominal, due.next)
}

/** The first time of a plain rule after an instant, `Infinity` for none; undefined of any other trigger. */
export const usualNext = (trigger: Trigger, after: number): number | undefined =>
  isPlain(trigger) ? nextOf(trigger, after) : undefined

/** What fires, with the time after it. */
export interface UsualDue extends Due {
  /** `Infinity` for none. */
  readonly next: number
}

/** The one time that fires now and nothing else, in the usual case; otherwise undefined. */
export const usualDue = (
  trigger: Trigger,
  policy: Policy,
  watermark: number,
  fired: number,
  busy: number,
  now: number
): UsualDue | undefined => {
  if (!isPlain(trigger)) return undefined
  const nominal = nextOf(trigger, watermark)
  return nominal > now ? undefined : dueAt(nominal, trigger, policy, fired, busy, now)
}

const dueAt = (
  nominal: number,
  trigger: Plain,
  policy: Policy,
  fired: number,
  busy: number,
  now: number
): UsualDue | undefined => {
  const tolerance = toleranceOf(policy)
  if (now - nominal > tolerance || policy.jitter >= 1 || busy >= policy.maxInstances || policy.maxRuns - fired < 2) {
    return undefined
  }
  const next = nextOf(trigger, nominal)
  if (next <= now) return undefined
  return { nominal, runAt: nominal, startBy: tolerance === Infinity ? null : nominal + tolerance, next }
}

const decided = (fire: ReadonlyArray<Due>, watermark: number, next: number): Decision => ({
  fire,
  defer: none,
  replaceDeferred: false,
  cancel: false,
  skipped: undefined,
  missed: undefined,
  dropped: undefined,
  watermark,
  nextAt: next === Infinity ? null : next,
  state: next === Infinity ? "exhausted" : "active",
  faults: 0,
  error: null,
  complete: true
})

/** What was searched last. Schedules that share a trigger are due together, and ask the same two questions each. */
const lately: Array<{ trigger: Plain | undefined; after: number; at: number }> = [
  { trigger: undefined, after: 0, at: 0 },
  { trigger: undefined, after: 0, at: 0 }
]
let older = 0

const nextOf = (trigger: Plain, after: number): number => {
  for (const one of lately) if (one.trigger === trigger && one.after === after) return one.at
  const at = plainNext(trigger, after)
  const kept = lately[older]!
  kept.trigger = trigger
  kept.after = after
  kept.at = at
  older ^= 1
  return at
}
