import type { EndedRange, RunRecord } from "../../JobRun.ts"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { ScheduleChange } from "../../JobStore.ts"

/** The instant at which the cases begin: 2027-01-15T08:00:00Z. */
export const t0 = 1_800_000_000_000

/** The shape of a UUID v7 with a number in it, so that rows have a known order. */
export const uuid = (n: number): string => `018f0000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`

export const nodeA = uuid(0xa)
export const nodeB = uuid(0xb)
export const nodeC = uuid(0xc)

/** A generation for rows that do not say theirs. */
export const generation = uuid(0x9e0)

/** An active schedule that is due at `t0`. */
export const schedule = (id: string, fields: Partial<ScheduleRecord> = {}): ScheduleRecord => ({
  id,
  generation,
  revision: 0,
  job: "job",
  queue: "default",
  priority: 2,
  payload: "null",
  key: null,
  delivery: "atLeastOnce",
  trigger: "{}",
  version: 1,
  needs: "",
  anchor: t0,
  policy: "{}",
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

/** A pending run, due at `t0`, that belongs to no schedule. */
export const run = (n: number, fields: Partial<RunRecord> = {}): RunRecord => ({
  id: uuid(n),
  job: "job",
  queue: "default",
  priority: 2,
  payload: "null",
  key: null,
  delivery: "atLeastOnce",
  scheduleId: null,
  generation: null,
  nominal: null,
  cause: "enqueue",
  settles: false,
  state: "pending",
  waitsFor: null,
  runAt: t0,
  startBy: null,
  attempt: 0,
  failures: 0,
  recoveries: 0,
  errors: "[]",
  node: null,
  startedAt: null,
  cancelAt: null,
  progress: null,
  createdAt: t0,
  ...fields
})

/** A pending run of the schedule's `n`th nominal time, a second after the one before. */
export const runOf = (owner: ScheduleRecord, n: number, fields: Partial<RunRecord> = {}): RunRecord =>
  run(n, {
    job: owner.job,
    queue: owner.queue,
    priority: owner.priority,
    payload: owner.payload,
    key: owner.key,
    delivery: owner.delivery,
    scheduleId: owner.id,
    generation: owner.generation,
    nominal: t0 + n * 1000,
    cause: owner.cause,
    ...fields
  })

/** The same, deferred because another run of the schedule is unfinished. */
export const deferredOf = (owner: ScheduleRecord, n: number, fields: Partial<RunRecord> = {}): RunRecord =>
  runOf(owner, n, { state: "deferred", waitsFor: "overlap", ...fields })

export const range = (owner: ScheduleRecord, n: number, fields: Partial<EndedRange> = {}): EndedRange => ({
  _tag: "Range",
  id: uuid(n),
  kind: "missed",
  job: owner.job,
  scheduleId: owner.id,
  generation: owner.generation,
  cause: owner.cause,
  first: t0,
  last: t0 + 9000,
  count: 10,
  endedAt: t0,
  ...fields
})

/** A change that stores the row and does nothing else unless it says so. */
export const changeTo = (row: ScheduleRecord | null, fields: Partial<ScheduleChange> = {}): ScheduleChange => ({
  schedule: row,
  runs: [],
  ranges: [],
  replaceDeferred: false,
  cancelActive: false,
  ...fields
})

/** `from`, `from + 1`, … in number `count`. */
export const numbers = (from: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => from + index)
