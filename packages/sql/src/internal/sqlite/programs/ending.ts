import type { EndedRun, Outcome, RunRecord } from "effect-scheduler/JobRun"
import { Signal } from "effect-scheduler/JobStore"
import { decodeRun, runColumns } from "../../rows.ts"
import { type Left, endedRun } from "../../runs.ts"
import type { Row, Value } from "../../values.ts"
import { type Program, Rows, each, query } from "../program.ts"
import { endColumns } from "../statements.ts"
import type { Transaction } from "./transaction.ts"

/** An unfinished run and its place in the table. */
export interface Placed {
  readonly run: RunRecord
  readonly place: Value
}

/** A row of the statements that answer runs with their places. */
export const decodePlaced = (row: Row): Placed => ({ run: decodeRun(row), place: row[runColumns.length]! })

/** Ends of runs, each as `endColumns` has it. */
export const newEnds = (): Rows => new Rows(endColumns.length)

/** Deletes the rows in these places, whose history was written. */
export const deleteRuns = (tx: Transaction, places: ReadonlyArray<Value>): Program<ReadonlyArray<Row>> =>
  each(tx.sql.deleteRuns, places.length === 0 ? [] : [[JSON.stringify(places)]])

/**
 * Ends runs that no node reports: cancelled before they ran, lost, or replaced. It deletes them and writes their history;
 * whoever calls sees to those that waited for them.
 */
export function* archive(
  tx: Transaction,
  placed: ReadonlyArray<Placed>,
  now: number,
  outcome: Outcome
): Program<ReadonlyArray<EndedRun>> {
  if (placed.length === 0) return []
  const ends = newEnds()
  for (const { place, run } of placed) ends.add([place, now, outcome, run.failures, null, 0, run.errors])
  yield* ends.write(tx.sql.archiveOther, tx.sql.archiveOthers)
  yield* deleteRuns(
    tx,
    placed.map(({ place }) => place)
  )
  tx.signal |= Signal.ended
  return placed.map(({ run }) => endedRun(run, now, outcome))
}

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
