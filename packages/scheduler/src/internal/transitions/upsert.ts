/**
 * A schedule is declared: stored if it is new, changed if it is not, safely from several nodes at once.
 */
import type { Counts, Delivery, Priority, ScheduleRecord } from "../../JobSchedule.ts"
import type { ScheduleChange, Transition } from "../../JobStore.ts"
import type { OnConflict } from "../../Scheduler.ts"
import { usualNext } from "../decision/usual.ts"
import { firstWatermark } from "../trigger/anchor.ts"
import type { TransitionContext } from "./context.ts"
import { type Definition, patched, planned, redefined } from "./edit.ts"
import { settledForGood } from "./remove.ts"
import { begin } from "./work.ts"

/** A user's definition of a schedule, encoded. */
export interface Draft extends Definition {
  readonly id: string
  readonly job: string
  readonly queue: string
  readonly priority: Priority
  readonly payload: string
  readonly key: string | null
  readonly delivery: Delivery
  readonly policy: string
  readonly origin: string | null
  /** `"nominal"`, or a backfill's. */
  readonly cause: string
  /** Where its times begin, for a backfill; default by the trigger and the anchor. */
  readonly watermark?: number | undefined
  /** The generation of the row if it is inserted, so that whoever made it can tell its own; default a new one. */
  readonly generation?: string | undefined
}

/**
 * Inserts the row, or else does as `onConflict` says.
 *
 * - `"update"`: an unchanged trigger (the same text) keeps its anchor, next time, counts and pause, and an exhausted
 *   schedule stays so; other fields are changed as by `update`. A changed trigger is a `reschedule`. A faulty schedule is
 *   tried again, since its rule may have been mended.
 * - `"replace"`: the old row is settled and removed, and the new one is another generation.
 * - `"keep"` and `"fail"` leave an existing row alone; whoever asked tells them apart by the generation.
 *
 * Sent again it does nothing: an insert knows its own generation, a change finds nothing to change. Nothing is fired by
 * an insert, not even what is due: the row's next time is then not after now.
 *
 * A new row whose custom rule is not known here is stored all the same, due at once for a node that knows it.
 */
export const upsert = (
  ctx: TransitionContext,
  draft: Draft,
  { onConflict = "update" }: { readonly onConflict?: OnConflict | undefined } = {}
): Transition => {
  const generation = draft.generation ?? ctx.newId()
  return (_id, view, now) => {
    if (view === undefined) {
      return stored(inserted(ctx, draft, generation, now))
    }
    const old = view.schedule
    if (old.generation === generation || onConflict === "keep" || onConflict === "fail") return undefined
    if (onConflict === "replace") {
      const { runs, ranges, replaceDeferred, cancelActive } = settledForGood(ctx, begin(view), now)
      const schedule = { ...inserted(ctx, draft, generation, now), revision: old.revision }
      return { schedule, runs, ranges, replaceDeferred, cancelActive }
    }
    const { job, queue, priority, payload, key, delivery, policy, origin } = draft
    const patch = { job, queue, priority, payload, key, delivery, policy, origin }
    if (old.trigger !== draft.trigger) return redefined(ctx, view, draft, patch, now)
    if (old.state !== "faulty") return patched(ctx, view, patch, now)
    const again = { ...view, schedule: { ...old, state: "active" as const, nextAt: now, faults: 0, error: null } }
    return patched(ctx, again, patch, now) ?? stored(again.schedule)
  }
}

const none: ReadonlyArray<never> = []

/** A row, and nothing else. */
const stored = (schedule: ScheduleRecord): ScheduleChange => ({
  schedule,
  runs: none,
  ranges: none,
  replaceDeferred: false,
  cancelActive: false
})

/** One value for all that have not fired yet: it is a tenth of an idle schedule's memory. */
const noCounts: Counts = { fired: 0, skipped: 0, missed: 0, dropped: 0, paused: 0 }

/** A row that nobody else has yet, put together in place: a hundred thousand at once are worth no copies. */
type Own = { -readonly [Field in keyof ScheduleRecord]: ScheduleRecord[Field] }

const inserted = (ctx: TransitionContext, draft: Draft, generation: string, now: number): ScheduleRecord => {
  const row: Own = {
    id: draft.id,
    generation,
    revision: 0,
    job: draft.job,
    queue: draft.queue,
    priority: draft.priority,
    payload: draft.payload,
    key: draft.key,
    delivery: draft.delivery,
    trigger: draft.trigger,
    version: draft.version,
    needs: draft.needs,
    anchor: now,
    policy: draft.policy,
    origin: draft.origin,
    cause: draft.cause,
    state: "active",
    firstWatermark: now - 1,
    watermark: now - 1,
    nextAt: now,
    counts: noCounts,
    zoneData: ctx.zoneData,
    faults: 0,
    error: null,
    lastSuccess: null,
    createdAt: now,
    updatedAt: now
  }
  const resolved = ctx.resolve(row)
  const first = draft.watermark ?? (resolved === undefined ? row.watermark : firstWatermark(resolved.trigger, now))
  row.firstWatermark = first
  row.watermark = first
  if (resolved === undefined) return row
  const next = usualNext(resolved.trigger, first)
  if (next !== undefined && resolved.policy.maxRuns > 0) {
    // What is decided below, without the copies.
    row.nextAt = next === Infinity ? null : next
    row.state = next === Infinity ? "exhausted" : "active"
    return row
  }
  row.nextAt = null
  const begun: Own = planned(ctx, begin({ schedule: row, active: 0, deferred: 0 }), resolved).row
  begun.revision = 0
  begun.updatedAt = now
  return begun
}
