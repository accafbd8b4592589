import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient as OfficialClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted, type Scope } from "effect"
import { Job, Scheduler } from "effect-scheduler"
import { JobStore, type JobStoreError, Signal } from "effect-scheduler/JobStore"
import { SqlClient, type SqlError } from "effect/sql"
import { SqliteClient, SqlJobStore } from "../src/index.ts"
import { newDatabase } from "./postgres/database.ts"
import { changeTo, enqueued, newFile, run, schedule, t0 } from "./support.ts"

class Order extends Job.make("Order") {}

type Services = JobStore | SqlClient.SqlClient

type Client = Layer.Layer<SqlClient.SqlClient, SqlError.SqlError>

const onFile = (client: (filename: string) => Client) => Effect.map(newFile, client)

const postgres = Effect.map(newDatabase, (url): Client =>
  PgClient.layer({ url: Redacted.make(url), maxConnections: 8 })
)

const clients: Record<string, Effect.Effect<Client, never, Scope.Scope>> = {
  "the embedded client": onFile((filename) => SqliteClient.layer({ filename })),
  "@effect/sql-sqlite-node": onFile((filename) => OfficialClient.layer({ filename }) as Client),
  "@effect/sql-pg": postgres
}

const orders = SqlClient.SqlClient.pipe(
  Effect.flatMap((sql) => sql<{ readonly id: string }>`select id from orders order by id`),
  Effect.map((rows) => rows.map((row) => row.id))
)

const placeOrder = (id: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql`insert into orders (id) values (${id})`)

const unfinished = JobStore.pipe(
  Effect.flatMap((store) => store.listRuns({ filter: {}, limit: 100 })),
  Effect.map((page) => page.items.map((row) => row.id))
)

const enqueue = (id: string) => Effect.flatMap(JobStore, (store) => store.enqueue(enqueued(run({ id }))))

for (const [name, client] of Object.entries(clients)) {
  const hasOneWriter = client !== postgres

  const withStore = <A, E>(use: Effect.Effect<A, E, Services | Scope.Scope>) =>
    Effect.gen(function* () {
      const services = SqlJobStore.layer({ clock: "caller" }).pipe(Layer.provideMerge(yield* client))
      return yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table orders (id text primary key)`
        return yield* use
      }).pipe(Effect.provide(services))
    })

  describe(`a store on ${name}`, () => {
    it.live("commits what is enqueued and scheduled with the application's own rows", () =>
      withStore(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const store = yield* JobStore
          yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* placeOrder("o1")
              yield* enqueue("r1")
              yield* store.modify({ now: t0, ids: ["s1"], transition: () => changeTo(schedule("s1")) })
              assert.deepStrictEqual(yield* unfinished, ["r1"], "the transaction sees its own")
            })
          )
          assert.deepStrictEqual([yield* orders, yield* unfinished], [["o1"], ["r1"]])
          assert.strictEqual((yield* store.getSchedules({ ids: ["s1"] })).length, 1)
        })
      )
    )

    it.live("takes it back with them", () =>
      withStore(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const store = yield* JobStore
          const exit = yield* Effect.exit(
            sql.withTransaction(
              Effect.gen(function* () {
                yield* placeOrder("o1")
                yield* enqueue("r1")
                yield* store.modify({ now: t0, ids: ["s1"], transition: () => changeTo(schedule("s1")) })
                return yield* Effect.fail("out of stock")
              })
            )
          )
          assert.isTrue(Exit.isFailure(exit))
          assert.deepStrictEqual([yield* orders, yield* unfinished], [[], []])
          assert.strictEqual((yield* store.getSchedules({ ids: ["s1"] })).length, 0)
        })
      )
    )

    it.live("takes back, or commits, all of a great many that were enqueued at once", () =>
      withStore(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const store = Layer.succeed(JobStore, yield* JobStore)
          const count = Effect.map(sql`select id from scheduler_runs`, (rows) => rows.length)
          yield* Effect.gen(function* () {
            const scheduler = yield* Scheduler
            const all = Effect.andThen(
              placeOrder("o1"),
              scheduler.enqueueAll(
                Order,
                Array.from({ length: 2_500 }, () => undefined)
              )
            )
            yield* Effect.exit(sql.withTransaction(Effect.andThen(all, Effect.fail("out of stock"))))
            assert.deepStrictEqual([yield* orders, yield* count], [[], 0])
            yield* sql.withTransaction(all)
            assert.deepStrictEqual([yield* orders, yield* count], [["o1"], 2_500])
          }).pipe(Effect.provide(Layer.fresh(Scheduler.layerClient({ default: store }))))
        })
      )
    )

    it.live("tells those who listen after the commit, and never after a rollback", () =>
      withStore(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const store = yield* JobStore
          const heard: Array<number> = []
          yield* store.subscribe((signal) => heard.push(signal))
          yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* enqueue("r1")
              assert.deepStrictEqual(heard, [])
            })
          )
          assert.deepStrictEqual(heard, [Signal.runs])
          yield* Effect.exit(sql.withTransaction(Effect.andThen(enqueue("r2"), Effect.fail("no"))))
          assert.deepStrictEqual(heard, [Signal.runs])
          yield* enqueue("r3")
          assert.deepStrictEqual(heard, [Signal.runs, Signal.runs])
        })
      )
    )

    it.live("knows whether its caller is inside a transaction", () =>
      withStore(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const { transaction } = yield* JobStore
          assert.isFalse(yield* transaction!.active)
          assert.isTrue(yield* sql.withTransaction(transaction!.active))
          const done: Array<string> = []
          const note = (what: string) => transaction!.afterCommit(Effect.sync(() => done.push(what)))
          yield* sql.withTransaction(
            Effect.andThen(
              note("committed"),
              Effect.sync(() => done.push("inside"))
            )
          )
          yield* Effect.exit(sql.withTransaction(Effect.andThen(note("never"), Effect.fail("no"))))
          assert.deepStrictEqual(done, ["inside", "committed"])
        })
      )
    )

    it.live("leaves nothing of a call that failed in a transaction that goes on", () =>
      withStore(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const bad = run({ id: "r2", state: "running", node: null })
          yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* enqueue("r1")
              const store = yield* JobStore
              // The second breaks a rule of the table, after the first was inserted.
              const exit = yield* Effect.exit(store.enqueue(enqueued(run({ id: "r0" }), bad)))
              assert.isTrue(Exit.isFailure(exit))
              yield* placeOrder("o1")
            })
          )
          assert.deepStrictEqual([yield* orders, yield* unfinished], [["o1"], ["r1"]])
        })
      )
    )

    it.live("does not slip a call of another fiber into an open transaction", () =>
      withStore(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const open = yield* Effect.forkChild(
            Effect.exit(
              sql.withTransaction(
                Effect.gen(function* () {
                  yield* placeOrder("o1")
                  yield* Effect.sleep("30 millis")
                  return yield* Effect.fail("no")
                })
              )
            ),
            { startImmediately: true }
          )
          yield* enqueue("r1")
          yield* Fiber.join(open)
          assert.deepStrictEqual([yield* orders, yield* unfinished], [[], ["r1"]])
        })
      )
    )

    it.live("makes one of a hundred concurrent enqueues of one key, and answers its id to all", () =>
      withStore(
        Effect.gen(function* () {
          const store = yield* JobStore
          const ids = yield* Effect.forEach(
            Array.from({ length: 100 }),
            () => store.enqueue({ now: t0, runs: [{ run: run(), unique: "order 1" }] }),
            { concurrency: "unbounded" }
          )
          const distinct = new Set(ids.flatMap((answer) => answer.ids))
          assert.deepStrictEqual([...distinct], yield* unfinished)
          assert.strictEqual(distinct.size, 1)
        })
      )
    )

    if (hasOneWriter) {
      it.live("shares one commit among calls that wait at the same time", () =>
        withStore(
          Effect.gen(function* () {
            const store = yield* JobStore
            let commits = 0
            // Those who listen are told once for each commit.
            yield* store.subscribe(() => {
              commits++
            })
            const calls = Array.from({ length: 200 }, () => store.enqueue(enqueued(run())))
            yield* Effect.all(calls, { concurrency: "unbounded", discard: true })
            assert.strictEqual(commits, 1)
            assert.strictEqual((yield* store.listRuns({ filter: {}, limit: 500 })).items.length, 200)
          })
        )
      )
    }

    it.live("does not let a failing call fail those that share its commit", () =>
      withStore(
        Effect.gen(function* () {
          const store = yield* JobStore
          const bad = run({ state: "running", node: null })
          const exits = yield* Effect.forEach(
            Array.from({ length: 21 }, (_, index) => (index === 10 ? bad : run())),
            (each) => Effect.exit(store.enqueue(enqueued(each))),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(
            exits.flatMap((exit, index) => (Exit.isSuccess(exit) ? [] : [index])),
            [10]
          )
          assert.strictEqual((yield* unfinished).length, 20)
        })
      )
    )

    it.live("carries out a call that was interrupted before its commit, or nothing of it", () =>
      withStore(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const held = yield* Effect.forkChild(sql.withTransaction(Effect.sleep("30 millis")), {
            startImmediately: true
          })
          const waiting = yield* Effect.forkChild(enqueue("r1"), { startImmediately: true })
          yield* Effect.sleep("5 millis")
          yield* Fiber.interrupt(waiting)
          yield* Fiber.join(held)
          yield* enqueue("r2")
          assert.include([["r2"], ["r1", "r2"]].map(String), String(yield* unfinished))
        })
      )
    )
  })
}

describe("two clients of one Postgres", () => {
  it.live("do not join each other's transactions: a rollback takes back one side only", () =>
    Effect.gen(function* () {
      const url = yield* newDatabase
      const client = () => Layer.fresh(PgClient.layer({ url: Redacted.make(url), maxConnections: 4 }))
      // The mistake: a client of its own for the store.
      const store = Layer.provide(SqlJobStore.layer({ clock: "caller" }), client())
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table orders (id text primary key)`
        yield* Effect.exit(
          sql.withTransaction(
            Effect.gen(function* () {
              yield* placeOrder("o1")
              yield* enqueue("r1")
              return yield* Effect.fail("no")
            })
          )
        )
        assert.deepStrictEqual([yield* orders, yield* unfinished], [[], ["r1"]])
      }).pipe(Effect.provide(Layer.merge(store, client())))
    })
  )
})

describe("a process that is killed before the commit", () => {
  it.live(
    "leaves neither its own rows nor what it enqueued and scheduled",
    () =>
      Effect.gen(function* () {
        const url = yield* newDatabase
        const script = fileURLToPath(new URL("fixtures/uncommitted.ts", import.meta.url))
        const child = spawn(process.execPath, [script, url], { stdio: ["ignore", "pipe", "inherit"] })
        yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
        const [line] = yield* Effect.promise(() => once(child.stdout, "data"))
        assert.strictEqual(String(line), "order o1, run r1 and schedule s1 are there, and not committed\n")
        child.kill("SIGKILL")
        yield* Effect.promise(() => once(child, "close"))
        const services = SqlJobStore.layer().pipe(
          Layer.provideMerge(PgClient.layer({ url: Redacted.make(url), maxConnections: 4 }))
        )
        yield* Effect.gen(function* () {
          const store = yield* JobStore
          assert.deepStrictEqual([yield* orders, yield* unfinished], [[], []])
          assert.deepStrictEqual(yield* store.getSchedules({ ids: ["s1"] }), [])
          // Nothing of it is locked any more.
          yield* store.enqueue({ now: t0, runs: [{ run: run({ id: "r1" }), unique: "order 1" }] })
          assert.deepStrictEqual(yield* unfinished, ["r1"])
        }).pipe(Effect.provide(services))
      }),
    30_000
  )
})

describe("two clients of one file", () => {
  it.live(
    "do not join each other's transactions: one is refused the lock, and a rollback takes back one side only",
    () =>
      Effect.gen(function* () {
        const filename = yield* newFile
        const application = SqliteClient.layer({ filename, busyWait: "20 millis" })
        // The mistake: a layer of its own for the store.
        const store = SqlJobStore.layerSqlite({ filename, busyWait: "20 millis" })
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`create table orders (id text primary key)`
          const inside = yield* sql.withTransaction(Effect.andThen(placeOrder("o1"), Effect.flip(enqueue("r1"))))
          assert.strictEqual((inside as JobStoreError).reason, "Busy")
          yield* Effect.exit(
            Effect.andThen(enqueue("r2"), sql.withTransaction(Effect.andThen(placeOrder("o2"), Effect.fail("no"))))
          )
          assert.deepStrictEqual([yield* orders, yield* unfinished], [["o1"], ["r2"]])
        }).pipe(Effect.provide(Layer.merge(store, application)))
      })
  )
})
