import { DatabaseSync } from "node:sqlite"
import { SqliteClient as OfficialClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { JobStore } from "effect-scheduler/JobStore"
import { SqlClient } from "effect/sql"
import { SqliteClient, SqlJobStore } from "../src/index.ts"
import { enqueued, jobs, newFile, reasonOf, run, t0 } from "./support.ts"

/** The event loop has come round many times. */
const manyTurns = Effect.repeat(Effect.sleep("1 millis"), { times: 30 })

/** Another connection, as another process would have it, that holds the lock until the effect is done. */
const lock = (filename: string, sql: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const db = new DatabaseSync(filename)
      db.exec(sql)
      return db
    }),
    (db) => Effect.sync(() => db.close())
  )

const stores = {
  "the embedded client": (filename: string) => SqlJobStore.layerSqlite({ filename, busyTimeout: 0 }),
  "@effect/sql-sqlite-node": (filename: string) =>
    SqlJobStore.layer().pipe(Layer.provide(OfficialClient.layer({ filename })))
}

describe("a file that another process has locked", () => {
  for (const [name, layer] of Object.entries(stores)) {
    it.live(`is waited for on ${name}, and the event loop goes on meanwhile`, () =>
      Effect.gen(function* () {
        const filename = yield* newFile
        yield* Effect.gen(function* () {
          const store = yield* JobStore
          const other = yield* lock(filename, "begin immediate; create table others (id integer)")
          const calls = yield* Effect.forkChild(
            Effect.all([store.enqueue(enqueued(run())), store.enqueue(enqueued(run())), store.wake(wakeParams)], {
              concurrency: "unbounded"
            })
          )
          yield* manyTurns
          assert.isUndefined(calls.pollUnsafe(), "the calls wait")
          other.exec("commit")
          const [answer] = yield* Fiber.join(calls)
          assert.strictEqual(answer.ids.length, 1)
          assert.strictEqual((yield* store.listRuns({ filter: {}, limit: 9 })).items.length, 2)
        }).pipe(Effect.scoped, Effect.provide(layer(filename)))
      })
    )
  }

  it.live("is read at once: only those who write wait", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      yield* Effect.gen(function* () {
        const store = yield* JobStore
        yield* store.enqueue(enqueued(run({ runAt: t0 + 1 })))
        yield* lock(filename, "begin immediate")
        assert.strictEqual((yield* store.listRuns({ filter: {}, limit: 9 })).items.length, 1)
        // Nothing is due, so that no lock is needed to say so.
        assert.deepStrictEqual((yield* store.claim({ now: t0, node: "n", limit: 1, jobs, queues: {} })).runs, [])
        const fired = yield* store.fire({ now: t0, limit: 1, version: 1, triggers: [], transition: () => undefined })
        assert.deepStrictEqual(fired.applied, [])
      }).pipe(Effect.scoped, Effect.provide(SqlJobStore.layerSqlite({ filename })))
    })
  )

  it.live("fails the call with the reason Busy when the wait is over, and nothing of it is stored", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      yield* Effect.gen(function* () {
        const store = yield* JobStore
        const other = yield* lock(filename, "begin immediate")
        const failure = yield* reasonOf(store.enqueue(enqueued(run())))
        assert.strictEqual(failure.reason, "Busy")
        other.exec("rollback")
        assert.strictEqual((yield* store.listRuns({ filter: {}, limit: 9 })).items.length, 0)
        yield* store.enqueue(enqueued(run()))
      }).pipe(Effect.scoped, Effect.provide(SqlJobStore.layerSqlite({ filename, busyWait: "50 millis" })))
    })
  )

  it.live("is waited for when it is opened", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      // An exclusive lock on a file that is not in WAL mode yet keeps everyone out.
      const other = yield* lock(filename, "create table others (id integer); begin exclusive")
      const opening = yield* Effect.forkChild(Effect.scoped(Layer.build(SqlJobStore.layerSqlite({ filename }))))
      yield* manyTurns
      assert.isUndefined(opening.pollUnsafe(), "opening waits")
      other.exec("commit")
      yield* Fiber.join(opening)
    })
  )

  it.live("that stays locked fails the opening with the reason Busy", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      yield* lock(filename, "create table others (id integer); begin exclusive")
      const layer = SqlJobStore.layerSqlite({ filename, busyWait: "30 millis" })
      const { reason } = yield* reasonOf(Effect.scoped(Layer.build(layer)))
      assert.strictEqual(reason, "Busy")
    })
  )

  it.live("is waited for by the application's own transactions too", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table orders (id integer)`
        const other = yield* lock(filename, "begin immediate")
        const order = yield* Effect.forkChild(sql.withTransaction(sql`insert into orders values (1)`))
        const single = yield* Effect.forkChild(sql`insert into orders values (2)`)
        yield* Effect.sleep("50 millis")
        assert.isUndefined(order.pollUnsafe())
        other.exec("commit")
        yield* Fiber.join(order)
        yield* Fiber.join(single)
        assert.strictEqual((yield* sql`select id from orders`).length, 2)
      }).pipe(Effect.scoped, Effect.provide(SqliteClient.layer({ filename })))
    })
  )
})

const wakeParams = { now: t0, version: 1, triggers: [], jobs, queues: {} }
