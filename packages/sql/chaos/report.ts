/** The printed outcome of a run. */
import { seen } from "./audit/audit.ts"
import type { Facts, Verdict } from "./audit/facts.ts"
import { type Silence, silencesOf } from "./audit/nodes.ts"
import type { Options } from "./plan.ts"

const table = (rows: ReadonlyArray<ReadonlyArray<string | number>>): string => {
  const texts = rows.map((row) => row.map(String))
  const widths = texts[0]!.map((_, column) => Math.max(...texts.map((row) => row[column]!.length)))
  return texts.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")}`.trimEnd()).join("\n")
}

const seconds = (millis: number): string => (millis / 1_000).toFixed(2)

const seenOf = ({ deadAt, from, isDead, kind, until }: Silence): string => {
  if (isDead) return "had been marked dead before"
  if (deadAt !== undefined) return `marked dead after ${seconds(deadAt - from)} s`
  return kind === "freeze"
    ? `alive again before it was marked, ${seconds(until - from)} s`
    : "ended before it was marked"
}

const most = 10

const verdictLines = ({ checked, name, wrong }: Verdict): ReadonlyArray<string> => [
  `  ${wrong.length === 0 ? "holds   " : "VIOLATED"}  ${name}: ${checked}`,
  ...wrong.slice(0, most).map((line) => `              ${line}`),
  ...(wrong.length > most ? [`              and ${wrong.length - most} more`] : [])
]

export const report = (options: Options, seed: number, facts: Facts, verdicts: ReadonlyArray<Verdict>): string => {
  const start = Math.min(...facts.processes.map(({ startedAt }) => startedAt))
  const silences = silencesOf(facts)
  return [
    `\n${options.store}, ${options.processes} processes at a time, ${options.runs} runs enqueued, a lease of ${seconds(options.lease)} s, seed ${seed}: ${seconds(facts.took)} s`,
    "\nInjected",
    table([
      ["kind", "process", "at s", "length s", "node", "seen"],
      ...silences.map((silence) => [
        silence.kind,
        silence.pid,
        seconds(silence.from - start),
        silence.kind === "freeze" ? seconds(silence.until - silence.from) : "",
        silence.node ?? "none yet",
        seenOf(silence)
      ])
    ]),
    "\nExecuted",
    table([
      ["process", "from s", "until s", "executions"],
      ...facts.processes.map(({ killedAt, pid, startedAt }) => [
        pid,
        seconds(startedAt - start),
        killedAt === undefined ? "end" : seconds(killedAt - start),
        facts.logs.find((log) => log.pid === pid)?.lines.filter(({ _tag }) => _tag === "Begin").length ?? 0
      ])
    ]),
    "\nSeen",
    table(Object.entries(seen(facts))),
    "\nInvariants",
    ...verdicts.flatMap(verdictLines),
    ""
  ].join("\n")
}
