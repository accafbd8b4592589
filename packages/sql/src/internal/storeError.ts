import { Predicate } from "effect"
import { JobStoreError, type JobStoreReason } from "effect-scheduler/JobStore"
import { type SqlError, isSqlError } from "effect/sql/SqlError"
import { Code, extendedCode, primaryCode } from "./sqlite/errors.ts"

/** SQLITE_READONLY_DBMOVED: the file was moved or deleted since it was opened. */
const databaseMoved = 1032

const reasonOfCode = (cause: unknown): typeof JobStoreReason.Type | undefined => {
  switch (primaryCode(cause)) {
    case Code.busy:
    case Code.locked:
      return "Busy"
    case Code.readonly:
      return extendedCode(cause) === databaseMoved ? "Unavailable" : "ReadOnly"
    case Code.corrupt:
    case Code.notADatabase:
      return "Corrupt"
    case Code.full:
      return "Full"
    case Code.cannotOpen:
    case Code.ioError:
      return "Unavailable"
    default:
      return undefined
  }
}

/** What a server of Postgres says by its codes, as far as the driver does not say it. */
const reasonOfState = (state: string): typeof JobStoreReason.Type | undefined => {
  switch (state) {
    case "25006": // a read-only transaction, as on a standby
      return "ReadOnly"
    case "53100": // disk full
      return "Full"
    case "3D000": // no such database
      return "Unavailable"
    case "42P01": // no such table
    case "42703": // no such column
    case "3F000": // no such schema
      return "SchemaMissing"
    case "42501":
      return "Forbidden"
    case "55P03":
      return "Busy"
    case "57014":
      return "Timeout"
    case "XX001":
    case "XX002": // corrupted data, a corrupted index
      return "Corrupt"
    default:
  }
  switch (state.slice(0, 2)) {
    case "08": // connection
    case "53": // out of connections, of memory
    case "57": // shutting down, starting up
    case "58": // a file or the system
      return "Unavailable"
    case "23": // what another transaction has just inserted
    case "40":
      return "Conflict"
    case "28":
      return "Forbidden"
    default:
      return undefined
  }
}

/** The code of a server's error, which is five letters and digits, wherever the driver keeps it. */
const stateOf = (cause: unknown): string | undefined => {
  for (let at = cause, depth = 0; Predicate.isObject(at) && depth < 4; depth++) {
    const code: unknown = "code" in at ? at.code : undefined
    if (typeof code === "string" && /^[0-9A-Z]{5}$/.test(code)) return code
    at = "cause" in at ? at.cause : undefined
  }
  return undefined
}

const reasonOf = (error: SqlError): typeof JobStoreReason.Type => {
  const { reason } = error
  switch (reason._tag) {
    case "LockTimeoutError":
      return "Busy"
    case "DeadlockError":
    case "SerializationError":
      return "Conflict"
    case "StatementTimeoutError":
      return "Timeout"
    default:
  }
  const state = stateOf(reason.cause)
  const known = state === undefined ? reasonOfCode(reason.cause) : reasonOfState(state)
  if (known !== undefined) return known
  if (/no such (table|column)/i.test(messageOf(error))) return "SchemaMissing"
  switch (reason._tag) {
    case "ConnectionError":
      return "Unavailable"
    case "AuthenticationError":
    case "AuthorizationError":
      return "Forbidden"
    default:
      return "Unknown"
  }
}

/** The message of SQLite, which some drivers keep in the cause behind one of their own. */
const messageOf = (error: SqlError): string => {
  const { cause } = error.reason
  const inner = cause instanceof Error ? cause.message : undefined
  return inner === undefined || error.message.includes(inner) ? error.message : `${error.message}: ${inner}`
}

/** What can be done about what does not pass by itself. */
const remedy: Partial<Record<typeof JobStoreReason.Type, string>> = {
  ReadOnly: "give the store what it may write to: on Postgres the primary",
  Full: "make room on its disk",
  Corrupt: "restore it from a copy"
}

/** What whoever starts a program can do about it. */
const advice: Partial<Record<typeof JobStoreReason.Type, string>> = {
  Unavailable: "is the server running, and are host, port and database right?",
  Forbidden:
    "are user and password right, and may the role use the schema and create tables in it? Else have another role run the migrations (SqlJobStore.layerMigrations), grant this one select, insert, update and delete on the tables, and use SqlJobStore.layerStorage"
}

/** What went wrong when a store on a server was opened, with what to do about it. */
export const toOpenError = (where: string, error: unknown): JobStoreError => {
  const known = toStoreError("open", where, error)
  const hint = advice[known.reason]
  return hint === undefined ? known : new JobStoreError({ ...known, message: `${known.message}; ${hint}` })
}

/** What went wrong in a method of the store, as its callers know it. */
export const toStoreError = (method: string, where: string, error: unknown): JobStoreError =>
  isSqlError(error)
    ? known(method, where, error)
    : new JobStoreError({ reason: "Unknown", method, message: `${where}: ${String(error)}`, cause: error })

const known = (method: string, where: string, error: SqlError): JobStoreError => {
  const reason = reasonOf(error)
  const hint = remedy[reason]
  const message = `${where}: ${messageOf(error)}${hint === undefined ? "" : `; ${hint}`}`
  return new JobStoreError({ reason, method, message, cause: error })
}
