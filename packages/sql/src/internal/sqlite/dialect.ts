import { Effect } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Dialect } from "../dialect.ts"
import { toStoreError } from "../storeError.ts"
import { dataTables, makeTables } from "../tables.ts"
import { defaultBusyWait, retryWhileBusy } from "./busy.ts"
import { schemaV1 } from "./schema.ts"
import { makeSqliteStore } from "./store.ts"

/** The file of the main database, or undefined where it is in memory. */
const databaseFile = (client: SqlClient) =>
  Effect.map(
    client.unsafe("pragma database_list").values,
    (rows) => (rows.find((row) => row[1] === "main")?.[2] as string | undefined) || undefined
  )

export const sqlite: Dialect = {
  inspect: (client) =>
    databaseFile(client).pipe(
      Effect.map((file) => ({
        description: file === undefined ? "sqlite in memory" : `sqlite ${file}`,
        shared: file !== undefined
      })),
      Effect.mapError((error) => toStoreError("open", "sqlite", error))
    ),
  tables: makeTables,
  dataTables,
  steps: [schemaV1],
  present: (client, names) =>
    Effect.map(
      client.unsafe(
        `select name from sqlite_master where lower(name) in (${names.map(() => "lower(?)").join(", ")})`,
        names
      ).values,
      (rows) => rows.map((row) => row[0] as string)
    ),
  columns: (client, table) =>
    Effect.map(client.unsafe(`select name from pragma_table_info(?)`, [table]).values, (rows) =>
      rows.map((row) => row[0] as string)
    ),
  begin: "BEGIN IMMEDIATE",
  openError: (description, error) => toStoreError("open", description, error),
  retry: retryWhileBusy(defaultBusyWait),
  make: ({ client, notify, server, tables }) => makeSqliteStore({ client, tables, notify, ...server })
}
