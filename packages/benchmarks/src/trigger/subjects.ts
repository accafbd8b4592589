/**
 * Each library's own way to the next time, as its documentation has it. Where one cannot do it, there is no subject. croner and
 * Effect in UTC are left at their default, the zone of the process, which is UTC here: told of it they take about five times as long,
 * and cron-parser takes four times as long to parse, though a little less to find the next time.
 */
import { CronExpressionParser } from "cron-parser"
import { Cron as Croner } from "croner"
import { Cron, DateTime, Result } from "effect"
import * as Trigger from "effect-scheduler/Trigger"
import { parse as parseNodeCron, schedule as scheduleNodeCron } from "node-cron"
import type { Subject } from "../measure.ts"
import { type Pattern, starts } from "./texts.ts"

export type Library = "ours" | "croner" | "croner, utcOffset" | "cron-parser" | "Effect" | "node-cron"

process.env["TZ"] = "UTC"

const last = starts.length - 1
const dates = starts.map((instant) => new Date(instant))
const dateTimes = starts.map((instant) => DateTime.makeUnsafe(instant))

export const parsed = ({ text, timeZone }: Pattern): Trigger.Trigger =>
  Result.getOrThrow(Trigger.parseCron(text, { timeZone }))

const attempt = (make: () => Subject): Subject | undefined => {
  try {
    const subject = make()
    subject(0)
    return subject
  } catch {
    return undefined
  }
}

/** `next` of each library that takes the pattern. */
export const nexts = (pattern: Pattern): Partial<Readonly<Record<Library, Subject>>> => {
  const { text, timeZone } = pattern
  const all: ReadonlyArray<readonly [Library, () => Subject]> = [
    [
      "ours",
      () => {
        const trigger = parsed(pattern)
        return (call) => Trigger.next(trigger, dateTimes[call & last]!)
      }
    ],
    [
      "croner",
      () => {
        const cron = timeZone === "UTC" ? new Croner(text) : new Croner(text, { timezone: timeZone })
        return (call) => cron.nextRun(dates[call & last]!)
      }
    ],
    [
      "croner, utcOffset",
      () => {
        if (timeZone !== "UTC") throw new Error("an offset does not follow a zone")
        const cron = new Croner(text, { utcOffset: 0 })
        return (call) => cron.nextRun(dates[call & last]!)
      }
    ],
    [
      "cron-parser",
      () => {
        const cron = CronExpressionParser.parse(text, { tz: timeZone })
        return (call) => {
          cron.reset(dates[call & last]!)
          try {
            return cron.next()
          } catch {
            // "Invalid expression, loop limit exceeded": it gives up where the next time is far away.
            return undefined
          }
        }
      }
    ],
    [
      "Effect",
      () => {
        const cron = timeZone === "UTC" ? Cron.parseUnsafe(text) : Cron.parseUnsafe(text, timeZone)
        return (call) => Cron.next(cron, dates[call & last]!)
      }
    ]
  ]
  return Object.fromEntries(
    all.flatMap(([name, make]) => {
      const subject = attempt(make)
      return subject === undefined ? [] : [[name, subject] as const]
    })
  )
}

/** node-cron looks from the present instant only, and only for a task that is started. */
export const nodeCronNext = ({
  text,
  timeZone
}: Pattern): { readonly next: Subject; readonly close: () => void } | undefined => {
  try {
    const task = scheduleNodeCron(text, () => undefined, { timezone: timeZone, logger: silent })
    return { next: () => task.getNextRun(), close: () => void task.destroy() }
  } catch {
    return undefined
  }
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }

export const parses = (
  textOf: (call: number) => string
): Readonly<Record<"ours" | "croner" | "cron-parser" | "Effect" | "node-cron", Subject>> => ({
  ours: (call) => Trigger.parseCron(textOf(call)),
  croner: (call) => new Croner(textOf(call)),
  "cron-parser": (call) => CronExpressionParser.parse(textOf(call)),
  Effect: (call) => Cron.parse(textOf(call)),
  "node-cron": (call) => parseNodeCron(textOf(call))
})
