import type { EndedRun, Outcome, RunRecord } from "../../JobRun.ts"
import { type NodeRecord, Signal, type StoreSignal } from "../../JobStore.ts"
import { History } from "./history.ts"
import { type RunEntry, Runs } from "./runs.ts"
import { Schedules } from "./schedules.ts"
import { UniqueKeys } from "./uniqueKeys.ts"

/** Everything that a store in memory holds. `signal` collects what the running call has changed. */
export interface State {
  readonly schedules: Schedules
  readonly runs: Runs
  readonly history: History
  readonly uniques: UniqueKeys
  readonly nodes: Map<string, NodeRecord>
  signal: StoreSignal
}

export const makeState = (historyLimit: number): State => {
  const schedules = new Schedules()
  return {
    schedules,
    runs: new Runs(schedules),
    history: new History(historyLimit),
    uniques: new UniqueKeys(),
    nodes: new Map(),
    signal: 0
  }
}

/** What a node says of the end of a run; the rest is the run's own. */
export interface Ending {
  readonly outcome: Outcome
  readonly failures: number
  readonly errors: string
  readonly result: string | null
  readonly resultStored: boolean
}

/** Deletes an unfinished run and writes its history row. Whoever calls sees to those that waited for it. */
export const archive = (state: State, entry: RunEntry, now: number, ending: Ending): EndedRun => {
  const { row } = entry
  const isSuccess = ending.outcome === "succeeded"
  const ended: EndedRun = {
    _tag: "Run",
    id: row.id,
    outcome: ending.outcome,
    job: row.job,
    queue: row.queue,
    priority: row.priority,
    delivery: row.delivery,
    scheduleId: row.scheduleId,
    generation: row.generation,
    nominal: row.nominal,
    cause: row.cause,
    attempt: row.attempt,
    failures: ending.failures,
    recoveries: row.recoveries,
    node: row.node,
    createdAt: row.createdAt,
    runAt: row.runAt,
    startedAt: row.startedAt,
    endedAt: now,
    result: ending.result,
    resultStored: ending.resultStored,
    errors: ending.errors,
    progress: row.progress,
    payload: isSuccess ? null : row.payload,
    key: isSuccess ? null : row.key
  }
  state.runs.delete(entry)
  state.history.add(ended)
  state.signal |= Signal.ended
  return ended
}

/** The ending of a run that no node reports: cancelled before it ran, lost, or replaced. */
export const unreported = (row: RunRecord, outcome: Outcome): Ending => ({
  outcome,
  failures: row.failures,
  errors: row.errors,
  result: null,
  resultStored: false
})

/** Lets those go on that waited for a run which ended: the next of its key, and the oldest deferred of its schedule. */
export const promoteAfter = (state: State, entry: RunEntry): void => {
  promoteKeyAfter(state, entry)
  if (entry.row.waitsFor !== "overlap") state.runs.promoteOverlap(entry.group ?? undefined)
}

/** The same after runs of its schedule were made: a group that lost its last run and got a new one is another object. */
export const promoteInsteadOf = (state: State, entry: RunEntry): void => {
  const { cause, generation, scheduleId, waitsFor } = entry.row
  promoteKeyAfter(state, entry)
  if (scheduleId !== null && waitsFor !== "overlap") {
    state.runs.promoteOverlap(state.runs.group(scheduleId, generation, cause))
  }
}

const promoteKeyAfter = (state: State, { job, row }: RunEntry): void => {
  // A slot of its job or queue may be free now, also for runs that nobody promotes.
  state.signal |= Signal.runs
  if (row.key !== null && row.waitsFor === null) state.runs.promoteKey(job, row.key)
}
