/**
 * A schedule stops and goes on.
 */
import type { Transition } from "../../JobStore.ts"
import type { Spaced } from "../trigger/model.ts"
import { isSpaced, spacedFirst } from "../trigger/spaced.ts"
import type { Resolved, TransitionContext } from "./context.ts"
import { advanceWork, begin, changeOf, countAs, isLive, settle, type Work } from "./work.ts"

/**
 * Decides what has passed, and then nothing until it is resumed. Unfinished runs go on. A paused or exhausted schedule is
 * left as it is; a faulty one is paused too.
 *
 * A row that this node cannot read is paused without being settled: nothing is lost, since what passed is still undecided
 * when it is resumed.
 */
export const pause =
  (ctx: TransitionContext): Transition =>
  (_id, view, now) => {
    if (view === undefined || view.schedule.state === "paused" || view.schedule.state === "exhausted") return undefined
    const resolved = ctx.resolve(view.schedule)
    const work = resolved === undefined ? begin(view) : settle(ctx, begin(view), resolved, now)
    const ended = work.row.state === "exhausted"
    return changeOf(view, ended ? work : { ...work, row: { ...work.row, state: "paused", nextAt: null } }, now)
  }

/**
 * Lets a paused or faulty schedule go on, and forgets the failures of its trigger. Others are left as they are: an
 * exhausted schedule has nothing to go on to.
 *
 * `"now"`: what has passed is counted as paused. `"missed"`: it is left to the missed policy, at once. A backfill's times
 * are bound to no instant and none is lost to a pause: it goes on where it was, either way. A spaced schedule's next time
 * is `duration` from now, or with `"missed"` now; the time before its first run stands where it is still to come.
 *
 * A row that this node cannot read is resumed with `"missed"` only, by a node that can; `"now"` would have to count.
 */
export const resume =
  (ctx: TransitionContext, from: "now" | "missed"): Transition =>
  (_id, view, now) => {
    if (view === undefined || (view.schedule.state !== "paused" && view.schedule.state !== "faulty")) return undefined
    const begun = begin(view)
    const work: Work = { ...begun, row: { ...begun.row, state: "active", nextAt: null, faults: 0, error: null } }
    const resolved = ctx.resolve(view.schedule)
    if (resolved === undefined) {
      return from === "now" ? undefined : changeOf(view, { ...work, row: { ...work.row, nextAt: now } }, now)
    }
    const { trigger, policy } = resolved
    const resumed = isSpaced(trigger)
      ? resumeSpaced(work, trigger, from, now)
      : from === "missed" || policy.overlap === "wait"
        ? work
        : passNow(ctx, work, resolved, now)
    return changeOf(view, isLive(resumed.row) ? advanceWork(ctx, resumed, resolved, now) : resumed, now)
  }

const passNow = (ctx: TransitionContext, work: Work, { trigger }: Resolved, now: number): Work => {
  const counted = countAs(ctx, work, "paused", trigger, now)
  return { ...counted, row: { ...counted.row, watermark: Math.max(now, counted.row.watermark) } }
}

const resumeSpaced = (work: Work, trigger: Spaced, from: "now" | "missed", now: number): Work => {
  const { row } = work
  const first = spacedFirst(trigger, trigger.anchor ?? row.anchor)
  if (first !== undefined && first > row.watermark && first > now) return work
  const watermark = from === "now" ? Math.max(now, row.watermark) : row.watermark
  const due = from === "missed" && work.active + work.deferred === 0
  return { ...work, row: { ...row, watermark, state: due ? "active" : "waiting", nextAt: due ? now : null } }
}
