import type { Effect, Scope } from "effect"
import type { JobStoreError, JobStoreService, StoreSignal } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Tables } from "./tables.ts"

/** The database behind a client. */
interface Server {
  /** What a person calls it in a log line. */
  readonly description: string
  /** Whether other processes may open it. */
  readonly shared: boolean
}

/** A store's methods; who listens is the same on every database. */
export interface Methods extends Omit<JobStoreService, "subscribe"> {
  /** Begins to hear of what other processes change, where they tell each other. Sent by everyone who subscribes. */
  readonly listen: Effect.Effect<void>
}

/** All that differs between databases. */
export interface Dialect {
  /** Looks at the server, and refuses one that will not do. */
  readonly inspect: (client: SqlClient) => Effect.Effect<Server, JobStoreError>
  /** The table names as the database has them. */
  readonly tables: (prefix: string) => Tables
  /** The tables that hold rows. */
  readonly dataTables: (tables: Tables) => ReadonlyArray<string>
  /** The statements of each step of the schema, in the order of `steps` in `migrations.ts`. */
  readonly steps: ReadonlyArray<(tables: Tables) => ReadonlyArray<string>>
  /** Those of these names that are tables. */
  readonly present: (client: SqlClient, names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, SqlError>
  readonly columns: (client: SqlClient, table: string) => Effect.Effect<ReadonlyArray<string>, SqlError>
  /** How a transaction begins that changes the schema. */
  readonly begin: string
  /** What went wrong when the store was opened, as its callers know it. */
  readonly openError: (description: string, error: unknown) => JobStoreError
  /** Sends again what another process was in the way of. */
  readonly retry: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>
  readonly make: (options: {
    readonly client: SqlClient
    readonly tables: Tables
    readonly server: Server
    readonly believesCallers: boolean
    /** Called after each commit with what it changed. */
    readonly notify: (signal: StoreSignal) => void
  }) => Effect.Effect<Methods, JobStoreError, Scope.Scope>
}
