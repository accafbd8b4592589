import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Invariants } from "effect-scheduler/testing"
import { countOf, periodic } from "../../../scheduler/src/testing/internal/model/periodic.ts"
import { Seeded } from "../../../scheduler/src/testing/internal/random.ts"
import { jobs, queues, rows, Worker } from "../../../scheduler/test/store/worker.ts"
import { changeTo, t0 } from "../support.ts"
import { sharedUrl } from "./database.ts"
import { Emptied, emptied } from "./emptied.ts"
import { query } from "./query.ts"

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))

const deadlocks = Effect.map(query(sharedUrl, "select sum(deadlocks)::int as n from pg_stat_database"), ([row]) =>
  Number(row!["n"])
)

layer(emptied(4), { excludeTestServices: true })("four nodes at once on few schedules", (it) => {
  it.effect(
    "leave nothing waiting for nobody, with no janitor to help: buffers, replacements, spaced ones, keys and limits",
    () =>
      Effect.gen(function* () {
        const { dump, empty, stores } = yield* Emptied
        yield* empty
        const before = yield* deadlocks
        const executions: Worker["executions"] = []
        const ids = rows.map((row) => row.id)
        const byId = new Map(rows.map((row) => [row.id, row]))
        yield* stores[0]!.modify({ now: t0, ids, transition: (id) => changeTo(byId.get(id)!) })
        const workers = stores.map(
          (store, n) => new Worker(`node-${n}`, store, new Seeded(seed + n), executions, 30_000)
        )
        for (const { node, store } of workers) {
          yield* store.register({ now: t0, node, lease: 1e12, version: 1, jobs: ["mail"], triggers: [] })
        }
        let now = t0
        const users = new Seeded(seed + 100)
        const meddle = Effect.gen(function* () {
          const store = users.pick(stores)
          const unfinished = yield* store.listRuns({ filter: {}, limit: 20 })
          for (const run of users.some(unfinished.items, 0.1)) {
            yield* store.cancel({ now, id: run.id, transition: periodic })
          }
          yield* store.modify({
            now,
            ids: users.some(ids, 0.3),
            transition: (_, view) => changeTo({ ...view!.schedule, payload: String(users.int(0, 9)) })
          })
        })
        const rounds = Effect.fnUntraced(function* (count: number, meddling: boolean) {
          for (let round = 0; round < count; round++) {
            now += 250
            const steps = workers.map((worker) => worker.step(now, 5))
            yield* Effect.all(meddling ? [...steps, meddle] : steps, { concurrency: "unbounded", discard: true })
          }
        })
        yield* rounds(50, true)
        const busy = yield* dump
        yield* stores[0]!.modify({
          now,
          ids,
          transition: (_, view) => changeTo({ ...view!.schedule, state: "paused", nextAt: null })
        })
        // Retries and delays are seconds at most.
        now += 60_000
        yield* rounds(30, false)

        const end = yield* dump
        const expected = { count: countOf, wholeHistory: true, executions, jobs, queues, previous: busy }
        assert.deepStrictEqual(Invariants.violations(busy, { ...expected, previous: undefined }), [], `seed ${seed}`)
        assert.deepStrictEqual(Invariants.violations(end, { ...expected, finished: true }), [], `seed ${seed}`)
        yield* Effect.log(
          `seed ${seed}: ${end.history.length} rows of history, ${executions.length} executions, ${(yield* deadlocks) - before} deadlocks`
        )
        assert.isAbove(executions.length, 50)
      }),
    { timeout: 60_000 }
  )
})
