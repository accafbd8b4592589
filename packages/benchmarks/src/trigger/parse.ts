/** Cron text read. */
import { geometricMean, median, nanos, type Options, budgetOf, ratios, rounds, spread } from "../measure.ts"
import type { Section } from "../report.ts"
import { parses } from "./subjects.ts"
import { patterns } from "./texts.ts"

/** A text met before is cheaper to us than a new one, so both are shown. */
const unlike = Array.from(
  { length: 60 * 24 * 28 },
  (_, n) => `${n % 60} ${Math.floor(n / 60) % 24} ${1 + Math.floor(n / 1440)} * MON-FRI`
)

export const parse = (options: Options): Section => {
  const budget = budgetOf(options)
  // What is parsed becomes garbage, of unlike texts much: a round is long enough for some collections.
  const longer = options.quick ? budget : { ...budget, round: 6e7 }
  const texts = [...new Set(patterns.map(({ text }) => text))].filter((text) => !text.includes("L"))
  const found = [...texts, undefined].map((text) => ({
    name: text ?? `${unlike.length} texts in turn`,
    times:
      text === undefined
        ? rounds(
            parses((call) => unlike[call % unlike.length]!),
            longer
          )
        : rounds(
            parses(() => text),
            budget
          )
  }))
  const libraries = ["croner", "cron-parser", "node-cron", "Effect"] as const
  return {
    name: "parse",
    title: "Cron text parsed",
    text:
      "CPU time of a call, through the function that a user calls: `Trigger.parseCron`, `new Cron`, `CronExpressionParser.parse`, " +
      "`cron.parse` (node-cron), `Cron.parse` (Effect), without a zone. The median of the rounds, and how many times longer each peer takes.",
    head: ["pattern", "ours", ...libraries, ...libraries.map((name) => `${name} ÷ ours`)],
    rows: found.map(({ name, times }) => ({
      cells: [
        name,
        nanos(median(times.ours)),
        ...libraries.map((library) => nanos(median(times[library]))),
        ...libraries.map((library) => spread(ratios(times[library], times.ours)))
      ],
      target: "Effect ÷ ours at least 1",
      met: median(ratios(times.Effect, times.ours)) >= 1
    })),
    plot: {
      kind: "bars",
      unit: "parsed in a second (geometric mean of the patterns)",
      bars: (["ours", ...libraries] as const).map((library) => ({
        name: library === "ours" ? "effect-scheduler" : library,
        value: geometricMean(found.map(({ times }) => 1e9 / median(times[library])))
      }))
    }
  }
}
