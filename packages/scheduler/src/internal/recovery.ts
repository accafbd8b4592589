import type { Recovery } from "../JobStore.ts"
import { hash } from "./decision/jitter.ts"

/**
 * Brings a run back after the delay of its recovery, and ends it as lost when the list has ended or when it may be executed
 * once only.
 *
 * Runs that were recovered together would come back together, and one that kills its process would take the others with
 * it each time, until all of them are lost. So from the second recovery on each waits up to once more as long, by a hash
 * of its id and of the recovery: they part, and differently each time.
 */
export const recoverAfter =
  (delays: ReadonlyArray<number>): Recovery =>
  (run, now) => {
    const delay = run.delivery === "atMostOnce" ? undefined : delays[run.recoveries]
    if (delay === undefined) return undefined
    const spread = run.recoveries === 0 ? 0 : Math.floor(delay)
    return now + delay + (spread === 0 ? 0 : hash(`${run.id}\u0000${run.recoveries}`) % spread)
  }
