/** Times functions side by side, in CPU time. */
import { print } from "./report.ts"

export { print } from "./report.ts"

/** A function to time: it is called with the number of the call. */
export type Subject = (call: number) => unknown

export interface Options {
  /** A few seconds in all: shows that the benchmark runs, its figures mean nothing. */
  readonly quick: boolean
}

let sink: unknown

/** CPU time of this thread in nanoseconds, which other programs on the machine do not lengthen as they do the clock's. */
const spentByThread = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) * 1000
}

const time = (subject: Subject, from: number, calls: number): number => {
  const started = spentByThread()
  for (let call = from; call < from + calls; call++) sink = subject(call)
  return spentByThread() - started
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Nanoseconds of CPU time of a call for each subject and round. The subjects take turns in each round, so that what else the machine
 * does meets them alike, and each has as many calls as take about the same time.
 */
export const rounds = <K extends string>(
  subjects: Readonly<Record<K, Subject>>,
  options: Options
): Readonly<Record<K, ReadonlyArray<number>>> => {
  const budget = options.quick ? 1e7 : 4e7
  const names = Object.keys(subjects) as Array<K>
  const calls = new Map<K, number>()
  const at = new Map<K, number>()
  const out = {} as Record<K, Array<number>>
  for (const name of names) {
    // The first calls are slow: a number of calls is enough when they take long enough twice.
    let count = 4
    let from = 0
    for (let enough = 0; enough < 2;) {
      const spent = time(subjects[name], from, count)
      from += count
      if (spent >= budget / 2) enough++
      else {
        enough = 0
        count = spent < budget / 16 ? count * 4 : Math.ceil((count * budget) / spent)
      }
    }
    calls.set(name, count)
    at.set(name, from)
    out[name] = []
  }
  for (let round = 0; round < (options.quick ? 2 : 9); round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const count = calls.get(name)!
      out[name].push(time(subjects[name], at.get(name)!, count) / count)
      at.set(name, at.get(name)! + count)
    }
  }
  if (sink === rounds) throw new Error("unreachable: keeps the results alive")
  return out
}

/** How many times slower the peer is than ours, round by round. */
export const ratios = (peer: ReadonlyArray<number>, ours: ReadonlyArray<number>): ReadonlyArray<number> =>
  peer.map((value, index) => value / ours[index]!)

export const spread = (values: ReadonlyArray<number>): string => {
  const digits = median(values) < 10 ? 1 : 0
  return `${median(values).toFixed(digits)}x (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`
}

export const nanos = (value: number): string =>
  value < 1000
    ? `${value.toFixed(0)} ns`
    : value < 1e6
      ? `${(value / 1e3).toFixed(2)} µs`
      : `${(value / 1e6).toFixed(2)} ms`

export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): void => {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: ReadonlyArray<string>) => cells.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")
  print(line(head).trimEnd())
  print(widths.map((width) => "-".repeat(width)).join("  "))
  for (const row of rows) print(line(row).trimEnd())
  print("")
}
