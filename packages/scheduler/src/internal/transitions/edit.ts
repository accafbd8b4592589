/**
 * A definition changes: other fields, other policies, another trigger.
 *
 * Each first settles: what has passed is decided by the old definition, in the same transaction. Runs that exist stay as
 * they are.
 */
import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { ScheduleChange, ScheduleView, Transition } from "../../JobStore.ts"
import { isSpaced } from "../trigger/spaced.ts"
import type { Resolved, TransitionContext } from "./context.ts"
import { advanceWork, begin, changeOf, countAs, countRest, isLive, settle, type Work } from "./work.ts"

/** What can change while the trigger stays. */
export type Patch = {
  readonly [K in "job" | "queue" | "priority" | "payload" | "key" | "delivery" | "policy" | "origin"]?:
    | ScheduleRecord[K]
    | undefined
}

/** A trigger as a row keeps it. */
export interface Definition {
  /** As given, encoded. */
  readonly trigger: string
  readonly version: number
  readonly needs: string
}

/**
 * Changes fields; the trigger, its next time, the counts and a pause stay.
 *
 * A policy that raises `maxRuns` above what has fired revives a schedule that `maxRuns` had ended: it goes on from now,
 * and what passed since is counted as missed. A row that this node cannot read is left alone, since what has passed could
 * not be decided before.
 */
export const update =
  (ctx: TransitionContext, patch: Patch): Transition =>
  (_id, view, now) =>
    view === undefined ? undefined : patched(ctx, view, patch, now)

export const patched = (
  ctx: TransitionContext,
  view: ScheduleView,
  patch: Patch,
  now: number
): ScheduleChange | undefined => {
  const row = applied(view.schedule, patch)
  if (row === view.schedule) return undefined
  const before = ctx.resolve(view.schedule)
  const after = ctx.resolve(row)
  if (before === undefined || after === undefined) return undefined
  const settled = settle(ctx, begin(view), before, now)
  const work = { ...settled, row: applied(settled.row, patch) }
  const revived = work.row.state === "exhausted" && work.row.counts.fired >= before.policy.maxRuns
  if (revived && work.row.counts.fired < after.policy.maxRuns) {
    const counted = countAs(ctx, work, "missed", after.trigger, now)
    return changeOf(view, advanceWork(ctx, revive(counted, after), after, now), now)
  }
  // What a settlement left for the next decision is decided by the new policy, when the firer comes.
  const replan = isLive(work.row) && (work.complete || work.row.state === "waiting")
  return changeOf(view, replan ? advanceWork(ctx, work, after, now) : work, now)
}

const revive = (work: Work, { trigger }: Resolved): Work => ({
  ...work,
  row: { ...work.row, state: isSpaced(trigger) ? "waiting" : "active", nextAt: null }
})

/** The same row where nothing differs. The last success of another job is none of this one's. */
const applied = (row: ScheduleRecord, patch: Patch): ScheduleRecord => {
  const given = Object.entries(patch).filter(
    ([field, value]) => value !== undefined && row[field as keyof Patch] !== value
  )
  if (given.length === 0) return row
  const lastSuccess = patch.job === undefined || patch.job === row.job ? row.lastSuccess : null
  return { ...row, ...Object.fromEntries(given), lastSuccess }
}

/**
 * Gives a schedule another trigger from now on: its watermark and anchor are now. A pause and the counts stay (so does
 * what has fired, for `maxRuns`); an exhausted or faulty schedule is active again. The same trigger changes nothing.
 *
 * A row that was written by a newer version is left alone. One whose custom rule is not known here is changed without
 * being settled: no decision can be made, and the new definition is what its owner wants.
 */
export const reschedule =
  (ctx: TransitionContext, definition: Definition): Transition =>
  (_id, view, now) =>
    view === undefined || view.schedule.trigger === definition.trigger
      ? undefined
      : redefined(ctx, view, definition, {}, now)

export const redefined = (
  ctx: TransitionContext,
  view: ScheduleView,
  definition: Definition,
  patch: Patch,
  now: number
): ScheduleChange | undefined => {
  const old = view.schedule
  if (old.version > definition.version) return undefined
  const before = ctx.resolve(old)
  const work = before === undefined ? begin(view) : countRest(ctx, settle(ctx, begin(view), before, now), before, now)
  const { trigger, version, needs } = definition
  const row: ScheduleRecord = {
    ...applied(work.row, patch),
    trigger,
    version,
    needs,
    anchor: now,
    // A clock that went back does not move it back.
    watermark: Math.max(now, work.row.watermark),
    state: work.row.state === "paused" ? "paused" : "active",
    nextAt: null,
    faults: 0,
    error: null
  }
  const after = ctx.resolve(row)
  if (after === undefined) return undefined
  return changeOf(view, planned(ctx, { ...work, row }, after), now)
}

/** Finds the first time after the watermark, and fires nothing: that is the firer's. */
export const planned = (ctx: TransitionContext, work: Work, resolved: Resolved): Work =>
  isLive(work.row) ? advanceWork(ctx, work, resolved, work.row.watermark) : work
