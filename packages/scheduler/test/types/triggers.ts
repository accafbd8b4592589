/** What the types promise of triggers. Literals have a test of their own, `../trigger/literal.test.ts`. */
import { Schema } from "effect"
import { Trigger } from "../../src/index.ts"
import { same } from "./given.ts"

const spaced = () => Trigger.spaced("1 minute")
const hourly = Trigger.every("1 hour")

// A spaced rhythm is no set of instants: it stands alone, or in a window.
export const rhythms = () => [
  Trigger.or(hourly, Trigger.cron("0 3 * * *")),
  // @ts-expect-error or takes no spaced rhythm
  Trigger.or(hourly, spaced()),
  // @ts-expect-error nor first
  Trigger.or(spaced()),
  Trigger.and([hourly, Trigger.cron("0 3 * * *")]),
  // @ts-expect-error and takes no spaced rhythm
  Trigger.and([hourly, spaced()]),
  Trigger.except(hourly, Trigger.cron("0 3 * * *")),
  // @ts-expect-error except takes no spaced rhythm
  Trigger.except(spaced(), hourly),
  // @ts-expect-error nor as what is excluded
  Trigger.except(hourly, spaced()),
  // @ts-expect-error nor in a pipe
  spaced().pipe(Trigger.except({ dates: ["2030-01-01"] })),
  Trigger.offset(hourly, "1 minute"),
  // @ts-expect-error offset takes no spaced rhythm
  Trigger.offset(spaced(), "1 minute"),
  // @ts-expect-error startNow takes no spaced rhythm, which is due at once anyway
  Trigger.startNow(spaced()),
  // @ts-expect-error nor within a window
  Trigger.or(hourly, Trigger.during(spaced(), { from: "09:00", to: "17:00" }))
]
const windowed = () => Trigger.during(spaced(), { from: "09:00", to: "17:00" })
same<ReturnType<typeof windowed>, Trigger.Spaced>(true)
const within = () => Trigger.bounded(spaced(), { end: "2030-01-01" })
same<ReturnType<typeof within>, Trigger.Spaced>(true)

export const options = () => [
  Trigger.every("1 hour", { start: "2030-01-01" }),
  // @ts-expect-error the option is spelled start
  Trigger.every("1 hour", { from: "2030-01-01" }),
  // @ts-expect-error the option is spelled first
  Trigger.spaced("1 hour", { start: 0 }),
  Trigger.cron("0 3 * * *", { timeZone: "Europe/Berlin", clockChange: { gap: "skip", overlap: "both" } }),
  // @ts-expect-error the option is spelled timeZone
  Trigger.cron("0 3 * * *", { timezone: "Europe/Berlin" }),
  // @ts-expect-error there is no such rule for clock changes
  Trigger.cron("0 3 * * *", { clockChange: "posix" }),
  // @ts-expect-error there is no such answer to a gap
  Trigger.cron("0 3 * * *", { clockChange: { gap: "wait", overlap: "both" } }),
  Trigger.calendar({ months: 1, at: "09:00", day: "clamp" }),
  // @ts-expect-error the step is spelled months
  Trigger.calendar({ month: 1 }),
  // @ts-expect-error a day that does not exist is skipped or clamped
  Trigger.calendar({ months: 1, day: "next" }),
  Trigger.bounded(hourly, { end: "2030-01-01" }),
  // @ts-expect-error the bound is spelled end
  Trigger.bounded(hourly, { until: "2030-01-01" }),
  // @ts-expect-error the option is spelled tolerance
  Trigger.and([hourly, hourly], { within: "1 minute" }),
  // @ts-expect-error the window's end is spelled to
  Trigger.during(hourly, { from: "09:00", until: "17:00" })
]

// Texts, and fields.
same<Trigger.CronText<"0 25 * * *">, 'hour field: "25" is not valid'>(true)
same<Trigger.CronText<"0 9 * * *">, "0 9 * * *">(true)
type Pointed = Trigger.CronText<string> extends `cron takes a literal: use Trigger.parseCron${string}` ? true : false
same<Pointed, true>(true)

export const texts = (unknown: string) => [
  Trigger.cron("0 3 * * *"),
  // @ts-expect-error minute field: "61" is not valid
  Trigger.cron("61 3 * * *"),
  // @ts-expect-error cron takes a literal: use Trigger.parseCron
  Trigger.cron(unknown),
  Trigger.parseCron(unknown),
  Trigger.cron({ hour: 5, dayOfWeek: "mon-fri", day: "last sun" }),
  // @ts-expect-error the field is spelled hour
  Trigger.cron({ hours: 5 }),
  // @ts-expect-error the field is spelled dayOfWeek
  Trigger.cron({ day_of_week: "mon" }),
  // @ts-expect-error days of the week are named: two ways of numbering them exist
  Trigger.cron({ dayOfWeek: 1 })
]

const rule = Trigger.custom("lunar", Schema.Struct({ phase: Schema.Number }), { next: () => missing() })
declare const missing: () => never
export const customs = () => [
  rule({ phase: 1 }),
  // @ts-expect-error the phase is a number
  rule({ phase: "full" }),
  // @ts-expect-error the parameters are missing
  rule()
]
