import type { EndedRun, HistoryRecord, Outcome, RunRecord } from "../../../JobRun.ts"
import type { ScheduleRecord } from "../../../JobSchedule.ts"
import { type NodeRecord, Signal, type StoreSignal } from "../../../JobStore.ts"

/** Lists, and nothing else: every question is answered by looking at all of them. */
export interface Tables {
  schedules: ReadonlyArray<ScheduleRecord>
  readonly runs: Array<RunRecord>
  history: Array<HistoryRecord>
  nodes: ReadonlyArray<NodeRecord>
  keys: ReadonlyArray<{ readonly job: string; readonly unique: string; readonly run: string; readonly at: number }>
  signal: StoreSignal
}

export const emptyTables = (): Tables => ({ schedules: [], runs: [], history: [], nodes: [], keys: [], signal: 0 })

/** An order by the first of several criteria that tells two rows apart. */
export const by =
  <A>(...criteria: ReadonlyArray<(row: A) => number | string>) =>
  (a: A, b: A): number => {
    for (const criterion of criteria) {
      const [x, y] = [criterion(a), criterion(b)]
      if (x !== y) return x < y ? -1 : 1
    }
    return 0
  }

export const byId = by<{ readonly id: string }>((row) => row.id)

/** The runs that are one with this one for overlap: of the same schedule, generation and cause. */
export const siblings = (
  tables: Tables,
  of: { readonly scheduleId: string | null; readonly generation: string | null; readonly cause: string }
): ReadonlyArray<RunRecord> =>
  of.scheduleId === null
    ? []
    : tables.runs.filter(
        (run) => run.scheduleId === of.scheduleId && run.generation === of.generation && run.cause === of.cause
      )

export const ownRuns = (tables: Tables, row: ScheduleRecord): ReadonlyArray<RunRecord> =>
  siblings(tables, { scheduleId: row.id, generation: row.generation, cause: row.cause })

export const putRun = (tables: Tables, row: RunRecord): void => {
  const index = tables.runs.findIndex((run) => run.id === row.id)
  if (index < 0) tables.runs.push(row)
  else tables.runs[index] = row
}

/** Moves a run to history. Those who wait for it are not told yet. */
export const endRun = (
  tables: Tables,
  run: RunRecord,
  endedAt: number,
  outcome: Outcome,
  said: Pick<EndedRun, "failures" | "errors" | "result" | "resultStored"> = {
    failures: run.failures,
    errors: run.errors,
    result: null,
    resultStored: false
  }
): EndedRun => {
  const { cancelAt: _1, settles: _2, startBy: _3, state: _4, waitsFor: _5, ...kept } = run
  const ended: EndedRun = { _tag: "Run", ...kept, ...said, outcome, endedAt }
  const row = outcome === "succeeded" ? { ...ended, payload: null, key: null } : ended
  tables.runs.splice(
    tables.runs.findIndex((each) => each.id === run.id),
    1
  )
  tables.history.push(row)
  tables.signal |= Signal.ended | Signal.runs
  return row
}

export const promote = (tables: Tables, run: RunRecord): void => {
  putRun(tables, { ...run, state: "pending", waitsFor: null })
  tables.signal |= Signal.runs
}

/** Whether a run of the job holds the key. */
export const isTaken = (tables: Tables, job: string, key: string): boolean =>
  tables.runs.some((run) => run.state === "running" && run.job === job && run.key === key)

/** The run that goes next of those that wait for a key, unless the key is taken. */
export const nextOfKey = (tables: Tables, job: string, key: string | null): RunRecord | undefined => {
  if (key === null || isTaken(tables, job, key)) return undefined
  const waiting = tables.runs.filter((run) => run.waitsFor === "key" && run.job === job && run.key === key)
  return waiting.toSorted(
    by(
      (run) => run.priority,
      (run) => run.runAt,
      (run) => run.id
    )
  )[0]
}

/** The run that goes next of those that wait for another of their schedule. */
export const nextOfOverlap = (tables: Tables, of: Parameters<typeof siblings>[1]): RunRecord | undefined => {
  const waiting = siblings(tables, of).filter((run) => run.waitsFor === "overlap")
  return waiting.toSorted(
    by(
      (run) => run.nominal ?? run.runAt,
      (run) => run.id
    )
  )[0]
}

/** Lets go on what waited for a run that has ended. A run that was deferred itself held nothing up. */
export const promoteAfter = (tables: Tables, run: RunRecord): void => {
  const next = [
    run.waitsFor === null ? nextOfKey(tables, run.job, run.key) : undefined,
    run.waitsFor === "overlap" ? undefined : nextOfOverlap(tables, run)
  ]
  for (const each of next) if (each !== undefined) promote(tables, each)
}

/** Makes a running run pending. */
export const giveBack = (tables: Tables, run: RunRecord, now: number): RunRecord => {
  const runAt = run.cancelAt === null ? run.runAt : Math.min(run.runAt, now)
  const pending: RunRecord = { ...run, runAt, state: "pending", node: null }
  putRun(tables, pending)
  const next = nextOfKey(tables, run.job, run.key)
  if (next !== undefined) promote(tables, next)
  tables.signal |= Signal.runs
  return pending
}
