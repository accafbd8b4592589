import { type RunReport, Signal } from "effect-scheduler/JobStore"
import type { Answer, Params } from "../../port.ts"
import { decodeEnded, decodeRun } from "../../rows.ts"
import { notLaterThanCancel, wasApplied } from "../../runs.ts"
import type { Value } from "../../values.ts"
import { type Program, each, query } from "../program.ts"
import { settle } from "./change.ts"
import { deleteRuns, newEnds, promote, releaseKeys } from "./ending.ts"
import type { Transaction } from "./transaction.ts"

/** Applies what a node reports, each report fenced by (run, attempt, node). */
export function* finish(tx: Transaction, params: Params<"finish">): Program<Answer<"finish">> {
  const { node, now, reports, transition } = params
  const [waiting] = yield* query(tx.sql.anyDeferred)
  const ids = JSON.stringify(reports.map((report) => report.id))
  const rows = yield* query(tx.sql.reported, [waiting![1]!, waiting![0]!, ids, node])

  const doubtful: Array<RunReport> = []
  const successes = newEnds()
  const others = newEnds()
  const gone: Array<Value> = []
  const remembered: Array<ReadonlyArray<Value>> = []
  const retries: Array<readonly [Value, Extract<RunReport, { _tag: "Retry" }>]> = []
  const releases: Array<ReadonlyArray<Value>> = []
  const places = new Set<Value>()
  const followed: Array<ReadonlyArray<Value>> = []
  for (let i = 0; i < reports.length; i++) {
    const report = reports[i]!
    const row = rows[i]!
    const place = row[0]!
    const isFollowed = row[2] === 1
    // Said twice in one call, the second is judged by what the first has done.
    if (row[0] === null || row[1] !== report.attempt || places.has(place)) {
      doubtful.push(report)
      continue
    }
    places.add(place)
    if (report._tag === "Retry") {
      retries.push([place, report])
    } else if (report._tag === "Release") {
      releases.push([place])
    } else {
      const isSuccess = report.outcome === "succeeded"
      const { errors, failures, outcome, result, resultStored } = report
      ;(isSuccess ? successes : others).add([place, now, outcome, failures, result, resultStored ? 1 : 0, errors])
      gone.push(place)
      if (isFollowed) followed.push([place])
      if (isSuccess && report.remember && result !== null) remembered.push([result, place])
    }
  }

  const ended = (yield* each(tx.sql.runAtPlace, followed)).map(decodeRun)
  yield* each(tx.sql.remember, remembered)
  yield* successes.write(tx.sql.archiveSuccess, tx.sql.archiveSuccesses)
  yield* others.write(tx.sql.archiveOther, tx.sql.archiveOthers)
  yield* deleteRuns(tx, gone)
  if (gone.length > 0) tx.signal |= Signal.ended | Signal.runs
  yield* promote(tx, ended)
  yield* giveBack(tx, retries, releases, now)
  const fenced: Array<string> = []
  for (const report of doubtful) {
    const [row] = yield* query(report._tag === "End" ? tx.sql.ended : tx.sql.run, [report.id])
    const ended = row !== undefined && report._tag === "End" ? decodeEnded(row) : undefined
    const run = row !== undefined && report._tag !== "End" ? decodeRun(row) : undefined
    if (!wasApplied(report, node, ended, run)) fenced.push(report.id)
  }
  return { fenced, applied: yield* settle(tx, ended, now, transition), now }
}

function* giveBack(
  tx: Transaction,
  retries: ReadonlyArray<readonly [Value, Extract<RunReport, { _tag: "Retry" }>]>,
  releases: ReadonlyArray<ReadonlyArray<Value>>,
  now: number
): Program<void> {
  if (retries.length + releases.length === 0) return
  const places = [...retries.map(([place]) => [place]), ...releases]
  const runs = (yield* each(tx.sql.runAtPlace, places)).map(decodeRun)
  yield* each(
    tx.sql.retry,
    retries.map(([place, report], index) => [
      report.failures,
      report.errors,
      notLaterThanCancel(runs[index]!, report.runAt, now),
      place
    ])
  )
  yield* each(tx.sql.release, releases)
  yield* releaseKeys(tx, runs)
}
