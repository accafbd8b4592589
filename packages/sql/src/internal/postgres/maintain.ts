import { Effect } from "effect"
import { Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { isKnown } from "../knowledge.ts"
import type { Answer, Params } from "../port.ts"
import type { Tables } from "../tables.ts"
import type { Row, Value } from "../values.ts"
import type { Database, Session } from "./database.ts"
import type { Schedules } from "./schedules.ts"
import { columnsOf } from "./values.ts"

/** A retention that is not finite reaches further back than any row. */
const finite = (retention: number): number => Math.min(retention, Number.MAX_SAFE_INTEGER)

/**
 * Forgets what is past its retention, promotes what was left behind, and has schedules decided that nobody would. Each
 * statement commits by itself and is bounded: none holds up those who claim.
 */
export const makeMaintain = (t: Tables, db: Database, schedules: Schedules) => {
  const isFree = `not exists (select 1 from ${t.runs} k
    where k.state = 'running' and k.key is not null and k.job = r.job and k.key = r.key)`
  const promoted = (ids: string): string => `update ${t.runs} set state = 'pending', waits_for = null
where id = any(array(select p.id from ${t.runs} p where p.id = any(array(${ids})) and p.waits_for is not null
  for update skip locked)) returning id`
  const texts = {
    expireHistory: `delete from ${t.history} h using (select kept, ended_at, id from ${t.history}
  where kept = $2::smallint and ended_at < $1::bigint - $3::bigint order by ended_at, id limit $4::int) d
where h.kept = d.kept and h.ended_at = d.ended_at and h.id = d.id returning h.id`,
    expireExhausted: `delete from ${t.schedules} where id = any(array(select id from ${t.schedules}
  where state = 'exhausted' and updated_at < $1::bigint - $2::bigint order by updated_at, id limit $3::int
  for update skip locked)) returning id`,
    expireKeys: `delete from ${t.keys} k using (select k.job, k.key from ${t.keys} k
  where k.created_at < $1::bigint - $2::bigint and not exists (select 1 from ${t.runs} r where r.id = k.run_id)
  order by k.created_at, k.run_id limit $3::int) d where k.job = d.job and k.key = d.key returning k.run_id`,
    forgetNodes: `delete from ${t.nodes} where dead_at < $1::bigint - $2::bigint`,
    /** The first of each key that is free. */
    promoteKeys: promoted(`select w.id from (select distinct job, key from ${t.runs} where waits_for = 'key') r
  cross join lateral (select d.id from ${t.runs} d where d.waits_for = 'key' and d.job = r.job and d.key = r.key
    order by d.priority, d.run_at, d.id limit 1) w
  where ${isFree} order by w.id limit $1::int`),
    /** The first of each schedule whose deferred runs wait for none. */
    promoteOverlaps: promoted(`select w.id from (
    select r.schedule_id, r.generation, r.cause, count(*) as deferred from ${t.runs} r where r.waits_for = 'overlap'
    group by r.schedule_id, r.generation, r.cause) g
  cross join lateral (select d.id from ${t.runs} d where d.waits_for = 'overlap' and d.schedule_id = g.schedule_id
    and d.generation is not distinct from g.generation and d.cause = g.cause
    order by coalesce(d.nominal, d.run_at), d.id limit 1) w
  where g.deferred = (select count(*) from ${t.runs} a where a.schedule_id = g.schedule_id
    and a.generation is not distinct from g.generation and a.cause = g.cause)
  order by w.id limit $1::int`),
    waitingGroups: `with recursive groups as (
  (select version, needs from ${t.schedules} where state = 'waiting' order by version, needs limit 1)
  union all
  select n.version, n.needs from groups g cross join lateral (select s.version, s.needs from ${t.schedules} s
    where s.state = 'waiting' and (s.version, s.needs) > (g.version, g.needs) order by s.version, s.needs limit 1) n
) select version, needs from groups`,
    idle: `select w.id from unnest($1::int[], $2::text[]) as i(version, needs) cross join lateral (
  select s.id from ${t.schedules} s where s.state = 'waiting' and s.version = i.version and s.needs = i.needs
    and not exists (select 1 from ${t.runs} r
      where r.schedule_id = s.id and r.generation = s.generation and r.cause = s.cause)
  order by s.id limit $3::int) w order by w.id limit $3::int`,
    /** The groups of active rows whose next time other zone data computed: over those of this one in one step. */
    zoneGroups: `with recursive groups as (
  (select zone_data, version, needs from ${t.schedules} where state = 'active'
    order by zone_data, version, needs limit 1)
  union all
  select n.zone_data, n.version, n.needs from groups g cross join lateral (
    select s.zone_data, s.version, s.needs from ${t.schedules} s where s.state = 'active'
      and (s.zone_data, s.version, s.needs) > (g.zone_data,
        case when g.zone_data = $1 or g.version > $2::int then 2147483647 else g.version end, g.needs)
    order by s.zone_data, s.version, s.needs limit 1) n
) select version, needs, zone_data from groups where zone_data <> $1`,
    ofZone: `select w.id from unnest($1::int[], $2::text[], $3::text[]) as i(version, needs, zone_data) cross join lateral (
  select s.id from ${t.schedules} s where s.state = 'active' and s.zone_data = i.zone_data and s.version = i.version
    and s.needs = i.needs and s.next_at is not null order by s.id limit $4::int) w order by w.id limit $4::int`
  }

  const undecided = Effect.fnUntraced(function* (
    tx: Session,
    params: Params<"maintain">
  ): Effect.fn.Return<readonly [idle: ReadonlyArray<string>, ofOtherZone: ReadonlyArray<string>], SqlError> {
    const waiting = known(yield* tx.query(texts.waitingGroups), params)
    const idle = waiting.length === 0 ? [] : yield* tx.query(texts.idle, [...columnsOf(waiting, 2), params.limit])
    const zones = known(yield* tx.query(texts.zoneGroups, [params.zoneData, params.version]), params)
    const outdated = zones.length === 0 ? [] : yield* tx.query(texts.ofZone, [...columnsOf(zones, 3), params.limit])
    return [ids(idle), ids(outdated)]
  })

  return Effect.fnUntraced(function* (params: Params<"maintain">): Effect.fn.Return<Answer<"maintain">, SqlError> {
    const { limit, now, retention, transition } = params
    /** One statement, committed by itself; how many rows it changed. */
    const alone = (text: string, values: (tx: Session) => ReadonlyArray<Value>, signal = 0) =>
      db.transact(now, (tx) =>
        Effect.map(tx.query(text, values(tx)), (rows) => {
          if (rows.length > 0) tx.signal |= signal
          return rows.length
        })
      )
    const deleted = [
      yield* alone(texts.expireHistory, (tx) => [tx.now, 0, finite(retention.succeeded), limit]),
      yield* alone(texts.expireHistory, (tx) => [tx.now, 1, finite(retention.others), limit]),
      yield* alone(texts.expireExhausted, (tx) => [tx.now, finite(retention.exhausted), limit], Signal.schedules),
      yield* alone(texts.expireKeys, (tx) => [tx.now, finite(retention.keys), limit])
    ]
    yield* alone(texts.forgetNodes, (tx) => [tx.now, finite(retention.others)])
    const promoted = [
      yield* alone(texts.promoteKeys, () => [limit], Signal.runs),
      yield* alone(texts.promoteOverlaps, () => [limit], Signal.runs)
    ]
    const [idle, outdated] = yield* db.transact(now, (tx) => undecided(tx, params))
    const undecidedIds = [...idle, ...outdated].toSorted()
    const applied =
      undecidedIds.length === 0
        ? []
        : yield* db.transact(now, (tx) => schedules.modifyFree(tx, undecidedIds, transition))
    return {
      deleted: deleted.reduce((sum, count) => sum + count, 0),
      promoted: promoted.reduce((sum, count) => sum + count, 0),
      applied,
      full: [...deleted, ...promoted, idle.length, outdated.length].some((count) => count >= limit)
    }
  })
}

const known = (rows: ReadonlyArray<Row>, params: Params<"maintain">): ReadonlyArray<ReadonlyArray<Value>> =>
  rows.filter(([version, needs]) => isKnown({ version: version as number, needs: needs as string }, params))

const ids = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => rows.map((row) => row[0] as string)
