import { Effect } from "effect"
import { JobStoreError } from "effect-scheduler/JobStore"
import { Migrator, SqlClient, type SqlError } from "effect/sql"
import type { Dialect } from "./dialect.ts"
import type { Tables } from "./tables.ts"

/**
 * The steps from one version of the schema to the next, which every dialect has in its own words. A later one is named
 * `expand_…` where releases that do not know it can go on beside it (it adds what they do not miss), and `contract_…` where
 * they cannot: it comes in a release after the one that no longer needs what it takes away.
 */
const steps = ["effect_scheduler"] as const

/** The version of the schema that this release works on. */
const latest = steps.length

type Migrations = Record<string, Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient>>

/** Migrations by their names, for a migrator of one's own. */
export const migrationsOf = (
  of: (client: SqlClient.SqlClient) => { readonly dialect: Dialect; readonly tables: Tables }
): Migrations =>
  Object.fromEntries(
    steps.map((name, index) => [
      `${String(index + 1).padStart(4, "0")}_${name}`,
      Effect.gen(function* () {
        const sql = (yield* SqlClient.SqlClient).withoutTransforms()
        const { dialect, tables } = of(sql)
        for (const text of dialect.steps[index]!(tables)) yield* sql.unsafe(text)
      })
    ])
  )

/** What is there: nothing, the store's tables in a version, or something of someone else's. */
type Found =
  | {
      readonly version: number
      /** Steps beyond those that this release knows. */
      readonly unknown: ReadonlyArray<string>
    }
  | { readonly foreign: string }

const nothing: Found = { version: 0, unknown: [] }

const find = (client: SqlClient.SqlClient, dialect: Dialect, tables: Tables): Effect.Effect<Found, SqlError.SqlError> =>
  Effect.gen(function* () {
    const expected = dialect.dataTables(tables)
    const found = yield* dialect.present(client, [tables.migrations, ...expected])
    if (found.length === 0) return nothing
    if (!found.includes(tables.migrations)) return { foreign: found[0]! }
    const columns = yield* dialect.columns(client, tables.migrations)
    if (!["migration_id", "name", "created_at"].every((name) => columns.includes(name))) {
      return { foreign: tables.migrations }
    }
    const applied = yield* client.unsafe(`select migration_id, name from ${tables.migrations} order by migration_id`)
      .values
    if (applied.length === 0) return found.length === 1 ? nothing : { foreign: found[0]! }
    if (applied[0]![1] !== steps[0]) return { foreign: tables.migrations }
    // Asked again: another process may have made them since.
    const present = yield* dialect.present(client, expected)
    const missing = expected.find((name) => !present.includes(name))
    if (missing !== undefined) return { foreign: `${tables.migrations} without ${missing}` }
    const unknown = applied.filter((row) => Number(row[0]) > latest).map((row) => String(row[1]))
    return { version: Number(applied[applied.length - 1]![0]), unknown }
  })

/** Brings the schema to this release's version, or says why it is not. With `migrate: false` it changes nothing. */
export const prepareSchema = (
  client: SqlClient.SqlClient,
  dialect: Dialect,
  tables: Tables,
  options: { readonly migrate: boolean; readonly description: string }
): Effect.Effect<void, JobStoreError> =>
  Effect.gen(function* () {
    const { description, migrate } = options
    const refuse = (reason: "SchemaNewer" | "SchemaMissing", message: string) =>
      new JobStoreError({ reason, method: "open", message: `${description}: ${message}` })
    const translate = Effect.mapError((error: unknown) => dialect.openError(description, error))
    const found = yield* find(client, dialect, tables).pipe(dialect.retry, translate)
    if ("foreign" in found) {
      return yield* refuse(
        "SchemaMissing",
        `the table ${found.foreign} was not made by effect-scheduler's migrations as ${tables.migrations} records them; give the store another prefix than "${tables.prefix}", or a migrator of your own the table "${tables.migrations}"`
      )
    }
    if (found.version > latest) {
      if (!found.unknown.every((name) => name.startsWith("expand_"))) {
        return yield* refuse(
          "SchemaNewer",
          `the tables are of version ${found.version}, this release knows ${latest}; use a newer release`
        )
      }
      return yield* Effect.logWarning(
        `${description}: the tables are of version ${found.version}, made by a newer release; this one goes on with what it knows of them (version ${latest})`
      )
    }
    if (found.version === latest) return
    if (!migrate) {
      return yield* refuse(
        "SchemaMissing",
        found.version === 0
          ? `there are no tables with the prefix "${tables.prefix}"; run the migrations (SqlJobStore.layerMigrations, or SqlJobStore.layer instead of layerStorage)`
          : `the tables are of version ${found.version}, this release needs ${latest}; run the migrations (SqlJobStore.layerMigrations)`
      )
    }
    const loader = Migrator.fromRecord(migrationsOf(() => ({ dialect, tables })))
    yield* Migrator.make({})({ loader, table: tables.migrations }).pipe(
      Effect.provideService(SqlClient.SqlClient, client),
      Effect.provideService(SqlClient.BeginTransaction, dialect.begin),
      // A failed migration is told by what failed in it.
      Effect.catchTag("MigrationError", (error) => Effect.fail((error.cause ?? error) as SqlError.SqlError)),
      dialect.retry,
      translate
    )
  })
