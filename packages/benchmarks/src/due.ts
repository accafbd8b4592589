/** Many schedules due each second, in memory. */
import { inChild, inTurns } from "./child.ts"
import { documented } from "./idle.ts"
import { named } from "./machine.ts"
import { median, millis, type Options } from "./measure.ts"
import type { LibraryName } from "./memory/libraries.ts"
import type { Sections } from "./report.ts"

interface Found {
  readonly counted: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly micros: number
  readonly share: number
}

const subjects: ReadonlyArray<{ readonly name: LibraryName; readonly peer?: string; readonly tries: number }> = [
  { name: "effect-scheduler", tries: 1 },
  { name: "heap and one timer", tries: 1 },
  { name: "croner", peer: "croner", tries: 1 },
  { name: "croner, utcOffset", peer: "croner", tries: 1 },
  { name: "Effect, a fiber with Schedule.cron each", tries: 1 },
  { name: "node-cron", peer: "node-cron", tries: 1 },
  { name: "node-cron, suppressMissedWarning", peer: "node-cron", tries: 1 },
  { name: "node-schedule", peer: "node-schedule", tries: 1 }
]

const of = (all: ReadonlyArray<Found>, key: keyof Found) => median(all.map((each) => each[key]))

export const due = async ({ quick }: Options): Promise<Sections> => {
  const [count, warm, seconds] = quick ? [50, 1, 1] : [10_000, 3, 5]
  const total = count * seconds
  const found = await inTurns(
    subjects.map(({ name, peer, tries }) => async () => {
      const all: Array<Found> = []
      for (let i = 0; i < (quick ? 1 : tries); i++) {
        all.push(await inChild<Found>("memory/dueChild.ts", [name, count, warm, seconds]))
      }
      return { name, peer, all }
    }),
    quick
  )
  const rows = found.map(({ name, peer, all }) => {
    const each = (key: keyof Found) =>
      all.length === 1 ? "" : ` (${all.map((one) => one[key].toFixed(0)).join(", ")})`
    const lost = all.reduce((sum, one) => sum + Math.max(0, total - one.counted), 0) / all.length
    const cells = [
      peer === undefined ? name : `${named(peer)}${name.slice(peer.length)}`,
      `${of(all, "counted").toLocaleString("en")} of ${total.toLocaleString("en")}`,
      `${((lost / total) * 100).toFixed(1)} %`,
      millis(of(all, "p50")),
      `${millis(of(all, "p99"))}${each("p99")}`,
      millis(of(all, "max")),
      `${of(all, "micros").toFixed(1)} µs${each("micros")}`,
      `${(of(all, "share") * 100).toFixed(0)} %`
    ]
    const met = all.every((one) => one.counted === total) && of(all, "p99") <= 40 && of(all, "micros") <= 10
    const target = `all ${total.toLocaleString("en")}, p99 40 ms, 10 µs a run`
    return name === "effect-scheduler" ? { cells, target, met } : cells
  })
  return [
    {
      name: "due",
      title: `${count.toLocaleString("en")} schedules due each second for ${seconds} s, in memory`,
      text:
        `Each library in a process of its own, with schedules of \`* * * * * *\` whose job does nothing, after ${warm} seconds in which code is ` +
        "compiled. Lateness is the time from the second to " +
        "the start of the job; one that is later than a second is counted in the next one, or is missing at the end. CPU time is that of " +
        "the whole process in those seconds.",
      head: ["library", "runs", "lost", "late p50", "late p99", "late max", "CPU a run", "of a core"],
      rows,
      notes: [
        ...documented,
        "node-cron: at its defaults, and with `suppressMissedWarning` and a silent logger, so that a missed run is not written to the " +
          'terminal: "You can route these messages through your own logger and control the missed-execution warning." ' +
          '(nodecron.com/logging). Of its default `missedExecutionTolerance` of 1,000 ms its changelog says: "Always capped to the gap to the next ' +
          'slot, so it can never run a slot twice." Its usage rules name `maxRandomDelay` for "Stagger many tasks firing at once" ' +
          "(nodecron.com/usage-rules): it makes runs late on purpose, so it is not used."
      ],
      plot: {
        kind: "bars",
        unit: "ms late, p99",
        bars: found.map(({ name, all }) => ({ name, value: of(all, "p99") }))
      }
    }
  ]
}
