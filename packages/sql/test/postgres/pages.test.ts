import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { JobStore, type RunReport, type Transition } from "effect-scheduler/JobStore"
import { SqlJobStore } from "../../src/index.ts"
import { changeTo, enqueued, jobs, run, success, t0 } from "../support.ts"
import { newServer } from "./database.ts"
import { type Cost, explainingLayer } from "./explain.ts"
import { query } from "./query.ts"

const batch = 1_000

/** Schedules, history and runs of others; a batch of each that the calls are about. */
const filled = (size: number): ReadonlyArray<string> => [
  `insert into scheduler_schedules
select 's' || i, 'g' || i, 0, 'job', 'default', 2, 'null', null, 'atLeastOnce', '{}', 1, '', 0, '{}', null, 'nominal', 'active', 0,
  0, case when i <= ${batch} then ${t0} - 5 else ${t0} + 1000000 + i end, 0, 0, 0, 0, 0, '2026a', 0, null, null, null, 0, 0
from generate_series(1, ${size}) i`,
  `insert into scheduler_runs
select 'r' || i, case when i <= ${2 * batch} then 'job' else 'other' end, 'default', 2, 'null', null, 'atLeastOnce', null, null, null,
  'enqueue', 0, 'pending', null, ${t0} - 10, null, 0, 0, 0, '[]', null, null, null, null, 0
from generate_series(1, ${size}) i`,
  `insert into scheduler_history (id, kept, ended_at, outcome, job, cause, schedule_id)
select 'h' || i, i % 2, ${t0} - i, case when i % 2 = 0 then 'succeeded' else 'failed' end, 'job', 'nominal', 's' || (i % 50)
from generate_series(1, ${size}) i`,
  `insert into scheduler_keys select 'job', 'k' || i, 'h' || i, ${t0} from generate_series(1, ${size}) i`
]

/**
 * Statistics are taken when the test says so. While something analyses by itself, of whichever table, its snapshot keeps
 * whatever has died meanwhile, and who looks for what lives passes over all of it.
 */
const notByItself = { autovacuum: "off" }

/** The whole table runs, on a node that lives. */
const allRunning = "update scheduler_runs set state = 'running', node = 'else', attempt = 1"
const allPending = "update scheduler_runs set state = 'pending', node = null, attempt = 0"

/** When statistics were taken, as badly as they can be for what comes then. */
const states = {
  "analysed when all runs were pending": ["vacuum analyze"],
  "analysed when all runs were running": [allRunning, "vacuum analyze", allPending, "vacuum scheduler_runs"],
  "analysed when there was nothing": []
}

const advanceTo =
  (nextAt: number): Transition =>
  (_, view, now) =>
    changeTo({ ...view!.schedule, nextAt, watermark: now })
const advance = advanceTo(t0 + 60_000)

const later = ({ attempt, id }: { readonly attempt: number; readonly id: string }): RunReport => ({
  _tag: "Retry",
  id,
  attempt,
  failures: 1,
  errors: "[1]",
  runAt: t0 + 1_000_000
})

/** All statements of a batch of everything, by the method that sent them. */
const costsOf = (size: number, analysed: ReadonlyArray<string>, generic: boolean) =>
  Effect.gen(function* () {
    const { url } = yield* newServer({ settings: notByItself })
    let isOpen = false
    const costs: Array<Cost> = []
    const client = () => explainingLayer(url, costs, { generic, isExplained: () => isOpen })
    yield* Effect.provide(Effect.void, SqlJobStore.layerMigrations().pipe(Layer.provide(client())))
    if (analysed.length === 0) yield* query(url, "vacuum analyze")
    for (const text of [...filled(size), ...analysed]) yield* query(url, text)
    const services = yield* Layer.build(
      Layer.fresh(SqlJobStore.layer({ clock: "caller" }).pipe(Layer.provide(client())))
    )
    isOpen = true
    const store = Context.get(services, JobStore)
    const found: Array<readonly [method: string, cost: Cost]> = []
    const of = <A, E>(method: string, call: Effect.Effect<A, E>) =>
      Effect.tap(call, () =>
        Effect.sync(() => {
          assert.isAbove(costs.length, 0, `the statements of ${method} are seen`)
          found.push(...costs.splice(0).map((cost) => [method, cost] as const))
        })
      )
    const claim = { now: t0, node: "n", limit: batch, jobs, queues: {} }
    const report = (reports: ReadonlyArray<RunReport>) =>
      store.finish({ now: t0, node: "n", reports, transition: () => undefined })
    const known = { version: 1, triggers: [] }

    yield* of("fire", store.fire({ now: t0, limit: batch, ...known, transition: advance }))
    yield* of("wake", store.wake({ now: t0, ...known, jobs, queues: {} }))
    const first = (yield* of("claim", store.claim(claim))).runs
    assert.strictEqual(first.length, batch)
    yield* of("held", store.held({ node: "n" }))
    yield* of(
      "progress",
      store.progress({ node: "n", entries: first.map(({ attempt, id }) => ({ id, attempt, progress: "1" })) })
    )
    yield* of("retry", report(first.map(later)))
    const limited = [{ ...jobs[0]!, concurrency: batch }]
    const second = (yield* of("claim of a limited job", store.claim({ ...claim, jobs: limited }))).runs
    assert.strictEqual(second.length, batch)
    yield* of("end", report(second.map(success)))
    yield* of("end again", report(second.map(success)))
    yield* of("enqueue", store.enqueue(enqueued(...Array.from({ length: batch }, () => run()))))
    const third = (yield* store.claim(claim)).runs
    costs.length = 0
    yield* of("release", report(third.map(({ attempt, id }): RunReport => ({ _tag: "Release", id, attempt }))))
    yield* store.claim(claim)
    costs.length = 0
    yield* of("reap", store.reap({ now: t0, node: "m", recovery: () => t0, limit: batch, transition: () => undefined }))
    yield* of("heartbeat", store.heartbeat({ now: t0, node: "m", lease: 1, jobs: [], triggers: [] }))
    yield* of("getRuns", store.getRuns({ ids: [...third, ...second].map(({ id }) => id) }))
    yield* of("cancel", store.cancel({ now: t0, id: third[0]!.id, transition: () => undefined }))
    yield* of("history", store.history({ filter: {}, limit: batch, cursor: `${t0 - 100} x` }))
    yield* of("history of a schedule", store.history({ filter: { scheduleId: "s1" }, limit: 10 }))
    yield* of("modify", store.modify({ now: t0, ids: first.map((_, n) => `s${n + 1}`), transition: advance }))
    const forever = 1e15
    const retention = { succeeded: forever, others: forever, exhausted: forever, keys: forever }
    const maintained = { now: t0, retention, limit: batch, ...known, zoneData: "2026a", transition: advance }
    yield* of("maintain", store.maintain(maintained))
    yield* store.fire({ now: t0 + 60_000, limit: batch, ...known, transition: advanceTo(t0 + 1e12) })
    costs.length = 0
    const few = { now: t0 + 1_000_000 + batch + 10, limit: batch, ...known, transition: advanceTo(t0 + 1e12) }
    yield* of("fire of a few", store.fire(few))
    return found
  })

describe("pages that a batch of 1,000 reads on Postgres", () => {
  for (const [state, analysed] of Object.entries(states)) {
    for (const generic of [true, false]) {
      // The worst; the others with `PAGES=all`, as CI runs it.
      if (process.env["PAGES"] !== "all" && !(generic && state.endsWith("running"))) continue
      it.live(
        `do not grow with the tables, ${state}, ${generic ? "with plans for all values" : "with a plan for each"}`,
        () =>
          Effect.gen(function* () {
            const small = yield* costsOf(6_000, analysed, generic)
            const large = yield* costsOf(24_000, analysed, generic)
            assert.deepStrictEqual(
              large.map(([method, { text }]) => [method, text]),
              small.map(([method, { text }]) => [method, text])
            )
            const grown = large.flatMap(([method, cost], index) => {
              const before = small[index]![1]
              // What looks each row of a list up by itself reads a few pages for each, more or less as they lie.
              // And who asks which nodes run something passes over what the batches before have left dead in that index.
              const dead = method === "reap" ? batch / 8 : 0
              if (cost.pages <= Math.max(before.pages * 1.3 + 60 + dead, 18 * cost.batch)) return []
              return [`${method}: ${before.pages} pages became ${cost.pages}\n${cost.text}\n${cost.plan.join("\n")}`]
            })
            assert.deepStrictEqual(grown, [], grown.join("\n\n"))
            const dear = large
              .filter(([, cost]) => cost.pages > 25 * batch)
              .map(([method, cost]) => `${method}: ${cost.pages}`)
            assert.deepStrictEqual(dear, [], "pages for each row of the batch")
          }),
        60_000
      )
    }
  }
})
