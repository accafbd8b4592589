import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import type { Value } from "./values.ts"

/** Whether only what `encodeAdvance` sets has changed. */
export const isAdvance = (before: ScheduleRecord, after: ScheduleRecord): boolean =>
  before.state === after.state && isMove(before, after)

/** The same, but for the state: most schedules end so. */
export const isMove = (before: ScheduleRecord, after: ScheduleRecord): boolean =>
  before.generation === after.generation &&
  before.job === after.job &&
  before.queue === after.queue &&
  before.priority === after.priority &&
  before.payload === after.payload &&
  before.key === after.key &&
  before.delivery === after.delivery &&
  before.trigger === after.trigger &&
  before.version === after.version &&
  before.needs === after.needs &&
  before.anchor === after.anchor &&
  before.policy === after.policy &&
  before.origin === after.origin &&
  before.cause === after.cause &&
  before.firstWatermark === after.firstWatermark &&
  before.zoneData === after.zoneData &&
  before.faults === after.faults &&
  before.error === after.error &&
  before.lastSuccess === after.lastSuccess &&
  before.createdAt === after.createdAt

export const encodeAdvance = (row: ScheduleRecord): ReadonlyArray<Value> => [
  row.revision,
  row.watermark,
  row.nextAt,
  row.counts.fired,
  row.counts.skipped,
  row.counts.missed,
  row.counts.dropped,
  row.counts.paused,
  row.updatedAt
]
