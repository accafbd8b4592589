/** The database is away, locked, full, read-only, or broken. */
import { existsSync, openSync, closeSync, renameSync, rmSync, statSync, writeSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { PgClient } from "@effect/sql-pg"
import { assert } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Layer, Logger, Redacted, Schema } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"
import { JobStoreError } from "effect-scheduler/JobStore"
import { FaultyStore } from "effect-scheduler/testing"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { SqlJobStore, SqliteClient } from "../../src/index.ts"
import { sharedUrl } from "../postgres/database.ts"
import { query } from "../postgres/query.ts"
import { Tick, Work } from "./jobs.ts"
import { type World, fault, instead, shortened } from "./kit.ts"
import { open } from "./layers.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const
const databases = ["sqlite", "postgres"] as const

const end = { _tag: "End" } as const

/** Long enough that a busy machine is not taken for an outage: a renewal may take a sixth of it. */
const lease = "10 seconds"

const ticking = (world: World) => Tick.toLayer(() => Effect.asVoid(world.executing))

const refused = (method: string) =>
  new JobStoreError({ reason: "Unavailable", method, message: "the store was told to be away" })

/** Takes the database away and brings it back. */
const outage = (world: World) => {
  const away = `${world.name === "sqlite" ? world.filename : ""}.away`
  switch (world.name) {
    case "memory": {
      let gone = false
      const calls = FaultyStore.methods
        .filter((method) => method !== "nodes")
        .map((method) => [
          method,
          (call: (params: unknown) => Effect.Effect<unknown>) => (params: unknown) =>
            Effect.suspend((): Effect.Effect<unknown, JobStoreError> =>
              gone ? Effect.fail(refused(method)) : call(params)
            )
        ])
      return {
        over: instead(Object.fromEntries(calls)),
        begin: Effect.sync(() => void (gone = true)),
        end: Effect.sync(() => void (gone = false))
      }
    }
    case "sqlite":
      return {
        begin: Effect.sync(() => renameSync(world.filename, away)),
        end: Effect.sync(() => renameSync(away, world.filename))
      }
    case "postgres":
      return {
        begin: Effect.promise(() => world.server.stop("immediate")),
        end: Effect.promise(() => world.server.start())
      }
  }
}

fault(
  17,
  "the database is down at the start of a tick, and comes back",
  {
    on: everywhere,
    own: "server",
    injected: {
      memory: "every call fails as unavailable, for 3 s",
      sqlite: "the file is moved away for 3 s, and back",
      postgres: "the server is stopped as by a crash, and started again on the same port after 3 s"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const { over, ...database } = { over: undefined, ...outage(world) }
      const held = yield* Deferred.make<void>()
      const work = Work.toLayer(() => Effect.andThen(world.executing, Deferred.await(held)))
      const node = yield* world.node({ jobs: Layer.merge(ticking(world), work), over, lease })
      const before = yield* node.scheduler.node
      yield* node.scheduler.schedule(Tick, { id: "ticks", trigger: Trigger.every("200 millis") })
      const running = yield* node.scheduler.enqueue(Work, { deed: end })
      yield* world.until(
        "it works",
        Effect.sync(() => node.only("RunSucceeded").length),
        (count) => count > 1 && world.executionsOf(running) === 1
      )
      const recovered = node.only("StoreRecovered").length
      yield* database.begin
      yield* world.until(
        "the node knows",
        Effect.sync(() => node.only("StoreDegraded").length),
        (count) => count > recovered
      )
      yield* world.pass(3_000)
      assert.strictEqual(node.only("StoreRecovered").length, recovered)
      const meanwhile = node.only("RunSucceeded").length
      yield* database.end
      const back = performance.now()
      yield* world.until(
        "it works again",
        Effect.sync(() => node.only("RunSucceeded").length),
        (count) => count > meanwhile + 1
      )
      yield* world.measured(
        `fired and ran again ${Math.round(performance.now() - back)} ms after the database was back`
      )
      yield* world.until(
        "it is well",
        Effect.sync(() => node.only("StoreRecovered").length),
        (count) => count === node.only("StoreDegraded").length
      )
      yield* Deferred.succeed(held, undefined)
      assert.deepInclude(yield* world.ended(running), { outcome: "succeeded", attempt: 1 })
      assert.deepStrictEqual(node.only("FiberRestarted"), [])
      assert.strictEqual(yield* node.scheduler.node, before)
      yield* node.scheduler.pause("ticks")
      const [row] = yield* world.store.getSchedules({ ids: ["ticks"] })
      assert.isAtLeast(row!.counts.missed, 10, "the times of the outage but the latest are counted as missed")
      return "degraded, then recovered; of the times that passed the latest ran and the others were counted as missed; the run in progress was not disturbed, the node id stayed"
    })
)

fault(
  18,
  "the database is down at startup",
  {
    on: databases,
    without: { memory: "it is made by its program" },
    injected: { sqlite: "the folder of the file is missing", postgres: "no server listens on the port" },
    invariants: false
  },
  (world) =>
    Effect.gen(function* () {
      const place =
        world.place.kind === "sqlite"
          ? { ...world.place, filename: join(dirname(world.filename), "none", "jobs.db") }
          : { ...world.place, url: "postgres://postgres@127.0.0.1:1/postgres" }
      let started = false
      const program = Effect.andThen(
        Scheduler,
        Effect.sync(() => void (started = true))
      ).pipe(
        Effect.provide(
          Layer.provideMerge(ticking(world), Scheduler.layer({ ...shortened, stores: { default: open(place) } }))
        )
      )
      const error = yield* Effect.flip(Effect.scoped(program))
      assert.isTrue(error instanceof JobStoreError, String(error))
      assert.strictEqual((error as JobStoreError).reason, "Unavailable")
      assert.isFalse(started)
      assert.isFalse(place.kind === "sqlite" && existsSync(place.filename))
      return "the layer failed with a JobStoreError of reason Unavailable, and nothing was started"
    })
)

/** A client that the program and its scheduler share, and the store on it. */
const sharedClient = (world: World) =>
  Effect.gen(function* () {
    const driver =
      world.place.kind === "sqlite"
        ? SqliteClient.layer({ filename: world.filename, synchronous: "normal" })
        : PgClient.layer({ url: Redacted.make(world.url), maxConnections: 5 })
    const sql = Context.get(yield* Layer.build(driver), SqlClient.SqlClient)
    const options = world.place.kind === "sqlite" ? {} : { prefix: world.prefix }
    return { sql, store: SqlJobStore.layer(options).pipe(Layer.provide(Layer.succeed(SqlClient.SqlClient, sql))) }
  })

fault(
  21,
  "handlers hold every connection of the pool",
  {
    on: databases,
    without: { memory: "it has no connections" },
    injected: {
      sqlite: "a handler keeps a transaction of the store's own client open for more than two leases",
      postgres:
        "five handlers keep a transaction of the store's own client of five connections open for more than two leases"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const { sql, store } = yield* sharedClient(world)
      const begun = yield* Deferred.make<void>()
      const hold = sql.withTransaction(
        Effect.andThen(sql`select 1`, Effect.andThen(Deferred.succeed(begun, undefined), Effect.sleep(5_500)))
      )
      const work = Work.toLayer(() => Effect.andThen(world.executing, Effect.orDie(hold)))
      const short = { lease: "2500 millis" } as const
      const node = yield* world.node({ jobs: work, store, ...short })
      const other = yield* world.node(short)
      const before = yield* node.scheduler.node
      const client = yield* world.client
      const ids = yield* client.enqueueAll(
        Work,
        Array.from({ length: world.name === "sqlite" ? 1 : 5 }, () => ({ deed: end }))
      )
      yield* Deferred.await(begun)
      yield* Effect.forEach(ids, world.ended, { discard: true })
      for (const id of ids) assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1 })
      assert.deepStrictEqual(other.only("NodeReaped"), [])
      assert.deepStrictEqual(node.only("NodeFenced"), [])
      assert.strictEqual(yield* node.scheduler.node, before)
      world.mustEnd(...ids)
      return world.name === "sqlite"
        ? "the renewal waited, and so did everyone who could have marked the node dead; it kept its id and the run its attempt"
        : "renewals went on over the reserved connection; no node was marked dead, every run ended in its first attempt"
    })
)

/** A lock that keeps every writer out until the scope closes. */
const locked = (world: World) =>
  world.name === "sqlite"
    ? Effect.acquireRelease(
        Effect.sync(() => {
          const db = new DatabaseSync(world.filename, { timeout: 5_000 })
          db.exec("begin immediate")
          return db
        }),
        (db) => Effect.sync(() => db.close())
      )
    : Effect.gen(function* () {
        const sql = yield* PgClient.make({ url: Redacted.make(world.url), maxConnections: 1 })
        const isHeld = yield* Deferred.make<void>()
        const tables = ["schedules", "runs", "nodes"].map((table) => world.prefix + table).join(", ")
        const hold = sql.withTransaction(
          sql
            .unsafe(`lock table ${tables} in access exclusive mode`)
            .pipe(Effect.andThen(Deferred.succeed(isHeld, undefined)), Effect.andThen(Effect.never))
        )
        yield* Effect.forkScoped(hold)
        yield* Deferred.await(isHeld)
      })

fault(
  23,
  "another process holds the lock that writers need",
  {
    on: databases,
    without: { memory: "nobody else has it" },
    injected: {
      sqlite: "BEGIN IMMEDIATE in another connection for 3 s",
      postgres: "LOCK TABLE in access exclusive mode in another session for 3 s"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const node = yield* world.node({ jobs: ticking(world), lease })
      const client = yield* world.client
      let ticks = 0
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.andThen(
            Effect.sleep("5 millis"),
            Effect.sync(() => ticks++)
          )
        )
      )
      /** A run that is due while the lock is held; undefined where a busy machine took too long to take it. */
      const held = Effect.fnUntraced(function* (wait: number) {
        const at = Date.now() + wait
        const id = yield* client.enqueue(Tick, undefined, { at })
        return yield* Effect.scoped(
          Effect.gen(function* () {
            yield* locked(world)
            if (Date.now() >= at - 100) return undefined
            const from = ticks
            yield* world.pass(wait + 2_000)
            assert.isAbove(ticks - from, 5, "the event loop is free")
            return { id, before: world.executionsOf(id) }
          }).pipe(Effect.provide(Reactivity.layer))
        )
      })
      const { before, id } = (yield* held(1_000)) ?? (yield* held(4_000)) ?? (yield* held(16_000))!
      assert.strictEqual(before, 0)
      assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1, recoveries: 0 })
      assert.strictEqual(world.executionsOf(id), 1)
      assert.deepStrictEqual(node.only("FiberRestarted"), [])
      world.mustEnd(id)
      return "writers tried again with the event loop free; nothing was stored in part, and the run was executed once afterwards"
    })
)

class Large extends Job.make("Large", { success: Schema.String }) {}

/** Lets the database run full for this client, and gives it room again. */
const filling = (world: World, sql: SqlClient.SqlClient) => {
  if (world.name === "sqlite") {
    return {
      fill: Effect.gen(function* () {
        const [row] = yield* sql.unsafe<{ readonly page_count: number }>("pragma page_count")
        yield* sql.unsafe(`pragma max_page_count = ${row!.page_count}`)
      }),
      empty: sql.unsafe("pragma max_page_count = 1000000")
    }
  }
  const name = `${world.prefix}full`
  const body = "begin raise exception 'no space left on device' using errcode = '53100'; end"
  return {
    fill: Effect.gen(function* () {
      yield* world.sql(() => `create function ${name}() returns trigger language plpgsql as $$${body}$$`)
      for (const table of ["runs", "history"]) {
        yield* world.sql(
          (t) => `create trigger full_disk before insert on ${t(table)} for each row execute function ${name}()`
        )
      }
    }),
    empty: world.sql(() => `drop function ${name} cascade`)
  }
}

fault(
  24,
  "the disk is full, for logs too",
  {
    on: databases,
    without: { memory: "it has no disk" },
    injected: {
      sqlite: "PRAGMA max_page_count at the size that the file has; a logger that throws ENOSPC",
      postgres:
        "a trigger that raises 53100 for each insertion, the nearest to a full tablespace; a logger that throws ENOSPC"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const { sql, store } = yield* sharedClient(world)
      const held = yield* Deferred.make<void>()
      const large = Large.toLayer(() =>
        Effect.as(Effect.andThen(world.executing, Deferred.await(held)), "x".repeat(200_000))
      )
      const full = Logger.make(() => {
        throw new Error("ENOSPC: no space left on device")
      })
      const reasons: Array<string> = []
      const over = instead({
        finish: (call) => (params) =>
          Effect.tapError(call(params), (error) => Effect.sync(() => reasons.push(error.reason)))
      })
      const node = yield* Effect.provide(world.node({ jobs: large, store, over, lease }), Logger.layer([full]))
      const ids = yield* node.scheduler.enqueueAll(Large, [undefined, undefined])
      yield* world.until(
        "both run",
        Effect.sync(() => world.begun()),
        (count) => count === 2
      )
      const { empty, fill } = filling(world, sql)
      yield* fill
      const many = Array.from({ length: 2_000 }, () => ({ deed: end }))
      const failure = yield* Effect.flip(node.scheduler.enqueueAll(Work, many))
      assert.strictEqual((failure as JobStoreError).reason, "Full")
      yield* Deferred.succeed(held, undefined)
      yield* world.until(
        "their ends were refused, and sent again",
        Effect.sync(() => reasons.filter((reason) => reason === "Full").length),
        (count) => count > 1
      )
      assert.isAbove(node.only("StoreDegraded").length, 0)
      assert.deepStrictEqual(node.only("RunSucceeded"), [])
      yield* empty
      for (const id of ids) assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1 })
      assert.strictEqual(world.begun(), 2)
      yield* world.until(
        "it is well",
        Effect.sync(() => node.only("StoreRecovered").length),
        (count) => count > 0
      )
      return "running handlers went on to their ends, which were sent again until there was space; enqueue failed with the reason Full; degraded, then recovered"
    })
)

fault(
  25,
  "the store is corrupt, or deleted while it is open",
  {
    on: databases,
    without: { memory: "it has no file" },
    injected: {
      sqlite: "the pages of the file are overwritten; then the file is deleted",
      postgres: "the tables are dropped"
    },
    invariants: false
  },
  (world) =>
    Effect.gen(function* () {
      const node = yield* world.node({ jobs: ticking(world), lease })
      yield* node.scheduler.schedule(Tick, { id: "ticks", trigger: Trigger.every("100 millis") })
      const runs = Effect.sync(() => node.only("RunSucceeded").length)
      yield* world.until("it works", runs, (count) => count > 1)
      yield* world.name === "postgres"
        ? world.sql((t) => `drop table ${t("schedules")}, ${t("runs")}, ${t("history")}, ${t("nodes")} cascade`)
        : Effect.sync(() => overwrite(world.filename))
      const reason = world.name === "postgres" ? "SchemaMissing" : "Corrupt"
      yield* world.until(
        "calls fail typed",
        Effect.exit(Effect.flip(node.scheduler.enqueue(Tick))),
        (exit) => Exit.isSuccess(exit) && (exit.value as JobStoreError).reason === reason
      )
      yield* world.until(
        "the node tells of it",
        Effect.sync(() => node.only("StoreDegraded").length),
        (count) => count > node.only("StoreRecovered").length
      )
      const before = yield* runs
      if (world.name === "sqlite") {
        yield* Effect.sync(() => {
          for (const suffix of ["", "-wal", "-shm"]) rmSync(world.filename + suffix, { force: true })
        })
        const gone = yield* Effect.flip(node.scheduler.enqueue(Tick))
        assert.strictEqual((gone as JobStoreError).reason, "Unavailable")
      }
      yield* world.pass(500)
      assert.strictEqual(yield* runs, before, "nothing is run any more")
      assert.deepStrictEqual(node.only("FiberRestarted"), [])
      if (world.name === "sqlite") assert.isFalse(existsSync(world.filename))
      else {
        const left = yield* world.sql(() => `select 1 from pg_tables where tablename = '${world.prefix}runs'`)
        assert.deepStrictEqual(left, [])
      }
      return world.name === "sqlite"
        ? "degraded with the reason Corrupt, calls failed typed, nothing was claimed; the deleted file was not made again"
        : "degraded with the reason SchemaMissing, calls failed typed, nothing was claimed; the tables were not made again"
    })
)

/** Overwrites all but the first page, in a file that everyone will read anew. */
const overwrite = (filename: string): void => {
  const db = new DatabaseSync(filename, { timeout: 5_000 })
  db.exec("create table seen_by_all (n integer); pragma wal_checkpoint(truncate)")
  db.close()
  const file = openSync(filename, "r+")
  for (let at = 4_096; at < statSync(filename).size; at += 4_096)
    writeSync(file, Buffer.alloc(4_000, 0xfe), 0, 4_000, at)
  closeSync(file)
}

fault(
  26,
  "the database is read-only, as after a failover to a replica",
  {
    on: databases,
    without: { memory: "it is always writable" },
    own: "database",
    injected: {
      sqlite: "PRAGMA query_only on the store's connection",
      postgres: "default_transaction_read_only on the database, and every session ended"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const { sql, store } = yield* sharedClient(world)
      const turn = (on: boolean) =>
        world.name === "sqlite"
          ? sql.unsafe(`pragma query_only = ${on ? "on" : "off"}`)
          : Effect.gen(function* () {
              const database = new URL(world.url).pathname.slice(1)
              // Through another database: a session of this one is read-only itself.
              const setting = `default_transaction_read_only = ${on ? "on" : "off"}`
              yield* query(sharedUrl, `alter database ${database} set ${setting}`)
              yield* query(
                sharedUrl,
                `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`
              )
            })
      const held = yield* Deferred.make<void>()
      const work = Work.toLayer(() => Effect.andThen(world.executing, Deferred.await(held)))
      const node = yield* world.node({ jobs: Layer.merge(ticking(world), work), store, lease })
      const before = yield* node.scheduler.node
      yield* node.scheduler.schedule(Tick, { id: "ticks", trigger: Trigger.every("200 millis") })
      const running = yield* node.scheduler.enqueue(Work, { deed: end })
      const runs = Effect.sync(() => node.only("RunSucceeded").length)
      yield* world.until("it works", runs, (count) => count > 1 && world.executionsOf(running) === 1)
      yield* turn(true)
      yield* world.until(
        "the node knows",
        Effect.sync(() => node.only("StoreDegraded").map((event) => event.reason)),
        (reasons) => reasons.length > 0
      )
      const refusal = yield* world.until(
        "a call is refused as read-only",
        Effect.flip(node.scheduler.enqueue(Work, { deed: end })),
        (error) => error._tag === "JobStoreError" && error.reason === "ReadOnly"
      )
      assert.strictEqual(refusal._tag, "JobStoreError")
      yield* Deferred.succeed(held, undefined)
      yield* world.pass(1_500)
      yield* turn(false)
      const meanwhile = yield* runs
      assert.deepInclude(yield* world.ended(running), { outcome: "succeeded", attempt: 1 })
      yield* world.until("it works again", runs, (count) => count > meanwhile + 1)
      yield* world.until(
        "it is well",
        Effect.sync(() => node.only("StoreRecovered").length),
        (count) => count === node.only("StoreDegraded").length
      )
      assert.strictEqual(yield* node.scheduler.node, before)
      assert.deepStrictEqual(node.only("FiberRestarted"), [])
      yield* node.scheduler.pause("ticks")
      return "as fault 17: degraded, calls refused with the reason ReadOnly, then recovered; the run that ended meanwhile was stored afterwards, in its first attempt"
    })
)
