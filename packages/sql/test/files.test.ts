import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer } from "effect"
import { JobStore, type JobStoreError } from "effect-scheduler/JobStore"
import { SqlClient } from "effect/sql"
import { SqliteClient, SqlJobStore } from "../src/index.ts"
import { changeTo, enqueued, folder, jobs, newFile, reasonOf, run, schedule, success, t0 } from "./support.ts"

/** Opens the store on a file, uses it, and closes it. */
const using = <A, E>(
  options: SqliteClient.Options & SqlJobStore.Options,
  use: (store: JobStore["Service"]) => Effect.Effect<A, E>
): Effect.Effect<A, E | JobStoreError> =>
  JobStore.pipe(Effect.flatMap(use), Effect.provide(SqlJobStore.layerSqlite(options)))

const open = (options: SqliteClient.Options & SqlJobStore.Options) => using(options, () => Effect.void)

/** A file with a schedule, a run that waits and one in history. */
const filled = Effect.gen(function* () {
  const filename = yield* newFile
  yield* using({ filename }, (store) =>
    Effect.gen(function* () {
      yield* store.modify({ now: t0, ids: ["a"], transition: () => changeTo(schedule("a")) })
      yield* store.enqueue(enqueued(run({ id: "waits", runAt: t0 + 1 }), run({ id: "ended" })))
      const { runs } = yield* store.claim({ now: t0, node: "n", limit: 1, jobs, queues: {} })
      yield* store.finish({ now: t0, node: "n", reports: runs.map(success), transition: () => undefined })
    })
  )
  return filename
})

/** What the file holds, read by plain SQL. */
const contents = (filename: string) => {
  const db = new DatabaseSync(filename)
  const rows = ["schedules", "runs", "history"].map((name) => db.prepare(`select id from scheduler_${name}`).all())
  db.close()
  return rows.map((each) => each.map((row) => row["id"]))
}

const all = [["a"], ["waits"], ["ended"]]

describe("a database file", () => {
  it.live("that is closed and opened again has kept everything", () =>
    Effect.gen(function* () {
      const filename = yield* filled
      const seen = yield* using({ filename }, (store) =>
        Effect.all([store.listSchedules({ filter: {}, limit: 9 }), store.getRuns({ ids: ["waits", "ended"] })])
      )
      assert.deepStrictEqual(
        seen[0].items.map((row) => row.id),
        ["a"]
      )
      assert.deepStrictEqual([seen[1].unfinished[0]?.id, seen[1].ended[0]?.id], ["waits", "ended"])
      assert.isFalse(existsSync(`${filename}-wal`), "a clean close leaves no log behind")
    })
  )

  it.live("whose folder is missing is refused with the folder's name", () =>
    Effect.gen(function* () {
      const filename = join(yield* folder, "none", "jobs.db")
      const { message, reason } = yield* reasonOf(open({ filename }))
      assert.strictEqual(reason, "Unavailable")
      assert.include(message, `there is no folder ${dirname(filename)}`)
    })
  )

  it.live("that is a directory is refused", () =>
    Effect.gen(function* () {
      const { message, reason } = yield* reasonOf(open({ filename: yield* folder }))
      assert.strictEqual(reason, "Unavailable")
      assert.include(message, "it is a directory")
    })
  )

  it.live("that is read-only can be read, and every write says so", () =>
    Effect.gen(function* () {
      const filename = yield* filled
      yield* using({ filename, readonly: true }, (store) =>
        Effect.gen(function* () {
          assert.strictEqual((yield* store.history({ filter: {}, limit: 9 })).items.length, 1)
          const params = { now: t0, node: "n", lease: 1, version: 1, jobs: [], triggers: [] }
          const { message, reason } = yield* reasonOf(store.register(params))
          assert.strictEqual(reason, "ReadOnly")
          assert.include(message, filename)
          assert.strictEqual((yield* reasonOf(store.enqueue(enqueued(run())))).reason, "ReadOnly")
        })
      )
      assert.deepStrictEqual(contents(filename), all)
    })
  )

  it.live("that is read-only and has no tables is refused, not filled", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      new DatabaseSync(filename).close()
      writeFileSync(filename, "")
      const { reason } = yield* reasonOf(open({ filename, readonly: true }))
      assert.strictEqual(reason, "ReadOnly")
    })
  )

  it.live("that is no database is refused and left as it is", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      writeFileSync(filename, "# a text, and no database at all, longer than a header\n".repeat(20))
      const { message, reason } = yield* reasonOf(open({ filename }))
      assert.strictEqual(reason, "Corrupt")
      assert.include(message, filename)
      assert.strictEqual(statSync(filename).size, 1100)
    })
  )

  it.live("that is corrupt inside is told by the call that meets it", () =>
    Effect.gen(function* () {
      const filename = yield* filled
      const file = openSync(filename, "r+")
      for (let at = 4096; at < statSync(filename).size; at += 4096)
        writeSync(file, Buffer.alloc(4000, 0xfe), 0, 4000, at)
      closeSync(file)
      const { reason } = yield* reasonOf(using({ filename }, (store) => store.getRuns({ ids: ["waits", "ended"] })))
      assert.strictEqual(reason, "Corrupt")
    })
  )

  it.live("that another process corrupts while it is open is told, and nothing is written over it", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      const exit = yield* using({ filename }, (store) =>
        Effect.gen(function* () {
          for (let n = 0; n < 20; n++) {
            yield* store.enqueue(enqueued(...Array.from({ length: 500 }, () => run({ payload: "x".repeat(500) }))))
          }
          const other = new DatabaseSync(filename)
          other.exec("pragma wal_checkpoint(truncate)")
          other.close()
          const file = openSync(filename, "r+")
          for (let at = 4096; at < statSync(filename).size; at += 4096) {
            writeSync(file, Buffer.alloc(4000, 0xfe), 0, 4000, at)
          }
          closeSync(file)
          return yield* Effect.exit(
            Effect.forEach(Array.from({ length: 200 }), () => store.listRuns({ filter: { job: "other" }, limit: 1 }))
          )
        })
      )
      assert.isTrue(
        Exit.isFailure(exit) &&
          exit.cause.reasons.some((each) => each._tag === "Fail" && each.error.reason === "Corrupt")
      )
    })
  )

  it.live("of a newer schema version is refused and left as it is", () =>
    Effect.gen(function* () {
      const filename = yield* filled
      const db = new DatabaseSync(filename)
      db.exec("insert into scheduler_migrations (migration_id, name) values (99, 'from_the_future')")
      db.close()
      const { message, reason } = yield* reasonOf(open({ filename }))
      assert.strictEqual(reason, "SchemaNewer")
      assert.include(message, "version 99")
      assert.deepStrictEqual(contents(filename), all)
    })
  )

  it.live("with another program's table of our name is refused with the table's name", () =>
    Effect.gen(function* () {
      for (const text of [
        "create table scheduler_runs (id integer)",
        "create table scheduler_migrations (version integer)",
        "create table scheduler_migrations (migration_id integer, name text, created_at text);" +
          "insert into scheduler_migrations values (1, 'create_users', '')"
      ]) {
        const filename = yield* newFile
        const db = new DatabaseSync(filename)
        db.exec(text)
        db.close()
        const { message, reason } = yield* reasonOf(open({ filename }))
        assert.strictEqual(reason, "SchemaMissing")
        assert.match(message, /the table scheduler_(runs|migrations) was not made by effect-scheduler/)
        // Another prefix is what it asks for.
        yield* open({ filename, prefix: "jobs_" })
      }
    })
  )

  it.live("without tables is refused by a layer that may not make them", () =>
    Effect.gen(function* () {
      const client = SqliteClient.layer({ filename: ":memory:" })
      const storage = SqlJobStore.layerStorage()
      const { message, reason } = yield* reasonOf(
        Effect.provide(JobStore, storage.pipe(Layer.provide(client))) as Effect.Effect<unknown, JobStoreError>
      )
      assert.strictEqual(reason, "SchemaMissing")
      assert.include(message, "run the migrations")
      const both = storage.pipe(Layer.provide(SqlJobStore.layerMigrations()), Layer.provide(client))
      const store = yield* Effect.provide(JobStore, both)
      assert.strictEqual(store.description, "sqlite in memory")
    })
  )

  it.live("with a prefix that is no name is refused", () =>
    Effect.gen(function* () {
      const { message } = yield* reasonOf(open({ filename: ":memory:", prefix: 'a"; drop table x' }))
      assert.include(message, "prefix")
    })
  )

  it.live("that is deleted while it is open fails every call, and is not made again", () =>
    Effect.gen(function* () {
      const filename = yield* filled
      yield* using({ filename }, (store) =>
        Effect.gen(function* () {
          for (const suffix of ["", "-wal", "-shm"]) rmSync(filename + suffix, { force: true })
          const { message, reason } = yield* reasonOf(store.enqueue(enqueued(run())))
          assert.strictEqual(reason, "Unavailable")
          assert.include(message, "deleted or replaced")
          assert.strictEqual((yield* reasonOf(store.history({ filter: {}, limit: 1 }))).reason, "Unavailable")
        })
      )
      assert.isFalse(existsSync(filename))
    })
  )

  it.live("that is replaced by another while it is open fails every call", () =>
    Effect.gen(function* () {
      const filename = yield* filled
      const backup = `${filename}.backup`
      copyFileSync(filename, backup)
      yield* using({ filename }, (store) =>
        Effect.gen(function* () {
          for (const suffix of ["", "-wal", "-shm"]) rmSync(filename + suffix, { force: true })
          copyFileSync(backup, filename)
          assert.strictEqual((yield* reasonOf(store.enqueue(enqueued(run())))).reason, "Unavailable")
        })
      )
      assert.deepStrictEqual(contents(filename), all)
    })
  )

  it.live("whose folder is deleted while it is open fails every call", () =>
    Effect.gen(function* () {
      const filename = join(yield* folder, "sub", "jobs.db")
      mkdirSync(dirname(filename))
      yield* using({ filename }, (store) =>
        Effect.gen(function* () {
          rmSync(dirname(filename), { recursive: true })
          assert.strictEqual((yield* reasonOf(store.enqueue(enqueued(run())))).reason, "Unavailable")
        })
      )
    })
  )

  it.live("that is full says so, loses nothing, and goes on when there is room again", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      const client = SqliteClient.layer({ filename })
      const program = Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const store = yield* JobStore
        const [pages] = yield* sql<{ readonly page_count: number }>`pragma page_count`
        yield* sql.unsafe(`pragma max_page_count = ${pages!.page_count + 20}`)
        const stored: Array<string> = []
        let reason: string | undefined
        for (let n = 0; n < 100 && reason === undefined; n++) {
          const big = run({ payload: "x".repeat(5000) })
          const exit = yield* Effect.exit(store.enqueue(enqueued(big)))
          if (Exit.isSuccess(exit)) stored.push(big.id)
          else reason = (yield* reasonOf(Effect.failCause(exit.cause))).reason
        }
        assert.strictEqual(reason, "Full")
        // What is there can still be read, and one that fits can still be ended.
        const found = yield* store.getRuns({ ids: stored })
        assert.strictEqual(found.unfinished.length, stored.length)
        assert.isAbove(stored.length, 5)
        yield* sql`pragma max_page_count = 1000000`
        yield* store.enqueue(enqueued(run({ payload: "x".repeat(5000) })))
        assert.strictEqual((yield* store.listRuns({ filter: {}, limit: 200 })).items.length, stored.length + 1)
      })
      yield* program.pipe(Effect.provide(SqlJobStore.layer().pipe(Layer.provideMerge(client))))
    })
  )

  it.live("that is opened by several fibers at once for the first time is made once", () =>
    Effect.gen(function* () {
      const filename = yield* newFile
      yield* Effect.forEach([1, 2, 3, 4], () => open({ filename }), { concurrency: "unbounded" })
      assert.deepStrictEqual(contents(filename), [[], [], []])
    })
  )

  it.live("that was closed answers a late call with an error, and leaves no fiber waiting", () =>
    Effect.gen(function* () {
      const store = yield* Effect.provide(JobStore, SqlJobStore.layerSqlite({ filename: ":memory:" }))
      const late = yield* Effect.forkChild(reasonOf(store.enqueue(enqueued(run()))))
      assert.strictEqual((yield* Fiber.join(late)).reason, "Unavailable")
      assert.strictEqual((yield* reasonOf(store.history({ filter: {}, limit: 1 }))).reason, "Unavailable")
    })
  )
})
