import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { JobStore, type Transition } from "effect-scheduler/JobStore"
import { SqlClient } from "effect/sql"
import { SqliteClient, SqlJobStore } from "../../src/index.ts"
import { syncOf } from "../../src/internal/sqlite/sync.ts"
import { changeTo, jobs, newFile, run, schedule, t0 } from "../support.ts"

/** The level in force on the store's connection: 2 waits for the disk at each commit, 1 does not. */
const makeLevel = Effect.map(SqlClient.SqlClient, (client) => {
  let asked = 0
  // Its answer is part of the prepared statement.
  return () => syncOf(client)!.connection.executeSync(`pragma synchronous -- ${asked++}`, [])[0]![0]
})

const withStore = <A, E>(
  use: Effect.Effect<A, E, JobStore | SqlClient.SqlClient>,
  options: Partial<SqliteClient.Options> = {}
) =>
  Effect.gen(function* () {
    const client = SqliteClient.layer({ filename: yield* newFile, ...options })
    return yield* Effect.provide(use, SqlJobStore.layer().pipe(Layer.provideMerge(client)))
  })

const fires: Transition = (_id, view, now) => {
  const { generation, id, nextAt } = view!.schedule
  const fired = run({ scheduleId: id, generation, nominal: nextAt, cause: "nominal" })
  return { ...changeTo({ ...view!.schedule, nextAt: now + 60_000 }), runs: [fired] }
}

const broken: Transition = () => {
  throw new Error("broken")
}

const due = { now: t0, limit: 10, version: 1, triggers: [] }

describe("the disk", () => {
  it.effect("is not waited for by a tick, but by the claim of its run", () =>
    withStore(
      Effect.gen(function* () {
        const store = yield* JobStore
        const level = yield* makeLevel
        const levels: Array<unknown> = []
        const seen =
          (transition: Transition): Transition =>
          (...of) => {
            levels.push(level())
            return transition(...of)
          }
        yield* store.modify({ now: t0, ids: ["a"], transition: seen(() => changeTo(schedule("a"))) })
        yield* store.fire({ ...due, transition: seen(fires) })
        const { runs } = yield* store.claim({ now: t0, node: "n", limit: 1, jobs, queues: {} })
        levels.push(level())
        assert.lengthOf(runs, 1)
        assert.deepStrictEqual(levels, [2, 1, 2])
      })
    )
  )

  it.effect("is waited for by a tick that shares its commit with another call", () =>
    withStore(
      Effect.gen(function* () {
        const store = yield* JobStore
        const level = yield* makeLevel
        const levels: Array<unknown> = []
        yield* store.modify({ now: t0, ids: ["a"], transition: () => changeTo(schedule("a")) })
        const fire = store.fire({
          ...due,
          transition: (...of) => {
            levels.push(level())
            return fires(...of)
          }
        })
        const enqueue = store.enqueue({ now: t0, runs: [{ run: run(), unique: null }] })
        yield* Effect.all([fire, enqueue], { concurrency: "unbounded" })
        assert.deepStrictEqual(levels, [2])
      })
    )
  )

  it.effect("is waited for by a tick that ends a run, of which others are told at once", () =>
    withStore(
      Effect.gen(function* () {
        const store = yield* JobStore
        const level = yield* makeLevel
        yield* store.modify({ now: t0, ids: ["a"], transition: () => changeTo(schedule("a")) })
        const { applied: first } = yield* store.fire({ ...due, transition: fires })
        const levels: Array<unknown> = []
        const { applied } = yield* store.fire({
          ...due,
          now: t0 + 60_000,
          transition: (...of) => {
            levels.push(level())
            return { ...fires(...of)!, cancelActive: true }
          }
        })
        const ended = first.flatMap(({ change }) => change.runs.map(({ id }) => id))
        assert.deepStrictEqual(
          applied.flatMap(({ cancelled }) => cancelled.map(({ id }) => id)),
          ended
        )
        assert.deepStrictEqual(levels, [1, 2])
        assert.strictEqual(level(), 2)
        const { items } = yield* store.history({ filter: {}, limit: 10 })
        assert.deepStrictEqual(
          items.map((row) => row.id),
          ended
        )
        assert.lengthOf((yield* store.listRuns({ filter: {}, limit: 10 })).items, 1)
      })
    )
  )

  it.effect("is waited for again after a tick that failed", () =>
    withStore(
      Effect.gen(function* () {
        const store = yield* JobStore
        const level = yield* makeLevel
        yield* store.modify({ now: t0, ids: ["a"], transition: () => changeTo(schedule("a")) })
        assert.isTrue(Exit.isFailure(yield* Effect.exit(store.fire({ ...due, transition: broken }))))
        assert.strictEqual(level(), 2)
        assert.lengthOf((yield* store.fire({ ...due, transition: fires })).applied, 1)
        assert.strictEqual(level(), 2)
      })
    )
  )

  it.effect("is waited for by no commit where the client says normal", () =>
    withStore(
      Effect.gen(function* () {
        const store = yield* JobStore
        const level = yield* makeLevel
        yield* store.modify({ now: t0, ids: ["a"], transition: () => changeTo(schedule("a")) })
        yield* store.fire({ ...due, transition: fires })
        assert.strictEqual(level(), 1)
      }),
      { synchronous: "normal" }
    )
  )
})
