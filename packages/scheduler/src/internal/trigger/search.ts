/**
 * The next and the previous instant of any trigger. Instants are epoch milliseconds.
 *
 * A rule on fields or a grid answers at once, however far away the instant is. A combination asks its members in turn and
 * leaps to what they answer; each leap is a step, and a search has a budget of steps.
 */
import { MAX_INSTANT } from "./instant.ts"
import type { At, Cron, Every, Trigger } from "./model.ts"
import { nextOf } from "./searchNext.ts"
import { prevOf } from "./searchPrev.ts"
import { isStopped, Steps } from "./Steps.ts"

/**
 * What a search found. `NotBefore` (for a search backwards `NotAfter`) says that the budget was spent: there is no
 * instant between the argument and `at`, which itself has not been looked at, so go on with `searchNext(trigger, at - 1)`.
 * `Faulty` says that a custom rule has no functions here, threw, or answered against its contract.
 */
export type Search =
  | { readonly _tag: "Found"; readonly at: number }
  | { readonly _tag: "Never" }
  | { readonly _tag: "NotBefore"; readonly at: number }
  | { readonly _tag: "NotAfter"; readonly at: number }
  | { readonly _tag: "Faulty"; readonly cause: unknown }

/** The steps that a combination may spend. */
const BUDGET = 10_000

const NEVER: Search = { _tag: "Never" }

/** Plain rules neither take steps nor stop, so they share one budget that is never touched. */
const NO_STEPS = new Steps(0)

/** A rule that answers at once, whatever it is asked. */
export type Plain = At | Cron | Every

export const isPlain = (trigger: Trigger): trigger is Plain =>
  trigger._tag === "Cron" || trigger._tag === "Every" || trigger._tag === "At"

/** The first instant of a plain rule after the argument, `Infinity` for none. */
export const plainNext = (trigger: Plain, after: number): number => {
  const at = nextOf(trigger, after, MAX_INSTANT, NO_STEPS)
  return at > MAX_INSTANT ? Infinity : at
}

/** The first instant after the argument; where none was found, whatever the reason, what is no instant. */
export const instantAfter = (trigger: Trigger, after: number): number =>
  nextOf(trigger, after, MAX_INSTANT, stepsFor(trigger, BUDGET))

/** The last instant at or before the argument; where none was found, whatever the reason, what is no instant. */
export const instantUpTo = (trigger: Trigger, atOrBefore: number): number =>
  prevOf(trigger, atOrBefore, -MAX_INSTANT, stepsFor(trigger, BUDGET))

/** The first instant after the argument. */
export const searchNext = (trigger: Trigger, after: number, budget = BUDGET): Search => {
  const steps = stepsFor(trigger, budget)
  const at = nextOf(trigger, after, MAX_INSTANT, steps)
  if (isStopped(at)) return stopped(steps, "NotBefore")
  return at > MAX_INSTANT ? NEVER : { _tag: "Found", at }
}

/** The last instant at or before the argument. */
export const searchPrev = (trigger: Trigger, atOrBefore: number, budget = BUDGET): Search => {
  const steps = stepsFor(trigger, budget)
  const at = prevOf(trigger, atOrBefore, -MAX_INSTANT, steps)
  if (isStopped(at)) return stopped(steps, "NotAfter")
  return at < -MAX_INSTANT ? NEVER : { _tag: "Found", at }
}

const stepsFor = (trigger: Trigger, budget: number): Steps => (isPlain(trigger) ? NO_STEPS : new Steps(budget))

const stopped = (steps: Steps, tag: "NotBefore" | "NotAfter"): Search =>
  steps.fault === undefined ? { _tag: tag, at: steps.reached } : { _tag: "Faulty", cause: steps.fault.cause }
