/**
 * A job store in the tables of a SQL database: `layerSqlite` for a SQLite file of its own, `layer` on the application's
 * `SqlClient` of SQLite or Postgres, so that a schedule or a run is stored, or not, with the application's own rows.
 *
 * On Postgres any number of processes share one database. Each fires and runs a part, and any of them may die at any instant.
 *
 * @module
 * @since 0.1.0
 */
import { Effect, Layer, type Scope } from "effect"
import { JobStore, JobStoreError, type JobStoreService, makeListeners } from "effect-scheduler/JobStore"
import { SqlClient, type SqlError } from "effect/sql"
import type { Dialect } from "./internal/dialect.ts"
import { migrationsOf, prepareSchema } from "./internal/migrations.ts"
import { postgres } from "./internal/postgres/dialect.ts"
import { sqlite } from "./internal/sqlite/dialect.ts"
import { toStoreError } from "./internal/storeError.ts"
import * as SqliteClient from "./SqliteClient.ts"

const defaultPrefix = "scheduler_"

/**
 * Where the store's tables are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What the names of the tables begin with, `"scheduler_"` unless given: letters, digits and underscores. */
  readonly prefix?: string | undefined
  /**
   * Whose time a store on Postgres goes by. The server's (`"server"`, the default), so that nodes whose clocks differ agree;
   * or that of its callers, which is for tests that hand instants to the store. Stores on SQLite always take the caller's.
   */
  readonly clock?: "server" | "caller" | undefined
}

/**
 * Makes a store on a client. With `migrate: false` the tables must be there in this release's version.
 * Fails with a `JobStoreError` of method `"open"`: `Unsupported`, `SchemaMissing` and `SchemaNewer` say what is not as it must be.
 *
 * **Example** (Asking a new store for its schedules)
 *
 * ```ts
 * import { SqliteClient, SqlJobStore } from "@effect-scheduler/sql"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* SqlJobStore.make({ prefix: "jobs_" })
 *   return yield* store.listSchedules({ filter: {}, limit: 10 })
 * }).pipe(Effect.scoped, Effect.provide(SqliteClient.layer({ filename: ":memory:" })))
 *
 * Effect.runPromise(program) // => { items: [] }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options & { readonly migrate?: boolean | undefined } = {}
): Effect.Effect<JobStoreService, JobStoreError, SqlClient.SqlClient | Scope.Scope> =>
  Effect.gen(function* () {
    const { client, dialect, server, tables } = yield* open(options)
    const { subscribe, tell } = yield* makeListeners
    const believesCallers = options.clock === "caller"
    const { listen, ...methods } = yield* dialect.make({ client, tables, server, believesCallers, notify: tell })
    return JobStore.of({ ...methods, subscribe: (listener) => Effect.andThen(subscribe(listener), listen) })
  })

/** The client and the tables on it, in this release's version. */
const open = (options: Options & { readonly migrate?: boolean | undefined }) =>
  Effect.gen(function* () {
    const client = (yield* SqlClient.SqlClient).withoutTransforms()
    const prefix = options.prefix ?? defaultPrefix
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,30}$/.test(prefix)) {
      const message = `the prefix "${prefix}" is not one of at most 31 letters, digits and underscores that begins with no digit`
      return yield* new JobStoreError({ reason: "Unsupported", method: "open", message })
    }
    const dialect = dialectOf(client)
    if (dialect === undefined) {
      const message =
        "the client is neither one of SQLite (SqliteClient of @effect-scheduler/sql) nor of Postgres (PgClient of @effect/sql-pg)"
      return yield* new JobStoreError({ reason: "Unsupported", method: "open", message })
    }
    const server = yield* dialect.inspect(client)
    const tables = dialect.tables(prefix)
    yield* prepareSchema(client, dialect, tables, { migrate: options.migrate ?? true, description: server.description })
    return { client, dialect, server, tables }
  })

const dialectOf = (client: SqlClient.SqlClient): Dialect | undefined =>
  client.onDialectOrElse({
    sqlite: () => sqlite,
    pg: () => postgres,
    orElse: () => undefined
  })

/**
 * A store on the application's client, whose tables it makes or brings to this release's version. Fails with a
 * `JobStoreError` of method `"open"` where it cannot.
 *
 * A call inside an open transaction of the same client belongs to it: it commits or rolls back with it, it is sent once,
 * and those who listen hear of it after the commit. Another layer of the same database is another client, and joins
 * nothing: on SQLite it waits for the transaction's end, and fails with the reason `Busy` if that does not come; on Postgres
 * it commits by itself, whatever becomes of the transaction.
 *
 * **SQLite** (with `SqliteClient.layer`, or any other): what the store answers is on the disk, as `synchronous` says, but for
 * a tick that has fired: the claim of its runs waits for the disk, which then has both. A power cut before makes the file forget
 * the tick as a whole, and it is decided again; nothing was executed of it. A tick that ends runs waits for the disk itself.
 *
 * **Postgres** (13 or newer, with `PgClient.layer` of `@effect/sql-pg`):
 *
 * - The store keeps two connections of the client's pool to itself, one for the lease of its node and one to listen (where
 *   nothing is run, once somebody awaits the end of a run), so that handlers that use up the pool cannot starve them. A pool
 *   of fewer than four is refused. Of one with six or more it keeps up to three others for its calls, half of what is beyond
 *   four, on which a call is one round trip; what they are set to is for this session, so that a pooler that gives sessions to
 *   others between two transactions must not stand in between.
 * - It goes by the server's clock. An instant that is the caller's `now` means the server's now.
 * - What it answers is committed as the server is set up, by default once the disk has it. A tick that decides for a few
 *   schedules, and no more than that they go on and have runs, is committed at once: the claim of such a run waits for the
 *   disk to have both. A server that fails before it forgets the tick as a whole, and it is decided again.
 * - What one process changes the others hear by NOTIFY, which is never sent within a transaction of the application. A
 *   notification that is lost costs at most one poll interval.
 * - What is stored in a transaction of the application keeps its locks until that ends: a schedule that was changed is not
 *   fired, nor one whose run was cancelled if it waits for it, and an enqueue with the same idempotency key waits. The end of a
 *   cancelled run is stored after it, and so is that of a run whose schedule was paused or changed, if the schedule waits for it
 *   or keeps its result. All else goes on.
 * - A transaction that is left open anywhere in the server keeps vacuum from removing dead rows. Firing and claiming then begin
 *   behind what was taken already, and look at all of it once a second; a schedule that fires again and again meanwhile costs
 *   more each time, as its old versions stay. A warning is logged once there are half a million dead rows.
 *
 * **Example** (The same program on Postgres)
 *
 * ```ts
 * import { PgClient } from "@effect/sql-pg"
 * import { SqlJobStore } from "@effect-scheduler/sql"
 * import { Layer, Redacted } from "effect"
 * import { Scheduler } from "effect-scheduler"
 *
 * const Database = PgClient.layer({ url: Redacted.make("postgres://localhost/jobs") })
 *
 * export const Live = Scheduler.layer({
 *   stores: { default: SqlJobStore.layer().pipe(Layer.provide(Database)) }
 * })
 * ```
 *
 * **Example** (Storing a run together with a row)
 *
 * ```ts
 * import { SqliteClient, SqlJobStore } from "@effect-scheduler/sql"
 * import { Effect, Layer } from "effect"
 * import { JobStore } from "effect-scheduler"
 * import { SqlClient } from "effect/sql"
 *
 * const Live = SqlJobStore.layer().pipe(Layer.provideMerge(SqliteClient.layer({ filename: ":memory:" })))
 *
 * const program = Effect.gen(function* () {
 *   const sql = yield* SqlClient.SqlClient
 *   const store = yield* JobStore.JobStore
 *   yield* sql`create table orders (id integer)`
 *   yield* sql.withTransaction(
 *     Effect.gen(function* () {
 *       yield* sql`insert into orders values (1)`
 *       yield* store.enqueue({ now: 0, runs: [] })
 *     })
 *   )
 *   return yield* sql`select id from orders`
 * }).pipe(Effect.provide(Live))
 *
 * Effect.runPromise(program) // => [{ id: 1 }]
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<JobStore, JobStoreError, SqlClient.SqlClient> =>
  Layer.effect(JobStore, make(options))

/**
 * A store on the application's client that changes no table: they must be there in this release's version, made by
 * `layerMigrations` or by a step of one's own that runs `migrations`. Else it fails with the reason `SchemaMissing` or
 * `SchemaNewer`.
 *
 * **Example** (Refusing a database without tables)
 *
 * ```ts
 * import { SqliteClient, SqlJobStore } from "@effect-scheduler/sql"
 * import { Effect, Layer } from "effect"
 *
 * const Live = SqlJobStore.layerStorage().pipe(Layer.provide(SqliteClient.layer({ filename: ":memory:" })))
 *
 * const reason = Effect.scoped(Layer.build(Live)).pipe(
 *   Effect.as("opened"),
 *   Effect.catchTag("JobStoreError", (error) => Effect.succeed(error.reason))
 * )
 *
 * Effect.runPromise(reason) // => "SchemaMissing"
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerStorage = (options: Options = {}): Layer.Layer<JobStore, JobStoreError, SqlClient.SqlClient> =>
  Layer.effect(JobStore, make({ ...options, migrate: false }))

/**
 * Makes the tables or brings them to this release's version, and provides nothing. Fails with a `JobStoreError` of method
 * `"open"`: `Forbidden` where the role may not, `SchemaNewer` where a newer release was here before.
 *
 * **Example** (Making the tables in a step of its own)
 *
 * ```ts
 * import { SqliteClient, SqlJobStore } from "@effect-scheduler/sql"
 * import { Effect, Layer } from "effect"
 * import { JobStore } from "effect-scheduler"
 *
 * const Database = SqliteClient.layer({ filename: ":memory:" })
 *
 * // A step of a deployment, whose role may change tables; then the application, whose role may not.
 * const Live = SqlJobStore.layerStorage().pipe(Layer.provide(SqlJobStore.layerMigrations()), Layer.provide(Database))
 *
 * const description = Effect.map(JobStore.JobStore, (store) => store.description)
 *
 * Effect.runPromise(Effect.provide(description, Live)) // => "sqlite in memory"
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMigrations = (options: Options = {}): Layer.Layer<never, JobStoreError, SqlClient.SqlClient> =>
  Layer.effectDiscard(open(options))

/**
 * The migrations by their names, for `Migrator.fromRecord`, in the order of their numbers. A migrator of one's own has to
 * record them under these names and numbers in the table `<prefix>migrations` (`"scheduler_migrations"`), where the store looks
 * for the version of its tables: so they have a run of their own, apart from the application's.
 *
 * **Example** (Their names)
 *
 * ```ts
 * import { SqlJobStore } from "@effect-scheduler/sql"
 *
 * Object.keys(SqlJobStore.migrations()) // => ["0001_effect_scheduler"]
 * ```
 *
 * @category migrations
 * @since 0.1.0
 */
export const migrations = (
  options: Options = {}
): Record<string, Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient>> =>
  migrationsOf((client) => {
    const dialect = dialectOf(client) ?? sqlite
    return { dialect, tables: dialect.tables(options.prefix ?? defaultPrefix) }
  })

/**
 * The embedded default: a store in a SQLite file of its own, through `SqliteClient`. Fails with a `JobStoreError` of method
 * `"open"`, such as `Unavailable` where the folder is missing or `Corrupt` where the file is no database.
 *
 * **Example** (A scheduler's store in a file)
 *
 * ```ts
 * import { SqlJobStore } from "@effect-scheduler/sql"
 * import { Effect } from "effect"
 * import { JobStore } from "effect-scheduler"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* JobStore.JobStore
 *   return store.description
 * }).pipe(Effect.provide(SqlJobStore.layerSqlite({ filename: ":memory:" })))
 *
 * Effect.runPromise(program) // => "sqlite in memory"
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSqlite = (options: Options & SqliteClient.Options): Layer.Layer<JobStore, JobStoreError> =>
  layer(options).pipe(
    Layer.provide(SqliteClient.layer(options)),
    Layer.catchTag("SqlError", (error) => Layer.effect(JobStore, Effect.fail(toStoreError("open", "sqlite", error))))
  )
