/** Random combinations of triggers, each beside its rule in the model. */
import * as Trigger from "../../src/Trigger.ts"
import { type Case, clockChange, cron, day, fields, hour, minute, type Place, second, utc, zones } from "./cases.ts"
import * as model from "./model.ts"
import type { Random } from "./random.ts"

const weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const

const two = (value: number): string => String(value).padStart(2, "0")

const timeText = (seconds: number): string =>
  `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`

const dateText = (instant: number): string => new Date(instant).toISOString().slice(0, 10)

const reach = 8 * day

export const every = (random: Random, at: Place): Case => {
  const duration = random.pick([
    random.int(20, 3600) * second,
    random.int(1, 90) * minute,
    random.int(1, 50) * hour,
    random.int(60_000, 900_000)
  ])
  if (random.chance(0.2)) {
    return {
      trigger: Trigger.every(duration),
      rule: model.every(duration, duration),
      text: `every ${duration}`,
      reach,
      dense: duration < minute
    }
  }
  const start = at.instant + random.int(-20 * day, 2 * day)
  return {
    trigger: Trigger.every(duration, { start: utc(start) }),
    rule: model.every(duration, start),
    text: `every ${duration} from ${start}`,
    reach,
    dense: duration < minute
  }
}

export const calendar = (random: Random, at: Place): Case => {
  const counted = random.pick<Pick<model.Calendar, "years" | "months" | "weeks" | "days">>([
    { days: random.int(1, 40) },
    { weeks: random.int(1, 5) },
    { weeks: 1, days: 3 },
    { months: random.int(1, 14) },
    { months: random.int(1, 3), days: random.int(1, 10) },
    { years: random.int(1, 3) },
    { years: 1, months: 1 }
  ])
  const local =
    at.transition === undefined
      ? random.int(0, 86_399)
      : (Math.floor((at.transition.at + at.transition.before) / second) + random.int(-90, 90) * 60 + 86_400_000) %
        86_400
  const start = dateText(at.instant + (random.chance(0.5) ? random.int(-3, 1) * day : random.int(-1000, 10) * day))
  const last = random.chance(0.3) ? `${start.slice(0, 5)}${random.pick(["01-31", "03-30", "08-29", "12-31"])}` : start
  const spec = { ...counted, at: Math.abs(local), start: last, day: random.pick(["skip", "clamp"] as const) }
  const change = random.chance(0.4) ? undefined : clockChange(random)
  return {
    trigger: Trigger.calendar(
      { ...counted, at: timeText(spec.at), start: spec.start, day: spec.day },
      { timeZone: at.zone, ...(change === undefined ? {} : { clockChange: change }) }
    ),
    rule: model.calendar(spec, at.zone, change ?? { gap: "gapEnd", overlap: "first" }),
    text: `calendar ${JSON.stringify(spec)} in ${at.zone} with ${JSON.stringify(change)}`,
    reach: 3 * 366 * day,
    dense: false
  }
}

const once = (random: Random, at: Place): Case => {
  const instant = at.instant + random.int(-3 * day, 3 * day)
  return { trigger: Trigger.at(utc(instant)), rule: model.at(instant), text: `at ${instant}`, reach, dense: false }
}

const leaf = (random: Random, at: Place): Case => {
  for (;;) {
    const made = anyLeaf(random, at)
    if (!made.dense) return made
  }
}

const anyLeaf = (random: Random, at: Place): Case => {
  const kind = random.next()
  const zone = random.chance(0.7) ? at : { ...at, zone: random.pick(zones), transition: undefined }
  if (kind < 0.4) return cron(random, zone)
  if (kind < 0.5) return fields(random, zone)
  if (kind < 0.75) return every(random, zone)
  return kind < 0.95 ? calendar(random, zone) : once(random, zone)
}

const windows = (random: Random, at: Place) =>
  Array.from({ length: random.int(1, 2) }, () => {
    const days = Array.from({ length: random.int(1, 6) }, () => random.int(0, 6))
    const from = random.int(0, 95) * 900
    const to = (from + random.int(1, 95) * 900) % 86_400 || 86_400
    const timeZone = random.chance(0.7) ? at.zone : random.pick(zones)
    return { days: Array.from(new Set(days)), from, to, timeZone }
  })

/** A trigger made of others. */
export const combination = (random: Random, at: Place, depth = 0): Case => {
  const member = () => (depth < 2 && random.chance(0.25) ? combination(random, at, depth + 1) : leaf(random, at))
  const near = (distance: number) => at.instant + random.int(-distance, distance)
  switch (random.int(0, 7)) {
    case 0: {
      const of = Array.from({ length: random.int(2, 3) }, member)
      return {
        trigger: Trigger.or(of[0]!.trigger, ...of.slice(1).map((one) => one.trigger)),
        rule: model.or(...of.map((one) => one.rule)),
        text: `or(${of.map((one) => one.text).join("; ")})`,
        reach,
        dense: false
      }
    }
    case 1: {
      const of = Array.from({ length: 2 }, member)
      const tolerance = random.pick([0, second, minute, random.int(0, 2 * hour), day])
      return {
        trigger: Trigger.and([of[0]!.trigger, of[1]!.trigger], { tolerance }),
        rule: model.and(
          of.map((one) => one.rule),
          tolerance
        ),
        text: `and(${of.map((one) => one.text).join("; ")} within ${tolerance})`,
        reach,
        dense: false
      }
    }
    case 2: {
      const [of, other] = [member(), member()]
      return {
        trigger: Trigger.except(of.trigger, other.trigger),
        rule: model.except(of.rule, other.rule),
        text: `except(${of.text}; ${other.text})`,
        reach,
        dense: false
      }
    }
    case 3: {
      const of = member()
      const changed = at.transition === undefined ? [] : [dateText(at.transition.at + at.transition.before)]
      const other = Array.from({ length: random.int(1, 4) }, () => dateText(near(4 * day)))
      const dates = Array.from(new Set([...changed, ...other]))
      return {
        trigger: Trigger.except(of.trigger, { dates, timeZone: at.zone }),
        rule: model.exceptDates(of.rule, dates, at.zone),
        text: `except(${of.text}; ${dates.join(" ")} in ${at.zone})`,
        reach,
        dense: false
      }
    }
    case 4: {
      const of = member()
      const open = windows(random, at)
      return {
        trigger: Trigger.during(
          of.trigger,
          open.map((window) => ({
            days: window.days.map((weekday) => weekdayNames[weekday]!),
            from: timeText(window.from),
            to: timeText(window.to),
            timeZone: window.timeZone
          }))
        ),
        rule: model.during(of.rule, open),
        text: `during(${of.text}; ${JSON.stringify(open)})`,
        reach,
        dense: false
      }
    }
    case 5: {
      const of = member()
      const start = near(4 * day)
      const end = start + random.int(0, 8 * day)
      const [first, last] = [random.chance(0.7), random.chance(0.7)]
      return {
        trigger: Trigger.bounded(of.trigger, {
          ...(first ? { start: utc(start) } : {}),
          ...(last ? { end: utc(end) } : {})
        }),
        rule: model.bounded(of.rule, first ? start : -8e15, last ? end : 8e15),
        text: `bounded(${of.text}; ${first ? start : ""} to ${last ? end : ""})`,
        reach,
        dense: false
      }
    }
    case 6: {
      const of = member()
      const by = random.pick([-1, 1]) * random.pick([random.int(0, 90) * minute, random.int(0, 3 * day), 500])
      return {
        trigger: Trigger.offset(of.trigger, by),
        rule: model.offset(of.rule, by),
        text: `offset(${of.text}; ${by})`,
        reach,
        dense: false
      }
    }
    default: {
      const of = member()
      const anchor = near(3 * day)
      return {
        // What is open in it stays anchored at the epoch, which is where the model has it.
        trigger: Trigger.anchor(Trigger.startNow(Trigger.anchor(of.trigger, utc(0))), utc(anchor)),
        rule: model.startNow(of.rule, anchor),
        text: `startNow(${of.text}) at ${anchor}`,
        reach,
        dense: false
      }
    }
  }
}
