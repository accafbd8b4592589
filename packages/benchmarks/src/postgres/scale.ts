import { makeHome, makeTemplate, startServer } from "@effect-scheduler/postgres-server"
/** The store on Postgres beside ever more rows that a batch must not touch: what fire, claim and finish read, and how long. */
import { SqlJobStore } from "@effect-scheduler/sql"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { JobStore, type JobStoreService, type RunReport, type Transition } from "effect-scheduler/JobStore"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { type Cost, explainingLayer } from "../../../sql/test/postgres/explain.ts"
import { median, millis, type Options } from "../measure.ts"
import type { Section, Sections, TargetRow } from "../report.ts"
import { filled } from "./databases.ts"

const batch = 1_000
const rounds = 4

/** The first batches find cold pages and unkept plans. */
const warmUp = 2

const jobs = [{ name: "tick", queue: "default" }]

/** Idle schedules: a time far away, and everything that a real row has. */
const idle = (from: number, count: number): string => `insert into scheduler_schedules
select 'idle-' || lpad(i::text, 9, '0'), gen_random_uuid()::text, 0, 'tick', 'default', 2, '{"userId":"42"}', null,
  'atLeastOnce', '{"_tag":"Cron","v":1,"text":"0 9 * * MON-FRI","timeZone":"Europe/Berlin"}', 1, '', 0,
  '{"missed":{"run":"latest","grace":10000}}', null, 'nominal', 'active', 0, 0,
  (extract(epoch from now()) * 1000)::bigint + 1e10::bigint + i, 0, 0, 0, 0, 0, '2026a', 0, null, null, null, 0, 0
from generate_series(${from}, ${from + count - 1}) i`

/** Schedules that have been due for years, one after another: each fires once. */
const due = (from: number, count: number): string => `insert into scheduler_schedules
select 'due-' || i, gen_random_uuid()::text, 0, 'tick', 'default', 2, 'null', null, 'atLeastOnce', '{}', 1, '', 0, '{}', null,
  'nominal', 'active', 0, 0, 1000000000000 + i::bigint * 60, 0, 0, 0, 0, 0, '2026a', 0, null, null, null, 0, 0
from generate_series(${from}, ${from + count - 1}) i`

const past = (
  count: number
): string => `insert into scheduler_history (id, kept, ended_at, outcome, job, queue, priority,
  delivery, schedule_id, generation, nominal, cause, attempt, failures, recoveries, node, created_at, run_at, started_at, result,
  result_stored, errors)
select gen_random_uuid()::text, case when i % 20 = 0 then 1 else 0 end, (extract(epoch from now()) * 1000)::bigint - i * 50,
  case when i % 20 = 0 then 'failed' else 'succeeded' end, 'tick', 'default', 2, 'atLeastOnce',
  'idle-' || lpad((i % 100000)::text, 9, '0'), 'g', i, 'nominal', 1, 0, 0, 'n', 0, 0, 0, null, 1, '[]'
from generate_series(1, ${count}) i`

/** Each due schedule makes a run, and is not due again for long. */
const tick: Transition = (_, view, now) => {
  const { schedule } = view!
  const nominal = schedule.nextAt!
  return {
    schedule: {
      ...schedule,
      watermark: nominal,
      nextAt: now + 1e10,
      counts: { ...schedule.counts, fired: schedule.counts.fired + 1 },
      updatedAt: now
    },
    runs: [
      {
        id: crypto.randomUUID(),
        job: schedule.job,
        queue: schedule.queue,
        priority: schedule.priority,
        payload: schedule.payload,
        key: null,
        delivery: schedule.delivery,
        scheduleId: schedule.id,
        generation: schedule.generation,
        nominal,
        cause: schedule.cause,
        settles: false,
        state: "pending",
        waitsFor: null,
        runAt: now,
        startBy: null,
        attempt: 0,
        failures: 0,
        recoveries: 0,
        errors: "[]",
        node: null,
        startedAt: null,
        cancelAt: null,
        progress: null,
        createdAt: now
      }
    ],
    ranges: [],
    replaceDeferred: false,
    cancelActive: false
  }
}

const success = (run: { readonly id: string; readonly attempt: number }): RunReport => ({
  _tag: "End",
  id: run.id,
  attempt: run.attempt,
  outcome: "succeeded",
  failures: 0,
  errors: "[]",
  result: null,
  resultStored: true,
  remember: false
})

/** One batch through the store, from due schedules to history. */
const step = Effect.fnUntraced(function* (store: JobStoreService, phase: (name: Phase) => void) {
  const now = Date.now()
  phase("fire")
  yield* store.fire({ now, limit: batch, version: 1, triggers: [], transition: tick })
  phase("claim")
  const { runs } = yield* store.claim({ now, node: "bench", limit: batch, jobs, queues: {} })
  phase("finish")
  yield* store.finish({ now, node: "bench", reports: runs.map(success), transition: () => undefined })
  phase("none")
  if (runs.length !== batch) throw new Error(`${runs.length} runs of ${batch}`)
})

const steps = ["fire", "claim", "finish"] as const
type Step = (typeof steps)[number]
type Phase = "fire" | "claim" | "finish" | "none"

/** Pages and milliseconds of one batch, each the median of some rounds. */
interface Measured {
  readonly pages: number
  readonly millis: number
  /** Of the round that read most: the search of all, which there is once a second where there are many dead rows. */
  readonly most: number
}

/** Says that its pool is as small as can be: then the store keeps no connection for its calls, and all go where they are explained. */
const inPool = (client: SqlClient.SqlClient): SqlClient.SqlClient => {
  const self: SqlClient.SqlClient = new Proxy(client, {
    get: (target, key) =>
      key === "withoutTransforms"
        ? () => self
        : key === "config"
          ? { maxConnections: 4 }
          : target[key as keyof typeof target]
  })
  return self
}

const measure = Effect.fnUntraced(function* (url: string) {
  const costs: Array<Cost> = []
  let current: Phase = "none"
  const sums = { fire: [], claim: [], finish: [] } as Record<"fire" | "claim" | "finish", Array<Omit<Measured, "most">>>
  const client = Layer.effectContext(
    Effect.map(SqlClient.SqlClient, (sql) => Context.make(SqlClient.SqlClient, inPool(sql)))
  ).pipe(Layer.provide(explainingLayer(url, costs, { isExplained: () => current !== "none" })))
  const explained = yield* Layer.build(Layer.fresh(SqlJobStore.layer().pipe(Layer.provide(client))))
  const plain = yield* Layer.build(
    Layer.fresh(SqlJobStore.layer().pipe(Layer.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 5 }))))
  )
  for (let round = 0; round < warmUp; round++) yield* step(Context.get(plain, JobStore), () => undefined)
  for (let round = 0; round < rounds; round++) {
    yield* step(Context.get(explained, JobStore), (phase) => {
      if (current !== "none" && costs.length > 0) {
        const pages = costs.reduce((sum, cost) => sum + cost.pages, 0)
        sums[current].push({ pages, millis: costs.reduce((sum, cost) => sum + cost.millis, 0) })
      }
      costs.length = 0
      current = phase
    })
  }
  return Object.fromEntries(
    Object.entries(sums).map(([name, all]) => [
      name,
      {
        pages: Math.min(...all.map((each) => each.pages)),
        millis: median(all.map((each) => each.millis)),
        most: Math.max(...all.map((each) => each.pages))
      }
    ])
  ) as Record<"fire" | "claim" | "finish", Measured>
})

export const scale = async ({ full, quick }: Options): Promise<Sections> => {
  const sizes = quick ? [1_000, 5_000, 20_000] : [1_000, 100_000, 1_000_000]
  const history = quick ? 20_000 : full ? 5_000_000 : 200_000
  const churned = quick ? 15 : 30
  const home = makeHome()
  const server = await startServer({ home, template: makeTemplate(home), settings: filled })
  const rows: Array<TargetRow> = []
  const points = { fire: [], claim: [], finish: [] } as Record<Step, Array<readonly [number, number]>>
  let first: Record<"fire" | "claim" | "finish", Measured> | undefined
  const program = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const add = Effect.fnUntraced(function* (schedules: number, past: number, note: string) {
      yield* addDue(rounds + warmUp)
      const measured = yield* Effect.scoped(measure(server.url))
      first ??= measured
      const base = first
      const cell = (name: "fire" | "claim" | "finish") =>
        `${measured[name].pages} (${(measured[name].pages / base[name].pages).toFixed(2)}x), ${millis(measured[name].millis)}`
      if (past === 0) for (const name of steps) points[name].push([schedules, measured[name].millis])
      const worst = Math.max(measured.fire.pages / base.fire.pages, measured.claim.pages / base.claim.pages)
      const told =
        note === ""
          ? ""
          : `${note}; a search of all, once a second: fire ${measured.fire.most}, claim ${measured.claim.most}`
      rows.push({
        cells: [
          schedules.toLocaleString("en"),
          past.toLocaleString("en"),
          told,
          cell("fire"),
          cell("claim"),
          cell("finish")
        ],
        target: "fire and claim 1.3 × at most",
        met: worst <= 1.3
      })
    })
    yield* Effect.provide(
      Effect.void,
      SqlJobStore.layerMigrations().pipe(Layer.provide(Layer.succeed(SqlClient.SqlClient, sql)))
    )
    let there = 0
    let dueUpTo = 0
    const addDue = Effect.fnUntraced(function* (batches: number) {
      yield* sql.unsafe(due(dueUpTo, batches * batch))
      dueUpTo += batches * batch
    })
    for (const size of sizes) {
      yield* sql.unsafe(idle(there, size - there))
      there = size
      yield* sql.unsafe("vacuum analyze")
      yield* add(size, 0, "")
    }
    yield* sql.unsafe(past(history))
    yield* sql.unsafe("vacuum analyze")
    yield* add(there, history, "")

    yield* addDue(churned)
    yield* sql.unsafe("vacuum analyze")
    // A transaction that was left open, and all that has happened since is there as dead rows.
    const pinned = yield* Scope.make()
    const other = yield* Scope.provide(
      PgClient.make({ url: Redacted.make(server.url), maxConnections: 1 }).pipe(Effect.provide(Reactivity.layer)),
      pinned
    )
    const connection = yield* Scope.provide(other.reserve, pinned)
    yield* connection.executeValues("begin isolation level repeatable read", [])
    yield* connection.executeValues("select count(*) from scheduler_nodes", [])
    yield* Effect.scoped(
      Effect.gen(function* () {
        const plain = yield* Layer.build(
          Layer.fresh(
            SqlJobStore.layer().pipe(
              Layer.provide(PgClient.layer({ url: Redacted.make(server.url), maxConnections: 5 }))
            )
          )
        )
        for (let n = 0; n < churned; n++) yield* step(Context.get(plain, JobStore), () => undefined)
      })
    )
    // Statistics reach the others within a second or so.
    yield* Effect.sleep("2 seconds")
    yield* add(there, history, `pinned snapshot, ${churned * batch} runs since`)
    yield* connection.executeValues("rollback", [])
    yield* Scope.close(pinned, Exit.void)
  })
  try {
    await Effect.runPromise(
      Effect.scoped(program).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(server.url), maxConnections: 2 })))
    )
  } finally {
    await server.destroy()
  }
  const section: Section = {
    name: "scale",
    title: `A batch of ${batch.toLocaleString("en")} on Postgres beside ever more rows`,
    text:
      `The least pages that a statement read and wrote (to the first row), and its median time on the server, of ${rounds} batches: due schedules ` +
      "fired, their runs claimed, their ends stored. The last row: beside a transaction that was left open, so that nothing is vacuumed.",
    head: ["schedules", "history", "", "fire", "claim", "finish"],
    rows,
    plot: {
      kind: "lines",
      of: "stored schedules",
      unit: "ms on the server for a batch",
      lines: steps.map((name) => ({ name, points: points[name] }))
    }
  }
  return [section]
}
