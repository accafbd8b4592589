import type { EndedRange, EndedRun, HistoryRecord, RunRecord } from "effect-scheduler/JobRun"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import type { NodeRecord } from "effect-scheduler/JobStore"
import type { Row, Value } from "./values.ts"

export const scheduleColumns = [
  "id",
  "generation",
  "revision",
  "job",
  "queue",
  "priority",
  "payload",
  "key",
  "delivery",
  "trigger",
  "version",
  "needs",
  "anchor",
  "policy",
  "origin",
  "cause",
  "state",
  "first_watermark",
  "watermark",
  "next_at",
  "fired",
  "skipped",
  "missed",
  "dropped",
  "paused",
  "zone_data",
  "faults",
  "error",
  "success_nominal",
  "success_value",
  "created_at",
  "updated_at"
] as const

export const encodeSchedule = (row: ScheduleRecord): ReadonlyArray<Value> => [
  row.id,
  row.generation,
  row.revision,
  row.job,
  row.queue,
  row.priority,
  row.payload,
  row.key,
  row.delivery,
  row.trigger,
  row.version,
  row.needs,
  row.anchor,
  row.policy,
  row.origin,
  row.cause,
  row.state,
  row.firstWatermark,
  row.watermark,
  row.nextAt,
  row.counts.fired,
  row.counts.skipped,
  row.counts.missed,
  row.counts.dropped,
  row.counts.paused,
  row.zoneData,
  row.faults,
  row.error,
  row.lastSuccess === null ? null : row.lastSuccess.nominal,
  row.lastSuccess === null ? null : row.lastSuccess.value,
  row.createdAt,
  row.updatedAt
]

export const decodeSchedule = (row: Row): ScheduleRecord => ({
  id: row[0] as string,
  generation: row[1] as string,
  revision: row[2] as number,
  job: row[3] as string,
  queue: row[4] as string,
  priority: row[5] as ScheduleRecord["priority"],
  payload: row[6] as string,
  key: row[7] as string | null,
  delivery: row[8] as ScheduleRecord["delivery"],
  trigger: row[9] as string,
  version: row[10] as number,
  needs: row[11] as string,
  anchor: row[12] as number,
  policy: row[13] as string,
  origin: row[14] as string | null,
  cause: row[15] as string,
  state: row[16] as ScheduleRecord["state"],
  firstWatermark: row[17] as number,
  watermark: row[18] as number,
  nextAt: row[19] as number | null,
  counts: {
    fired: row[20] as number,
    skipped: row[21] as number,
    missed: row[22] as number,
    dropped: row[23] as number,
    paused: row[24] as number
  },
  zoneData: row[25] as string,
  faults: row[26] as number,
  error: row[27] as string | null,
  lastSuccess: row[28] === null ? null : { nominal: row[28] as number, value: row[29] as string },
  createdAt: row[30] as number,
  updatedAt: row[31] as number
})

export const runColumns = [
  "id",
  "job",
  "queue",
  "priority",
  "payload",
  "key",
  "delivery",
  "schedule_id",
  "generation",
  "nominal",
  "cause",
  "settles",
  "state",
  "waits_for",
  "run_at",
  "start_by",
  "attempt",
  "failures",
  "recoveries",
  "errors",
  "node",
  "started_at",
  "cancel_at",
  "progress",
  "created_at"
] as const

export const encodeRun = (row: RunRecord): ReadonlyArray<Value> => [
  row.id,
  row.job,
  row.queue,
  row.priority,
  row.payload,
  row.key,
  row.delivery,
  row.scheduleId,
  row.generation,
  row.nominal,
  row.cause,
  row.settles ? 1 : 0,
  row.state,
  row.waitsFor,
  row.runAt,
  row.startBy,
  row.attempt,
  row.failures,
  row.recoveries,
  row.errors,
  row.node,
  row.startedAt,
  row.cancelAt,
  row.progress,
  row.createdAt
]

export const decodeRun = (row: Row): RunRecord => decodeRunAt(row, 0)

/** The run of a row whose columns begin at `from`. */
export const decodeRunAt = (row: Row, from: number): RunRecord => ({
  id: row[from] as string,
  job: row[from + 1] as string,
  queue: row[from + 2] as string,
  priority: row[from + 3] as RunRecord["priority"],
  payload: row[from + 4] as string,
  key: row[from + 5] as string | null,
  delivery: row[from + 6] as RunRecord["delivery"],
  scheduleId: row[from + 7] as string | null,
  generation: row[from + 8] as string | null,
  nominal: row[from + 9] as number | null,
  cause: row[from + 10] as string,
  settles: row[from + 11] === 1,
  state: row[from + 12] as RunRecord["state"],
  waitsFor: row[from + 13] as RunRecord["waitsFor"],
  runAt: row[from + 14] as number,
  startBy: row[from + 15] as number | null,
  attempt: row[from + 16] as number,
  failures: row[from + 17] as number,
  recoveries: row[from + 18] as number,
  errors: row[from + 19] as string,
  node: row[from + 20] as string | null,
  startedAt: row[from + 21] as number | null,
  cancelAt: row[from + 22] as number | null,
  progress: row[from + 23] as string | null,
  createdAt: row[from + 24] as number
})

/** `kept` is 0 for successes, which are forgotten earlier, and 1 for all else: the first column of the order by time. */
export const historyColumns = [
  "id",
  "kept",
  "ended_at",
  "outcome",
  "job",
  "queue",
  "priority",
  "delivery",
  "schedule_id",
  "generation",
  "nominal",
  "cause",
  "attempt",
  "failures",
  "recoveries",
  "node",
  "created_at",
  "run_at",
  "started_at",
  "result",
  "result_stored",
  "errors",
  "progress",
  "payload",
  "key",
  "range_last",
  "range_count"
] as const

/** Of a range only these: its kind is the outcome, its first time the nominal one. */
export const rangeColumns = [
  "id",
  "kept",
  "ended_at",
  "outcome",
  "job",
  "schedule_id",
  "generation",
  "nominal",
  "cause",
  "range_last",
  "range_count"
] as const

export const encodeRange = (range: EndedRange): ReadonlyArray<Value> => [
  range.id,
  1,
  range.endedAt,
  range.kind,
  range.job,
  range.scheduleId,
  range.generation,
  range.first,
  range.cause,
  range.last,
  range.count
]

export const decodeHistory = (row: Row): HistoryRecord =>
  row[26] === null
    ? decodeEnded(row)
    : {
        _tag: "Range",
        id: row[0] as string,
        kind: row[3] as EndedRange["kind"],
        job: row[4] as string,
        scheduleId: row[8] as string,
        generation: row[9] as string,
        cause: row[11] as string,
        first: row[10] as number,
        last: row[25] as number,
        count: row[26] as number,
        endedAt: row[2] as number
      }

export const decodeEnded = (row: Row): EndedRun => ({
  _tag: "Run",
  id: row[0] as string,
  outcome: row[3] as EndedRun["outcome"],
  job: row[4] as string,
  queue: row[5] as string,
  priority: row[6] as EndedRun["priority"],
  delivery: row[7] as EndedRun["delivery"],
  scheduleId: row[8] as string | null,
  generation: row[9] as string | null,
  nominal: row[10] as number | null,
  cause: row[11] as string,
  attempt: row[12] as number,
  failures: row[13] as number,
  recoveries: row[14] as number,
  node: row[15] as string | null,
  createdAt: row[16] as number,
  runAt: row[17] as number,
  startedAt: row[18] as number | null,
  endedAt: row[2] as number,
  result: row[19] as string | null,
  resultStored: row[20] === 1,
  errors: row[21] as string,
  progress: row[22] as string | null,
  payload: row[23] as string | null,
  key: row[24] as string | null
})

export const nodeColumns = ["id", "started_at", "lease_until", "dead_at", "version", "jobs", "triggers"] as const

export const decodeNode = (row: Row): NodeRecord => ({
  id: row[0] as string,
  startedAt: row[1] as number,
  leaseUntil: row[2] as number,
  deadAt: row[3] as number | null,
  version: row[4] as number,
  jobs: JSON.parse(row[5] as string) as ReadonlyArray<string>,
  triggers: JSON.parse(row[6] as string) as ReadonlyArray<string>
})
