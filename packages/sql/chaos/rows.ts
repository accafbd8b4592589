/** The tables, read by plain SQL that both databases understand. */
import { Effect } from "effect"
import type { EndedRow, NodeRow, RangeRow, Rows, Sample, ScheduleRow } from "./audit/facts.ts"
import type { Ask, Row } from "./store.ts"
import { Keyed, keyOf } from "./work.ts"

// Postgres answers texts for numbers of 64 bits.
const number = (value: unknown): number => Number(value)
const optional = (value: unknown): number | null => (value === null ? null : Number(value))
const text = (value: unknown): string | null => (value === null ? null : String(value))

const scheduleOf = (row: Row): ScheduleRow => ({
  id: String(row["id"]),
  generation: String(row["generation"]),
  state: String(row["state"]),
  anchor: number(row["anchor"]),
  firstWatermark: number(row["first_watermark"]),
  watermark: number(row["watermark"]),
  nextAt: optional(row["next_at"]),
  counts: {
    fired: number(row["fired"]),
    skipped: number(row["skipped"]),
    missed: number(row["missed"]),
    dropped: number(row["dropped"]),
    paused: number(row["paused"])
  }
})

const workOf = (row: Row): number | null => {
  if (row["result"] !== null) return number(row["result"])
  if (row["payload"] !== null) return (JSON.parse(String(row["payload"])) as { readonly n: number }).n
  return null
}

const keyOfRow = (row: Row, n: number | null): string | null =>
  row["job"] === Keyed.jobName && n !== null ? keyOf(n) : null

const endedOf = (row: Row): EndedRow => {
  const n = workOf(row)
  return { ...runOf(row), n, key: keyOfRow(row, n) }
}

const runOf = (row: Row): Omit<EndedRow, "n" | "key"> => ({
  id: String(row["id"]),
  outcome: String(row["outcome"]),
  job: String(row["job"]),
  queue: String(row["queue"]),
  delivery: String(row["delivery"]),
  scheduleId: text(row["schedule_id"]),
  generation: text(row["generation"]),
  nominal: optional(row["nominal"]),
  cause: String(row["cause"]),
  attempt: number(row["attempt"]),
  recoveries: number(row["recoveries"]),
  node: text(row["node"]),
  startedAt: optional(row["started_at"]),
  endedAt: number(row["ended_at"])
})

const rangeOf = (row: Row): RangeRow => ({
  id: String(row["id"]),
  kind: String(row["outcome"]) as RangeRow["kind"],
  scheduleId: String(row["schedule_id"]),
  generation: String(row["generation"]),
  first: number(row["nominal"]),
  last: number(row["range_last"]),
  count: number(row["range_count"])
})

const nodeOf = (row: Row): NodeRow => ({
  id: String(row["id"]),
  startedAt: number(row["started_at"]),
  deadAt: optional(row["dead_at"])
})

/** Everything, when nobody writes any more. */
export const readRows = (ask: Ask): Effect.Effect<Rows> =>
  Effect.gen(function* () {
    const schedules = yield* ask("select * from scheduler_schedules")
    const history = yield* ask("select * from scheduler_history")
    const nodes = yield* ask("select * from scheduler_nodes")
    const [distinct] = yield* ask(
      "select count(*) as n, count(distinct id) as ids from scheduler_history where range_count is null"
    )
    const [runs] = yield* ask("select count(*) as n from scheduler_runs")
    return {
      schedules: schedules.map(scheduleOf),
      ended: history.filter((row) => row["range_count"] === null).map(endedOf),
      ranges: history.filter((row) => row["range_count"] !== null).map(rangeOf),
      nodes: nodes.map(nodeOf),
      distinct: { rows: number(distinct!["n"]), ids: number(distinct!["ids"]) },
      unfinished: number(runs!["n"])
    }
  })

export const sample = (ask: Ask): Effect.Effect<Sample> =>
  Effect.gen(function* () {
    const watermarks = yield* ask("select id, generation, watermark from scheduler_schedules")
    const running = yield* ask(
      "select job, queue, count(*) as n from scheduler_runs where state = 'running' group by job, queue"
    )
    const ghosts = yield* ask(
      `select distinct r.node from scheduler_runs r left join scheduler_nodes n on n.id = r.node
      where r.state = 'running' and (n.id is null or n.dead_at is not null)`
    )
    return {
      at: Date.now(),
      watermarks: watermarks.map((row) => ({
        id: String(row["id"]),
        generation: String(row["generation"]),
        watermark: number(row["watermark"])
      })),
      running: running.map((row) => ({
        job: String(row["job"]),
        queue: String(row["queue"]),
        count: number(row["n"])
      })),
      ghosts: ghosts.map((row) => String(row["node"]))
    }
  })
