/**
 * A change while it is put together: the row and what comes with it, after each step of a transition.
 */
import { type Decision, decide, type Due, type Range } from "../../Decision.ts"
import type { EndedRange, RunRecord } from "../../JobRun.ts"
import type { Counts, ScheduleRecord } from "../../JobSchedule.ts"
import type { ScheduleChange, ScheduleView } from "../../JobStore.ts"
import { countAll } from "../decision/range.ts"
import { timesOf } from "../decision/times.ts"
import { isSpaced } from "../trigger/spaced.ts"
import type { Resolved, TransitionContext } from "./context.ts"

export interface Work {
  readonly row: ScheduleRecord
  readonly active: number
  readonly deferred: number
  readonly runs: ReadonlyArray<RunRecord>
  readonly ranges: ReadonlyArray<EndedRange>
  readonly replaceDeferred: boolean
  readonly cancelActive: boolean
  /** No nominal time that has passed is left undecided. */
  readonly complete: boolean
}

export const begin = ({ schedule, active, deferred }: ScheduleView): Work => ({
  row: schedule,
  active,
  deferred,
  runs: noRuns,
  ranges: noRanges,
  replaceDeferred: false,
  cancelActive: false,
  complete: true
})

export const isLive = (row: ScheduleRecord): boolean => row.state === "active" || row.state === "waiting"

/** Decides up to `now` and adds what comes of it. */
export const advanceWork = (
  ctx: TransitionContext,
  work: Work,
  { trigger, policy }: Resolved,
  now: number,
  batch?: number
): Work => {
  const { row, active, deferred } = work
  const decision = decide({
    schedule: {
      id: row.id,
      trigger,
      policy,
      watermark: row.watermark,
      fired: row.counts.fired,
      state: row.state,
      nextAt: row.nextAt,
      faults: row.faults
    },
    now,
    active,
    deferred,
    batch
  })
  const settles = isSpaced(trigger) || policy.overlap === "wait"
  const fired = runsOf(ctx, row, decision.fire, false, settles, now)
  const waiting = runsOf(ctx, row, decision.defer, true, settles, now)
  return {
    row: advanced(row, decision, ctx.zoneData, now),
    active: active + fired.length,
    deferred: (decision.replaceDeferred ? 0 : deferred) + waiting.length,
    runs: work.runs.length === 0 && waiting.length === 0 ? fired : [...work.runs, ...fired, ...waiting],
    ranges:
      decision.missed === undefined && decision.skipped === undefined && decision.dropped === undefined
        ? work.ranges
        : [
            ...work.ranges,
            ...rangeRows(ctx, row, "missed", decision.missed, now),
            ...rangeRows(ctx, row, "skipped", decision.skipped, now),
            ...rangeRows(ctx, row, "dropped", decision.dropped, now)
          ],
    replaceDeferred: work.replaceDeferred || decision.replaceDeferred,
    cancelActive: work.cancelActive || decision.cancel,
    complete: decision.complete
  }
}

/** The row as a change has it: `revision` and `updatedAt` are those of one change, and count for nothing without one. */
const advanced = (row: ScheduleRecord, decision: Decision, zoneData: string, now: number): ScheduleRecord => ({
  ...row,
  revision: row.revision + 1,
  state: decision.state,
  watermark: decision.watermark,
  nextAt: decision.nextAt,
  counts: counted(row.counts, decision),
  zoneData,
  faults: decision.faults,
  error: decision.error,
  updatedAt: now
})

/** The same value where nothing is counted: schedules that have not fired share one. */
const counted = (counts: Counts, { defer, dropped, fire, missed, skipped }: Decision): Counts => {
  const fired = fire.length + defer.length
  if (fired === 0 && missed === undefined && skipped === undefined && dropped === undefined) return counts
  return {
    fired: counts.fired + fired,
    skipped: counts.skipped + (skipped?.count ?? 0),
    missed: counts.missed + (missed?.count ?? 0),
    dropped: counts.dropped + (dropped?.count ?? 0),
    paused: counts.paused
  }
}

/** How many runs a transition that has to settle a schedule creates at most. */
const SETTLE_BATCH = 10_000
const SETTLE_ROUNDS = 64

/**
 * Decides with the old definition up to now, before it is changed. It takes several rounds only where the missed times
 * are too many to be counted exactly at once; no round but the last creates a run. A schedule whose policy is to wait for
 * room is left as it is: its times wait for it, and are bound to no instant.
 */
export const settle = (ctx: TransitionContext, work: Work, resolved: Resolved, now: number): Work => {
  if (!isLive(work.row)) return work
  if (resolved.policy.overlap === "wait") return { ...work, complete: false }
  if (isQuiet(work.row, now)) return work.row.faults === 0 ? work : { ...work, complete: false }
  let settled = work
  for (let round = 0; round < SETTLE_ROUNDS; round++) {
    settled = advanceWork(ctx, settled, resolved, now, SETTLE_BATCH)
    if (settled.complete || settled.runs.length > 0 || !isLive(settled.row) || settled.row.faults > 0) break
  }
  return settled
}

/** No nominal time has passed since the last decision, and it need not be looked for. */
export const isQuiet = ({ state, nextAt }: ScheduleRecord, now: number): boolean =>
  state === "active" && nextAt !== null && now < nextAt

/**
 * Counts what is left undecided up to now, where no later decision will: times that passed while it was paused as paused,
 * those that waited for room as dropped, others (its trigger failed, or they were too many) as missed. A schedule that has
 * ended has none.
 */
export const countRest = (ctx: TransitionContext, work: Work, { trigger, policy }: Resolved, now: number): Work => {
  const { state } = work.row
  if (state === "exhausted" || (work.complete && isLive(work.row))) return work
  const kind = state === "paused" ? "paused" : policy.overlap === "wait" ? "dropped" : "missed"
  return countAs(ctx, work, kind, trigger, now)
}

/**
 * Counts the times in (watermark, now] as one range of a kind; as far as they can be, where the trigger fails. A spaced
 * trigger has no times but those that fire.
 */
export const countAs = (
  ctx: TransitionContext,
  work: Work,
  kind: EndedRange["kind"],
  trigger: Resolved["trigger"],
  now: number
): Work => {
  const { row } = work
  if (isSpaced(trigger)) return work
  const range = countAll(timesOf(trigger), row.watermark, now)
  if (range === undefined) return work
  const counts: Counts = { ...row.counts, [kind]: row.counts[kind] + range.count }
  return {
    ...work,
    row: { ...row, counts, watermark: range.last },
    ranges: [...work.ranges, ...rangeRows(ctx, row, kind, range, now)]
  }
}

/** Undefined where nothing is changed. */
export const changeOf = (view: ScheduleView, work: Work, now: number): ScheduleChange | undefined => {
  const { row, runs, ranges, replaceDeferred, cancelActive } = work
  const { schedule } = view
  // A run is counted in its row.
  const sameRow = runs.length === 0 && sameFields(schedule, row)
  if (sameRow && runs.length === 0 && ranges.length === 0 && !replaceDeferred && !cancelActive) return undefined
  return { schedule: sameRow ? schedule : changed(schedule, row, now), runs, ranges, replaceDeferred, cancelActive }
}

const changed = (before: ScheduleRecord, row: ScheduleRecord, now: number): ScheduleRecord => {
  const revision = before.revision + 1
  return row.revision === revision && row.updatedAt === now ? row : { ...row, revision, updatedAt: now }
}

export const removal = ({ runs, ranges, replaceDeferred, cancelActive }: Work): ScheduleChange => ({
  schedule: null,
  runs,
  ranges,
  replaceDeferred,
  cancelActive
})

/** Whether nothing differs that a user gave or a decision set. Counts are replaced when they change. */
const sameFields = (before: ScheduleRecord, after: ScheduleRecord): boolean => {
  if (before === after) return true
  if (
    before.watermark !== after.watermark ||
    before.nextAt !== after.nextAt ||
    before.state !== after.state ||
    !sameCounts(before.counts, after.counts)
  ) {
    return false
  }
  for (const field in after) {
    if (field === "counts" || field === "revision" || field === "updatedAt") continue
    if (before[field as keyof ScheduleRecord] !== after[field as keyof ScheduleRecord]) return false
  }
  return true
}

const sameCounts = (before: Counts, after: Counts): boolean =>
  before.fired === after.fired &&
  before.skipped === after.skipped &&
  before.missed === after.missed &&
  before.dropped === after.dropped &&
  before.paused === after.paused

export const noRanges: ReadonlyArray<EndedRange> = []
const noRuns: ReadonlyArray<RunRecord> = []

const runsOf = (
  ctx: TransitionContext,
  row: ScheduleRecord,
  due: ReadonlyArray<Due>,
  deferred: boolean,
  settles: boolean,
  now: number
): ReadonlyArray<RunRecord> =>
  due.length === 0 ? noRuns : due.map((one) => runOf(ctx, row, one, deferred, settles, now))

export const runOf = (
  ctx: TransitionContext,
  row: ScheduleRecord,
  { nominal, runAt, startBy }: Due,
  deferred: boolean,
  settles: boolean,
  now: number
): RunRecord => ({
  id: ctx.newId(),
  job: row.job,
  queue: row.queue,
  priority: row.priority,
  payload: row.payload,
  key: row.key,
  delivery: row.delivery,
  scheduleId: row.id,
  generation: row.generation,
  nominal,
  cause: row.cause,
  settles,
  state: deferred ? "deferred" : "pending",
  waitsFor: deferred ? "overlap" : null,
  // A backfill's times are old: as the oldest of its priority it would go before all live ones of the same.
  runAt: row.cause === "nominal" ? runAt : Math.max(runAt, now),
  startBy,
  attempt: 0,
  failures: 0,
  recoveries: 0,
  errors: "[]",
  node: null,
  startedAt: null,
  cancelAt: null,
  progress: null,
  createdAt: now
})

const rangeRows = (
  ctx: TransitionContext,
  row: ScheduleRecord,
  kind: EndedRange["kind"],
  range: Range | undefined,
  now: number
): ReadonlyArray<EndedRange> =>
  range === undefined
    ? []
    : [
        {
          _tag: "Range",
          id: ctx.newId(),
          kind,
          job: row.job,
          scheduleId: row.id,
          generation: row.generation,
          cause: row.cause,
          first: range.first,
          last: range.last,
          count: range.count,
          endedAt: now
        }
      ]
