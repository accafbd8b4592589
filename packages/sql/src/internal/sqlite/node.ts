// The one module that knows Node: its SQLite, and what a path names. The embedded client is made for Node alone.
// @effect-diagnostics nodeBuiltinImport:off
import { statSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Value } from "../values.ts"

/** What is used of a prepared statement. */
export interface PreparedStatement {
  readonly all: (...params: ReadonlyArray<Value>) => ReadonlyArray<unknown>
  readonly run: (...params: ReadonlyArray<Value>) => unknown
  readonly columns: () => ReadonlyArray<unknown>
  readonly setReturnArrays: (enabled: boolean) => void
  readonly setReadBigInts: (enabled: boolean) => void
}

/** What is used of an open database, without the types of Node, which those who compile against this may not have. */
export interface Database {
  readonly isTransaction: boolean
  readonly exec: (text: string) => void
  readonly prepare: (text: string) => PreparedStatement
  readonly close: () => void
}

/** Opens a file, which throws what is wrong with it as far as SQLite sees it without reading. */
export const open = (options: {
  readonly filename: string
  readonly readonly: boolean
  readonly timeout: number
}): Database => new DatabaseSync(options.filename, { readOnly: options.readonly, timeout: options.timeout })

/** What identifies the file that a path names now, or undefined where there is none. */
export const identify = (path: string): string | undefined => {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}

/** Why a path cannot be opened as a database, in words, where the path tells. */
export const describePath = (path: string): string | undefined => {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true) return "it is a directory"
  if (stat !== undefined) return undefined
  return statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() === true
    ? undefined
    : `there is no folder ${dirname(path)}`
}
