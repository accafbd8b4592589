import { makeHome, makeTemplate, startServer } from "@effect-scheduler/postgres-server"
/**
 * The path of a run on Postgres: what each call of the store costs for batches of several sizes, here and on the server, and
 * what a whole scheduler with the README's layer makes of it. CPU time of this process and of the server apart.
 */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { Job, Scheduler } from "effect-scheduler"
import { JobStore, type RunReport } from "effect-scheduler/JobStore"
import { SqlClient } from "effect/sql"
import { SqlJobStore } from "../src/index.ts"
import { runOf, schedule, t0 } from "./rows.ts"

const parts = (process.argv[2] ?? "store,path,latency").split(",")
const count = Number(process.argv[3] ?? 20_000)
const synced = process.env["FSYNC"] === "on" ? { fsync: "on", full_page_writes: "on" } : {}

const home = makeHome()
const server = await startServer({
  home,
  template: makeTemplate(home),
  settings: {
    ...synced,
    shared_preload_libraries: "pg_stat_statements",
    "pg_stat_statements.track": "all",
    "pg_stat_statements.track_planning": "on"
  }
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const cpu = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1000
}

const Database = PgClient.layer({ url: Redacted.make(server.url) })

const sql = (text: string) =>
  Effect.runPromise(
    Effect.provide(
      Effect.flatMap(SqlClient.SqlClient, (client) => client.unsafe(text).values),
      Database
    )
  )

await sql("create extension pg_stat_statements")

const statements = async (runs: number): Promise<void> => {
  const rows = await sql(
    `select calls::int, total_exec_time::float8, total_plan_time::float8, rows::int,
  regexp_replace(left(query, 110), '\\s+', ' ', 'g')
from pg_stat_statements where query not like '%pg_stat%' order by total_exec_time + total_plan_time desc limit 9`
  )
  for (const [calls, exec, plan, found, text] of rows as unknown as Array<[number, number, number, number, string]>) {
    const each = (((exec + plan) * 1000) / runs).toFixed(1).padStart(6)
    say(
      `  ${each} µs a run  ${String(calls).padStart(5)} calls  ${exec.toFixed(0)} + ${plan.toFixed(0)} ms  ${found} rows  ${text}`
    )
  }
}

const reset = () => sql("select pg_stat_statements_reset()")

/** Batches through the store alone: enqueue, claim, finish. */
const storePart = async (batch: number): Promise<void> => {
  const live = SqlJobStore.layer().pipe(Layer.provide(Database))
  const jobs = [{ name: "SendDigest", queue: "default" }]
  const node = "018f0000-0000-7000-8000-00000000000a"
  const unscheduled = { scheduleId: null, generation: null, nominal: null, cause: "enqueue" }
  const now = t0 - 1e12
  const times = { enqueue: [0, 0], claim: [0, 0], finish: [0, 0], wake: [0, 0] }
  const timed = <A, E>(name: keyof typeof times, effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      const [wall, used] = [performance.now(), cpu()]
      return Effect.tap(effect, () =>
        Effect.sync(() => {
          times[name][0]! += performance.now() - wall
          times[name][1]! += cpu() - used
        })
      )
    })
  const template = schedule("template", { nextAt: now - 1000 })
  const program = Effect.gen(function* () {
    const store = yield* JobStore
    for (let n = 0; n < count; n += 1000) {
      const runs = Array.from({ length: 1000 }, () => ({
        run: { ...runOf(template, now), ...unscheduled },
        unique: null
      }))
      yield* timed("enqueue", store.enqueue({ now, runs }))
    }
    for (let n = 0; n < count; n += batch) {
      const { runs } = yield* timed("claim", store.claim({ now, node, limit: batch, jobs, queues: {} }))
      if (runs.length !== batch) throw new Error(`claimed ${runs.length}`)
      const reports = runs.map((run): RunReport => ({
        _tag: "End",
        id: run.id,
        attempt: run.attempt,
        outcome: "succeeded",
        failures: 0,
        errors: "[]",
        result: "1",
        resultStored: true,
        remember: false
      }))
      yield* timed("finish", store.finish({ now, node, reports, transition: () => undefined }))
    }
  })
  await reset()
  await Effect.runPromise(Effect.provide(program, live))
  const text = Object.entries(times).map(
    ([name, [wall, used]]) =>
      `${name} ${((wall! * 1000) / count).toFixed(1)} (cpu here ${((used! * 1000) / count).toFixed(1)})`
  )
  say(`store, batches of ${batch}: ${text.join("  ")} µs a run`)
  await statements(count)
}

class Tick extends Job.make("Tick") {}

const schedulerOf = async (onRun: () => void) => {
  const scope = Scope.makeUnsafe()
  const live = Tick.toLayer(() => Effect.sync(onRun)).pipe(
    Layer.provideMerge(Scheduler.layer({ stores: { default: SqlJobStore.layer().pipe(Layer.provide(Database)) } }))
  )
  const services = await Effect.runPromise(Layer.buildWithScope(live, scope))
  return { scheduler: Context.get(services, Scheduler), close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

/** The whole path: enqueued before, then run to their stored ends. */
const pathPart = async (): Promise<void> => {
  await sql("truncate scheduler_runs, scheduler_history")
  const fillers = Scheduler.layerClient({ default: SqlJobStore.layer().pipe(Layer.provide(Database)) })
  const scope = Scope.makeUnsafe()
  const client = Context.get(await Effect.runPromise(Layer.buildWithScope(fillers, scope)), Scheduler)
  const began = performance.now()
  for (let n = 0; n < count; n += 1000) {
    await Effect.runPromise(
      client.enqueueAll(
        Tick,
        Array.from({ length: 1000 }, () => undefined)
      )
    )
  }
  say(`enqueue in bulk: ${Math.round((count / (performance.now() - began)) * 1000)} a second`)
  await Effect.runPromise(Scope.close(scope, Exit.void))
  await reset()
  const ends = { ran: 0 }
  const [wall, used] = [performance.now(), cpu()]
  const { close } = await schedulerOf(() => void ends.ran++)
  const opened = performance.now() - wall
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    if (ends.ran < count) continue
    const [[left]] = (await sql("select count(*)::int from scheduler_runs")) as unknown as [[number]]
    if (left === 0) break
  }
  const [millis, spent] = [performance.now() - wall, cpu() - used]
  say(
    `whole path: ${Math.round((count / (millis - opened)) * 1000)} runs a second, opened in ${opened.toFixed(0)} ms, cpu here ${((spent * 1000) / count).toFixed(1)} µs a run`
  )
  await statements(count)
  await close()
}

const quantiles = (values: Array<number>): string => {
  const sorted = values.toSorted((a, b) => a - b)
  return `p50 ${sorted[sorted.length >> 1]!.toFixed(2)}, p99 ${sorted[Math.floor(sorted.length * 0.99)]!.toFixed(2)} ms`
}

const latencyPart = async (): Promise<void> => {
  await sql("truncate scheduler_runs, scheduler_history")
  let started: (() => void) | undefined
  const { close, scheduler } = await schedulerOf(() => started?.())
  const waits: Array<number> = []
  const sends: Array<number> = []
  await reset()
  const used = cpu()
  for (let n = 0; n < 2_000; n++) {
    const begun = new Promise<void>((resolve) => (started = resolve))
    const at = performance.now()
    await Effect.runPromise(scheduler.enqueue(Tick))
    sends.push(performance.now() - at)
    await begun
    waits.push(performance.now() - at)
  }
  say(
    `enqueue: ${quantiles(sends)}; until it starts: ${quantiles(waits)}; cpu here ${((cpu() - used) / 2).toFixed(0)} µs each`
  )
  await statements(2_000)
  await close()
}

try {
  if (parts.includes("store")) for (const batch of [100, 500]) await storePart(batch)
  if (parts.includes("path")) for (let round = 0; round < 2; round++) await pathPart()
  if (parts.includes("latency")) await latencyPart()
} finally {
  await server.destroy()
}
