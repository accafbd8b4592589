/** Records what a store sends to SQLite, to run the very same statements again in a raw loop. */
import { DatabaseSync, type SQLInputValue, StatementSync } from "node:sqlite"

interface Call {
  readonly text: string
  readonly method: "all" | "run" | "get" | "exec"
  readonly params: ReadonlyArray<SQLInputValue>
}

export interface Recording {
  /** The pragmas of the last connection that was opened, in their order. */
  readonly settings: Array<string>
  readonly calls: Array<Call>
  isOn: boolean
}

/** Watches every connection that is opened in this process from now on. */
export const record = (): Recording => {
  const recording: Recording = { settings: [], calls: [], isOn: false }
  const { exec, prepare } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function (text) {
    if (recording.isOn) recording.calls.push({ text, method: "exec", params: [] })
    else if (/^\s*pragma/i.test(text)) recording.settings.push(text)
    return exec.call(this, text)
  }
  DatabaseSync.prototype.prepare = function (text) {
    return watched(prepare.call(this, text), (method, params) => {
      if (recording.isOn) recording.calls.push({ text, method, params: params as ReadonlyArray<SQLInputValue> })
    })
  }
  return recording
}

const watched = (
  statement: StatementSync,
  tell: (method: "all" | "run" | "get", params: ReadonlyArray<unknown>) => void
): StatementSync => {
  for (const method of ["all", "run", "get"] as const) {
    const original = statement[method].bind(statement) as (...params: ReadonlyArray<unknown>) => unknown
    Object.defineProperty(statement, method, {
      value: (...params: ReadonlyArray<unknown>) => {
        tell(method, params)
        return original(...params)
      }
    })
  }
  return statement
}

/** The raw loop: prepared statements, one after another. */
export const replay = (db: DatabaseSync, calls: ReadonlyArray<Call>): void => {
  const statements = new Map<string, StatementSync>()
  for (const { method, params, text } of calls) {
    if (method === "exec") {
      db.exec(text)
      continue
    }
    let statement = statements.get(text)
    if (statement === undefined) {
      statement = db.prepare(text)
      statement.setReturnArrays(true)
      statements.set(text, statement)
    }
    statement[method](...params)
  }
}
