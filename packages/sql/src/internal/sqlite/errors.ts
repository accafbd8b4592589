import { Predicate } from "effect"
import {
  AuthorizationError,
  classifySqliteError,
  ConnectionError,
  SqlError,
  type SqlErrorReason,
  UniqueViolation
} from "effect/sql/SqlError"

/** The primary result codes of SQLite that mean something of their own to a store. */
export const Code = {
  busy: 5,
  locked: 6,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  schema: 17,
  notADatabase: 26,
  constraintPrimaryKey: 1555
} as const

const names: Record<string, number> = {
  SQLITE_BUSY: Code.busy,
  SQLITE_LOCKED: Code.locked,
  SQLITE_READONLY: Code.readonly,
  SQLITE_IOERR: Code.ioError,
  SQLITE_CORRUPT: Code.corrupt,
  SQLITE_FULL: Code.full,
  SQLITE_CANTOPEN: Code.cannotOpen,
  SQLITE_SCHEMA: Code.schema,
  SQLITE_NOTADB: Code.notADatabase
}

/** The extended result code, however a driver spells it: `errcode` (Node), `errno`, a number or a name in `code`. */
export const extendedCode = (cause: unknown): number | undefined => {
  if (Predicate.hasProperty(cause, "errcode") && typeof cause.errcode === "number") return cause.errcode
  if (Predicate.hasProperty(cause, "errno") && typeof cause.errno === "number") return cause.errno
  if (!Predicate.hasProperty(cause, "code")) return undefined
  const { code } = cause
  if (typeof code === "number") return code
  if (typeof code !== "string") return undefined
  return names[code] ?? Object.entries(names).find(([name]) => code.startsWith(`${name}_`))?.[1]
}

/** The result code without its extension. */
export const primaryCode = (cause: unknown): number | undefined => {
  const code = extendedCode(cause)
  return code === undefined ? undefined : code & 0xff
}

const messageOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "message") && typeof cause.message === "string" ? cause.message : String(cause)

/** What Node throws for an error of SQLite, as a reason. */
const classify = (cause: unknown, operation: string, message: string): SqlErrorReason => {
  const code = extendedCode(cause)
  if (code === Code.constraintPrimaryKey) {
    const constraint = /UNIQUE constraint failed: (.+)$/.exec(messageOf(cause))?.[1] ?? "primary key"
    return new UniqueViolation({ cause, message, operation, constraint })
  }
  switch (primaryCode(cause)) {
    case Code.readonly:
      return new AuthorizationError({ cause, message, operation })
    case Code.ioError:
      return new ConnectionError({ cause, message, operation })
    default:
      return classifySqliteError(Object.assign(Object(cause), { errno: code }), { message, operation })
  }
}

/** Whether SQLite said no, as opposed to a defect of whoever called it. */
export const isSqliteError = (cause: unknown): boolean =>
  Predicate.hasProperty(cause, "errcode") && typeof cause.errcode === "number"

export const toSqlError = (cause: unknown, operation: string, where?: string): SqlError => {
  const text = messageOf(cause)
  return new SqlError({ reason: classify(cause, operation, where === undefined ? text : `${where}: ${text}`) })
}

/** Whether another connection holds a lock: the statement did nothing, and may be sent again outside a transaction. */
export const isBusy = (error: SqlError): boolean => error.reason._tag === "LockTimeoutError"

/** The file of an open database is not the one that its path names any more. */
export const goneError = (filename: string): SqlError =>
  new SqlError({
    reason: new ConnectionError({
      cause: undefined,
      operation: "acquire",
      message: `the database file ${filename} was deleted or replaced while it was open`
    })
  })
