/**
 * `node --expose-gc packages/benchmarks/src/main.ts [--quick | --full] [part …]`: all parts when none is named. `--quick` shows in
 * seconds that every part runs; its figures mean nothing and it writes nothing. `--full` takes as many rows as it takes patience for:
 * a herd of 1,000,000, a history of 5,000,000. See `report.ts` for what a part is.
 */

import { machine, versions } from "./machine.ts"
import type { Options } from "./measure.ts"
import { keep, writePage } from "./page.ts"
import { missed, print, printSection, type Sections } from "./report.ts"

/** In the order of the page. Each is loaded when it is its turn, so that no part runs beside the libraries of another. */
const parts: Readonly<Record<string, (options: Options) => Promise<Sections>>> = {
  trigger: async (options) => (await import("./trigger.ts")).trigger(options),
  idle: async (options) => (await import("./idle.ts")).idle(options),
  due: async (options) => (await import("./due.ts")).due(options),
  burst: async (options) => (await import("./burst.ts")).burst(options),
  lateness: async (options) => (await import("./lateness.ts")).lateness(options),
  sqlite: async (options) => (await import("./sqlite.ts")).sqlite(options),
  peers: async (options) => (await import("./postgres/peers.ts")).peers(options),
  processes: async (options) => (await import("./postgres/processes.ts")).processes(options),
  latency: async (options) => (await import("./postgres/latency.ts")).latency(options),
  enqueue: async (options) => (await import("./postgres/enqueue.ts")).enqueue(options),
  recovery: async (options) => (await import("./postgres/recovery.ts")).recovery(options),
  start: async (options) => (await import("./postgres/start.ts")).start(options),
  scale: async (options) => (await import("./postgres/scale.ts")).scale(options),
  herd: async (options) => (await import("./postgres/herd.ts")).herd(options),
  size: async (options) => (await import("./size.ts")).size(options),
  types: async (options) => (await import("./types.ts")).types(options)
}

const run = async (name: string, options: Options): Promise<void> => {
  const began = performance.now()
  print(`== ${name}\n`)
  const { quick } = options
  const sections = await parts[name]!(options)
  for (const section of sections) printSection(section)
  const seconds = (performance.now() - began) / 1000
  const misses = sections.flatMap(missed).length
  print(`== ${name} took ${seconds.toFixed(0)} s${misses === 0 || quick ? "" : `, ${misses} targets missed`}\n`)
  if (quick) return
  keep(name, sections, seconds)
  writePage(Object.keys(parts))
}

const given = process.argv.slice(2)
const chosen = given.filter((argument) => !argument.startsWith("--"))
const unknown = chosen.filter((name) => !(name in parts))
if (unknown.length > 0) {
  print(`no part ${unknown.join(", ")}: there are ${Object.keys(parts).join(", ")}`)
  process.exitCode = 1
} else {
  const quick = given.includes("--quick")
  print(`${machine()}\n${versions()}${quick ? "\nquick: the figures mean nothing" : ""}\n`)
  const full = given.includes("--full")
  for (const name of chosen.length > 0 ? chosen : Object.keys(parts)) await run(name, { quick, full })
}
