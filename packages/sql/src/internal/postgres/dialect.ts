import { Effect, Predicate, Schedule } from "effect"
import { JobStoreError } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Dialect } from "../dialect.ts"
import { toOpenError } from "../storeError.ts"
import { dataTables, makeTables } from "../tables.ts"
import { begin } from "./database.ts"
import { schemaV1 } from "./schema.ts"
import { makePostgresStore } from "./store.ts"

/** The oldest server that is tested for; what is used has been there since 12. */
const oldestVersion = 13

/** Heart and listener hold a connection each: with fewer than two beside them a handler that holds one could stop all. */
const smallestPool = 4

/** What a pool of Postgres has that was not told otherwise. */
const usualPool = 10

/** For a claim, a report and whatever else is asked meanwhile: at most half of what a pool has beyond the smallest. */
const mostOwn = 3

const refuse = (message: string): JobStoreError => new JobStoreError({ reason: "Unsupported", method: "open", message })

/** The size of a client's pool, where it says one. */
const poolOf = (client: SqlClient): number | undefined => {
  const config = Predicate.hasProperty(client, "config") ? client.config : undefined
  const size = Predicate.hasProperty(config, "maxConnections") ? config.maxConnections : undefined
  return typeof size === "number" ? size : undefined
}

const inspected = Effect.fnUntraced(function* (client: SqlClient) {
  const [row] = yield* client
    .unsafe(`select current_database(), current_setting('server_version_num')::int, current_setting('server_version')`)
    .values.pipe(Effect.mapError((error) => toOpenError("postgres", error)))
  const [database, version, text] = row as readonly [string, number, string]
  const description = `postgres ${database}`
  if (version < oldestVersion * 10_000) {
    return yield* refuse(`${description}: the server is PostgreSQL ${text}; ${oldestVersion} or newer is needed`)
  }
  return { description, shared: true }
})

const isContention = ({ reason }: SqlError): boolean =>
  reason._tag === "DeadlockError" ||
  reason._tag === "SerializationError" ||
  reason._tag === "LockTimeoutError" ||
  // Two processes that make the same table at the same time.
  reason._tag === "UniqueViolation"

const schedule = Schedule.exponential("20 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 8 }))

export const postgres: Dialect = {
  inspect: inspected,
  // Unquoted names are in lower case.
  tables: (prefix) => makeTables(prefix.toLowerCase()),
  dataTables: (tables) => [...dataTables(tables), tables.limits],
  steps: [schemaV1],
  present: (client, names) =>
    Effect.map(
      client.unsafe(
        `select relname::text from pg_class where relname in (${names
          .map((_, index) => `$${index + 1}`)
          .join(", ")}) and relkind in ('r', 'p', 'v', 'm', 'f') and pg_table_is_visible(oid)`,
        names
      ).values,
      (rows) => rows.map((row) => row[0] as string)
    ),
  columns: (client, table) =>
    Effect.map(
      client.unsafe(
        `select attname::text from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
        [table]
      ).values,
      (rows) => rows.map((row) => row[0] as string)
    ),
  begin,
  openError: toOpenError,
  retry: (effect) => Effect.retry(effect, { schedule, while: isContention }),
  make: Effect.fnUntraced(function* ({ believesCallers, client, notify, server, tables }) {
    const { description } = server
    const pool = poolOf(client)
    if (pool !== undefined && pool < smallestPool) {
      return yield* refuse(
        `${description}: the client's pool has ${pool} connections; give it at least ${smallestPool} (maxConnections), of which the store keeps two to itself`
      )
    }
    return yield* makePostgresStore({
      client,
      tables,
      description,
      believesCallers,
      ownConnections: Math.min(mostOwn, Math.floor(((pool ?? usualPool) - smallestPool) / 2)),
      notify
    })
  })
}
