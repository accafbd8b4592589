import type { RunRecord } from "effect-scheduler/JobRun"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"

export const t0 = 1_800_000_000_000

let made = 0
export const uuid = (): string => {
  const random = (made++ * 2_654_435_761) >>> 0
  const time = (t0 + (made >> 3)).toString(16).padStart(12, "0")
  const hex = random.toString(16).padStart(8, "0")
  return [time.slice(0, 8), time.slice(8), `7${hex.slice(0, 3)}`, `8${hex.slice(3, 6)}`, `${hex}${hex.slice(4)}`].join(
    "-"
  )
}

export const schedule = (id: string, fields: Partial<ScheduleRecord> = {}): ScheduleRecord => ({
  id,
  generation: uuid(),
  revision: 0,
  job: "SendDigest",
  queue: "default",
  priority: 2,
  payload: '{"userId":"42"}',
  key: null,
  delivery: "atLeastOnce",
  trigger: '{"_tag":"Cron","v":1,"text":"0 9 * * MON-FRI","timeZone":"Europe/Berlin"}',
  version: 1,
  needs: "",
  anchor: t0,
  policy: '{"missed":{"run":"latest","grace":10000}}',
  origin: null,
  cause: "nominal",
  state: "active",
  firstWatermark: t0 - 1,
  watermark: t0 - 1,
  nextAt: t0,
  counts: { fired: 0, skipped: 0, missed: 0, dropped: 0, paused: 0 },
  zoneData: "2026a",
  faults: 0,
  error: null,
  lastSuccess: null,
  createdAt: t0,
  updatedAt: t0,
  ...fields
})

export const runOf = (row: ScheduleRecord, now: number): RunRecord => ({
  id: uuid(),
  job: row.job,
  queue: row.queue,
  priority: row.priority,
  payload: row.payload,
  key: row.key,
  delivery: row.delivery,
  scheduleId: row.id,
  generation: row.generation,
  nominal: row.nextAt,
  cause: row.cause,
  settles: false,
  state: "pending",
  waitsFor: null,
  runAt: row.nextAt!,
  startBy: null,
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
