import { Effect } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import type { NodeRecord } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import type { Answer, Params } from "../port.ts"
import { decodeNode, decodeRun, nodeColumns, runColumns } from "../rows.ts"
import { notLaterThanCancel } from "../runs.ts"
import type { Tables } from "../tables.ts"
import type { Row } from "../values.ts"
import { list } from "./columns.ts"
import { type Database, overtaken } from "./database.ts"
import type { Ending } from "./ending.ts"
import type { Lane } from "./lane.ts"
import type { Schedules } from "./schedules.ts"
import { columnsOf } from "./values.ts"

/** The leases of nodes, and what is taken back from dead ones. `heart` is a way to the server that nobody else can use up. */
export const makeNodes = (t: Tables, db: Database, heart: Lane, schedules: Schedules, ending: Ending) => {
  const texts = {
    /** Inserts a node's row, or renews it when it is sent again. A dead one stays dead. */
    register: `insert into ${t.nodes} as n (${list(nodeColumns)})
values ($2, $1::bigint, $1::bigint + $3::bigint, null, $4::int, $5, $6)
on conflict (id) do update set lease_until = excluded.lease_until, version = excluded.version, jobs = excluded.jobs,
  triggers = excluded.triggers where n.dead_at is null`,
    /** Renews a lease, unless a reaper has marked the row or removed it; the runs that were asked to cancel, if any. */
    heartbeat: `with renewed as (
  update ${t.nodes} set lease_until = $1::bigint + $3::bigint, jobs = $4, triggers = $5
  where id = $2 and dead_at is null returning id
) select c.id from renewed n left join ${t.runs} c on c.node = n.id and c.state = 'running' and c.cancel_at is not null`,
    leave: `delete from ${t.nodes} where id = $1`,
    nodes: `select ${list(nodeColumns)} from ${t.nodes} order by started_at, id`,
    markDead: `update ${t.nodes} set dead_at = $1::bigint where id = any(array(select id from ${t.nodes}
  where dead_at is null and lease_until < $1::bigint and id <> $2 order by id for update skip locked)) returning id`,
    /** From one node that runs something to the next by one look-up each; those of them that are dead or have no row. */
    orphaned: `with recursive busy as (
  (select r.node from ${t.runs} r where r.state = 'running' order by r.node limit 1)
  union all
  select n.node from busy b cross join lateral (
    select r.node from ${t.runs} r where r.state = 'running' and r.node > b.node order by r.node limit 1) n
) select b.node from busy b where not exists (select 1 from ${t.nodes} n where n.id = b.node and n.dead_at is null)`,
    /** The order comes after all of them were found: else the planner may read all runs by it. */
    orphans: `with mine as materialized (
  select ${list(runColumns)} from ${t.runs} where state = 'running' and node = any($1::text[])
) select * from mine order by id limit $2::int`,
    lockOrphans: `select ${list(runColumns)} from ${t.runs} where id = any($1::text[]) and state = 'running'
  and node = any($2::text[]) order by id for update skip locked`,
    recover: `update ${t.runs} r set state = 'pending', node = null, recoveries = r.recoveries + 1,
  run_at = ($2::bigint[])[array_position($1::text[], r.id)] where r.id = any($1::text[])`,
    nextLease: `select min(lease_until) from ${t.nodes} where dead_at is null`
  }

  const register = ({ lease, node, now, version, ...rest }: Params<"register">): Effect.Effect<void, SqlError> =>
    heart.transact(now, (tx) => Effect.asVoid(tx.query(texts.register, [tx.now, node, lease, version, ...names(rest)])))

  const heartbeat = ({
    lease,
    node,
    now,
    ...rest
  }: Params<"heartbeat">): Effect.Effect<Answer<"heartbeat">, SqlError> =>
    heart.transact(now, (tx) =>
      Effect.map(tx.query(texts.heartbeat, [tx.now, node, lease, ...names(rest)]), (rows) => ({
        fenced: rows.length === 0,
        cancel: rows.flatMap((row) => (row[0] === null ? [] : [row[0] as string])).toSorted()
      }))
    )

  const leave = ({ node }: Params<"leave">): Effect.Effect<void, SqlError> =>
    heart.transact(0, (tx) => Effect.asVoid(tx.query(texts.leave, [node])))

  const nodes = (): Effect.Effect<ReadonlyArray<NodeRecord>, SqlError> =>
    db.transact(0, (tx) => Effect.map(tx.query(texts.nodes), (rows) => rows.map(decodeNode)))

  const reap = (params: Params<"reap">): Effect.Effect<Answer<"reap">, SqlError> => {
    const avoided = new Set<string>()
    /** Begins again without the lost runs of these schedules. */
    const onLocked = (schedules: ReadonlySet<string>) => {
      for (const id of schedules) avoided.add(id)
      return overtaken("somebody has locked a run that a schedule waits for")
    }
    return db.transact(
      params.now,
      Effect.fnUntraced(function* (tx) {
        const { limit, node, recovery, transition } = params
        const dead = ids(yield* tx.query(texts.markDead, [tx.now, node])).toSorted()
        const gone = ids(yield* tx.query(texts.orphaned))
        const found = gone.length === 0 ? [] : (yield* tx.query(texts.orphans, [gone, limit + 1])).map(decodeRun)
        const taken = found.slice(0, limit)
        const dueAt = (run: RunRecord) => recovery(run, tx.now)
        // What somebody else has locked is left, whoever it is, its dead node even: a later call looks again.
        const waitedBy = (run: RunRecord) => (dueAt(run) === undefined && run.settles ? run.scheduleId : null)
        const waited = new Set(taken.map(waitedBy).filter((id) => id !== null && !avoided.has(id)) as Array<string>)
        const busy = yield* schedules.lockFree(tx, [...waited])
        const free = taken.filter((run) => {
          const owner = waitedBy(run)
          return owner === null || (waited.has(owner) && !busy.has(owner))
        })
        const orphans =
          free.length === 0
            ? []
            : (yield* tx.query(texts.lockOrphans, [free.map((run) => run.id), gone])).map(decodeRun)
        const ended = orphans.filter((run) => dueAt(run) === undefined)
        const recovered = orphans.flatMap((run) => {
          const due = dueAt(run)
          if (due === undefined) return []
          const runAt = notLaterThanCancel(run, due, tx.now)
          return [{ ...run, state: "pending" as const, node: null, recoveries: run.recoveries + 1, runAt }]
        })
        const lost = yield* ending.archive(tx, ended, "lost")
        if (recovered.length > 0) {
          const rows = recovered.map((run) => [run.id, run.runAt])
          yield* tx.query(texts.recover, columnsOf(rows, 2))
        }
        yield* ending.promote(tx, ended)
        yield* ending.releaseKeys(tx, recovered)
        const applied = yield* schedules.settle(tx, ended, transition, onLocked)
        const [next] = yield* tx.query(texts.nextLease)
        const nextLease = (next![0] as number | null) ?? undefined
        // Soon, where something was left.
        const soon = orphans.length < taken.length ? tx.now : Infinity
        return {
          dead,
          recovered,
          lost,
          applied,
          full: found.length > limit,
          nextLease: soon < (nextLease ?? Infinity) ? soon : nextLease,
          now: tx.now
        }
      })
    )
  }

  return { register, heartbeat, leave, nodes, reap }
}

const names = (params: Pick<Params<"heartbeat">, "jobs" | "triggers">) => [
  JSON.stringify(params.jobs),
  JSON.stringify(params.triggers)
]

const ids = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => rows.map((row) => row[0] as string)
