import { Data, type Duration, Effect, Stream } from "effect"
import { SafeIntegers } from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import type { Row, Value } from "../values.ts"
import { retryWhileBusy } from "./busy.ts"
import { isSqliteError, toSqlError } from "./errors.ts"
import type { Database, PreparedStatement } from "./node.ts"
import type { Execute } from "./program.ts"

/** The connection of the embedded client: what any has, and its own synchronous way. */
export interface SqliteConnection extends Connection {
  /** Runs a statement and throws what goes wrong. Whoever calls holds the connection. */
  readonly executeSync: Execute
  readonly isTransaction: () => boolean
}

/** What was thrown and is none of SQLite's: a defect of a caller. */
class Thrown extends Data.TaggedError("Thrown")<{ readonly cause: unknown }> {}

/** Runs a synchronous step: what SQLite throws becomes a failure, anything else is a defect. */
export const attempt = <A>(
  operation: string,
  step: () => A,
  where?: () => string | undefined
): Effect.Effect<A, SqlError> =>
  Effect.try({
    try: step,
    catch: (cause) =>
      isSqliteError(cause)
        ? toSqlError(cause, operation, where === undefined ? undefined : where())
        : new Thrown({ cause })
  }).pipe(Effect.catchTag("Thrown", ({ cause }) => Effect.die(cause)))

/** Prepared statements by text; the one that was not used for longest goes first. */
class Statements {
  private readonly statements = new Map<string, PreparedStatement>()
  private readonly prepare: (text: string) => PreparedStatement
  private readonly capacity: number

  constructor(prepare: (text: string) => PreparedStatement, capacity: number) {
    this.prepare = prepare
    this.capacity = capacity
  }

  get(text: string): PreparedStatement {
    const found = this.statements.get(text)
    if (found !== undefined) {
      // Only a full cache needs to know what was used last.
      if (this.statements.size >= this.capacity) {
        this.statements.delete(text)
        this.statements.set(text, found)
      }
      return found
    }
    const statement = this.prepare(text)
    if (this.statements.size >= this.capacity) {
      for (const oldest of this.statements.keys()) {
        this.statements.delete(oldest)
        break
      }
    }
    this.statements.set(text, statement)
    return statement
  }
}

const transformed = (
  effect: Effect.Effect<ReadonlyArray<never>, SqlError>,
  transform: Parameters<Connection["execute"]>[2]
): Effect.Effect<ReadonlyArray<never>, SqlError> => (transform === undefined ? effect : Effect.map(effect, transform))

export const makeConnection = (
  db: Database,
  options: { readonly busyWait: Duration.Duration; readonly cacheSize: number }
): SqliteConnection => {
  const asArrays = (text: string): PreparedStatement => {
    const statement = db.prepare(text)
    statement.setReturnArrays(true)
    return statement
  }
  const objects = new Statements((text) => db.prepare(text), options.cacheSize)
  const arrays = new Statements(asArrays, options.cacheSize)
  const integers = new WeakSet<PreparedStatement>()
  const own = new Statements(asArrays, Infinity)
  const retry = retryWhileBusy(options.busyWait)

  const all = (
    statement: PreparedStatement,
    params: ReadonlyArray<unknown>,
    safeIntegers: boolean
  ): ReadonlyArray<unknown> => {
    if (safeIntegers !== integers.has(statement)) {
      statement.setReadBigInts(safeIntegers)
      if (safeIntegers) integers.add(statement)
      else integers.delete(statement)
    }
    return statement.all(...(params as ReadonlyArray<Value>))
  }

  const run = <A>(step: (safeIntegers: boolean) => A): Effect.Effect<A, SqlError> =>
    Effect.withFiber((fiber) => {
      const once = attempt("execute", () => step(fiber.getRef(SafeIntegers)))
      // Outside a transaction a statement that found the file busy has done nothing. `BEGIN` is one of them.
      return db.isTransaction ? once : retry(once)
    })

  const rows = (statement: () => PreparedStatement, params: ReadonlyArray<unknown>) =>
    run((safeIntegers) => all(statement(), params, safeIntegers) as ReadonlyArray<never>)

  return {
    execute: (text, params, transform) =>
      transformed(
        rows(() => objects.get(text), params),
        transform
      ),
    executeRaw: (text, params) =>
      run((safeIntegers): unknown => {
        const statement = objects.get(text)
        return statement.columns().length > 0
          ? all(statement, params, safeIntegers)
          : statement.run(...(params as ReadonlyArray<Value>))
      }),
    executeValues: (text, params) => rows(() => arrays.get(text), params),
    executeValuesUnprepared: (text, params) => rows(() => asArrays(text), params),
    executeUnprepared: (text, params, transform) =>
      transformed(
        rows(() => db.prepare(text), params),
        transform
      ),
    executeStream: (text, params, transform) =>
      Stream.fromIterableEffect(
        transformed(
          rows(() => objects.get(text), params),
          transform
        )
      ),
    executeSync: (text, params) => own.get(text).all(...params) as ReadonlyArray<unknown> as ReadonlyArray<Row>,
    isTransaction: () => db.isTransaction
  }
}
