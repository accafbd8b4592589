import { Effect } from "effect"
import { Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import type { Answer, Params } from "../port.ts"
import { scheduleColumns } from "../rows.ts"
import type { Tables } from "../tables.ts"
import type { Row } from "../values.ts"
import type { Database, Session } from "./database.ts"
import { makeFireAtOnce } from "./fireAtOnce.ts"
import { type AskHeads, type DueGroup, nameOf, noLanes } from "./heads.ts"
import type { Horizon } from "./horizon.ts"
import { lockedColumns, type Schedules } from "./schedules.ts"

/** Fires due schedules, those that no other node is just deciding. */
export const makeFire = (t: Tables, db: Database, horizon: Horizon, ask: AskHeads, schedules: Schedules) => {
  const due = `select ${lockedColumns} from ${t.schedules}
where next_at is not null and version = $1::int and needs = $2 and next_at >= $3::bigint
  and next_at <= $4::bigint order by next_at, id limit $5::int for update skip locked`

  const readDue = Effect.fnUntraced(function* (
    tx: Session,
    groups: ReadonlyArray<DueGroup>,
    limit: number
  ): Effect.fn.Return<ReadonlyArray<Row>, SqlError> {
    const found: Array<Row> = []
    for (const group of groups) {
      const { needs, version } = group
      found.push(...(yield* tx.query(due, [version, needs, horizon.low(nameOf(group)), tx.now, limit])))
    }
    return groups.length === 1 ? found : found.toSorted(byNextAt).slice(0, limit)
  })

  const fireAtOnce = makeFireAtOnce(t, db)

  return Effect.fnUntraced(function* (params: Params<"fire">): Effect.fn.Return<Answer<"fire">, SqlError> {
    yield* horizon.begin(params.now, (text, values = []) => db.once(params.now, text, values))
    // A transaction of the application waits for the disk as the application likes, not as a tick does.
    const isUsual = !horizon.isShort && !(yield* db.isJoined)
    const fired = isUsual ? yield* fireAtOnce(params) : undefined
    if (fired !== undefined) return fired
    const heads = yield* ask(params.now, params, noLanes)
    const dueNow = heads.groups.filter((group) => group.nextAt <= heads.now)
    if (dueNow.length === 0) return { applied: [], full: false, now: heads.now }
    return yield* db.transact(
      params.now,
      Effect.fnUntraced(function* (tx) {
        const rows = yield* readDue(tx, dueNow, params.limit)
        const applied = yield* schedules.decide(tx, rows, params.transition)
        // Whoever fires looks at the next times anyway; a signal would only send it round once more.
        tx.signal &= ~Signal.schedules
        return { applied, full: rows.length >= params.limit, now: tx.now }
      })
    )
  })
}

const nextAtColumn = scheduleColumns.indexOf("next_at")

const byNextAt = (a: Row, b: Row): number =>
  (a[nextAtColumn] as number) - (b[nextAtColumn] as number) || (a[0]! < b[0]! ? -1 : 1)
