/** How late a tick is on a system that is otherwise idle. */
import { inChild, inTurns } from "./child.ts"
import { millis, type Options } from "./measure.ts"
import type { Sections } from "./report.ts"

interface Found {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const subjects = [
  { subject: "memory", name: "effect-scheduler, memory", apart: 5, target: "p50 1 ms, p99 5 ms", p50: 1, p99: 5 },
  { subject: "sqlite", name: "effect-scheduler, SQLite", apart: 10, target: "p99 10 ms", p50: Infinity, p99: 10 },
  { subject: "heap", name: "heap and one timer", apart: 5 }
] as const

export const lateness = async ({ quick }: Options): Promise<Sections> => {
  const rows = await inTurns(
    subjects.map((each) => async () => {
      const found = await inChild<Found>("memory/latenessChild.ts", [
        each.subject,
        each.apart,
        quick ? 1 : (2_100 * each.apart) / 1_000
      ])
      const cells = [each.name, String(found.count), millis(found.p50), millis(found.p99), millis(found.max)]
      return "target" in each
        ? { cells, target: each.target, met: found.p50 <= each.p50 && found.p99 <= each.p99 }
        : cells
    }),
    quick
  )
  return [
    {
      name: "lateness",
      title: "Lateness of a cron tick on an idle system",
      text:
        "Schedules of `* * * * * *`, each 5 ms (on SQLite 10 ms) after the one before by `Trigger.offset`, so that ticks come one by one: from " +
        "the nominal time to the first instruction of the handler, after 1,000 other runs by which code is compiled. `Scheduler.layer()`, and " +
        "the README's layer on a SQLite file (synchronous FULL), no option set. " +
        "Node's timers count whole milliseconds, which the heap with one timer shows.",
      head: ["library", "ticks", "late p50", "late p99", "late max"],
      rows
    }
  ]
}
