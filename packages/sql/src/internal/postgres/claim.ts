import type { RunRecord } from "effect-scheduler/JobRun"
import type { ClaimableJob } from "effect-scheduler/JobStore"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { decodeRun, runColumns } from "../rows.ts"
import { Room } from "../store/claim.ts"
import type { Answer, Params } from "../store/transaction.ts"
import type { Tables } from "../tables.ts"
import { list } from "./columns.ts"
import { type Database, timeOf } from "./database.ts"
import type { Horizon } from "./horizon.ts"
import type { ClaimInTurn } from "./claimInTurn.ts"

const priorities = `(values (0::smallint), (1::smallint), (2::smallint), (3::smallint)) as p(priority)`

/** Beyond as many as are wanted, so many are looked at for those that others have locked. */
const slack = 64

/**
 * The due pending runs of jobs, `$1` names and `$2` their lowest `runAt` of interest, at most `$3` of each job and priority,
 * in order. Each job and priority is one range of the index, so that nothing is passed over that may not be taken.
 */
const candidatesOf = (t: Tables, time: string): string => `select c.id, c.job, c.key,
    row_number() over (order by c.priority, c.run_at, c.id) as place
  from unnest($1::text[], $2::bigint[]) as j(job, low) cross join ${priorities}
  cross join lateral (select r.id, r.job, r.key, r.priority, r.run_at from ${t.runs} r
    where r.state = 'pending' and r.job = j.job and r.priority = p.priority and r.run_at >= j.low and r.run_at <= ${time}
    order by r.run_at, r.id limit $3::int) c
  order by place limit $3::int`

/** Claims, in one statement where nothing is limited, else by turns. */
export const makeClaim = (t: Tables, db: Database, horizon: Horizon, inTurn: ClaimInTurn) => {
  const texts = {
    /** Up to the first run that has a key: who claims one has to wait for its turn. */
    claim: `with candidates as materialized (${candidatesOf(t, timeOf(4))}
), picked as materialized (
  select r.id from candidates c cross join lateral (select r.id from ${t.runs} r
    where r.id = c.id and r.state = 'pending' for update skip locked) r
  where c.place < coalesce((select min(place) from candidates where key is not null), $3::int + 1) limit $5::int
), started as (
  update ${t.runs} r set state = 'running', queue = q.queue, node = $6, started_at = ${timeOf(4)}, attempt = attempt + 1
  from picked p, unnest($1::text[], $7::text[]) as q(job, queue) where r.id = p.id and r.id = any(array(select id from picked))
    and q.job = r.job returning ${list(runColumns, "r")}
) select ${timeOf(4)}, (select string_agg(distinct job, E'\\n') from candidates where key is not null), s.*
from (values (1)) as one(n) left join started s on true`,
    heads: `select j.job, min(h.run_at), ${timeOf(3)} from unnest($1::text[], $2::bigint[]) as j(job, low)
cross join ${priorities} cross join lateral (select r.run_at from ${t.runs} r
  where r.state = 'pending' and r.job = j.job and r.priority = p.priority and r.run_at >= j.low
  order by r.run_at, r.id limit 1) h
group by j.job`,
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

  const plainly = Effect.fnUntraced(function* (
    params: Params<"claim">
  ): Effect.fn.Return<Answer<"claim"> & { readonly hasKeys: boolean }, SqlError> {
    const { jobs, limit, node, now } = params
    const names = jobs.map((job) => job.name)
    const rows = yield* db.query(texts.claim, [
      names,
      horizon.lows(names),
      limit + slack,
      db.time(now),
      limit,
      node,
      jobs.map((job) => job.queue)
    ])
    const runs = rows[0]![2] === null ? [] : rows.map((row) => decodeRun(row.slice(2))).toSorted(inOrder)
    horizon.claimed(runs)
    const withKeys = rows[0]![1] as string | null
    if (withKeys !== null) for (const name of withKeys.split("\n")) keyed.add(name)
    return { runs, now: rows[0]![0] as number, hasKeys: withKeys !== null }
  })

  const byTurns = Effect.fnUntraced(function* (
    params: Params<"claim">
  ): Effect.fn.Return<Answer<"claim">, SqlError> {
    // No transaction is opened, and nobody is held up, to learn that there is nothing to do.
    const names = params.jobs.map((job) => job.name)
    const heads = yield* db.query(texts.heads, [names, horizon.lows(names), db.time(params.now)])
    const due = new Set(heads.flatMap((row) => ((row[1] as number) <= (row[2] as number) ? [row[0] as string] : [])))
    const now = (heads[0]?.[2] as number | undefined) ?? params.now
    if (due.size === 0) return { runs: [], now }
    const answer = yield* inTurn(params, {
      due: params.jobs.filter((job) => due.has(job.name)),
      isKeyed: (name) => keyed.has(name),
      noteKeyed: (name) => void keyed.add(name)
    })
    horizon.claimed(answer.runs)
    return answer
  })

  const claim = Effect.fnUntraced(function* (
    params: Params<"claim">
  ): Effect.fn.Return<Answer<"claim">, SqlError> {
    if (params.limit <= 0 || params.jobs.length === 0) return { runs: [], now: params.now }
    yield* horizon.look
    if (!params.jobs.every(isPlain(params.queues))) return yield* byTurns(params)
    const { hasKeys, now, runs } = yield* plainly(params)
    if (!hasKeys || runs.length >= params.limit) return { runs, now }
    const rest = yield* byTurns({ ...params, limit: params.limit - runs.length })
    return { runs: [...runs, ...rest.runs].toSorted(inOrder), now: rest.now }
  })

  /** Jobs below their limits: at them a run's end will tell when one can go. */
  const open = Effect.fnUntraced(function* ({
    jobs,
    queues
  }: Params<"wake">): Effect.fn.Return<ReadonlyArray<string>, SqlError> {
    const limited = jobs.filter((job) => job.concurrency !== undefined || queues[job.queue] !== undefined)
    const rows = limited.length === 0 ? undefined : yield* db.query(texts.running)
    const room = new Room(queues, rows)
    return jobs.filter((job) => room.of(job) > 0).map((job) => job.name)
  })

  /** The earliest instant at which a claim of these would find something. */
  const wake = Effect.fnUntraced(function* (
    params: Params<"wake">
  ): Effect.fn.Return<number | undefined, SqlError> {
    const names = yield* open(params)
    if (names.length === 0) return undefined
    const [row] = yield* db.query(texts.freeHeads, [names, horizon.lows(names)])
    return (row![0] as number | null) ?? undefined
  })

  return { claim, wake }
}

/** The order in which runs are claimed. */
export const inOrder = (a: RunRecord, b: RunRecord): number =>
  a.priority - b.priority || a.runAt - b.runAt || (a.id < b.id ? -1 : 1)
