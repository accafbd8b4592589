/** The tables of docs/triggers.md: when patterns fire around a change of clocks, here and in other libraries. */
import { mock } from "node:test"
import { CronExpressionParser } from "cron-parser"
import { Cron as Croner } from "croner"
import { Cron, Result } from "effect"
import { Trigger } from "effect-scheduler"
import { schedule as scheduleNodeCron } from "node-cron"

const zone = "Europe/Berlin"

const days = [
  { title: "2026-03-29, 02:00 to 03:00 does not exist", from: "2026-03-29T00:00:00Z", to: "2026-03-29T02:00:00Z" },
  { title: "2026-10-25, 02:00 to 03:00 comes twice", from: "2026-10-24T23:59:00Z", to: "2026-10-25T02:00:00Z" }
] as const

const patterns = ["30 2 * * *", "0,30 2 * * *", "*/30 * * * *", "30 * * * *", "30 1-3 * * *"] as const

type Next = (text: string, after: Date) => Date | null

const ours =
  (clockChange: Trigger.ClockChange): Next =>
  (text, after) => {
    const trigger = Result.getOrThrow(Trigger.parseCron(text, { timeZone: zone, clockChange }))
    const next = Trigger.next(trigger, after.getTime())
    return next._tag === "Some" ? new Date(next.value.epochMilliseconds) : null
  }

/** It looks from the present instant only, and only for a task that is started. */
const nodeCron: Next = (text, after) => {
  mock.timers.enable({ apis: ["Date"], now: after })
  try {
    const task = scheduleNodeCron(text, () => undefined, { timezone: zone })
    const next = task.getNextRun()
    void task.destroy()
    return next
  } finally {
    mock.timers.reset()
  }
}

const libraries: ReadonlyArray<readonly [string, Next]> = [
  ["`vixie` (default)", ours("vixie")],
  ["`ocps`", ours("ocps")],
  ["`compatible`", ours("compatible")],
  ["croner 11.0.1", (text, after) => new Croner(text, { timezone: zone, paused: true }).nextRun(after)],
  ["node-cron 4.6.0", nodeCron],
  [
    "cron-parser 5.10.5",
    (text, after) => CronExpressionParser.parse(text, { currentDate: after, tz: zone }).next().toDate()
  ],
  ["Effect 4.1.0 `Cron`", (text, after) => Cron.next(Cron.parseUnsafe(text, zone), after)]
]

const offset = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone,
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "shortOffset"
})

/** A local time with its offset, as `02:30+2`. */
const told = (at: Date): string => {
  const parts = Object.fromEntries(offset.formatToParts(at).map(({ type, value }) => [type, value]))
  return `${parts["hour"]}:${parts["minute"]}${(parts["timeZoneName"] ?? "").replace("GMT", "")}`
}

const within = (next: Next, text: string, from: string, to: string): string => {
  const found: Array<string> = []
  for (
    let at = next(text, new Date(from));
    at !== null && at <= new Date(to) && found.length < 20;
    at = next(text, at)
  ) {
    found.push(told(at))
  }
  return found.length === 0 ? "–" : found.join(" ")
}

export const clockChangeTables = (): string =>
  days
    .map(({ from, title, to }) => {
      const head = `| ${title} | ${patterns.map((pattern) => `\`${pattern}\``).join(" | ")} |`
      const rows = libraries.map(
        ([name, next]) => `| ${name} | ${patterns.map((text) => within(next, text, from, to)).join(" | ")} |`
      )
      return [head, `|${"---|".repeat(patterns.length + 1)}`, ...rows].join("\n")
    })
    .join("\n\n")
