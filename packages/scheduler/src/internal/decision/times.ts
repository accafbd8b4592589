/**
 * The nominal times of a schedule, as the decisions ask for them.
 */
import { countBetween } from "../trigger/count.ts"
import type { Trigger } from "../trigger/model.ts"
import { type Search, searchNext, searchPrev } from "../trigger/search.ts"

export interface Times {
  /** The first time after the argument. */
  readonly next: (after: number) => Search
  /** The last time at or before the argument. */
  readonly prev: (atOrBefore: number) => Search
  /** The number of times in (after, upTo]; at least so many where it is not exact. */
  readonly count: (after: number, upTo: number) => { readonly count: number; readonly exact: boolean }
}

export const timesOf = (trigger: Trigger): Times => ({
  next: (after) => searchNext(trigger, after),
  prev: (atOrBefore) => searchPrev(trigger, atOrBefore),
  count: (after, upTo) => countBetween(trigger, after, upTo)
})

/** How often a search that spent its budget goes on in one decision. */
export const LEAPS = 8

/** The first time after `after`, going on where a combination needs several searches to come to the present. */
export const seek = (times: Times, after: number, now: number): Search => {
  let search = times.next(after)
  for (let leap = 0; leap < LEAPS && search._tag === "NotBefore" && search.at <= now; leap++) {
    search = times.next(search.at - 1)
  }
  return search
}
