import { Effect } from "effect"
import { Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { type Text, historyCursor, historyText, listRunsText, listSchedulesText, page } from "../lists.ts"
import type { Answer, Params } from "../port.ts"
import {
  decodeEnded,
  decodeHistory,
  decodeRun,
  decodeSchedule,
  historyColumns,
  runColumns,
  scheduleColumns
} from "../rows.ts"
import type { Tables } from "../tables.ts"
import type { Row } from "../values.ts"
import { list } from "./columns.ts"
import type { Database, Session } from "./database.ts"
import type { Ending } from "./ending.ts"
import type { Schedules } from "./schedules.ts"
import { columnsOf } from "./values.ts"

/** What is asked about runs and schedules by id or page by page, and what is said of a single run. */
export const makeRuns = (t: Tables, db: Database, schedules: Schedules, ending: Ending) => {
  const texts = {
    ownerOf: `select schedule_id from ${t.runs} where id = $1 and settles = 1 and schedule_id is not null`,
    lockRun: `select ${list(runColumns)} from ${t.runs} where id = $1 for update`,
    isEnded: `select 1 from ${t.history} where id = $1 and range_count is null`,
    askToCancel: `update ${t.runs} set cancel_at = $2::bigint where id = $1 and cancel_at is null`,
    /** Sorted here: an order would let the planner read all runs by it. */
    held: `select ${list(runColumns)} from ${t.runs} where state = 'running' and node = $1`,
    progress: `update ${t.runs} r set progress = ($3::text[])[array_position($1::text[], r.id)]
where r.id = any($1::text[]) and r.attempt = ($2::int[])[array_position($1::text[], r.id)] and r.node = $4`,
    runs: `select ${list(runColumns)} from ${t.runs} where id = any($1::text[])`,
    ended: `select ${list(historyColumns)} from ${t.history} where id = any($1::text[]) and range_count is null`,
    schedules: `select ${list(scheduleColumns)} from ${t.schedules} where id = any($1::text[])`
  }

  /** What needs no time. */
  const read = <A>(body: (tx: Session) => Effect.Effect<A, SqlError>) => db.transact(0, body)

  const cancel = ({ id, now, transition }: Params<"cancel">): Effect.Effect<Answer<"cancel">, SqlError> =>
    db.transact(
      now,
      Effect.fnUntraced(function* (tx): Effect.fn.Return<Answer<"cancel">, SqlError> {
        const [owner] = yield* tx.query(texts.ownerOf, [id])
        if (owner !== undefined) yield* schedules.lock(tx, [owner[0] as string])
        const [row] = yield* tx.query(texts.lockRun, [id])
        if (row === undefined) {
          const ended = yield* tx.query(texts.isEnded, [id])
          return { answer: ended.length > 0 ? "finished" : "unknown", ended: undefined, node: undefined, applied: [] }
        }
        const run = decodeRun(row)
        if (run.state === "running") {
          yield* tx.query(texts.askToCancel, [id, tx.now])
          tx.signal |= Signal.cancel
          return { answer: "requested", ended: undefined, node: run.node!, applied: [] }
        }
        const [ended] = yield* ending.archive(tx, [run], "cancelled")
        yield* ending.promote(tx, [run])
        const applied = yield* schedules.settle(tx, [run], transition)
        return { answer: "cancelled", ended, node: undefined, applied }
      })
    )

  const held = ({ node }: Params<"held">): Effect.Effect<Answer<"held">, SqlError> =>
    Effect.andThen(
      db.claimsAreDone,
      read((tx) => Effect.map(tx.query(texts.held, [node]), (rows) => rows.map(decodeRun).toSorted(byId)))
    )

  const progress = ({ entries, node }: Params<"progress">): Effect.Effect<void, SqlError> => {
    // The last of each run, as if they were stored one after another.
    const byId = new Map(entries.map((entry) => [entry.id, entry]))
    const sorted = [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const columns = columnsOf(
      sorted.map((entry) => [entry.id, entry.attempt, entry.progress]),
      3
    )
    return sorted.length === 0 ? Effect.void : read((tx) => Effect.asVoid(tx.query(texts.progress, [...columns, node])))
  }

  const getRuns = ({ ids }: Params<"getRuns">): Effect.Effect<Answer<"getRuns">, SqlError> =>
    read(
      Effect.fnUntraced(function* (tx) {
        // A run that ends between the two is in history by the time that is asked.
        const unfinished = inOrder(ids, (yield* tx.query(texts.runs, [ids])).map(decodeRun))
        const seen = new Set(unfinished.map((run) => run.id))
        const rest = ids.filter((id) => !seen.has(id))
        const ended = rest.length === 0 ? [] : (yield* tx.query(texts.ended, [rest])).map(decodeEnded)
        return { unfinished, ended: inOrder(rest, ended) }
      })
    )

  const getSchedules = ({ ids }: Params<"getSchedules">): Effect.Effect<Answer<"getSchedules">, SqlError> =>
    read((tx) => Effect.map(tx.query(texts.schedules, [ids]), (rows) => inOrder(ids, rows.map(decodeSchedule))))

  /** A page of a list, of which one row more was asked for. */
  const pageOf = <A>([text, params]: Text, limit: number, decode: (row: Row) => A, cursor: (row: A) => string) =>
    read((tx) => Effect.map(tx.query(numbered(text), params), (rows) => page(rows.map(decode), limit, cursor)))

  const listSchedules = ({ cursor, filter, limit }: Params<"listSchedules">) =>
    pageOf(listSchedulesText(t, filter, limit + 1, cursor), limit, decodeSchedule, (row) => row.id)

  const listRuns = ({ cursor, filter, limit }: Params<"listRuns">) =>
    pageOf(listRunsText(t, filter, limit + 1, cursor), limit, decodeRun, (run) => run.id)

  const history = ({ cursor, filter, limit }: Params<"history">) =>
    pageOf(historyText(t, filter, limit + 1, cursor), limit, decodeHistory, historyCursor)

  return { cancel, held, progress, getRuns, getSchedules, listSchedules, listRuns, history }
}

/** The same text with numbers in place of the marks of its parameters. */
const numbered = (text: string): string => {
  let count = 0
  return text.replaceAll("?", () => `$${++count}`)
}

/** By id, in the order in which they were asked for. */
const inOrder = <A extends { readonly id: string }>(ids: ReadonlyArray<string>, rows: ReadonlyArray<A>) => {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1)
