import { Effect } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import type { ClaimableJob } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { decodeRun, runColumns } from "../rows.ts"
import { Room } from "../store/claim.ts"
import type { Answer, Params } from "../store/transaction.ts"
import type { Tables } from "../tables.ts"
import type { ClaimInTurn } from "./claimInTurn.ts"
import { list } from "./columns.ts"
import type { Database, Session } from "./database.ts"
import type { Horizon } from "./horizon.ts"

const priorities = `(values (0::smallint), (1::smallint), (2::smallint), (3::smallint)) as p(priority)`

/** Beyond as many as are wanted, so many are looked at for those that others have locked. */
const slack = 64

/**
 * The due pending runs of jobs, `$1` names and `$2` their lowest `runAt` of interest, at most `$3` of each job and priority,
 * in order. Each job and priority is one range of the index, so that nothing is passed over that may not be taken.
 */
const candidatesOf = (t: Tables): string => `select c.id, c.job, c.key,
    row_number() over (order by c.priority, c.run_at, c.id) as place
  from unnest($1::text[], $2::bigint[]) as j(job, low) cross join ${priorities}
  cross join lateral (select r.id, r.job, r.key, r.priority, r.run_at from ${t.runs} r
    where r.state = 'pending' and r.job = j.job and r.priority = p.priority and r.run_at >= j.low and r.run_at <= $4::bigint
    order by r.run_at, r.id limit $3::int) c
  order by place limit $3::int`

/** Claims, in one statement where nothing is limited, else by turns. */
export const makeClaim = (t: Tables, db: Database, horizon: Horizon, inTurn: ClaimInTurn) => {
  const texts = {
    /** Up to the first run that has a key: who claims one has to wait for its turn. */
    claim: `with candidates as materialized (${candidatesOf(t)}
), picked as materialized (
  select r.id from candidates c cross join lateral (select r.id from ${t.runs} r
    where r.id = c.id and r.state = 'pending' for update skip locked) r
  where c.place < coalesce((select min(place) from candidates where key is not null), $3::int + 1) limit $5::int
), started as (
  update ${t.runs} r set state = 'running', queue = q.queue, node = $6, started_at = $4::bigint, attempt = attempt + 1
  from unnest($1::text[], $7::text[]) as q(job, queue)
  where r.id = any(array(select id from picked)) and q.job = r.job returning ${list(runColumns, "r")}
) select (select string_agg(distinct job, E'\\n') from candidates where key is not null), s.*
from (values (1)) as one(n) left join started s on true`,
    heads: `select j.job from unnest($1::text[], $2::bigint[]) as j(job, low)
where exists (select 1 from ${priorities} cross join lateral (select r.run_at from ${t.runs} r
  where r.state = 'pending' and r.job = j.job and r.priority = p.priority and r.run_at >= j.low and r.run_at <= $3::bigint
  order by r.run_at, r.id limit 1) h)`,
    /** Of each job and priority the first that no running run of its key holds back. */
    freeHeads: `select min(h.run_at) from unnest($1::text[], $2::bigint[]) as j(job, low)
cross join ${priorities} cross join lateral (select r.run_at from ${t.runs} r
  where r.state = 'pending' and r.job = j.job and r.priority = p.priority and r.run_at >= j.low
    and (r.key is null or not exists (select 1 from ${t.runs} k
      where k.state = 'running' and k.key is not null and k.job = r.job and k.key = r.key))
  order by r.run_at, r.id limit 1) h`,
    running: `select job, queue, count(*) from ${t.runs} where state = 'running' group by job, queue`
  }

  /** Jobs that were seen to have runs with keys, which are claimed by turns from then on. */
  const keyed = new Set<string>()

  const isPlain = (queues: Params<"claim">["queues"]) => (job: ClaimableJob) =>
    job.concurrency === undefined && queues[job.queue] === undefined && !keyed.has(job.name)

  const plainly = (params: Params<"claim">) =>
    db.transact(
      params.now,
      Effect.fnUntraced(function* (tx): Effect.fn.Return<Answer<"claim"> & { readonly hasKeys: boolean }, SqlError> {
        const { jobs, limit, node } = params
        const names = jobs.map((job) => job.name)
        const queues = jobs.map((job) => job.queue)
        const lows = horizon.lows(names)
        const rows = yield* tx.query(texts.claim, [names, lows, limit + slack, tx.now, limit, node, queues])
        const runs = rows[0]![1] === null ? [] : rows.map((row) => decodeRun(row.slice(1))).toSorted(inOrder)
        const withKeys = rows[0]![0] as string | null
        if (withKeys !== null) for (const name of withKeys.split("\n")) keyed.add(name)
        return { runs, now: tx.now, hasKeys: withKeys !== null }
      })
    )

  const byTurns = (params: Params<"claim">): Effect.Effect<Answer<"claim">, SqlError> =>
    db.transact(
      params.now,
      Effect.fnUntraced(function* (tx) {
        // Nobody is held up to learn that there is nothing to do.
        const names = params.jobs.map((job) => job.name)
        const due = new Set((yield* tx.query(texts.heads, [names, horizon.lows(names), tx.now])).map((row) => row[0]))
        if (due.size === 0) return { runs: [], now: tx.now }
        return yield* inTurn(tx, params, {
          due: params.jobs.filter((job) => due.has(job.name)),
          isKeyed: (name) => keyed.has(name),
          noteKeyed: (name) => void keyed.add(name)
        })
      })
    )

  const claim = Effect.fnUntraced(function* (params: Params<"claim">): Effect.fn.Return<Answer<"claim">, SqlError> {
    if (params.limit <= 0 || params.jobs.length === 0) return { runs: [], now: params.now }
    if (!params.jobs.every(isPlain(params.queues))) return yield* byTurns(params)
    const { hasKeys, now, runs } = yield* plainly(params)
    if (!hasKeys || runs.length >= params.limit) return { runs, now }
    const rest = yield* byTurns({ ...params, limit: params.limit - runs.length })
    return { runs: [...runs, ...rest.runs], now: rest.now }
  })

  /** Jobs below their limits: at them a run's end will tell when one can go. */
  const open = Effect.fnUntraced(function* (
    tx: Session,
    { jobs, queues }: Params<"wake">
  ): Effect.fn.Return<ReadonlyArray<string>, SqlError> {
    const limited = jobs.filter((job) => job.concurrency !== undefined || queues[job.queue] !== undefined)
    const rows = limited.length === 0 ? undefined : yield* tx.query(texts.running)
    const room = new Room(queues, rows)
    return jobs.filter((job) => room.of(job) > 0).map((job) => job.name)
  })

  /** The earliest instant at which a claim of these would find something. */
  const wake = Effect.fnUntraced(function* (
    tx: Session,
    params: Params<"wake">
  ): Effect.fn.Return<number | undefined, SqlError> {
    const names = yield* open(tx, params)
    if (names.length === 0) return undefined
    const [row] = yield* tx.query(texts.freeHeads, [names, horizon.lows(names)])
    return (row![0] as number | null) ?? undefined
  })

  return { claim, wake }
}

/** The order in which runs are claimed. */
export const inOrder = (a: RunRecord, b: RunRecord): number =>
  a.priority - b.priority || a.runAt - b.runAt || (a.id < b.id ? -1 : 1)
