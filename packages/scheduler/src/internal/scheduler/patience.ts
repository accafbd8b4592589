import type { Runner } from "./Runner.ts"
import { jittered } from "./StoreCalls.ts"

/** The first delay, in milliseconds. */
const shortest = 5

/**
 * The delays of a loop that hears of something due and does not get it: other nodes have the rows locked, and a store
 * that passes over locked rows says at once that there was nothing, again and again.
 */
export interface Patience {
  /** Something was done, or someone rang: the next delay is the shortest. */
  readonly reset: () => void
  /** The next delay: each is twice the one before, up to the poll interval. */
  readonly next: () => number
}

export const make = ({ random, settings }: Runner): Patience => {
  let delay = shortest
  return {
    reset: () => {
      delay = shortest
    },
    next: () => {
      const now = Math.min(delay, settings.pollInterval)
      delay = now * 2
      return jittered(random, now)
    }
  }
}
