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
  const known = reasonOfCode(reason.cause)
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

/** What went wrong in a method of the store, as its callers know it. */
export const toStoreError = (method: string, where: string, error: unknown): JobStoreError =>
  isSqlError(error)
    ? new JobStoreError({ reason: reasonOf(error), method, message: `${where}: ${messageOf(error)}`, cause: error })
    : new JobStoreError({ reason: "Unknown", method, message: `${where}: ${String(error)}`, cause: error })
