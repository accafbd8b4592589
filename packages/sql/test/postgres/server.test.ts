import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { isAlive } from "@effect-scheduler/postgres-server"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Queue, Redacted, Schedule } from "effect"
import { Reactivity } from "effect/reactivity"
import { inject } from "vitest"
import { newDatabase, newPrefix, newServer, sharedUrl } from "./database.ts"
import { query } from "./query.ts"

const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(condition, { until: (holds) => holds, schedule: Schedule.spaced("10 millis") }).pipe(
    Effect.timeout("20 seconds"),
    Effect.asVoid
  )

const connect = (url: string) =>
  Effect.provide(PgClient.make({ url: Redacted.make(url), maxConnections: 2 }), Reactivity.layer)

describe("a Postgres of a test's own", { timeout: 60_000 }, () => {
  it.live("keeps its data when it is stopped, in order or as by a crash, and started again", () =>
    Effect.gen(function* () {
      const server = yield* newServer()
      yield* query(server.url, "create table kept as select 1 as n")
      yield* Effect.promise(() => server.stop("fast"))
      assert.strictEqual(server.pid(), undefined)
      assert.isTrue((yield* Effect.exit(query(server.url, "select 1")))._tag === "Failure", "nothing answers")
      yield* Effect.promise(server.start)
      yield* query(server.url, "insert into kept values (2)")
      yield* Effect.promise(() => server.stop("immediate"))
      yield* Effect.promise(server.start)
      assert.deepStrictEqual(yield* query(server.url, "select n from kept order by n"), [{ n: 1 }, { n: 2 }])
    })
  )

  it.live("answers nothing while it is frozen, and what it was asked when it has thawed", () =>
    Effect.gen(function* () {
      const server = yield* newServer()
      const sql = yield* connect(server.url)
      yield* sql`select 1`
      server.freeze()
      const answer = yield* Effect.forkChild(sql<{ n: number }>`select 2 as n`, { startImmediately: true })
      assert.strictEqual((yield* Effect.timeoutOption(Fiber.await(answer), "200 millis"))._tag, "None")
      server.thaw()
      assert.deepStrictEqual(yield* Fiber.join(answer), [{ n: 2 }])
    })
  )

  it.live("leaves neither a process nor a file, frozen or not", () =>
    Effect.gen(function* () {
      const left = yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* newServer()
          yield* connect(server.url)
          server.freeze()
          return { pid: server.pid()!, home: dirname(server.data) }
        })
      )
      assert.isFalse(isAlive(left.pid))
      assert.isFalse(existsSync(left.home))
    })
  )

  it.live("ends with the process that started it, when that is killed too", () =>
    Effect.gen(function* () {
      const script = fileURLToPath(new URL("fixtures/starter.ts", import.meta.url))
      const starter = spawn(process.execPath, [script, inject("postgresTemplate")], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const line = yield* Effect.promise(
        () => new Promise<string>((resolve) => starter.stdout.on("data", (data) => resolve(String(data))))
      )
      const { pid, home } = JSON.parse(line) as { readonly pid: number; readonly home: string }
      assert.isTrue(isAlive(pid))
      starter.kill("SIGKILL")
      yield* until(Effect.sync(() => !isAlive(pid) && !existsSync(home)))
    })
  )
})

describe("the Postgres of the run", { timeout: 60_000 }, () => {
  it.live("gives a database of its own to who asks, and drops it", () =>
    Effect.gen(function* () {
      const name = yield* Effect.scoped(
        Effect.gen(function* () {
          const url = yield* newDatabase
          const sql = yield* connect(url)
          assert.deepStrictEqual(yield* sql`select count(*)::int as n from pg_tables where schemaname = 'public'`, [
            { n: 0 }
          ])
          return new URL(url).pathname.slice(1)
        })
      )
      assert.deepStrictEqual(yield* query(sharedUrl, `select 1 from pg_database where datname = '${name}'`), [])
    })
  )

  it.live("keeps the tables of two tests apart by their prefixes", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* newPrefix, yield* newPrefix]
      yield* query(sharedUrl, `create table ${one}things as select 1 as n`)
      yield* query(sharedUrl, `create table ${other}things as select 2 as n`)
      assert.deepStrictEqual(yield* query(sharedUrl, `select n from ${one}things`), [{ n: 1 }])
    })
  )

  it.live("ends a connection that listens, and no other", () =>
    Effect.gen(function* () {
      const server = yield* newServer()
      const sql = yield* connect(server.url)
      const news = yield* sql.listen("news")
      const backends = "select 1 from pg_stat_activity where query ilike 'listen%'"
      assert.strictEqual((yield* query(server.url, backends)).length, 1)
      assert.strictEqual(yield* Effect.promise(() => server.terminate("query ilike 'listen%'")), 1)
      const end = yield* Effect.exit(Effect.timeout(Queue.take(news), "20 seconds"))
      assert.isTrue(Exit.isFailure(end) && Cause.pretty(end.cause).includes("terminating connection"), "it is told so")
      assert.deepStrictEqual(yield* sql`select 1 as n`, [{ n: 1 }])
    })
  )
})
