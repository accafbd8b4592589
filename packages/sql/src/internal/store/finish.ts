import type { RunReport } from "effect-scheduler/JobStore"
import { Signal } from "effect-scheduler/JobStore"
import { each, type Program, query, type Row, type Value } from "../program.ts"
import { decodeEnded, decodeRun } from "../rows.ts"
import { settle } from "./change.ts"
import { encodeEnding, type Left, promote, releaseKeys } from "./ending.ts"
import type { Answer, Params, Transaction } from "./transaction.ts"

/** The run of a report as it is stored: a row of the statement `reported`. */
interface Reported extends Left {
  readonly isRunning: boolean
  readonly attempt: number
  readonly node: string | null
  readonly cancelAt: number | null
}

const decodeReported = (row: Row): Reported => ({
  isRunning: row[1] === "running",
  attempt: row[2] as number,
  node: row[3] as string | null,
  scheduleId: row[4] as string | null,
  generation: row[5] as string | null,
  cause: row[6] as string,
  nominal: row[7] as number | null,
  job: row[8] as string,
  key: row[9] as string | null,
  settles: row[10] === 1,
  cancelAt: row[11] as number | null,
  // A run that is running waits for nothing.
  waitsFor: null
})

/** Applies what a node reports, each report fenced by (run, attempt, node). */
export function* finish(tx: Transaction, params: Params<"finish">): Program<Answer<"finish">> {
  const { node, now, reports, transition } = params
  const stored = new Map<string, Reported>()
  const rows = yield* each(
    tx.sql.reported,
    reports.map((report) => [report.id])
  )
  for (const row of rows) stored.set(row[0] as string, decodeReported(row))

  const doubtful: Array<RunReport> = []
  const successes: Array<ReadonlyArray<Value>> = []
  const others: Array<ReadonlyArray<Value>> = []
  const ids: Array<ReadonlyArray<Value>> = []
  const remembered: Array<ReadonlyArray<Value>> = []
  const retried: Array<ReadonlyArray<Value>> = []
  const released: Array<ReadonlyArray<Value>> = []
  const ended: Array<Left> = []
  const givenBack: Array<Left> = []
  for (const report of reports) {
    const run = stored.get(report.id)
    if (run === undefined || !run.isRunning || run.attempt !== report.attempt || run.node !== node) {
      doubtful.push(report)
      continue
    }
    // Said twice in one call, the second is judged by what the first has done.
    stored.delete(report.id)
    if (report._tag === "End") {
      const isSuccess = report.outcome === "succeeded"
      ;(isSuccess ? successes : others).push(encodeEnding(report.id, now, report))
      ids.push([report.id])
      ended.push(run)
      if (isSuccess && report.remember && report.result !== null && run.cause === "nominal" && run.nominal !== null) {
        remembered.push([run.nominal, report.result, run.scheduleId, run.generation, run.nominal])
      }
    } else {
      givenBack.push(run)
      if (report._tag === "Release") released.push([report.id])
      else retried.push([report.failures, report.errors, notLaterThanCancel(run, report.runAt, now), report.id])
    }
  }

  if (ended.length > 0) tx.signal |= Signal.ended
  yield* each(tx.sql.archiveSuccess, successes)
  yield* each(tx.sql.archiveOther, others)
  yield* each(tx.sql.deleteRun, ids)
  yield* each(tx.sql.remember, remembered)
  yield* each(tx.sql.retry, retried)
  yield* each(tx.sql.release, released)
  yield* promote(tx, ended)
  yield* releaseKeys(tx, givenBack)
  const fenced: Array<string> = []
  for (const report of doubtful) {
    if (!(yield* wasApplied(tx, report, node))) fenced.push(report.id)
  }
  return { fenced, applied: yield* settle(tx, ended, now, transition), now }
}

/** A run that was asked to cancel is claimed at once, so that the one who claims it can end it. */
export const notLaterThanCancel = (run: { readonly cancelAt: number | null }, runAt: number, now: number): number =>
  run.cancelAt === null ? runAt : Math.min(runAt, now)

/** Whether a report that does not find its run running was carried out before: its answer was lost. */
function* wasApplied(tx: Transaction, report: RunReport, node: string): Program<boolean> {
  if (report._tag === "End") {
    const [row] = yield* query(tx.sql.ended, [report.id])
    const ended = row && decodeEnded(row)
    return ended?.attempt === report.attempt && ended.node === node && ended.outcome === report.outcome
  }
  const [row] = yield* query(tx.sql.run, [report.id])
  if (row === undefined) return false
  const run = decodeRun(row)
  if (report._tag === "Release") return run.attempt === report.attempt && run.state !== "running"
  // Claimed again meanwhile, or not: the failure that it added is there.
  const isNext = run.attempt > report.attempt || run.state !== "running"
  return isNext && run.attempt >= report.attempt && run.failures === report.failures && run.errors === report.errors
}
