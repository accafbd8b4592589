import type { EndedRun, Outcome, RunRecord } from "effect-scheduler/JobRun"
import { Signal } from "effect-scheduler/JobStore"
import { each, type Program, query, type Value } from "../program.ts"
import type { Transaction } from "./transaction.ts"

/** What is said of the end of a run; the rest is the run's own. */
export interface Ending {
  readonly outcome: Outcome
  readonly failures: number
  readonly errors: string
  readonly result: string | null
  readonly resultStored: boolean
}

/** The ending of a run that no node reports: cancelled before it ran, lost, or replaced. */
export const unreported = (run: RunRecord, outcome: Outcome): Ending => ({
  outcome,
  failures: run.failures,
  errors: run.errors,
  result: null,
  resultStored: false
})

/** The parameters of `archiveSuccess` and `archiveOther`. */
export const encodeEnding = (id: string, now: number, ending: Ending): ReadonlyArray<Value> => [
  now,
  ending.outcome,
  ending.failures,
  ending.result,
  ending.resultStored ? 1 : 0,
  ending.errors,
  id
]

/** Deletes an unfinished run and writes its history row. Whoever calls sees to those that waited for it. */
export function* archive(tx: Transaction, run: RunRecord, now: number, ending: Ending): Program<EndedRun> {
  const isSuccess = ending.outcome === "succeeded"
  yield* query(isSuccess ? tx.sql.archiveSuccess : tx.sql.archiveOther, encodeEnding(run.id, now, ending))
  yield* query(tx.sql.deleteRun, [run.id])
  tx.signal |= Signal.ended
  return {
    _tag: "Run",
    id: run.id,
    outcome: ending.outcome,
    job: run.job,
    queue: run.queue,
    priority: run.priority,
    delivery: run.delivery,
    scheduleId: run.scheduleId,
    generation: run.generation,
    nominal: run.nominal,
    cause: run.cause,
    attempt: run.attempt,
    failures: ending.failures,
    recoveries: run.recoveries,
    node: run.node,
    createdAt: run.createdAt,
    runAt: run.runAt,
    startedAt: run.startedAt,
    endedAt: now,
    result: ending.result,
    resultStored: ending.resultStored,
    errors: ending.errors,
    progress: run.progress,
    payload: isSuccess ? null : run.payload,
    key: isSuccess ? null : run.key
  }
}

/** What is needed to know of a run that ended, or was given back, as it was before. */
export type Left = Pick<
  RunRecord,
  "scheduleId" | "generation" | "cause" | "nominal" | "job" | "key" | "waitsFor" | "settles"
>

/** Lets those go on that waited for runs which ended: the next of their keys, and the oldest deferred of their schedules. */
export function* promote(tx: Transaction, ended: ReadonlyArray<Left>): Program<void> {
  if (ended.length === 0) return
  // A slot of its job or queue may be free now, also for runs that nobody promotes.
  tx.signal |= Signal.runs
  const [waiting] = yield* query(tx.sql.anyDeferred)
  if (waiting![1] === 1) yield* promoteKeys(tx, ended)
  if (waiting![0] === 1) {
    yield* each(
      tx.sql.promoteOverlap,
      ended.flatMap((run) =>
        run.scheduleId !== null && run.waitsFor !== "overlap" ? [[run.scheduleId, run.generation, run.cause]] : []
      )
    )
  }
}

/** The same for runs that were given back, whose keys are free. */
export function* releaseKeys(tx: Transaction, runs: ReadonlyArray<Left>): Program<void> {
  if (runs.length === 0) return
  tx.signal |= Signal.runs
  const keyed = runs.filter((run) => run.key !== null)
  if (keyed.length === 0) return
  const [waiting] = yield* query(tx.sql.anyDeferred)
  if (waiting![1] === 1) yield* promoteKeys(tx, keyed)
}

const promoteKeys = (tx: Transaction, runs: ReadonlyArray<Left>) =>
  each(
    tx.sql.promoteKey,
    runs.flatMap((run) => (run.key !== null && run.waitsFor === null ? [[run.job, run.key]] : []))
  )
