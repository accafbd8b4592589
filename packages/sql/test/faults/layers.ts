/** The stores that a process of its own can open, as texts that can be handed to it. */
import { PgClient } from "@effect/sql-pg"
import { Layer, Redacted } from "effect"
import type { JobStore, JobStoreError } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql"
import { SqlJobStore } from "../../src/index.ts"

/** A database that several clients and processes can open. */
export type Place =
  | { readonly kind: "sqlite"; readonly filename: string }
  | {
      readonly kind: "postgres"
      readonly url: string
      readonly prefix: string
      /** Connections of one client; 8 unless given. */
      readonly connections?: number
    }

/** A client of its own on a database, for each build. */
export const open = (place: Place): Layer.Layer<JobStore, JobStoreError | SqlError.SqlError> =>
  Layer.fresh(
    place.kind === "sqlite"
      ? SqlJobStore.layerSqlite({ filename: place.filename, synchronous: "normal" })
      : SqlJobStore.layer({ prefix: place.prefix }).pipe(Layer.provide(client(place)))
  )

/** The driver alone, for what a test asks by SQL. */
export const client = (place: Extract<Place, { kind: "postgres" }>) =>
  PgClient.layer({ url: Redacted.make(place.url), maxConnections: place.connections ?? 8 })
