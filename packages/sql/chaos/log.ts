/** What a process writes down as it happens, with a synchronous write, so that no end of the process loses a line. */
import { openSync, readdirSync, readFileSync, writeSync } from "node:fs"
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

/** Whether a process has begun to execute. */
export const isBusy = (folder: string, pid: number): boolean =>
  readdirSync(folder).includes(`${pid}.log`) && readFileSync(join(folder, `${pid}.log`), "utf8").includes('"Begin"')
