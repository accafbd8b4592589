/** Cron text read, and its next time found, beside other libraries, each through the function that a user calls. */
import { CronExpressionParser } from "cron-parser"
import { Cron as Croner } from "croner"
import { Cron, DateTime, Result } from "effect"
import * as Trigger from "effect-scheduler/Trigger"
import type { Options } from "./measure.ts"
import { median, nanos, print, ratios, rounds, spread, table } from "./measure.ts"

const patterns = [
  { text: "* * * * *", timeZone: "UTC", target: 5 },
  { text: "*/5 * * * * *", timeZone: "UTC", target: 5 },
  { text: "0 0 29 2 *", timeZone: "UTC", target: 5 },
  { text: "0 30 2 * * *", timeZone: "Europe/Berlin", target: 25 },
  { text: "15 10 * * 1-5", timeZone: "America/New_York", target: 25 }
] as const

const day = 86_400_000

/** Starts that move by a random step up to a year, and begin again before the end of the century. */
const starts = (): ReadonlyArray<number> => {
  let state = 1
  let at = Date.UTC(2020, 0, 1)
  return Array.from({ length: 4096 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    at += Math.floor((state / 2 ** 32) * 365 * day)
    if (at > Date.UTC(2095, 0, 1)) at -= 75 * 365 * day
    return at
  })
}

const met = (is: boolean): string => (is ? "met" : "NOT MET")

const parsed = (text: string, timeZone: string) => Result.getOrThrow(Trigger.parseCron(text, { timeZone }))

const next = (options: Options): void => {
  const instants = starts()
  const dates = instants.map((instant) => new Date(instant))
  const dateTimes = instants.map((instant) => DateTime.makeUnsafe(instant))
  const last = instants.length - 1
  const rows = patterns.map(({ target, text, timeZone }) => {
    const ours = parsed(text, timeZone)
    const croner = new Croner(text, { timezone: timeZone })
    const parser = CronExpressionParser.parse(text, { tz: timeZone })
    const effect = Cron.parseUnsafe(text, timeZone)
    const found = rounds(
      {
        ours: (call) => Trigger.next(ours, dateTimes[call & last]!),
        croner: (call) => croner.nextRun(dates[call & last]!),
        parser: (call) => {
          parser.reset(dates[call & last]!)
          return parser.next()
        },
        effect: (call) => Cron.next(effect, dates[call & last]!)
      },
      options
    )
    const beside = ratios(found.croner, found.ours)
    return [
      text,
      timeZone,
      nanos(median(found.ours)),
      nanos(median(found.croner)),
      nanos(median(found.parser)),
      nanos(median(found.effect)),
      spread(beside),
      spread(ratios(found.parser, found.ours)),
      spread(ratios(found.effect, found.ours)),
      `${target}x croner: ${met(median(beside) >= target)}`
    ]
  })
  print("next\n")
  table(
    [
      "pattern",
      "zone",
      "ours",
      "croner",
      "cron-parser",
      "Effect",
      "to croner",
      "to cron-parser",
      "to Effect",
      "target"
    ],
    rows
  )
}

/** A text met before is cheaper to us than a new one, so both are shown. */
const parse = (options: Options): void => {
  const texts = Array.from(
    { length: 60 * 24 * 28 },
    (_, n) => `${n % 60} ${Math.floor(n / 60) % 24} ${1 + Math.floor(n / 1440)} * MON-FRI`
  )
  const rows = [...patterns.map(({ text }) => text), undefined].map((text) => {
    const at = (call: number) => text ?? texts[call % texts.length]!
    const found = rounds(
      {
        ours: (call) => Trigger.parseCron(at(call), { timeZone: "UTC" }),
        croner: (call) => new Croner(at(call), { timezone: "UTC" }),
        parser: (call) => CronExpressionParser.parse(at(call), { tz: "UTC" }),
        effect: (call) => Cron.parse(at(call), "UTC")
      },
      options
    )
    const beside = ratios(found.effect, found.ours)
    return [
      text ?? `${texts.length} texts in turn`,
      nanos(median(found.ours)),
      nanos(median(found.croner)),
      nanos(median(found.parser)),
      nanos(median(found.effect)),
      spread(ratios(found.croner, found.ours)),
      spread(ratios(found.parser, found.ours)),
      spread(beside),
      `Effect: ${met(median(beside) >= 1)}`
    ]
  })
  print("parse\n")
  table(
    ["pattern", "ours", "croner", "cron-parser", "Effect", "to croner", "to cron-parser", "to Effect", "target"],
    rows
  )
}

const away = (from: DateTime.Utc, seconds: number, call: number) =>
  DateTime.makeUnsafe(from.epochMilliseconds + seconds * 1000 + (call & 1023))

/** What is skipped costs nothing: ten years of a trigger that fires each 5 s, and ten seconds of it. */
const distance = (options: Options): void => {
  const start = DateTime.makeUnsafe("2020-01-01T00:00:00Z")
  const end = DateTime.makeUnsafe("2020-06-01T00:00:00Z")
  const ten = 10
  const tenYears = 10 * 365.25 * 86_400
  const triggers = {
    "every 5 s": Trigger.every("5 seconds", { start }),
    "*/5 * * * * *": parsed("*/5 * * * * *", "UTC"),
    "*/5 * * * * * in Europe/Berlin": parsed("*/5 * * * * *", "Europe/Berlin")
  }
  const rows = Object.entries(triggers).flatMap(([name, open]) => {
    const trigger = Trigger.bounded(open, { start, end })
    const found = rounds(
      {
        nextNear: (call) => Trigger.next(trigger, away(start, -ten, -call)),
        nextFar: (call) => Trigger.next(trigger, away(start, -tenYears, -call)),
        prevNear: (call) => Trigger.prev(trigger, away(end, ten, call)),
        prevFar: (call) => Trigger.prev(trigger, away(end, tenYears, call))
      },
      options
    )
    const row = (direction: string, near: ReadonlyArray<number>, far: ReadonlyArray<number>) => {
      const ratio = ratios(far, near)
      return [
        `${direction} of ${name}`,
        nanos(median(near)),
        nanos(median(far)),
        spread(ratio),
        `under 2x: ${met(median(ratio) < 2)}`
      ]
    }
    return [row("next", found.nextNear, found.nextFar), row("prev", found.prevNear, found.prevFar)]
  })
  print("distance\n")
  table(["trigger, bounded", "over 10 s", "over 10 years", "ratio", "target"], rows)
}

/** A trigger that can never fire is found out, not searched for. */
const never = (options: Options): void => {
  const from = DateTime.makeUnsafe("2026-01-01T00:00:00Z")
  const rows = ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 0 29 2 * 2025-2027"].map((text) => {
    const first = process.hrtime.bigint()
    const trigger = parsed(text, "Europe/Berlin")
    const answer = Trigger.next(trigger, from)
    const once = Number(process.hrtime.bigint() - first)
    const found = rounds({ next: () => Trigger.next(trigger, from), prev: () => Trigger.prev(trigger, from) }, options)
    const worst = Math.max(median(found.next), median(found.prev))
    return [
      text,
      answer._tag,
      nanos(once),
      nanos(median(found.next)),
      nanos(median(found.prev)),
      `under 1 ms: ${met(worst < 1e6)}`
    ]
  })
  print("never\n")
  table(["pattern", "answer", "parse and first next", "next", "prev", "target"], rows)
}

export const trigger = (options: Options): void => {
  print(
    `CPU time of a call, median of the rounds; a ratio with its least and greatest round${options.quick ? " (quick: the figures mean nothing)" : ""}\n`
  )
  parse(options)
  next(options)
  distance(options)
  never(options)
}
