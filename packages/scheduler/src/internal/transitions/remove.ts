/**
 * A schedule goes. Its runs stay.
 */
import type { Transition } from "../../JobStore.ts"
import type { TransitionContext } from "./context.ts"
import { begin, countRest, removal, settle, type Work } from "./work.ts"

/**
 * Decides what has passed and removes the row. What can no longer be decided is counted: times that passed during a pause
 * as paused, times of a backfill that waited for room as dropped.
 *
 * A row that this node cannot read is removed as it is: whoever removes it does not want its times decided.
 */
export const remove =
  (ctx: TransitionContext): Transition =>
  (_id, view, now) =>
    view === undefined ? undefined : removal(settledForGood(ctx, begin(view), now))

/** Everything up to now is decided or counted. */
export const settledForGood = (ctx: TransitionContext, work: Work, now: number): Work => {
  const resolved = ctx.resolve(work.row)
  return resolved === undefined ? work : countRest(ctx, settle(ctx, work, resolved, now), resolved, now)
}
