import { Signal } from "effect-scheduler/JobStore"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Row } from "../program.ts"
import { scheduleColumns } from "../rows.ts"
import { isKnown, type Knowledge } from "../store/schedules.ts"
import type { Answer, Params } from "../store/transaction.ts"
import type { Tables } from "../tables.ts"
import { list } from "./columns.ts"
import { type Database, type Session, timeOf } from "./database.ts"
import type { Schedules } from "./schedules.ts"

/** The rows that the same nodes may fire, and the earliest time of one. */
interface DueGroup {
  readonly version: number
  readonly needs: string
  readonly nextAt: number
}

/** Fires due schedules, those that no other node is just deciding. */
export const makeFire = (t: Tables, db: Database, schedules: Schedules) => {
  const head = (where: string) => `select s.version, s.needs, s.next_at from ${t.schedules} s
    where s.next_at is not null and s.version <= $2::int${where} order by s.version, s.needs, s.next_at limit 1`
  const texts = {
    /** From one group to the next by one look-up each, whatever lies between them. */
    groups: `with recursive groups as (
  (${head("")})
  union all
  select n.* from groups g cross join lateral (${head(" and (s.version, s.needs) > (g.version, g.needs)")}) n
) select ${timeOf(1)}, g.version, g.needs, g.next_at from (values (1)) as one(n) left join groups g on true`,
    due: `select ${list(scheduleColumns)} from ${t.schedules}
where next_at is not null and version = $1::int and needs = $2 and next_at <= $3::bigint
order by next_at, id limit $4::int for update skip locked`
  }

  /** The groups that a node with this knowledge may decide for, and the time. */
  const groups = (
    now: number,
    knowledge: Knowledge
  ): Effect.Effect<{ readonly known: ReadonlyArray<DueGroup>; readonly now: number }, SqlError> =>
    Effect.map(db.query(texts.groups, [db.time(now), knowledge.version]), (rows) => ({
      now: rows[0]![0] as number,
      known: rows.flatMap(([, version, needs, nextAt]) => {
        if (version === null) return []
        const group = { version: version as number, needs: needs as string, nextAt: nextAt as number }
        return isKnown(group, knowledge) ? [group] : []
      })
    }))

  const readDue = Effect.fnUntraced(function* (
    tx: Session,
    known: ReadonlyArray<DueGroup>,
    limit: number
  ): Effect.fn.Return<ReadonlyArray<Row>, SqlError> {
    const due: Array<Row> = []
    for (const { needs, nextAt, version } of known) {
      if (nextAt <= tx.now) due.push(...(yield* tx.query(texts.due, [version, needs, tx.now, limit])))
    }
    return known.length === 1 ? due : due.toSorted(byNextAt).slice(0, limit)
  })

  const fire = Effect.fnUntraced(function* (params: Params<"fire">): Effect.fn.Return<Answer<"fire">, SqlError> {
    // No transaction is opened to learn that there is nothing to do.
    const { known, now } = yield* groups(params.now, params)
    if (!known.some((group) => group.nextAt <= now)) return { applied: [], full: false, now }
    return yield* db.transact(
      params.now,
      Effect.fnUntraced(function* (tx) {
        const due = yield* readDue(tx, known, params.limit)
        const applied = yield* schedules.decide(tx, due, params.transition)
        // Whoever fires looks at the next times anyway; a signal would only send it round once more.
        tx.signal &= ~Signal.schedules
        return { applied, full: due.length >= params.limit, now: tx.now }
      })
    )
  })

  return { fire, groups }
}

const nextAtColumn = scheduleColumns.indexOf("next_at")

const byNextAt = (a: Row, b: Row): number =>
  (a[nextAtColumn] as number) - (b[nextAtColumn] as number) || (a[0]! < b[0]! ? -1 : 1)
