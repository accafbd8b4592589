import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import type { JobStoreError, RunReport, ScheduleChange } from "effect-scheduler/JobStore"

/** A folder of a test's own, removed at its end. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-scheduler-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The path of a file that does not exist yet. */
export const newFile: Effect.Effect<string, never, Scope.Scope> = Effect.map(folder, (path) => join(path, "jobs.db"))

/** 2027-01-15T08:00:00Z. */
export const t0 = 1_800_000_000_000

export const run = (fields: Partial<RunRecord> = {}): RunRecord => ({
  id: randomUUID(),
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

export const schedule = (id: string, fields: Partial<ScheduleRecord> = {}): ScheduleRecord => ({
  id,
  generation: randomUUID(),
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

/** A change that stores the row and does nothing else. */
export const changeTo = (row: ScheduleRecord | null): ScheduleChange => ({
  schedule: row,
  runs: [],
  ranges: [],
  replaceDeferred: false,
  cancelActive: false
})

/** The parameters of `enqueue` for these runs. */
export const enqueued = (...runs: ReadonlyArray<RunRecord>) => ({
  now: t0,
  runs: runs.map((each) => ({ run: each, unique: null }))
})

export const success = (run: RunRecord): RunReport => ({
  _tag: "End",
  id: run.id,
  attempt: run.attempt,
  outcome: "succeeded",
  failures: 0,
  errors: "[]",
  result: null,
  resultStored: true,
  remember: false
})

export const jobs = [{ name: "job", queue: "default" }]

/** Why a store call failed, with the message for whoever reads the test's output. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, JobStoreError, R>) =>
  Effect.map(Effect.flip(effect), (error) => ({ reason: error.reason, message: error.message }))
