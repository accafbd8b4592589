import { Effect } from "effect"
import { JobStoreError } from "effect-scheduler/JobStore"
import { Migrator, SqlClient, type SqlError } from "effect/sql"
import { defaultBusyWait, retryWhileBusy } from "./sqlite/busy.ts"
import { schemaV1 } from "./sqlite/schema.ts"
import { toStoreError } from "./storeError.ts"
import { dataTables, type Tables } from "./tables.ts"

const versions: ReadonlyArray<readonly [name: string, statements: (tables: Tables) => ReadonlyArray<string>]> = [
  ["effect_scheduler", schemaV1]
]

/** The version of the schema that this release works on. */
const latest = versions.length

/** Migrations by their names, for a migrator of one's own. */
export const migrationsOf = (
  tables: Tables
): Record<string, Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient>> =>
  Object.fromEntries(
    versions.map(([name, statements], index) => [
      `${String(index + 1).padStart(4, "0")}_${name}`,
      Effect.gen(function* () {
        const sql = (yield* SqlClient.SqlClient).withoutTransforms()
        for (const text of statements(tables)) yield* sql.unsafe(text)
      })
    ])
  )

/** What is there: nothing, the store's tables in a version, or something of someone else's. */
type Found = { readonly version: number } | { readonly foreign: string }

const find = (client: SqlClient.SqlClient, tables: Tables): Effect.Effect<Found, SqlError.SqlError> =>
  Effect.gen(function* () {
    const names = [tables.migrations, ...dataTables(tables)]
    const rows = yield* client.unsafe(
      `select name from sqlite_master where lower(name) in (${names.map(() => "lower(?)").join(", ")})`,
      names
    ).values
    if (rows.length === 0) return { version: 0 }
    const found = rows.map((row) => row[0] as string)
    if (!found.includes(tables.migrations)) return { foreign: found[0]! }
    const columns = yield* client.unsafe(`select name from pragma_table_info(?)`, [tables.migrations]).values
    const isOurs = ["migration_id", "name", "created_at"].every((name) => columns.some((column) => column[0] === name))
    if (!isOurs) return { foreign: tables.migrations }
    const applied = yield* client.unsafe(`select migration_id, name from ${tables.migrations} order by migration_id`)
      .values
    if (applied.length === 0) return found.length === 1 ? { version: 0 } : { foreign: found[0]! }
    if (applied[0]![1] !== versions[0]![0]) return { foreign: tables.migrations }
    const missing = dataTables(tables).find((name) => !found.includes(name))
    if (missing !== undefined) return { foreign: `${tables.migrations} without ${missing}` }
    return { version: Number(applied[applied.length - 1]![0]) }
  })

/** Brings the schema to this release's version, or says why it is not. With `migrate: false` it changes nothing. */
export const prepareSchema = (
  client: SqlClient.SqlClient,
  tables: Tables,
  options: { readonly migrate: boolean; readonly description: string }
): Effect.Effect<void, JobStoreError> =>
  Effect.gen(function* () {
    const { description, migrate } = options
    const refuse = (reason: "SchemaNewer" | "SchemaMissing", message: string) =>
      new JobStoreError({ reason, method: "open", message: `${description}: ${message}` })
    const translate = Effect.mapError((error: unknown) => toStoreError("open", description, error))
    const retry = retryWhileBusy(defaultBusyWait)
    const found = yield* find(client, tables).pipe(retry, translate)
    if ("foreign" in found) {
      return yield* refuse(
        "SchemaMissing",
        `the table ${found.foreign} was not made by effect-scheduler; give the store another prefix than "${tables.prefix}"`
      )
    }
    if (found.version > latest) {
      return yield* refuse(
        "SchemaNewer",
        `the tables are of version ${found.version}, this release knows ${latest}; use a newer release`
      )
    }
    if (found.version === latest) return
    if (!migrate) {
      return yield* refuse(
        "SchemaMissing",
        found.version === 0
          ? `there are no tables with the prefix "${tables.prefix}"; run the migrations`
          : `the tables are of version ${found.version}, this release needs ${latest}; run the migrations`
      )
    }
    yield* Migrator.make({})({ loader: Migrator.fromRecord(migrationsOf(tables)), table: tables.migrations }).pipe(
      Effect.provideService(SqlClient.SqlClient, client),
      Effect.provideService(SqlClient.BeginTransaction, "BEGIN IMMEDIATE"),
      // A failed migration is told by what failed in it.
      Effect.catchTag("MigrationError", (error) => Effect.fail((error.cause ?? error) as SqlError.SqlError)),
      retry,
      translate
    )
  })
