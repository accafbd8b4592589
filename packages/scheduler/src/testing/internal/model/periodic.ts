import type { EndedRange, RunRecord } from "../../../JobRun.ts"
import type { ScheduleRecord } from "../../../JobSchedule.ts"
import type { ScheduleChange, Transition } from "../../../JobStore.ts"
import { changeTo } from "../fixtures.ts"

/** What the model's schedules have for a trigger: a grid from the anchor on, or a time after the last run's end. */
export type Rhythm = { readonly every: number } | { readonly after: number }

/** And for policies. */
export interface Rules {
  readonly overlap: "skip" | "defer" | "replace" | "allow"
  readonly maxRuns: number
}

const zoneData = "2026a"

/** A UUID that a text determines, so that a transition which is computed twice makes the same rows. */
export const uuidOf = (text: string): string => {
  let digits = ""
  for (let part = 0; part < 4; part++) {
    let hash = 0x811c9dc5 ^ (part * 0x9e3779b1)
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
    digits += ((hash ^ (hash >>> 13)) >>> 0).toString(16).padStart(8, "0")
  }
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-7${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`
}

export const rhythmOf = (row: ScheduleRecord): Rhythm => JSON.parse(row.trigger)

const rulesOf = (row: ScheduleRecord): Rules => JSON.parse(row.policy)

/** How many nominal times a schedule of the model has had; undefined for one that goes by the ends of its runs. */
export const countOf = (row: ScheduleRecord): number | undefined => {
  const rhythm = rhythmOf(row)
  return "every" in rhythm
    ? steps(row, rhythm.every, row.watermark) - steps(row, rhythm.every, row.firstWatermark)
    : undefined
}

const steps = (row: ScheduleRecord, every: number, at: number): number => Math.floor((at - row.anchor) / every)

const timeAt = (row: ScheduleRecord, every: number, step: number): number => row.anchor + step * every

export const rangeOf = (
  row: ScheduleRecord,
  kind: EndedRange["kind"],
  every: number,
  first: number,
  last: number,
  now: number
): EndedRange => ({
  _tag: "Range",
  id: uuidOf(`${row.id} ${row.generation} ${kind} ${first}`),
  kind,
  job: row.job,
  scheduleId: row.id,
  generation: row.generation,
  cause: row.cause,
  first: timeAt(row, every, first),
  last: timeAt(row, every, last),
  count: last - first + 1,
  endedAt: now
})

export const runAtNominal = (row: ScheduleRecord, nominal: number, fields: Partial<RunRecord>): RunRecord => ({
  id: uuidOf(`${row.id} ${row.generation} ${row.cause} ${nominal}`),
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
  settles: false,
  state: "pending",
  waitsFor: null,
  runAt: nominal,
  startBy: null,
  attempt: 0,
  failures: 0,
  recoveries: 0,
  errors: "[]",
  node: null,
  startedAt: null,
  cancelAt: null,
  progress: null,
  createdAt: nominal,
  ...fields
})

/**
 * A transition of the suite's own: the newest time that has passed becomes a run, the others are missed. It is not the
 * library's decision, only one that uses everything that a change can say.
 */
export const periodic: Transition = (_, view, now) => {
  if (view === undefined) return undefined
  const row: ScheduleRecord = { ...view.schedule, zoneData, updatedAt: now }
  const rhythm = rhythmOf(row)
  if (row.state === "waiting") {
    if (view.active + view.deferred > 0 || "every" in rhythm) return undefined
    return changeTo({ ...row, state: "active", nextAt: Math.max(now, row.watermark) + rhythm.after })
  }
  if (row.nextAt === null) return undefined
  if (row.nextAt > now) return view.schedule.zoneData === zoneData ? undefined : changeTo(row)
  const fired = { ...row.counts, fired: row.counts.fired + 1 }
  if ("after" in rhythm) {
    const run = runAtNominal(row, row.nextAt, { settles: true })
    return changeTo({ ...row, state: "waiting", watermark: row.nextAt, nextAt: null, counts: fired }, { runs: [run] })
  }
  return decideGrid(row, rhythm.every, view.active, now)
}

const decideGrid = (before: ScheduleRecord, every: number, active: number, now: number): ScheduleChange => {
  const { maxRuns, overlap } = rulesOf(before)
  const first = steps(before, every, before.watermark) + 1
  const last = steps(before, every, now)
  const nominal = timeAt(before, every, last)
  const missed = last - first
  const ranges = missed > 0 ? [rangeOf(before, "missed", every, first, last - 1, now)] : []
  const row: ScheduleRecord = {
    ...before,
    watermark: nominal,
    nextAt: timeAt(before, every, last + 1),
    counts: { ...before.counts, missed: before.counts.missed + missed }
  }
  if (active > 0 && overlap === "skip") {
    return changeTo(
      { ...row, counts: { ...row.counts, skipped: row.counts.skipped + 1 } },
      { ranges: [...ranges, rangeOf(before, "skipped", every, last, last, now)] }
    )
  }
  const isDeferred = active > 0 && overlap !== "allow"
  const isReplacing = isDeferred && overlap === "replace"
  const run = runAtNominal(row, nominal, isDeferred ? { state: "deferred", waitsFor: "overlap" } : {})
  const counts = { ...row.counts, fired: row.counts.fired + 1 }
  const isOver = counts.fired >= maxRuns
  return changeTo(
    { ...row, counts, state: isOver ? "exhausted" : "active", nextAt: isOver ? null : row.nextAt },
    { runs: [run], ranges, replaceDeferred: isReplacing, cancelActive: isReplacing }
  )
}

/** Lets a paused schedule go on from now: what passed meanwhile is counted as paused. */
export const resumed = (before: ScheduleRecord, now: number): ScheduleChange => {
  const rhythm = rhythmOf(before)
  if ("after" in rhythm) return changeTo({ ...before, state: "active", nextAt: Math.max(now, before.watermark) + 1 })
  const first = steps(before, rhythm.every, before.watermark) + 1
  const last = steps(before, rhythm.every, Math.max(now, before.watermark))
  const count = last - first + 1
  return changeTo(
    {
      ...before,
      state: "active",
      watermark: Math.max(now, before.watermark),
      nextAt: timeAt(before, rhythm.every, last + 1),
      counts: { ...before.counts, paused: before.counts.paused + count },
      updatedAt: now
    },
    { ranges: count > 0 ? [rangeOf(before, "paused", rhythm.every, first, last, now)] : [] }
  )
}
