import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { type Knowledge, isKnown } from "../knowledge.ts"
import type { Tables } from "../tables.ts"
import type { Value } from "../values.ts"
import { clock, clockNow, type Database } from "./database.ts"
import type { Horizon } from "./horizon.ts"
import { columnsOf } from "./values.ts"

/** The rows that the same nodes may fire, and the earliest time of one. */
export interface DueGroup {
  readonly version: number
  readonly needs: string
  readonly nextAt: number
}

/** What comes next, and the time at which it was asked. */
export interface Heads {
  /** Those that a node with the given knowledge may decide for. */
  readonly groups: ReadonlyArray<DueGroup>
  /** Of the given lanes the earliest run. */
  readonly runs: number | undefined
  readonly now: number
}

/** Lanes of runs by job, priority and earliest `runAt` of interest, one list for each. */
export type Lanes = readonly [ReadonlyArray<string>, ReadonlyArray<number>, ReadonlyArray<number>]

export const noLanes: Lanes = [[], [], []]

/** Of runs that have keys so many are looked at for one whose key is free, before a claim has to put them aside. */
const lookedAt = 500

export const nameOf = (group: Pick<DueGroup, "version" | "needs">): string => `${group.version} ${group.needs}`

/** The members of a recursive table `groups`: from one group to the next by one look-up each, whatever lies between them. */
export const groupsOf = (t: Tables, newest: string): string => {
  const head = (where: string) => `select s.version, s.needs, s.next_at from ${t.schedules} s
    where s.next_at is not null and s.version <= ${newest}::int${where} order by s.version, s.needs, s.next_at limit 1`
  return `(${head("")})
  union all
  select n.* from groups g cross join lateral (${head(" and (s.version, s.needs) > (g.version, g.needs)")}) n`
}

/** Asks for the next schedules and runs, in one statement. */
export const makeHeads = (t: Tables, db: Database, horizon: Horizon) => {
  const pending = `r.state = 'pending' and r.job = j.job and r.priority = j.priority and r.run_at >= j.low`
  const isFree = `(r.key is null or not exists (select 1 from ${t.runs} k
    where k.state = 'running' and k.key is not null and k.job = r.job and k.key = r.key))`
  /** Those that are known, each from the earliest time of interest on. */
  const knownGroups = `select i.version, i.needs, h.next_at
  from unnest($5::int[], $6::text[], $7::bigint[]) as i(version, needs, low)
  cross join lateral (select s.next_at from ${t.schedules} s where s.next_at is not null and s.version = i.version
    and s.needs = i.needs and s.next_at >= i.low order by s.next_at limit 1) h`
  /**
   * Of each lane the first that no running run of its key holds back. A lane that begins with many such counts as it
   * stands: a claim will put them aside.
   */
  const textOf = (groups: string) => `with recursive ${clock}, groups as (${groups}), runs as (
  select min(case when h.is_free then h.run_at else (
    select coalesce(min(f.run_at) filter (where f.is_free), min(f.run_at) filter (where f.place = ${lookedAt})) from (
      select r.run_at, ${isFree} as is_free, row_number() over (order by r.run_at, r.id) as place from ${t.runs} r
      where ${pending} order by r.run_at, r.id limit ${lookedAt}) f) end) as run_at
  from unnest($2::text[], $3::smallint[], $4::bigint[]) as j(job, priority, low)
  cross join lateral (select r.run_at, ${isFree} as is_free from ${t.runs} r
    where ${pending} order by r.run_at, r.id limit 1) h
) select ${clockNow}, runs.run_at, g.version, g.needs, g.next_at from runs left join groups g on true`
  const texts = { every: textOf(groupsOf(t, "$5")), known: textOf(knownGroups) }

  /** Those that were found when all was looked at last. */
  let seen: ReadonlyArray<DueGroup> = []

  return Effect.fnUntraced(function* (
    now: number,
    knowledge: Knowledge,
    lanes: Lanes
  ): Effect.fn.Return<Heads, SqlError> {
    const isShort = horizon.isShort && seen.length > 0
    const told: Value = db.told(now)
    const rows = isShort
      ? yield* db.once(now, texts.known, [
          told,
          ...lanes,
          ...columnsOf(
            seen.map((group) => [group.version, group.needs, horizon.low(nameOf(group))]),
            3
          )
        ])
      : yield* db.once(now, texts.every, [told, ...lanes, knowledge.version])
    const groups = rows.flatMap(([, , version, needs, nextAt]): ReadonlyArray<DueGroup> =>
      version === null ? [] : [{ version: version as number, needs: needs as string, nextAt: nextAt as number }]
    )
    if (!isShort) seen = groups
    for (const group of groups) horizon.passed(nameOf(group), group.nextAt)
    return {
      groups: groups.filter((group) => isKnown(group, knowledge)),
      runs: (rows[0]![1] as number | null) ?? undefined,
      now: rows[0]![0] as number
    }
  })
}

export type AskHeads = ReturnType<typeof makeHeads>
