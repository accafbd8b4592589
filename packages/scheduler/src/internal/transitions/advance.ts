/**
 * Time goes on: the transition of firing, of ends of runs, and of maintenance.
 */
import type { Transition } from "../../JobStore.ts"
import type { TransitionContext } from "./context.ts"
import { advanceWork, begin, changeOf, isLive, isQuiet } from "./work.ts"

/**
 * Decides what has passed up to now and what comes next.
 *
 * Paused, exhausted and faulty rows and rows that this node cannot read are left alone. So is a row that is not due,
 * unless other zone data computed its next time.
 */
export const advance =
  (ctx: TransitionContext): Transition =>
  (_id, view, now) => {
    if (view === undefined) return undefined
    const row = view.schedule
    if (!isLive(row) || (isQuiet(row, now) && row.zoneData === ctx.zoneData)) return undefined
    const resolved = ctx.resolve(row)
    if (resolved === undefined) return undefined
    return changeOf(view, advanceWork(ctx, begin(view), resolved, now), now)
  }
