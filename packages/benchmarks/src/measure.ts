/** Times functions side by side, in CPU time. */

/** A function to time: it is called with the number of the call. */
export type Subject = (call: number) => unknown

export interface Options {
  /** A few seconds in all: shows that the benchmark runs, its figures mean nothing. */
  readonly quick: boolean
  /** As many rows as there is patience for, whatever time it takes. */
  readonly full: boolean
}

let sink: unknown

/**
 * CPU time of this process in nanoseconds, which other programs on the machine do not lengthen as they do the clock's. It counts the
 * collector's threads too. That of the thread alone would tick each 4 ms on Linux, this one each microsecond.
 */
const spent = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) * 1000
}

const time = (subject: Subject, from: number, calls: number): number => {
  const started = spent()
  for (let call = from; call < from + calls; call++) sink = subject(call)
  return spent() - started
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export const geometricMean = (values: ReadonlyArray<number>): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

/** The value that so many of a hundred are not above. */
export const percentile = (sorted: ReadonlyArray<number>, percent: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1))]!

/** How long and how often each subject is timed: nanoseconds of warm-up and of a round, and rounds. */
export interface Budget {
  readonly warmUp: number
  /** The warm-up has so many calls at least, in which zones are read for all years. */
  readonly warmUpCalls: number
  readonly round: number
  readonly rounds: number
}

export const budgetOf = ({ quick }: Options): Budget =>
  quick
    ? { warmUp: 5e6, warmUpCalls: 256, round: 2e6, rounds: 2 }
    : { warmUp: 1e8, warmUpCalls: 256, round: 1.5e7, rounds: 5 }

/**
 * Nanoseconds of CPU time of a call for each subject and round. The subjects take turns in each round, so that what else the machine
 * does meets them alike, and each has as many calls as take about the same time.
 *
 * A round goes on until it has taken a fourth of its time by the clock of the CPU, however coarsely that one ticks, so none is
 * measured as nothing.
 */
export const rounds = <K extends string>(
  subjects: Readonly<Record<K, Subject>>,
  budget: Budget
): Readonly<Record<K, ReadonlyArray<number>>> => {
  const names = Object.keys(subjects) as Array<K>
  const calls = new Map<K, number>()
  const at = new Map<K, number>()
  const out = {} as Record<K, Array<number>>
  for (const name of names) {
    // The first calls are slow, while code is compiled and zones are read.
    let from = 0
    for (let taken = 0; (taken < budget.warmUp || from < budget.warmUpCalls) && from < 4096; from += 4) {
      taken += time(subjects[name], from, 4)
    }
    // A number of calls is enough when they take long enough twice.
    let count = 4
    for (let enough = 0; enough < 2;) {
      const taken = time(subjects[name], from, count)
      from += count
      if (taken >= budget.round / 2) enough++
      else {
        enough = 0
        count = taken < budget.round / 16 ? count * 4 : Math.ceil((count * budget.round) / taken)
      }
    }
    calls.set(name, count)
    at.set(name, from)
    out[name] = []
  }
  for (let round = 0; round < budget.rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      let taken = 0
      let done = 0
      while (taken < budget.round / 4) {
        taken += time(subjects[name], at.get(name)! + done, calls.get(name)!)
        done += calls.get(name)!
      }
      out[name].push(taken / done)
      at.set(name, at.get(name)! + done)
    }
  }
  if (sink === rounds) throw new Error("unreachable: keeps the results alive")
  return out
}

/** How many times slower the peer is than ours, round by round. */
export const ratios = (peer: ReadonlyArray<number>, ours: ReadonlyArray<number>): ReadonlyArray<number> =>
  peer.map((value, index) => value / ours[index]!)

export const spread = (values: ReadonlyArray<number>, unit = "x"): string => {
  const digits = median(values) < 10 ? 1 : 0
  return `${median(values).toFixed(digits)}${unit} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`
}

export const nanos = (value: number): string =>
  value < 1000
    ? `${value.toFixed(0)} ns`
    : value < 1e6
      ? `${(value / 1e3).toFixed(2)} µs`
      : `${(value / 1e6).toFixed(2)} ms`

/** Milliseconds as a table shows them. */
export const millis = (value: number): string =>
  value < 10 ? `${value.toFixed(2)} ms` : value < 10_000 ? `${value.toFixed(0)} ms` : `${(value / 1e3).toFixed(1)} s`
