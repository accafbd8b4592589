import { Effect } from "effect"
import { Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { type Knowledge, isKnown } from "../knowledge.ts"
import type { Answer, Params } from "../port.ts"
import { scheduleColumns } from "../rows.ts"
import type { Tables } from "../tables.ts"
import type { Row } from "../values.ts"
import type { Database, Session } from "./database.ts"
import type { Horizon } from "./horizon.ts"
import { lockedColumns, type Schedules } from "./schedules.ts"
import { columnsOf } from "./values.ts"

/** The rows that the same nodes may fire, and the earliest time of one. */
interface DueGroup {
  readonly version: number
  readonly needs: string
  readonly nextAt: number
}

/** Fires due schedules, those that no other node is just deciding. */
export const makeFire = (t: Tables, db: Database, horizon: Horizon, schedules: Schedules) => {
  const head = (where: string) => `select s.version, s.needs, s.next_at from ${t.schedules} s
    where s.next_at is not null and s.version <= $1::int${where} order by s.version, s.needs, s.next_at limit 1`
  const texts = {
    /** From one group to the next by one look-up each, whatever lies between them. */
    groups: `with recursive groups as (
  (${head("")})
  union all
  select n.* from groups g cross join lateral (${head(" and (s.version, s.needs) > (g.version, g.needs)")}) n
) select version, needs, next_at from groups`,
    /** The same of groups that are known, each from the earliest time of interest on. */
    heads: `select i.version, i.needs, h.next_at from unnest($1::int[], $2::text[], $3::bigint[]) as i(version, needs, low)
cross join lateral (select s.next_at from ${t.schedules} s where s.next_at is not null and s.version = i.version
  and s.needs = i.needs and s.next_at >= i.low order by s.next_at limit 1) h`,
    due: `select ${lockedColumns} from ${t.schedules}
where next_at is not null and version = $1::int and needs = $2 and next_at >= $3::bigint
  and next_at <= $4::bigint order by next_at, id limit $5::int for update skip locked`
  }

  /** Those that were found when all was looked at last. */
  let seen: ReadonlyArray<DueGroup> = []

  const read = (tx: Session, newest: number): Effect.Effect<ReadonlyArray<DueGroup>, SqlError> => {
    const isShort = horizon.isShort && seen.length > 0
    const asked = isShort
      ? tx.query(
          texts.heads,
          columnsOf(
            seen.map((group) => [group.version, group.needs, horizon.low(nameOf(group))]),
            3
          )
        )
      : tx.query(texts.groups, [newest])
    return Effect.map(asked, (rows) => {
      const groups = rows.map(([version, needs, nextAt]): DueGroup => ({
        version: version as number,
        needs: needs as string,
        nextAt: nextAt as number
      }))
      if (!isShort) seen = groups
      for (const group of groups) horizon.passed(nameOf(group), group.nextAt)
      return groups
    })
  }

  /** The groups that a node with this knowledge may decide for. */
  const groups = (tx: Session, knowledge: Knowledge): Effect.Effect<ReadonlyArray<DueGroup>, SqlError> =>
    Effect.map(read(tx, knowledge.version), (found) => found.filter((group) => isKnown(group, knowledge)))

  const readDue = Effect.fnUntraced(function* (
    tx: Session,
    known: ReadonlyArray<DueGroup>,
    limit: number
  ): Effect.fn.Return<ReadonlyArray<Row>, SqlError> {
    const due: Array<Row> = []
    for (const group of known) {
      if (group.nextAt > tx.now) continue
      const { needs, version } = group
      due.push(...(yield* tx.query(texts.due, [version, needs, horizon.low(nameOf(group)), tx.now, limit])))
    }
    return known.length === 1 ? due : due.toSorted(byNextAt).slice(0, limit)
  })

  const fire = (params: Params<"fire">): Effect.Effect<Answer<"fire">, SqlError> =>
    db.transact(
      params.now,
      Effect.fnUntraced(function* (tx) {
        yield* horizon.begin(tx)
        const due = yield* readDue(tx, yield* groups(tx, params), params.limit)
        const applied = yield* schedules.decide(tx, due, params.transition)
        // Whoever fires looks at the next times anyway; a signal would only send it round once more.
        tx.signal &= ~Signal.schedules
        return { applied, full: due.length >= params.limit, now: tx.now }
      })
    )

  return { fire, groups }
}

const nameOf = (group: Pick<DueGroup, "version" | "needs">): string => `${group.version} ${group.needs}`

const nextAtColumn = scheduleColumns.indexOf("next_at")

const byNextAt = (a: Row, b: Row): number =>
  (a[nextAtColumn] as number) - (b[nextAtColumn] as number) || (a[0]! < b[0]! ? -1 : 1)
