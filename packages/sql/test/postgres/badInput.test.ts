import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Redacted } from "effect"
import { JobStore, type JobStoreError } from "effect-scheduler/JobStore"
import { SqlClient, type SqlError } from "effect/sql"
import { SqlJobStore } from "../../src/index.ts"
import { enqueued, reasonOf, run } from "../support.ts"
import { newDatabase, newPrefix, sharedUrl } from "./database.ts"
import { query } from "./query.ts"

const clientOf = (url: string, maxConnections = 4) => PgClient.layer({ url: Redacted.make(url), maxConnections })

/** What opening a store says, which must not open. */
const refused = (
  client: Layer.Layer<SqlClient.SqlClient, SqlError.SqlError>,
  store: Layer.Layer<JobStore, JobStoreError, SqlClient.SqlClient> = SqlJobStore.layer()
) => reasonOf(Effect.scoped(Layer.build(store.pipe(Layer.provide(Layer.orDie(client))))))

const withPart = (change: (url: URL) => void): string => {
  const url = new URL(sharedUrl)
  change(url)
  return url.href
}

/** No such server can be had from npm: a client that says that it is connected to one. */
const aged = (client: SqlClient.SqlClient): SqlClient.SqlClient => {
  const self: SqlClient.SqlClient = new Proxy(client, {
    get: (target, key) => {
      if (key === "withoutTransforms") return () => self
      if (key !== "unsafe") return target[key as keyof typeof target]
      return (text: string, params?: ReadonlyArray<unknown>) =>
        text.includes("server_version_num")
          ? target.unsafe("select 'jobs', 120022, '12.22'")
          : target.unsafe(text, params)
    }
  })
  return self
}

describe("opening a store on Postgres", () => {
  it.live("a connection string that is wrong", () =>
    Effect.gen(function* () {
      const noServer = yield* refused(clientOf(withPart((url) => (url.port = "1"))))
      assert.strictEqual(noServer.reason, "Unavailable")
      assert.include(noServer.message, "is the server running, and are host, port and database right?")
      const noDatabase = yield* refused(clientOf(withPart((url) => (url.pathname = "nowhere"))))
      assert.strictEqual(noDatabase.reason, "Unavailable")
      assert.include(noDatabase.message, 'database "nowhere" does not exist')
      const noUser = yield* refused(clientOf(withPart((url) => (url.username = "nobody_here"))))
      assert.strictEqual(noUser.reason, "Forbidden")
      assert.include(noUser.message, 'role "nobody_here" does not exist')
      assert.include(noUser.message, "are user and password right")
    })
  )

  it.live("a server that is too old", () =>
    Effect.gen(function* () {
      const old = Layer.effect(SqlClient.SqlClient, Effect.map(SqlClient.SqlClient, aged)).pipe(
        Layer.provide(clientOf(sharedUrl))
      )
      assert.deepStrictEqual(yield* refused(old), {
        reason: "Unsupported",
        message: "postgres jobs: the server is PostgreSQL 12.22; 13 or newer is needed"
      })
    })
  )

  it.live("a pool that is too small", () =>
    Effect.gen(function* () {
      const { message, reason } = yield* refused(clientOf(sharedUrl, 3))
      assert.strictEqual(reason, "Unsupported")
      assert.include(message, "the client's pool has 3 connections; give it at least 4 (maxConnections)")
    })
  )

  it.live("a schema that is missing", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { message, reason } = yield* refused(clientOf(sharedUrl), SqlJobStore.layerStorage({ prefix }))
      assert.strictEqual(reason, "SchemaMissing")
      assert.include(message, `there are no tables with the prefix "${prefix}"; run the migrations`)
      yield* Effect.provide(Effect.void, Layer.provide(SqlJobStore.layerMigrations({ prefix }), clientOf(sharedUrl)))
      yield* Effect.scoped(Layer.build(Layer.provide(SqlJobStore.layerStorage({ prefix }), clientOf(sharedUrl))))
    })
  )

  it.live("a schema that is newer", () =>
    Effect.gen(function* () {
      const url = yield* newDatabase
      yield* Effect.provide(Effect.void, Layer.provide(SqlJobStore.layerMigrations(), clientOf(url)))
      yield* query(url, "insert into scheduler_migrations (migration_id, name) values (2, 'contract_something')")
      assert.deepStrictEqual(yield* refused(clientOf(url)), {
        reason: "SchemaNewer",
        message: `postgres ${new URL(url).pathname.slice(1)}: the tables are of version 2, this release knows 1; use a newer release`
      })
    })
  )

  it.live("goes on beside a schema that a newer release has only added to, and says so", () =>
    Effect.gen(function* () {
      const url = yield* newDatabase
      yield* Effect.provide(Effect.void, Layer.provide(SqlJobStore.layerMigrations(), clientOf(url)))
      yield* query(url, "alter table scheduler_runs add column tenant text not null default ''")
      yield* query(url, "insert into scheduler_migrations (migration_id, name) values (2, 'expand_tenants')")
      const said: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => void said.push(message))])
      const ids = yield* Effect.flatMap(JobStore, (store) => store.enqueue(enqueued(run({ id: "a" })))).pipe(
        Effect.provide(Layer.provide(SqlJobStore.layer(), clientOf(url)).pipe(Layer.provideMerge(logger)))
      )
      assert.deepStrictEqual(ids, { ids: ["a"] })
      assert.include(String(said), "made by a newer release; this one goes on with what it knows of them (version 1)")
    })
  )

  it.live("a role without rights", () =>
    Effect.gen(function* () {
      const url = yield* newDatabase
      yield* query(sharedUrl, "drop role if exists guest").pipe(Effect.ignoreCause)
      yield* query(sharedUrl, "create role guest login").pipe(Effect.ignoreCause)
      const asGuest = new URL(url)
      asGuest.username = "guest"
      const mayNotCreate = yield* refused(clientOf(asGuest.href))
      assert.strictEqual(mayNotCreate.reason, "Forbidden")
      assert.include(mayNotCreate.message, "permission denied for schema public")
      assert.include(mayNotCreate.message, "may the role use the schema and create tables in it?")
      yield* Effect.provide(Effect.void, Layer.provide(SqlJobStore.layerMigrations(), clientOf(url)))
      const mayNotRead = yield* refused(clientOf(asGuest.href))
      assert.strictEqual(mayNotRead.reason, "Forbidden")
      assert.include(mayNotRead.message, "permission denied for table scheduler_migrations")
      yield* query(url, "grant select, insert, update, delete on all tables in schema public to guest")
      yield* Effect.scoped(Layer.build(Layer.provide(SqlJobStore.layerStorage(), clientOf(asGuest.href))))
    })
  )

  it.live("a table from another program", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      yield* query(sharedUrl, `create table ${prefix}runs (name text)`)
      const { message, reason } = yield* refused(clientOf(sharedUrl), SqlJobStore.layer({ prefix }))
      assert.strictEqual(reason, "SchemaMissing")
      assert.include(message, `the table ${prefix}runs was not made by effect-scheduler`)
    })
  )

  it.live("several at once on an empty database make the tables once", () =>
    Effect.gen(function* () {
      const url = yield* newDatabase
      const open = Effect.scoped(
        Effect.map(
          Layer.build(Layer.fresh(Layer.provide(SqlJobStore.layer(), clientOf(url)))),
          (context) => Context.get(context, JobStore).description
        )
      )
      const opened = yield* Effect.all(
        Array.from({ length: 6 }, () => open),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(opened).size, 1)
    })
  )
})
