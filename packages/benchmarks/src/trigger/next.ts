/** The next time found, beside other libraries. */
import {
  budgetOf,
  geometricMean,
  median,
  nanos,
  type Options,
  ratios,
  rounds,
  spread,
  type Subject
} from "../measure.ts"
import type { Section, TargetRow } from "../report.ts"
import { type Library, nexts, nodeCronNext } from "./subjects.ts"
import { type Pattern, patterns, vectors } from "./texts.ts"

const peers = ["croner", "croner, utcOffset", "cron-parser", "Effect", "node-cron"] as const

type Times = Partial<Readonly<Record<Library, ReadonlyArray<number>>>> & { readonly ours: ReadonlyArray<number> }

/** Ratios to the best of the peers in each round. */
const toBest = (times: Times): ReadonlyArray<number> =>
  times.ours.map(
    (ours, round) =>
      Math.min(...peers.flatMap((peer) => (times[peer] === undefined ? [] : [times[peer][round]!]))) / ours
  )

const row = ({ text, timeZone }: Pattern, times: Times): TargetRow => {
  const toCroner = Math.min(
    ...[times.croner, times["croner, utcOffset"]].flatMap((each) =>
      each === undefined ? [] : [median(ratios(each, times.ours))]
    )
  )
  const inUtc = timeZone === "UTC"
  return {
    cells: [
      text,
      timeZone,
      nanos(median(times.ours)),
      ...peers.map((peer) => (times[peer] === undefined ? "–" : nanos(median(times[peer])))),
      ...peers.map((peer) => (times[peer] === undefined ? "–" : spread(ratios(times[peer], times.ours))))
    ],
    target: inUtc ? "10 × croner, either way" : "40 × croner, 3 × the best peer",
    met: inUtc ? toCroner >= 10 : toCroner >= 40 && median(toBest(times)) >= 3
  }
}

export const next = (options: Options): Section => {
  const found = patterns.map((pattern) => {
    const task = nodeCronNext(pattern)
    const subjects = { ...nexts(pattern), ...(task === undefined ? {} : { "node-cron": task.next }) }
    const times = rounds(subjects as Readonly<Record<Library, Subject>>, budgetOf(options))
    task?.close()
    return { pattern, times }
  })
  const named = found.filter(({ pattern }) => pattern.timeZone !== "UTC")
  return {
    name: "next",
    title: "The next time of a cron expression",
    text:
      "CPU time of a call from a start that moves by a random step up to a year; node-cron's `getNextRun` knows only the present " +
      "instant as its start. – where a library does not take the expression.",
    head: ["pattern", "zone", "ours", ...peers, ...peers.map((peer) => `${peer} ÷ ours`)],
    rows: found.map(({ pattern, times }) => row(pattern, times)),
    notes: [
      "croner in UTC: at its default, which is the zone of the process (UTC here), and with `utcOffset: 0`, of which its documentation " +
        'says: "Schedule using a specific utc offset in minutes. This does not take care of daylight savings time, you probably want ' +
        'to use option `timezone` instead." (README of croner 11.0.1, Options). With `timezone: "UTC"` it takes five times as long. ' +
        'Effect too is left at its default there, for the same reason; cron-parser has `tz: "UTC"`, with which it is a little faster. ' +
        "They document no setting that makes the search faster."
    ],
    plot: {
      kind: "bars",
      unit: "found in a second, named zones (geometric mean of the patterns)",
      logarithmic: true,
      bars: (["ours", "croner", "cron-parser", "Effect", "node-cron"] as const).map((library) => ({
        name: library === "ours" ? "effect-scheduler" : library,
        value: geometricMean(named.map(({ times }) => 1e9 / median(times[library]!)))
      }))
    }
  }
}

/** Random expressions: the geometric mean of the ratios of each round. */
export const randomNext = (options: Options): Section => {
  const all = vectors(options.quick ? 4 : 500)
  const budget = options.quick ? budgetOf(options) : { warmUp: 1e6, warmUpCalls: 0, round: 1.5e6, rounds: 3 }
  // Each zone is read once in a process: before, and not while its first expression is timed.
  for (const pattern of all) {
    const { ours } = nexts(pattern)
    for (let call = 0; call < 256; call++) ours!(call)
  }
  const found = all.map((pattern) => ({
    pattern,
    times: rounds(nexts(pattern) as Readonly<Record<Library, Subject>>, budget)
  }))
  const count = budget.rounds
  const compared = ["croner", "croner, utcOffset", "cron-parser", "Effect"] as const
  const line = (name: string, of: typeof found, target: number, bestTarget: number): TargetRow | undefined => {
    if (of.length === 0) return undefined
    const mean = (peer: (typeof compared)[number]) => {
      const able = of.filter(({ times }) => times[peer] !== undefined)
      if (able.length === 0) return { taken: 0, text: "–", middle: Infinity }
      const byRound = Array.from({ length: count }, (_, round) =>
        geometricMean(able.map(({ times }) => times[peer]![round]! / times.ours[round]!))
      )
      const note = able.length === of.length ? "" : `, the ${able.length} that it takes`
      return { taken: able.length, text: `${spread(byRound)}${note}`, middle: median(byRound) }
    }
    const means = compared.map(mean)
    const ours = geometricMean(of.map(({ times }) => median(times.ours)))
    const best = geometricMean(of.map(({ times }) => median(toBest(times))))
    return {
      cells: [name, String(of.length), nanos(ours), ...means.map(({ text }) => text), `${best.toFixed(1)}x`],
      target: bestTarget === 0 ? `${target} × croner` : `${target} × croner, ${bestTarget} × the best peer`,
      met: Math.min(means[0]!.middle, means[1]!.middle) >= target && best >= bestTarget
    }
  }
  const inUtc = found.filter(({ pattern }) => pattern.timeZone === "UTC")
  const inZones = found.filter(({ pattern }) => pattern.timeZone !== "UTC")
  return {
    name: "next-random",
    title: `The next time of ${all.length} random expressions of the vectors`,
    text:
      "Geometric means; the starts move as above. cron-parser gives up some searches, which count as its time. The best peer is the fastest of those that take the expression, in each round and " +
      "for each expression.",
    head: ["zones", "expressions", "ours", ...compared.map((peer) => `${peer} ÷ ours`), "best peer ÷ ours"],
    rows: [line("UTC", inUtc, 10, 0), line("15 named zones", inZones, 40, 3)].filter((each) => each !== undefined)
  }
}
