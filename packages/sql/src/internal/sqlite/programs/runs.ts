import type { RunRecord } from "effect-scheduler/JobRun"
import { Signal } from "effect-scheduler/JobStore"
import { historyCursor, historyText, listRunsText, page } from "../../lists.ts"
import type { Answer, Params } from "../../port.ts"
import { decodeEnded, decodeHistory, decodeRun, encodeRun } from "../../rows.ts"
import type { Row } from "../../values.ts"
import { type Program, each, query } from "../program.ts"
import { settle } from "./change.ts"
import { archive, decodePlaced, promote } from "./ending.ts"
import type { Transaction } from "./transaction.ts"

/** Inserts runs, once each. */
export function* enqueue(tx: Transaction, params: Params<"enqueue">): Program<Answer<"enqueue">> {
  const ids: Array<string> = []
  for (const { run, unique } of params.runs) {
    const stored = yield* storedAs(tx, run, unique)
    ids.push(stored ?? run.id)
    if (stored !== undefined) continue
    if (unique !== null) yield* query(tx.sql.insertKey, [run.job, unique, run.id, params.now])
    yield* query(tx.sql.insertRun, encodeRun(run))
    tx.signal |= Signal.runs
  }
  return { ids }
}

/** The id of the run that makes this one superfluous, which may be its own. */
function* storedAs(tx: Transaction, run: RunRecord, unique: string | null): Program<string | undefined> {
  const known = yield* query(tx.sql.isKnown, [run.id, run.id])
  if (known.length > 0) return run.id
  if (unique !== null) {
    const [key] = yield* query(tx.sql.key, [run.job, unique])
    if (key !== undefined) return key[0] as string
  }
  if (run.scheduleId === null || run.nominal === null) return undefined
  const [twin] = yield* query(tx.sql.twin, [run.scheduleId, run.generation, run.cause, run.nominal])
  return twin?.[0] as string | undefined
}

/** Ends a run that has not started, or asks the node that runs it. */
export function* cancel(tx: Transaction, params: Params<"cancel">): Program<Answer<"cancel">> {
  const { id, now, transition } = params
  const [row] = yield* query(tx.sql.runWithPlace, [id])
  if (row === undefined) {
    const ended = yield* query(tx.sql.ended, [id])
    return { answer: ended.length > 0 ? "finished" : "unknown", ended: undefined, node: undefined, applied: [] }
  }
  const placed = decodePlaced(row)
  const { run } = placed
  if (run.state === "running") {
    yield* query(tx.sql.askToCancel, [now, id])
    tx.signal |= Signal.cancel
    return { answer: "requested", ended: undefined, node: run.node!, applied: [] }
  }
  const [ended] = yield* archive(tx, [placed], now, "cancelled")
  yield* promote(tx, [run])
  const applied = yield* settle(tx, [run], now, transition)
  return { answer: "cancelled", ended, node: undefined, applied }
}

export function* held(tx: Transaction, params: Params<"held">): Program<Answer<"held">> {
  const rows = yield* query(tx.sql.held, [params.node])
  return rows.map(decodeRun)
}

export function* progress(tx: Transaction, params: Params<"progress">): Program<void> {
  yield* each(
    tx.sql.progress,
    params.entries.map((entry) => [entry.progress, entry.id, entry.attempt, params.node])
  )
}

export function* getRuns(tx: Transaction, params: Params<"getRuns">): Program<Answer<"getRuns">> {
  const ids = params.ids.map((id) => [id])
  const unfinished = yield* each(tx.sql.run, ids)
  const ended: ReadonlyArray<Row> = yield* each(tx.sql.ended, ids)
  return { unfinished: unfinished.map(decodeRun), ended: ended.map(decodeEnded) }
}

export function* listRuns(tx: Transaction, { cursor, filter, limit }: Params<"listRuns">): Program<Answer<"listRuns">> {
  const [text, values] = listRunsText(tx.tables, filter, limit + 1, cursor)
  const rows = yield* query(text, values)
  return page(rows.map(decodeRun), limit, (run) => run.id)
}

export function* history(tx: Transaction, { cursor, filter, limit }: Params<"history">): Program<Answer<"history">> {
  const [text, values] = historyText(tx.tables, filter, limit + 1, cursor)
  const rows = yield* query(text, values)
  return page(rows.map(decodeHistory), limit, historyCursor)
}
