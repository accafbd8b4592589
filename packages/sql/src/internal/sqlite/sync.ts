import { type Duration, type Effect, Predicate } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { SqliteConnection } from "./connection.ts"

export const SyncTypeId = "~@effect-scheduler/sql/Sync"

/** What the embedded client offers beside `SqlClient`: whole transactions in one synchronous step. */
export interface Sync {
  /** Runs a step once no fiber holds the connection. What SQLite throws is a failure, anything else a defect; after
   * either no transaction is open. */
  readonly use: <A>(step: (connection: SqliteConnection) => A) => Effect.Effect<A, SqlError>
  /** The same for a step whose commit need not have reached the disk when it is answered: the next one takes it there. */
  readonly useUnsynced: <A>(step: (connection: SqliteConnection) => A) => Effect.Effect<A, SqlError>
  readonly connection: SqliteConnection
  /** How long a step that found the file locked is tried again. */
  readonly busyWait: Duration.Duration
}

/** The synchronous way of a client, if it has one. */
export const syncOf = (client: SqlClient): Sync | undefined =>
  Predicate.hasProperty(client, SyncTypeId) ? (client[SyncTypeId] as Sync) : undefined
