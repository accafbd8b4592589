/** The whole path on SQLite, beside a raw loop of the same statements. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inChild } from "./child.ts"
import { median, type Options, spread } from "./measure.ts"
import type { Sections, TargetRow } from "./report.ts"

interface Found {
  readonly millis: number
  readonly cpu: number
}

const inFolder = async <A>(use: (folder: string) => Promise<A>): Promise<A> => {
  const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-bench-"))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const sqlite = async ({ quick }: Options): Promise<Sections> => {
  const count = quick ? 300 : 20_000
  const rounds = quick ? 1 : 2
  const program = "sqlite/child.ts"
  const rows: Array<TargetRow | ReadonlyArray<string>> = []
  const bars: Array<{ readonly name: string; readonly value: number }> = []
  for (const synchronous of ["FULL", "NORMAL"]) {
    const ours: Array<Found> = []
    const raw: Array<Found & { readonly runs: number; readonly statements: number }> = []
    await inFolder(async (kept) => {
      await inChild<Found>(program, ["record", synchronous, count, kept])
      for (let round = 0; round < rounds; round++) {
        ours.push(await inFolder((folder) => inChild<Found>(program, ["measure", synchronous, count, folder])))
        raw.push(await inChild<(typeof raw)[number]>("sqlite/raw.ts", [kept]))
      }
    })
    const wrong = raw.find(({ runs }) => runs !== count)
    if (wrong !== undefined) throw new Error(`the raw loop made ${wrong.runs} rows of history, not ${count}`)
    const rate = (all: ReadonlyArray<Found>) => all.map(({ millis }) => count / millis)
    const share = rate(ours).map((each, round) => (each / rate(raw)[round]!) * 100)
    const cpuShare = ours.map((each, round) => (raw[round]!.cpu / each.cpu) * 100)
    const perRun = (all: ReadonlyArray<Found>) =>
      `${((median(all.map(({ cpu }) => cpu)) * 1_000) / count).toFixed(1)} µs`
    const thousands = (all: ReadonlyArray<Found>) => spread(rate(all), "k/s")
    const cells = [
      `effect-scheduler, ${synchronous}${synchronous === "FULL" ? " (default)" : ""}`,
      thousands(ours),
      perRun(ours),
      spread(share, " %"),
      spread(cpuShare, " %")
    ]
    const fast = synchronous !== "FULL" || median(rate(ours)) >= 35
    rows.push({
      cells,
      target: synchronous === "FULL" ? "35k/s and 60 % of the raw loop" : "60 % of the raw loop",
      met: fast && median(share) >= 60
    })
    const statements = `${(raw[0]!.statements / count).toFixed(2)} statements a run`
    rows.push([`raw loop, ${synchronous}, ${statements}`, thousands(raw), perRun(raw), "100 %", "100 %"])
    bars.push(
      { name: `effect-scheduler, ${synchronous}`, value: median(rate(ours)) * 1e3 },
      { name: `raw loop, ${synchronous}`, value: median(rate(raw)) * 1e3 }
    )
  }
  return [
    {
      name: "sqlite",
      title: `${count.toLocaleString("en")} schedules due at once on a SQLite file: fire, claim, handler, history`,
      text:
        "From `resumeAll` to the last row of history, with a handler that does nothing and the README's layer on " +
        "`SqlJobStore.layerSqlite({ filename })`; NORMAL only where it says so. (At FULL the commit of a firing alone does not wait for the disk: the claim does, with " +
        "both.) The limit: all that this store sends to SQLite in such a run, " +
        "recorded and sent again in a raw `node:sqlite` loop of prepared statements, to a copy of the file with the same settings. Wall " +
        "time, since waiting for the disk counts; the two take turns, each in a process of its own.",
      head: ["", "runs", "CPU a run", "of the raw loop's rate", "of its CPU time"],
      rows,
      notes: quoted,
      plot: { kind: "bars", unit: "runs in a second", bars }
    }
  ]
}

/** Peers that keep their jobs in servers that no npm package ships. */
const quoted: ReadonlyArray<string> = [
  "BullMQ needs a Redis server and Agenda one of MongoDB, which no npm package ships: they are quoted, not measured.",
  'BullMQ, of its Elixir port, "a single worker" with 500 jobs at a time on an Apple M2 Pro: "4,111 j/s", and "16,501 j/s" with 10 workers ' +
    "(hexdocs.pm/bullmq/benchmarks.html). For Node, of BullMQ 5 on Redis by a competitor on one machine: 10,200 jobs/s pushed, processed " +
    "and completed (bunqueue.dev/blog/benchmarks-vs-bullmq).",
  "Agenda publishes no figures. It looks for jobs every 5 seconds unless `processEvery` says otherwise " +
    "(`humanInterval('5 seconds')`, lib/agenda/index.js of 1.0.1), runs at most 20 at a time by default (`config.maxConcurrency || 20`, " +
    'same file), and a lock of a killed process holds for "10 * 60 * 1000 ms (10 minutes)" (default-lock-lifetime.d.ts of 5.0.0).'
]
