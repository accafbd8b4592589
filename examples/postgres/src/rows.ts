/**
 * The tables of the store read as they are, by plain SQL and nothing of the scheduler.
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Execution } from "./executions.ts"

const text = Schema.String
const number = Schema.Finite

const Ended = Schema.Struct({
  id: text,
  job: text,
  schedule: Schema.NullOr(text),
  nominal: Schema.NullOr(number),
  outcome: text,
  attempt: number,
  recoveries: number,
  node: Schema.NullOr(text),
  /** When its end was stored. */
  ended: number
})

const Dead = Schema.Struct({ node: text, at: number })

/** What there is to be audited when everything has ended. */
export interface Facts {
  /** Runs that have not ended. */
  readonly left: number
  readonly ended: ReadonlyArray<typeof Ended.Type>
  readonly executions: ReadonlyArray<Execution>
  /** The nodes that were marked dead, and when. */
  readonly dead: ReadonlyArray<typeof Dead.Type>
}

// Numbers of 64 bits come as bigint, which is more than any of these needs.
const ENDED = `
  select id, job, schedule_id as schedule, nominal::float8, outcome, attempt, recoveries, node, ended_at::float8 as ended
  from scheduler_history where range_count is null order by ended_at, id`

const EXECUTIONS =
  "select run, attempt, node, pid, customer, began::float8, ended::float8 from executions order by began, run, attempt"

const DEAD = "select id as node, dead_at::float8 as at from scheduler_nodes where dead_at is not null"

const all = <A>(schema: Schema.Codec<A>, statement: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* Schema.decodeUnknownEffect(Schema.Array(schema))(yield* sql.unsafe(statement))
  }).pipe(Effect.orDie)

const Count = Schema.Struct({ n: number })

/** Unfinished runs, of these jobs or of all. */
export const unfinished = (...jobs: ReadonlyArray<string>) =>
  Effect.map(
    all(
      Count,
      `select count(*)::int as n from scheduler_runs
      ${jobs.length === 0 ? "" : `where job in (${jobs.map((job) => `'${job}'`).join(", ")})`}`
    ),
    ([row]) => row!.n
  )

export const readFacts = Effect.gen(function* () {
  return {
    left: yield* unfinished(),
    ended: yield* all(Ended, ENDED),
    executions: yield* all(Execution, EXECUTIONS),
    dead: yield* all(Dead, DEAD)
  } satisfies Facts
})

const Node = Schema.Struct({ node: text, lease: number, dead: Schema.Boolean })
const ByJob = Schema.Struct({ node: text, job: text, n: number })
const Done = Schema.Struct({ node: Schema.NullOr(text), n: number })
const Totals = Schema.Struct({ pending: number, running: number, succeeded: number, recovered: number })

/** Who runs what, now. */
export const readNow = Effect.gen(function* () {
  const [totals] = yield* all(
    Totals,
    `select pending, running, succeeded, again + had as recovered
    from (select (count(*) filter (where state <> 'running'))::int as pending,
        (count(*) filter (where state = 'running'))::int as running, coalesce(sum(recoveries), 0)::int as again
      from scheduler_runs) r,
      (select (count(*) filter (where outcome = 'succeeded'))::int as succeeded,
        coalesce(sum(recoveries), 0)::int as had from scheduler_history) h`
  )
  return {
    ...totals!,
    nodes: yield* all(
      Node,
      `select id as node, dead_at is not null as dead,
        (lease_until - extract(epoch from clock_timestamp()) * 1000)::float8 as lease from scheduler_nodes`
    ),
    runs: yield* all(
      ByJob,
      "select node, job, count(*)::int as n from scheduler_runs where state = 'running' group by node, job"
    ),
    done: yield* all(
      Done,
      "select node, count(*)::int as n from scheduler_history where outcome = 'succeeded' group by node"
    )
  }
})

export type Now = Effect.Success<typeof readNow>

/** The nodes by how many handlers are in the middle of their work on each, the busiest first. */
export const busiest = all(
  ByJob.mapFields(({ n, node }) => ({ n, node })),
  `select r.node, count(*)::int as n from scheduler_runs r
    join executions e on e.run = r.id and e.attempt = r.attempt and e.ended is null
    where r.state = 'running' group by r.node order by n desc, r.node`
)
