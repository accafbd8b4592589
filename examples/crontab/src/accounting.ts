/**
 * Counts again, from the text of a crontab and from rows of history alone, whether each nominal time was decided exactly
 * once: one run, or one of the times of a range that was counted as missed, skipped, dropped or paused.
 */
import { DateTime, Schema } from "effect"
import { Trigger } from "effect-scheduler"
import type { Entry } from "./Crontab.ts"
import type { History, RangeRow, RunRow } from "./history.ts"

/**
 * What became of the nominal times of one line.
 */
export interface Account {
  readonly entry: Entry
  readonly nominal: number
  readonly runs: number
  readonly succeeded: number
  readonly failed: number
  readonly missed: number
  readonly skipped: number
  readonly recovered: number
}

export interface Accounting {
  readonly accounts: ReadonlyArray<Account>
  /** Each nominal time that is not accounted for exactly once, and each row that is of none, in words. */
  readonly faults: ReadonlyArray<string>
}

/**
 * Instants of which it is known from elsewhere that each nominal time between them, both included, must be found.
 */
export const Window = Schema.Struct({ from: Schema.Finite, to: Schema.Finite })

export type Window = typeof Window.Type

export const account = (entries: ReadonlyArray<Entry>, history: History, window?: Window): Accounting => {
  const faults: Array<string> = []
  const accounts = entries.map((entry) => {
    const runs = history.runs.filter((run) => run.entry === entry.id)
    const ranges = history.ranges.filter((range) => range.entry === entry.id)
    const times = entry.trigger === "reboot" ? [] : expected(entry.trigger, runs, ranges, window)
    if (entry.trigger !== "reboot") {
      faults.push(...check(times, runs, ranges).map((fault) => `line ${entry.line}: ${fault}`))
    }
    return summary(entry, times, runs, ranges)
  })
  const known = new Set(entries.map(({ id }) => id))
  const strangers = [...history.runs, ...history.ranges].filter(({ entry }) => !known.has(entry))
  if (strangers.length > 0) faults.push(`${strangers.length} rows of lines that are not in the crontab`)
  return { accounts, faults }
}

/** The nominal times between the first and the last that is known of. */
const expected = (
  trigger: Trigger.Trigger,
  runs: ReadonlyArray<RunRow>,
  ranges: ReadonlyArray<RangeRow>,
  window: Window | undefined
): ReadonlyArray<number> => {
  const known = [
    ...runs.map(({ nominal }) => nominal),
    ...ranges.flatMap(({ first, last }) => [first, last]),
    ...(window === undefined ? [] : [window.from, window.to])
  ].filter((instant) => instant !== null)
  if (known.length === 0) return []
  return Array.from(Trigger.between(trigger, Math.min(...known), Math.max(...known)), DateTime.toEpochMillis)
}

const check = (
  times: ReadonlyArray<number>,
  runs: ReadonlyArray<RunRow>,
  ranges: ReadonlyArray<RangeRow>
): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const due = new Set(times)
  const ran = new Set<number>()
  for (const { nominal } of runs) {
    if (nominal === null || !due.has(nominal)) faults.push(`a run of ${instant(nominal)}, which is no time of it`)
    else if (ran.has(nominal)) faults.push(`${instant(nominal)} has more than one run`)
    else ran.add(nominal)
  }
  // Ranges may lie across each other, so a time is given to the open range that ends first: if any way of giving each
  // time to one range works out, this one does.
  const open = ranges.map((range) => ({ ...range, left: range.count }))
  for (const time of times.filter((time) => !ran.has(time))) {
    const range = open
      .filter(({ first, last, left }) => left > 0 && first <= time && time <= last)
      .toSorted((a, b) => a.last - b.last)[0]
    if (range === undefined) faults.push(`${instant(time)} is nowhere`)
    else range.left--
  }
  for (const { count, first, kind, last, left } of open) {
    if (left > 0) faults.push(`${left} of ${count} ${kind} from ${instant(first)} to ${instant(last)} are of no time`)
  }
  return faults
}

const instant = (at: number | null): string => (at === null ? "no time" : DateTime.formatIso(DateTime.makeUnsafe(at)))

const summary = (
  entry: Entry,
  times: ReadonlyArray<number>,
  runs: ReadonlyArray<RunRow>,
  ranges: ReadonlyArray<RangeRow>
): Account => {
  const outcome = (name: string) => runs.filter((run) => run.outcome === name).length
  const counted = (name: string) =>
    ranges.filter(({ kind }) => kind === name).reduce((sum, { count }) => sum + count, 0)
  const succeeded = outcome("succeeded")
  const replaced = outcome("skipped")
  return {
    entry,
    nominal: times.length,
    runs: runs.length,
    succeeded,
    failed: runs.length - succeeded - replaced,
    missed: counted("missed"),
    skipped: counted("skipped") + replaced,
    recovered: runs.filter(({ recoveries }) => recoveries > 0).length
  }
}
