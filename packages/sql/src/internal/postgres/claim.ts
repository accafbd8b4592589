import { Effect } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import { type ClaimableJob, Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { Room } from "../limits.ts"
import type { Answer, Params } from "../port.ts"
import { decodeRunAt, runColumns } from "../rows.ts"
import type { Tables } from "../tables.ts"
import { type ClaimInTurn, priorities } from "./claimInTurn.ts"
import { list } from "./columns.ts"
import { clock, clockNow, type Database, patience } from "./database.ts"
import type { AskHeads } from "./heads.ts"
import type { Horizon } from "./horizon.ts"
import type { Remind } from "./reminder.ts"
import { Wary } from "./wary.ts"

/** A job and a priority: one range of the index that claims go by, so that nothing is passed over that may not be taken. */
const laneOf = (job: string, priority: number): string => `${priority} ${job}`

/** The lanes of jobs, from the earliest `runAt` of interest on. */
const lanes = `unnest($2::text[], $3::smallint[], $4::bigint[]) as j(job, priority, low)`

/** Beyond as many as are wanted, so many are looked at for those that others have locked. */
const slack = 64

/** Claims, in one statement where nothing is limited, else by turns. */
export const makeClaim = (
  t: Tables,
  db: Database,
  horizon: Horizon,
  ofSchedules: Horizon,
  ask: AskHeads,
  inTurn: ClaimInTurn,
  remind: Remind
) => {
  const pending = `r.state = 'pending' and r.job = j.job and r.priority = j.priority and r.run_at >= j.low
    and r.run_at <= ${clockNow}`
  /** Of what is not due yet the earliest of each lane: when the first is, or -1 where one has a key, which may be taken. */
  const next = `(select case when bool_or(h.key is not null) then -1 else min(h.run_at) end from ${lanes} cross join lateral (
    select r.run_at, r.key from ${t.runs} r where r.state = 'pending' and r.job = j.job and r.priority = j.priority
      and r.run_at > ${clockNow} order by r.run_at, r.id limit 1) h)`
  const texts = {
    /** The due pending runs of lanes in the order in which they are claimed, up to the first that has a key: who claims one has
     * to wait for its turn. A row's place in the table is good for as long as the statement lasts, and finds it without an
     * index. */
    claim: `with ${clock}, candidates as materialized (
  select c.place_in_table, c.id, c.job, c.key, row_number() over (order by c.priority, c.run_at, c.id) as place
  from ${lanes} cross join lateral (
    select r.ctid as place_in_table, r.id, r.job, r.key, r.priority, r.run_at from ${t.runs} r
    where ${pending} order by r.run_at, r.id limit $5::int) c
  order by place limit $5::int
), picked as materialized (
  select r.ctid from candidates c cross join lateral (select r.ctid from ${t.runs} r
    where r.ctid = c.place_in_table and r.id = c.id and r.state = 'pending' for update skip locked) r
  where c.place < coalesce((select min(place) from candidates where key is not null), $5::int + 1) limit $6::int
), started as (
  update ${t.runs} r set state = 'running', queue = q.queue, node = $7, started_at = ${clockNow}, attempt = attempt + 1
  from unnest($8::text[], $9::text[]) as q(job, queue)
  where r.ctid = any(array(select ctid from picked)) and q.job = r.job returning ${list(runColumns, "r")}
) select ${clockNow}, (select string_agg(distinct job, E'\\n') from candidates where key is not null),
  (select count(*) from candidates), case when (select count(*) from started) < $6::int then ${next} end, s.*
from (values (1)) as one(n) left join started s on true`,
    /** Not by `exists`, which the planner may turn into a join with all of them. */
    heads: `with ${clock} select distinct j.job from ${lanes} cross join lateral (select r.run_at from ${t.runs} r
  where ${pending} order by r.run_at, r.id limit 1) h`,
    running: `select job, queue, count(*) from ${t.runs} where state = 'running' group by job, queue`
  }

  /** Jobs that were seen to have runs with keys, which are claimed by turns from then on. */
  const keyed = new Set<string>()

  const lanesOf = (jobs: ReadonlyArray<string>) => {
    const pairs = jobs.flatMap((job) => priorities.map((priority) => [job, priority] as const))
    return [
      pairs.map(([job]) => job),
      pairs.map(([, priority]) => priority),
      pairs.map(([job, priority]) => horizon.low(laneOf(job, priority)))
    ] as const
  }

  const isPlain = (queues: Params<"claim">["queues"]) => (job: ClaimableJob) =>
    job.concurrency === undefined && queues[job.queue] === undefined && !keyed.has(job.name)

  const plainly = Effect.fnUntraced(function* ({
    jobs,
    limit,
    node,
    now
  }: Params<"claim">): Effect.fn.Return<Answer<"claim"> & { readonly hasMore: boolean }, SqlError> {
    const most = limit + slack
    const names = jobs.map((job) => job.name)
    const queues = jobs.map((job) => job.queue)
    const among = lanesOf(names)
    const params = [db.told(now), ...among, most, limit, node, names, queues]
    const rows = yield* db.once(now, texts.claim, params, { isClaim: true })
    const [asked, withKeys, seen, found] = rows[0]! as readonly [number, string | null, number, number | null]
    const runs = rows[0]![4] === null ? [] : rows.map((row) => decodeRunAt(row, 4)).toSorted(inOrder)
    for (const run of runs) horizon.passed(laneOf(run.job, run.priority), run.runAt)
    const isAll = seen < most && seen === runs.length
    if (isAll) {
      for (const [index, job] of among[0].entries()) horizon.passed(laneOf(job, among[1][index]!), asked)
    }
    if (withKeys !== null) for (const name of withKeys.split("\n")) keyed.add(name)
    // Those that have keys, or that are behind all that others have locked.
    const next = isAll && runs.length < limit && found !== -1 ? found : undefined
    if (horizon.isShort) remind(Signal.runs)
    return { runs, now: asked, next, hasMore: withKeys !== null || seen === most }
  })

  const wary = new Wary()

  const byTurns = (params: Params<"claim">): Effect.Effect<Answer<"claim">, SqlError> =>
    wary.is(params.now)
      ? inTurns(params, "leave")
      : wary.orElse(params.now, inTurns(params, "wait"), inTurns(params, "leave"))

  const inTurns = (params: Params<"claim">, locked: "wait" | "leave"): Effect.Effect<Answer<"claim">, SqlError> =>
    db.transact(
      params.now,
      Effect.fnUntraced(function* (tx) {
        // Nobody is held up to learn that there is nothing to do.
        const names = params.jobs.map((job) => job.name)
        const due = new Set((yield* tx.query(texts.heads, [tx.now, ...lanesOf(names)])).map((row) => row[0]))
        if (due.size === 0) return { runs: [], now: tx.now }
        const answer = yield* inTurn(tx, params, {
          due: params.jobs.filter((job) => due.has(job.name)),
          isKeyed: (name) => keyed.has(name),
          noteKeyed: (name) => void keyed.add(name),
          low: (name, priority) => horizon.low(laneOf(name, priority)),
          locked
        })
        for (const run of answer.runs) horizon.passed(laneOf(run.job, run.priority), run.runAt)
        return answer
      }),
      { isClaim: true, patience: patience.claim }
    )

  const claim = Effect.fnUntraced(function* (params: Params<"claim">): Effect.fn.Return<Answer<"claim">, SqlError> {
    if (params.limit <= 0 || params.jobs.length === 0) return { runs: [], now: params.now }
    yield* horizon.begin(params.now, (text, values = []) => db.once(params.now, text, values))
    if (!params.jobs.every(isPlain(params.queues))) return yield* byTurns(params)
    const { hasMore, ...answer } = yield* plainly(params)
    const { runs } = answer
    if (!hasMore || runs.length >= params.limit) return answer
    const rest = yield* byTurns({ ...params, limit: params.limit - runs.length })
    return { runs: [...runs, ...rest.runs], now: rest.now }
  })

  /** Jobs below their limits: at them a run's end will tell when one can go. */
  const open = ({ jobs, now, queues }: Params<"wake">): Effect.Effect<ReadonlyArray<string>, SqlError> => {
    const limited = jobs.some((job) => job.concurrency !== undefined || queues[job.queue] !== undefined)
    const names = (room: Room) => jobs.filter((job) => room.of(job) > 0).map((job) => job.name)
    return limited
      ? Effect.map(db.once(now, texts.running, []), (rows) => names(new Room(queues, rows)))
      : Effect.succeed(names(new Room(queues, undefined)))
  }

  /** The earliest instants at which a fire and a claim of these would find something. */
  const wake = Effect.fnUntraced(function* (params: Params<"wake">): Effect.fn.Return<Answer<"wake">, SqlError> {
    const names = yield* open(params)
    const { groups, now, runs } = yield* ask(params.now, params, lanesOf(names))
    const times = groups.map((group) => group.nextAt)
    if (ofSchedules.isShort) remind(Signal.schedules)
    if (horizon.isShort && names.length > 0) remind(Signal.runs)
    return { schedules: times.length === 0 ? undefined : Math.min(...times), runs, now }
  })

  return { claim, wake }
}

/** The order in which runs are claimed. */
const inOrder = (a: RunRecord, b: RunRecord): number =>
  a.priority - b.priority || a.runAt - b.runAt || (a.id < b.id ? -1 : 1)
