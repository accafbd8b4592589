/** What a process writes down as it happens, with a synchronous write, so that no end of the process loses a line. */
import { existsSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"

export type Line =
  | {
      readonly _tag: "Begin"
      readonly at: number
      readonly run: string
      readonly attempt: number
      readonly node: string
    }
  | { readonly _tag: "End"; readonly at: number; readonly run: string; readonly attempt: number; readonly how: string }
  /** This process is this node from now on. */
  | { readonly _tag: "Node"; readonly at: number; readonly node: string }
  /** How many reports of this process were refused so far. */
  | { readonly _tag: "Fenced"; readonly at: number; readonly count: number }
  /** Something that the scheduler said, about a node, a run or a fiber. */
  | { readonly _tag: "Event"; readonly at: number; readonly name: string; readonly subject: string }

export interface Log {
  readonly pid: number
  readonly lines: ReadonlyArray<Line>
}

export const writer = (folder: string) => {
  const fd = openSync(join(folder, `${process.pid}.log`), "a")
  return (line: Line): void => void writeSync(fd, `${JSON.stringify(line)}\n`)
}

const parse = (text: string): ReadonlyArray<Line> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line)

export const readLogs = (folder: string): ReadonlyArray<Log> =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".log"))
    .map((name) => ({ pid: Number(name.slice(0, -4)), lines: parse(readFileSync(join(folder, name), "utf8")) }))

/** When a process began to execute, if it has. */
export const busySince = (folder: string, pid: number): number | undefined => {
  const path = join(folder, `${pid}.log`)
  if (!existsSync(path)) return undefined
  // The last line may be half written.
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1)
  const first = lines.find((line) => line.includes('"Begin"'))
  return first === undefined ? undefined : (JSON.parse(first) as Line).at
}

/** Whether a process is in the middle of something. */
export const isExecuting = (folder: string, pid: number): boolean => {
  const path = join(folder, `${pid}.log`)
  const text = existsSync(path) ? readFileSync(path, "utf8") : ""
  return text.split('"Begin"').length > text.split('"End"').length
}

/** Whether a report of any process was refused so far. */
export const hasFenced = (folder: string): boolean =>
  readdirSync(folder).some(
    (name) => name.endsWith(".log") && readFileSync(join(folder, name), "utf8").includes('"_tag":"Fenced"')
  )
