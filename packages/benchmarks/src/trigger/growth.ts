/** What is skipped costs nothing: cost as the gap to the next time and the time offline grow. */
import { Cron as Croner } from "croner"
import { DateTime } from "effect"
import * as Decision from "effect-scheduler/Decision"
import type { Policy } from "effect-scheduler/JobSchedule"
import * as Trigger from "effect-scheduler/Trigger"
import { budgetOf, median, nanos, type Options, rounds, spread } from "../measure.ts"
import type { Plot, Section } from "../report.ts"
import { parsed } from "./subjects.ts"
import { day } from "./texts.ts"

const year = 365.25 * day

/** So that no two calls ask the same. */
const jittered = (at: number, call: number) => DateTime.makeUnsafe(at - (call & 1023))

type Sizes = Readonly<Record<string, ReadonlyArray<number>>>

const growthOf = (times: Sizes): ReadonlyArray<number> => {
  const [first, ...others] = Object.values(times)
  const last = others.at(-1)!
  return last.map((value, round) => value / first![round]!)
}

/** Gaps in years to the next time. */
export const gaps = (options: Options): Section => {
  const sizes = [1, 10, 60]
  const end = Date.UTC(2090, 0, 1)
  const text = "0 0 0 1 1 * 2090"
  const ours = parsed({ text, timeZone: "Europe/Berlin" })
  const start = DateTime.makeUnsafe(end)
  const often = Trigger.bounded(parsed({ text: "*/5 * * * * *", timeZone: "Europe/Berlin" }), { start })
  const grid = Trigger.bounded(Trigger.every("5 seconds", { start }), { start })
  const croner = new Croner(text, { timezone: "Europe/Berlin" })
  const subjects = {
    [`effect-scheduler, ${text} Berlin`]: (at: number, call: number) => Trigger.next(ours, jittered(at, call)),
    "effect-scheduler, */5 * * * * * Berlin from 2090 on": (at: number, call: number) =>
      Trigger.next(often, jittered(at, call)),
    "effect-scheduler, every 5 s from 2090 on": (at: number, call: number) => Trigger.next(grid, jittered(at, call)),
    [`croner, ${text} Berlin`]: (at: number, call: number) => croner.nextRun(new Date(at - (call & 1023)))
  }
  const found = Object.entries(subjects).map(([name, subject]) => ({
    name,
    times: rounds(
      Object.fromEntries(
        sizes.map((size) => [`${size} years`, (call: number) => subject(end - 2 * day - size * year, call)])
      ),
      budgetOf(options)
    )
  }))
  return {
    name: "next-gap",
    title: "`next` over a gap of years",
    head: ["trigger", ...sizes.map((size) => `${size} years`), "growth, first to last"],
    rows: found.map(({ name, times }) => {
      const cells = [name, ...Object.values(times).map((each) => nanos(median(each))), spread(growthOf(times))]
      return name.startsWith("effect-scheduler")
        ? { cells, target: "growth under 2x", met: median(growthOf(times)) < 2 }
        : cells
    }),
    plot: plotOf(found, sizes, "years to the next time")
  }
}

const plotOf = (
  found: ReadonlyArray<{ readonly name: string; readonly times: Sizes }>,
  sizes: ReadonlyArray<number>,
  of: string
): Plot => ({
  kind: "lines",
  of,
  unit: "µs",
  lines: found.map(({ name, times }) => ({
    name,
    points: Object.values(times).map((each, index) => [sizes[index]!, median(each) / 1e3] as const)
  }))
})

const policyOf = (run: "latest" | "all" | "none"): Policy => ({
  missed: { run, grace: 10_000, within: Infinity, limit: 100 },
  overlap: "skip",
  maxInstances: 1,
  buffer: 100,
  jitter: 0,
  maxRuns: Infinity
})

/** A schedule that was not looked at for so long. */
export const offline = (options: Options): Section => {
  const sizes = [1 / 24, 1, 14]
  const back = Date.UTC(2027, 5, 15)
  const triggers = {
    "*/5 * * * * * UTC": parsed({ text: "*/5 * * * * *", timeZone: "UTC" }),
    "*/5 * * * * * Berlin": parsed({ text: "*/5 * * * * *", timeZone: "Europe/Berlin" }),
    "every 5 s": Trigger.every("5 seconds", { start: DateTime.makeUnsafe(Date.UTC(2027, 0, 1)) })
  }
  const found = Object.entries(triggers).flatMap(([name, trigger]) =>
    (["latest", "all"] as const).map((run) => {
      const situation = (since: number, call: number): Decision.Situation => ({
        schedule: {
          id: "a",
          trigger,
          policy: policyOf(run),
          watermark: back - since + (call & 1023),
          fired: 0,
          state: "active",
          nextAt: back - since + 5_000,
          faults: 0
        },
        now: back,
        active: 0,
        deferred: 0
      })
      return {
        name: `effect-scheduler, ${name}, missed: ${run}`,
        times: rounds(
          Object.fromEntries(
            sizes.map((size) => [`${size} days`, (call: number) => Decision.decide(situation(size * day, call))])
          ),
          budgetOf(options)
        )
      }
    })
  )
  return {
    name: "decide-offline",
    title: "`decide` after a time offline",
    text: `All times that passed are counted exactly: 720, 17,280 and 241,920 of them. \`missed: all\` keeps its default of 100.`,
    head: ["trigger and policy", "1 hour", "1 day", "2 weeks", "growth, first to last"],
    rows: found.map(({ name, times }) => ({
      cells: [name, ...Object.values(times).map((each) => nanos(median(each))), spread(growthOf(times))],
      target: "under 1 ms after 2 weeks",
      met: median(Object.values(times).at(-1)!) < 1e6
    })),
    plot: plotOf(found, sizes, "days offline")
  }
}

/** A trigger that can never fire is found out, not searched for. */
export const never = (options: Options): Section => ({
  name: "never",
  title: "Triggers that never fire",
  text: "`next` and `prev` of an expression that names no time, in Europe/Berlin.",
  head: ["pattern", "answer", "next", "prev"],
  rows: ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 0 29 2 * 2025-2027"].map((text) => {
    const from = DateTime.makeUnsafe("2026-01-01T00:00:00Z")
    const trigger = parsed({ text, timeZone: "Europe/Berlin" })
    const found = rounds(
      { next: () => Trigger.next(trigger, from), prev: () => Trigger.prev(trigger, from) },
      budgetOf(options)
    )
    const worst = Math.max(median(found.next), median(found.prev))
    return {
      cells: [text, Trigger.next(trigger, from)._tag, nanos(median(found.next)), nanos(median(found.prev))],
      target: "under 1 ms",
      met: worst < 1e6
    }
  })
})
