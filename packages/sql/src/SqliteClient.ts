/**
 * A small SQLite client on Node's own `node:sqlite`: one connection to one file, in WAL mode, whose transactions begin
 * with `BEGIN IMMEDIATE`. Whatever is wrong with the file is a `SqlError`, when it is opened and later, and a file that
 * another process has locked is waited for without blocking the event loop.
 *
 * @module
 * @since 0.1.0
 */
import { Context, Duration, Effect, Layer, type Scope, Semaphore } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlError, Statement } from "effect/sql"
import { defaultBusyWait, retryWhileBusy } from "./internal/sqlite/busy.ts"
import { attempt, makeConnection, type SqliteConnection } from "./internal/sqlite/connection.ts"
import { goneError } from "./internal/sqlite/errors.ts"
import { type Database, describePath, identify, open } from "./internal/sqlite/node.ts"
import { type Sync, SyncTypeId } from "./internal/sqlite/sync.ts"

/**
 * How a file is opened.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** A path, or `":memory:"`. The file is made if there is none; its folder is not. */
  readonly filename: string
  /**
   * When a commit reaches the disk.
   *
   * - `"full"` (default): before it is answered. What was answered survives a power cut.
   * - `"normal"`: at the next checkpoint, some 4 MB of changes later. A crash of the process loses nothing. A power cut
   *   or a crash of the operating system may lose the last commits, each whole: runs that had ended are executed
   *   again, schedules fire their last times again, what was enqueued last is gone. The file stays consistent.
   */
  readonly synchronous?: "full" | "normal" | undefined
  /** How long a call waits in all, in short sleeps, while another process holds the file's lock. 2 seconds by default. */
  readonly busyWait?: Duration.Input | undefined
  /** How long SQLite itself waits before each of those sleeps, with the event loop blocked: at most 20 ms, 2 by default. */
  readonly busyTimeout?: Duration.Input | undefined
  /** Opens the file without the right to write to it. It must be there. */
  readonly readonly?: boolean | undefined
  /** How many prepared statements of the application are kept, 200 by default. */
  readonly cacheSize?: number | undefined
}

/**
 * Opens a file for as long as the scope is open. Fails with a `SqlError` where it cannot: its folder is missing, it is no
 * database, or another process keeps its lock for longer than `busyWait`.
 *
 * **Example** (A client for as long as a program runs)
 *
 * ```ts
 * import { SqliteClient } from "@effect-scheduler/sql"
 * import { Effect } from "effect"
 * import { Reactivity } from "effect/reactivity"
 *
 * const program = Effect.gen(function* () {
 *   const sql = yield* SqliteClient.make({ filename: ":memory:" })
 *   yield* sql`create table notes (text text)`
 *   yield* sql`insert into notes values (${"hello"})`
 *   return yield* sql`select text from notes`
 * }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))
 *
 * Effect.runPromise(program) // => [{ text: "hello" }]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options
): Effect.Effect<SqlClient.SqlClient, SqlError.SqlError, Scope.Scope | Reactivity.Reactivity> =>
  Effect.gen(function* () {
    const { filename, readonly = false } = options
    const inMemory = isMemory(filename)
    const busyWait = Duration.fromInputUnsafe(options.busyWait ?? defaultBusyWait)
    const db = yield* Effect.acquireRelease(openDatabase(options, inMemory, busyWait), (db) =>
      Effect.sync(() => db.close())
    )
    const connection = makeConnection(db, { busyWait, cacheSize: options.cacheSize ?? 200 })
    const identity = inMemory ? undefined : identify(filename)
    // A file that was deleted or replaced stays open and takes writes that nobody will ever read.
    const present = Effect.suspend(() =>
      identity === undefined || identify(filename) === identity
        ? Effect.succeed(connection)
        : Effect.fail(goneError(filename))
    )
    const acquirers = SqlClient.makeSqliteAcquirers({
      connection: present,
      semaphore: yield* Semaphore.make(1),
      isTransaction: connection.isTransaction
    })
    const client = yield* SqlClient.make({
      ...acquirers,
      driver: "effect-scheduler-sqlite",
      compiler: Statement.makeCompilerSqlite(),
      spanAttributes: [["db.system.name", "sqlite"]],
      prepareTransactionControls: true,
      beginTransaction: readonly ? "BEGIN" : "BEGIN IMMEDIATE",
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
    })
    const whole = <A>(step: (connection: SqliteConnection) => A) =>
      attempt("execute", () => step(connection)).pipe(
        Effect.tapCause(() =>
          Effect.ignoreCause(attempt("rollback", () => connection.isTransaction() && db.exec("rollback")))
        )
      )
    const synchronous = (level: "full" | "normal") => attempt("execute", () => db.exec(`pragma synchronous = ${level}`))
    const use: Sync["use"] = (step) => acquirers.borrower(() => whole(step))
    const sync: Sync = {
      connection,
      busyWait,
      use,
      useUnsynced:
        inMemory || options.synchronous === "normal"
          ? use
          : (step) =>
              acquirers.borrower(() =>
                synchronous("normal").pipe(
                  Effect.andThen(whole(step)),
                  Effect.ensuring(Effect.orDie(retryWhileBusy(busyWait)(synchronous("full")))),
                  Effect.uninterruptible
                )
              )
    }
    return Object.assign(client, { [SyncTypeId]: sync })
  })

/**
 * The client as a `SqlClient` service, which fails as `make` does. One process should have one client for one file: two of
 * them wait for each other.
 *
 * **Example** (Asking for the version of SQLite)
 *
 * ```ts
 * import { SqliteClient } from "@effect-scheduler/sql"
 * import { Effect } from "effect"
 * import { SqlClient } from "effect/sql"
 *
 * const program = Effect.gen(function* () {
 *   const sql = yield* SqlClient.SqlClient
 *   const [row] = yield* sql<{ readonly version: string }>`select sqlite_version() as version`
 *   return row?.version.startsWith("3.")
 * }).pipe(Effect.provide(SqliteClient.layer({ filename: ":memory:" })))
 *
 * Effect.runPromise(program) // => true
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.effectContext(Effect.map(make(options), (client) => Context.make(SqlClient.SqlClient, client))).pipe(
    Layer.provide(Reactivity.layer)
  )

const isMemory = (filename: string): boolean => filename === ":memory:" || filename === ""

const openDatabase = (
  { busyTimeout = "2 millis", filename, readonly = false, synchronous = "full" }: Options,
  inMemory: boolean,
  busyWait: Duration.Duration
): Effect.Effect<Database, SqlError.SqlError> => {
  const timeout = Math.min(Duration.toMillis(Duration.fromInputUnsafe(busyTimeout)), 20)
  const where = () => {
    const reason = describePath(filename)
    return reason === undefined ? filename : `${filename}: ${reason}`
  }
  const prepare = (db: Database) =>
    attempt(
      "open",
      () => {
        // Reading the schema is what finds a file that is no database.
        db.exec("select count(*) from sqlite_schema")
        if (!readonly && !inMemory) db.exec("pragma journal_mode = wal")
        db.exec(`pragma synchronous = ${synchronous}; pragma foreign_keys = on; pragma cache_size = -16000`)
        return db
      },
      where
    ).pipe(Effect.tapError(() => Effect.sync(() => db.close())))
  return attempt("open", () => open({ filename, readonly, timeout }), where).pipe(
    Effect.flatMap(prepare),
    retryWhileBusy(busyWait)
  )
}
