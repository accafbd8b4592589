/**
 * The usual decision: the trigger is a plain rule, no time or one has passed, and nothing is in the way of that one.
 *
 * It answers what the whole decision answers, at a fraction of its cost, and leaves everything else to it.
 */
import type { Decision, Due, Situation } from "../../Decision.ts"
import { toleranceOf } from "../policy.ts"
import { isPlain, type Plain, plainNext } from "../trigger/search.ts"

const none: ReadonlyArray<Due> = []

export const decideUsual = ({ active, deferred, now, schedule }: Situation): Decision | undefined => {
  const { policy, trigger, watermark } = schedule
  if (!isPlain(trigger)) return undefined
  const nominal = nextOf(trigger, watermark)
  if (nominal > now) return decided(none, watermark, nominal)
  const tolerance = toleranceOf(policy)
  if (
    now - nominal > tolerance ||
    policy.jitter >= 1 ||
    active + deferred >= policy.maxInstances ||
    policy.maxRuns - schedule.fired < 2
  ) {
    return undefined
  }
  const next = nextOf(trigger, nominal)
  if (next <= now) return undefined
  return decided(
    [{ nominal, runAt: nominal, startBy: tolerance === Infinity ? null : nominal + tolerance }],
    nominal,
    next
  )
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
