/** I6 and I7: how much is executed at once, of a key, a job, a queue, and in a process. */
import { executionsOf, type Interval, intervalsOf, nameOf } from "./executions.ts"
import type { Facts, Verdict } from "./facts.ts"

/**
 * Pairs that are there at the same time, each interval with the longest one before it. An execution that began when its
 * node was dead already, by an answer that came late, is no time at all.
 */
const overlaps = (intervals: ReadonlyArray<Interval>): ReadonlyArray<readonly [Interval, Interval]> => {
  const pairs: Array<readonly [Interval, Interval]> = []
  let longest: Interval | undefined
  const sorted = intervals.filter(({ from, until }) => until > from).toSorted((a, b) => a.from - b.from)
  for (const interval of sorted) {
    if (longest !== undefined && interval.from < longest.until) pairs.push([longest, interval])
    if (longest === undefined || interval.until > longest.until) longest = interval
  }
  return pairs
}

/** The most that are there at once. */
const most = (intervals: ReadonlyArray<Interval>): number => {
  const changes = intervals
    .flatMap(({ from, until }) => [
      { at: from, by: 1 },
      { at: until, by: -1 }
    ])
    .toSorted((a, b) => a.at - b.at || a.by - b.by)
  let now = 0
  return changes.reduce((highest, { by }) => Math.max(highest, (now += by)), 0)
}

const sources = ["history", "logs"] as const

export const onePerKey = (facts: Facts): ReadonlyArray<Verdict> =>
  sources.map((source) => {
    const keyed = intervalsOf(facts, source).filter(([, { key }]) => key !== null)
    const byKey = Map.groupBy(keyed, ([, { job, key }]) => `${job} ${key}`)
    return {
      name: "I6",
      checked: `${keyed.length} executions of ${byKey.size} keys, by their times in ${source}`,
      wrong: [...byKey].flatMap(([key, entries]) =>
        overlaps(entries.map(([interval]) => interval)).map(
          ([one, other]) =>
            `${key}: ${one.name} (${one.from} to ${one.until}) and ${other.name} (${other.from} to ${other.until})`
        )
      )
    }
  })

interface Bound {
  readonly name: string
  readonly limit: number
  readonly most: number
}

const verdict = (source: string, bounds: ReadonlyArray<Bound>): Verdict => ({
  name: "I7",
  checked: `${bounds.map(({ limit, most, name }) => `${name} ${most} of ${limit}`).join(", ")}, ${source}`,
  wrong: bounds
    .filter(({ limit, most }) => most > limit)
    .map(({ limit, most, name }) => `${name}: ${most} at once, its bound is ${limit}`)
})

export const bounded = (facts: Facts): ReadonlyArray<Verdict> => {
  const { job, queue } = facts.limits
  const bounds = (count: (of: "job" | "queue", name: string) => number): ReadonlyArray<Bound> => [
    ...Object.entries(job).map(([name, limit]) => ({ name: `job ${name}`, limit, most: count("job", name) })),
    ...Object.entries(queue).map(([name, limit]) => ({ name: `queue ${name}`, limit, most: count("queue", name) }))
  ]
  const swept = sources.map((source) => {
    const intervals = intervalsOf(facts, source)
    const count = (of: "job" | "queue", name: string) =>
      most(intervals.filter(([, row]) => row[of] === name).map(([interval]) => interval))
    return verdict(`by their times in ${source}`, bounds(count))
  })
  const sampled = bounds((of, name) => mostSampled(facts, (running) => running[of] === name))
  return [...swept, verdict("in samples of the table", sampled), verdict("by its log", processesOf(facts))]
}

const mostSampled = (
  { samples }: Facts,
  isMeant: (running: { readonly job: string; readonly queue: string }) => boolean
): number =>
  Math.max(0, ...samples.map(({ running }) => running.filter(isMeant).reduce((sum, { count }) => sum + count, 0)))

/** The process with the most, by its own log. */
const processesOf = (facts: Facts) => {
  const byProcess = Map.groupBy(executionsOf(facts), ({ pid }) => pid)
  const counts = [...byProcess].map(([pid, executions]) => {
    const killedAt = facts.processes.find((each) => each.pid === pid)?.killedAt
    const intervals = executions.map((execution) => ({
      name: nameOf(execution),
      from: execution.begin,
      until: execution.end ?? killedAt ?? Infinity
    }))
    return { name: `process ${pid}`, limit: facts.maxRunning, most: most(intervals) }
  })
  return counts.toSorted((a, b) => b.most - a.most).slice(0, 1)
}
