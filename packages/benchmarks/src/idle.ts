/** Schedules that wait, in memory. */
import { inChild, inTurns } from "./child.ts"
import { named } from "./machine.ts"
import { median, millis, type Options } from "./measure.ts"
import type { LibraryName } from "./memory/libraries.ts"
import type { Sections } from "./report.ts"

interface Found {
  /** By the clock, and of CPU. */
  readonly millis: number
  readonly cpu: number
  readonly bytes: number
}

/** What each library can do within seconds; a size that is not run is not guessed from another. */
const subjects: ReadonlyArray<{
  readonly name: LibraryName
  readonly peer?: string
  readonly sizes: ReadonlyArray<number>
}> = [
  { name: "effect-scheduler", sizes: [1_000, 10_000, 100_000, 1_000_000] },
  { name: "effect-scheduler, triggers unlike each other", sizes: [1_000, 10_000, 100_000] },
  { name: "heap and one timer", sizes: [1_000, 10_000, 100_000, 1_000_000] },
  { name: "node-cron", peer: "node-cron", sizes: [10_000, 100_000] },
  { name: "Effect, a fiber with Schedule.cron each", peer: "effect", sizes: [10_000, 100_000] },
  { name: "croner", peer: "croner", sizes: [1_000, 10_000] },
  { name: "croner, utcOffset", peer: "croner", sizes: [1_000, 10_000] },
  { name: "node-schedule", peer: "node-schedule", sizes: [1_000, 4_000] }
]

const targets: Readonly<Record<number, { readonly text: string; readonly met: (found: Found) => boolean }>> = {
  100_000: { text: "0.5 s, 600 B each", met: ({ bytes, millis }) => millis <= 500 && bytes <= 600 },
  1_000_000: { text: "6 s, 800 MB", met: ({ bytes, millis }) => millis <= 6_000 && bytes <= 800 }
}

export const idle = async ({ quick }: Options): Promise<Sections> => {
  const cases = subjects.flatMap((subject) => (quick ? [200] : subject.sizes).map((size) => ({ ...subject, size })))
  const found = await inTurns(
    cases.map((each) => async () => {
      const tries: Array<Found> = []
      // Again and again only where the target is near.
      const times = !quick && each.name === "effect-scheduler" && each.size === 100_000 ? 3 : 1
      for (let i = 0; i < times; i++) {
        tries.push(await inChild<Found>("memory/idleChild.ts", [each.name, each.size], ["--max-old-space-size=8000"]))
      }
      const spent = tries.map(({ millis }) => millis)
      return {
        ...each,
        millis: median(spent),
        cpu: median(tries.map(({ cpu }) => cpu)),
        bytes: median(tries.map(({ bytes }) => bytes)),
        spread: times === 1 ? "" : ` (${Math.min(...spent).toFixed(0)}–${Math.max(...spent).toFixed(0)})`
      }
    }),
    quick
  )
  const lines = (value: (each: (typeof found)[number]) => number) =>
    subjects.map(({ name }) => ({
      name,
      points: found.filter((each) => each.name === name).map((each) => [each.size, value(each)] as const)
    }))
  return [
    {
      name: "idle-time",
      title: "Idle schedules in memory",
      text:
        "Schedules of 1 January, 03:00 UTC, each subject and size in a process of its own, after 5,000 others (or as many) by which code " +
        "is compiled: by the clock, and CPU time (the collector's threads included), until all are set up, and heap after a collection. " +
        "This library: `scheduleAll` with `Scheduler.layer()`, all with one trigger, " +
        "and with triggers that are unlike each other. The limit is a binary heap of due times with one timer. A size that a library " +
        "takes minutes or gigabytes for was not run, and is not guessed.",
      head: ["library", "schedules", "set up in", "each", "CPU time", "heap each", "heap"],
      rows: found.map((each) => {
        const cells = [
          each.peer === undefined || each.peer === "effect"
            ? each.name
            : `${named(each.peer)}${each.name.slice(each.peer.length)}`,
          each.size.toLocaleString("en"),
          `${millis(each.millis)}${each.spread}`,
          `${((each.millis * 1_000) / each.size).toFixed(2)} µs`,
          millis(each.cpu),
          `${each.bytes.toFixed(0)} B`,
          `${((each.bytes * each.size) / 1e6).toFixed(1)} MB`
        ]
        const target = each.name === "effect-scheduler" ? targets[each.size] : undefined
        return target === undefined ? cells : { cells, target: target.text, met: target.met(each) }
      }),
      notes: documented,
      plot: {
        kind: "lines",
        of: "schedules",
        unit: "ms until they are set up",
        lines: lines((each) => each.millis)
      }
    },
    {
      name: "idle-heap",
      title: "Heap of idle schedules in memory",
      text:
        "The same run: the heap of the greatest size that was run, beside that of this library at the same size, and how the heap of " +
        "one schedule grows from the least size to the greatest.",
      head: ["library", "schedules", "heap", "÷ ours", "growth each, first to last"],
      rows: subjects.flatMap(({ name }) => {
        const first = found.find((each) => each.name === name)!
        const last = found.findLast((each) => each.name === name)!
        const ours = found.find((each) => each.name === "effect-scheduler" && each.size === last.size)
        const ratio = ours === undefined ? "–" : `${(last.bytes / ours.bytes).toFixed(1)}x`
        const growth = `${(last.bytes / first.bytes).toFixed(1)}x, from ${first.size.toLocaleString("en")}`
        return [
          [name, last.size.toLocaleString("en"), `${((last.bytes * last.size) / 1e6).toFixed(1)} MB`, ratio, growth]
        ]
      }),
      plot: { kind: "lines", of: "schedules", unit: "MB", lines: lines((each) => (each.bytes * each.size) / 1e6) }
    }
  ]
}

/** What the peers' documentation says of their settings. */
export const documented: ReadonlyArray<string> = [
  "This library: `Scheduler.layer()` as the README has it, no option set: history of 100,000 rows, events, timeouts and metrics are on, " +
    "`maxRunning` is 100. The process's zone, which most peers go by unless told otherwise, is UTC.",
  'croner: at its defaults, and with `utcOffset: 0`: "Schedule using a specific utc offset in minutes. This does not take care of ' +
    'daylight savings time, you probably want to use option `timezone` instead." (its README, Options). No other option concerns speed.',
  'node-schedule: "It only uses a single timer at any given time (rather than reevaluating upcoming jobs every second/minute)." (its ' +
    "README). It documents no setting for many jobs.",
  "Effect: `Effect.schedule(job, Schedule.cron(pattern))` forked once for each; `Schedule.cron` documents no setting for many."
]
