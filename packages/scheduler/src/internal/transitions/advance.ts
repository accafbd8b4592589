/**
 * Time goes on: the transition of firing, of ends of runs, and of maintenance.
 */
import type { Transition } from "../../JobStore.ts"
import type { TransitionContext } from "./context.ts"
import { advanceUsual } from "./usual.ts"
import { advanceWork, begin, changeOf, isLive, isQuiet } from "./work.ts"

const UNREADABLE_DELAY = 60_000

/**
 * Decides what has passed up to now and what comes next.
 *
 * Paused, exhausted and faulty rows are left alone. So is a row that is not due, unless other zone data computed its next
 * time. A store offers only rows whose version and rules this node knows; one that cannot be read all the same is damaged.
 * It keeps its watermark and its state and is looked at again in a minute, since a due row that is left as it is would be
 * offered again at once, for ever.
 */
export const advance =
  (ctx: TransitionContext): Transition =>
  (_id, view, now) => {
    if (view === undefined) return undefined
    const row = view.schedule
    if (!isLive(row) || (isQuiet(row, now) && row.zoneData === ctx.zoneData)) return undefined
    const resolved = ctx.resolve(row)
    if (resolved === undefined) {
      if (row.nextAt === null || row.nextAt > now) return undefined
      const error = "The stored trigger or policy cannot be read"
      return changeOf(view, { ...begin(view), row: { ...row, nextAt: now + UNREADABLE_DELAY, error } }, now)
    }
    return advanceUsual(ctx, view, resolved, now) ?? changeOf(view, advanceWork(ctx, begin(view), resolved, now), now)
  }
