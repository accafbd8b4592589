/**
 * How many instants lie between two: without looking at them where the trigger is a rule.
 */
import { everyCount } from "./grid.ts"
import type { Trigger } from "./model.ts"
import { searchNext } from "./search.ts"
import { walkCount } from "./walk.ts"

/** A count, and whether it is exact; else there are at least that many that were found. */
export interface Count {
  readonly count: number
  readonly exact: boolean
}

/** Combinations are counted one by one up to this many. */
const COUNT_LIMIT = 100_000

/** A combination whose search ends without an answer is searched on, this many times. */
const RESUMES = 100

/** How many instants there are in (after, upTo], in milliseconds. */
export const countBetween = (trigger: Trigger, after: number, upTo: number): Count => {
  if (!(after < upTo)) return { count: 0, exact: true }
  const count = closedCount(trigger, after, upTo)
  return count === undefined ? countOneByOne(trigger, after, upTo) : { count, exact: true }
}

const closedCount = (trigger: Trigger, after: number, upTo: number): number | undefined => {
  if (!(after < upTo)) return 0
  switch (trigger._tag) {
    case "At":
      return within(trigger.at, after, upTo)
    case "Every":
      return everyCount(trigger, after, upTo)
    case "Cron":
    case "Calendar": {
      const from = Math.floor(after / 1000) + 1
      return walkCount(trigger.rule, trigger.zone, trigger.policy, from, Math.floor(upTo / 1000) + 1)
    }
    case "Offset":
      return closedCount(trigger.of, after - trigger.by, upTo - trigger.by)
    case "Bounded":
      return closedCount(
        trigger.of,
        trigger.start === undefined ? after : Math.max(after, trigger.start - 1),
        trigger.end === undefined ? upTo : Math.min(upTo, trigger.end)
      )
    case "StartNow": {
      const anchor = trigger.anchor ?? 0
      const rest = closedCount(trigger.of, Math.max(after, anchor), upTo)
      return rest === undefined ? undefined : rest + within(anchor, after, upTo)
    }
    default:
      return undefined
  }
}

const within = (at: number, after: number, upTo: number): number => (at > after && at <= upTo ? 1 : 0)

const countOneByOne = (trigger: Trigger, after: number, upTo: number): Count => {
  let at = after
  let count = 0
  let resumes = 0
  while (true) {
    const found = searchNext(trigger, at)
    if (found._tag === "Never") return { count, exact: true }
    if (found._tag === "Faulty") return { count, exact: false }
    if (found.at > upTo) return { count, exact: true }
    if (count === COUNT_LIMIT) return { count, exact: false }
    if (found._tag === "Found") {
      count++
      at = found.at
    } else {
      if (resumes++ === RESUMES) return { count, exact: false }
      at = found.at - 1
    }
  }
}
