import { SqliteClient as OfficialClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { MemoryJobStore } from "effect-scheduler"
import type { RunRecord } from "effect-scheduler/JobRun"
import { JobStore, type JobStoreService, type RunReport, type Transition } from "effect-scheduler/JobStore"
import { SqlJobStore } from "../../src/index.ts"
import { changeTo, jobs, run, schedule, success, t0 } from "../support.ts"

const node = "018f0000-0000-7000-8000-00000000000a"

/** More than one statement takes, and not a multiple of it. */
const count = 60
const ids = Array.from({ length: count }, (_, i) => `s${String(i).padStart(2, "0")}`)
const numberOf = (id: string): number => Number(id.slice(1))

const idOf = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, "0")}`

/** All kinds of schedules: what differs between them is what a store must not mix up. */
const inserts: Transition = (id) => {
  const i = numberOf(id)
  const fields = {
    generation: idOf(i),
    payload: `{"i":${i}}`,
    priority: (i % 4) as 0 | 1 | 2 | 3,
    nextAt: t0 + (i % 3)
  }
  return changeTo(schedule(id, { ...fields, revision: i % 5 === 0 ? 3 : 0 }))
}

const firedOf = (row: Parameters<typeof schedule>[1] & { readonly id: string }): RunRecord => {
  const i = numberOf(row.id)
  return run({
    id: idOf(1_000 + i),
    scheduleId: row.id,
    generation: row.generation!,
    nominal: row.nextAt!,
    cause: "nominal",
    payload: row.payload!,
    priority: row.priority!,
    runAt: row.nextAt!,
    startBy: i % 2 === 0 ? null : t0 + 5_000 + i
  })
}

/** Most go on to one next time; others to one of their own, to none, or with more counted than one run. */
const fires: Transition = (id, view, now) => {
  const before = view!.schedule
  const i = numberOf(id)
  const after = {
    ...before,
    watermark: before.nextAt!,
    nextAt: i % 7 === 0 ? t0 + 60_000 + i : t0 + 60_000,
    counts: { ...before.counts, fired: before.counts.fired + 1, missed: i % 6 === 0 ? i : 0 },
    updatedAt: now
  }
  const runs = [firedOf(before)]
  if (i % 5 === 0) return { ...changeTo({ ...after, state: "exhausted", nextAt: null }), runs }
  return { ...changeTo(i % 11 === 0 ? { ...after, error: "of old" } : after), runs }
}

const reportOf = (record: RunRecord): RunReport => {
  const i = numberOf(record.scheduleId!)
  const plain = success(record) as Extract<RunReport, { _tag: "End" }>
  if (i % 10 === 0)
    return { ...plain, outcome: "failed", failures: 1, errors: '[{"at":1,"kind":"failed","message":"no"}]' }
  if (i % 3 === 0) return { ...plain, result: `{"i":${i}}`, remember: i % 6 === 0 }
  return i % 4 === 0 ? { ...plain, resultStored: false } : plain
}

/** Everything that the store has after each step of the way of all these runs. */
const wholeWay = (store: JobStoreService) =>
  Effect.gen(function* () {
    const all = { filter: {}, limit: 1_000 }
    const rows = Effect.all({
      schedules: store.listSchedules(all),
      runs: store.listRuns(all),
      history: Effect.map(store.history(all), ({ items }) => items.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    })
    yield* store.register({ now: t0, node, lease: 60_000, version: 1, jobs: ["job"], triggers: [] })
    const inserted = yield* store.modify({ now: t0, ids, transition: inserts })
    const stored = yield* rows
    const fired = yield* store.fire({ now: t0 + 10, limit: 100, version: 1, triggers: [], transition: fires })
    const due = yield* rows
    const claimed = yield* store.claim({ now: t0 + 20, node, limit: 100, jobs, queues: {} })
    const running = yield* rows
    const reports = claimed.runs.map(reportOf)
    const finished = yield* store.finish({ now: t0 + 30, node, reports, transition: () => undefined })
    return { inserted, stored, fired, due, claimed, running, finished, ended: yield* rows }
  })

const stores = {
  "the embedded client": SqlJobStore.layerSqlite({ filename: ":memory:" }),
  "@effect/sql-sqlite-node": SqlJobStore.layer().pipe(Layer.provide(OfficialClient.layer({ filename: ":memory:" })))
}

for (const [client, layer] of Object.entries(stores)) {
  describe(`many rows at once on ${client}`, () => {
    it.effect("are stored as each of them would be alone", () =>
      Effect.gen(function* () {
        const found = yield* Effect.flatMap(JobStore, wholeWay).pipe(Effect.provide(layer))
        const expected = yield* Effect.flatMap(JobStore, wholeWay).pipe(Effect.provide(MemoryJobStore.layer))
        for (const step of Object.keys(expected) as Array<keyof typeof expected>) {
          assert.deepStrictEqual(found[step], expected[step], step)
        }
        assert.strictEqual(found.ended.history.length, count)
      })
    )

    it.effect("leave nothing where one of them is refused", () =>
      Effect.gen(function* () {
        const store = yield* JobStore
        yield* store.modify({ now: t0, ids, transition: inserts })
        const before = yield* store.listSchedules({ filter: {}, limit: 100 })
        const fire = (transition: Transition) =>
          store.fire({ now: t0 + 10, limit: 100, version: 1, triggers: [], transition })
        const twice: Transition = (id, view, now) => {
          const change = fires(id, view, now)!
          return id === "s40" ? { ...change, runs: [...change.runs, { ...change.runs[0]!, id: idOf(9_999) }] } : change
        }
        assert.isTrue(Exit.isFailure(yield* Effect.exit(fire(twice))))
        assert.deepStrictEqual(yield* store.listSchedules({ filter: {}, limit: 100 }), before)
        assert.deepStrictEqual((yield* store.listRuns({ filter: {}, limit: 100 })).items, [])
        assert.lengthOf((yield* fire(fires)).applied, count)
      }).pipe(Effect.provide(layer))
    )
  })
}
