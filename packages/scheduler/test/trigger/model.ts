/**
 * When a trigger fires, worked out the slow way: every second or minute of the local timeline is looked at. What is known
 * of time zones comes from `Intl.DateTimeFormat` alone, and nothing here is shared with the engine (a lint rule forbids
 * an import of `internal/`), so that the two can only agree by both being right.
 *
 * Instants are epoch milliseconds. A rule answers with its firings in a closed interval, in order.
 */

export interface Rule {
  readonly instants: (from: number, to: number) => ReadonlyArray<number>
}

export interface ClockChange {
  readonly gap: "skip" | "shift" | "gapEnd"
  readonly overlap: "first" | "last" | "both"
}

export type Preset = "vixie" | "ocps" | "compatible"

const second = 1000
const hour = 3_600_000
const day = 86_400_000

// ---------------------------------------------------------------------------------------------------------------------
// zones
// ---------------------------------------------------------------------------------------------------------------------

const formats = new Map<string, Intl.DateTimeFormat>()

const format = (timeZone: string): Intl.DateTimeFormat => {
  let value = formats.get(timeZone)
  if (value === undefined) {
    value = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric"
    })
    formats.set(timeZone, value)
  }
  return value
}

/** The local time at an instant as if it were UTC, in epoch milliseconds, cut to the second. */
const localAt = (timeZone: string, instant: number): number => {
  const [month, date, year, hours, minutes, seconds] = format(timeZone).format(instant).match(/\d+/g)!.map(Number)
  return Date.UTC(year!, month! - 1, date, hours, minutes, seconds)
}

/** Local time minus UTC. */
const offsetAt = (timeZone: string, instant: number): number => {
  const whole = Math.floor(instant / second) * second
  return localAt(timeZone, whole) - whole
}

export interface Transition {
  readonly at: number
  readonly before: number
  readonly after: number
}

/** Offsets at full hours, kept because the same ones are asked for again and again. */
const hourly = new Map<string, Map<number, number>>()

const offsetAtHour = (timeZone: string, instant: number): number => {
  let known = hourly.get(timeZone)
  if (known === undefined || known.size > 50_000) hourly.set(timeZone, (known = new Map<number, number>()))
  let offset = known.get(instant)
  if (offset === undefined) known.set(instant, (offset = offsetAt(timeZone, instant)))
  return offset
}

/** The local time as `localAt` has it, from the full hours around where their offsets are the same. */
const shownAt = (timeZone: string, instant: number): number => {
  const start = Math.floor(instant / hour) * hour
  const offset = offsetAtHour(timeZone, start)
  if (offset !== offsetAtHour(timeZone, start + hour)) return localAt(timeZone, instant)
  return Math.floor(instant / second) * second + offset
}

/** The changes of offset in an interval: sampled, then narrowed to the second. */
export const transitions = (timeZone: string, from: number, to: number): ReadonlyArray<Transition> => {
  const out: Array<Transition> = []
  if (timeZone === "UTC") return out
  const step = to - from > 40 * day ? day : hour
  let at = Math.floor(from / step) * step
  let before = offsetAtHour(timeZone, at)
  while (at < to) {
    const end = at + step
    const after = offsetAtHour(timeZone, end)
    if (after !== before) {
      let low = at
      let high = end
      while (high - low > second) {
        const middle = Math.floor((low + high) / 2 / second) * second
        if (offsetAt(timeZone, middle) === before) low = middle
        else high = middle
      }
      if (high > from && high <= to) out.push({ at: high, before, after })
    }
    before = after
    at = end
  }
  return out
}

// ---------------------------------------------------------------------------------------------------------------------
// local times
// ---------------------------------------------------------------------------------------------------------------------

/** What a pattern names on the local timeline, clock changes left aside. */
export interface Pattern {
  readonly date: (year: number, month: number, date: number) => boolean
  readonly hours: ReadonlyArray<number>
  readonly minutes: ReadonlyArray<number>
  readonly seconds: ReadonlyArray<number>
  /** Vixie's rule has two halves, chosen by the text of the pattern. */
  readonly wild: boolean
}

const changeOf = (pattern: { readonly wild: boolean }, change: ClockChange | Preset): ClockChange => {
  switch (change) {
    case "vixie":
      return pattern.wild ? { gap: "skip", overlap: "both" } : { gap: "gapEnd", overlap: "first" }
    case "ocps":
      return { gap: "skip", overlap: "first" }
    case "compatible":
      return { gap: "shift", overlap: "first" }
    default:
      return change
  }
}

/** To Vixie's rule a change of three hours or more is a correction of the zone, not a daylight saving change. */
const isCorrection = (change: Transition): boolean => Math.abs(change.after - change.before) >= 3 * hour

/** The local times that the pattern names in [from, to), both local. */
const named = (pattern: Pattern, from: number, to: number): Array<number> => {
  const out: Array<number> = []
  for (let midnight = Math.floor(from / day) * day; midnight < to; midnight += day) {
    const date = new Date(midnight)
    if (!pattern.date(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())) continue
    for (const hours of pattern.hours) {
      if (midnight + (hours + 1) * hour <= from || midnight + hours * hour >= to) continue
      for (const minutes of pattern.minutes) {
        for (const seconds of pattern.seconds) {
          const local = midnight + ((hours * 60 + minutes) * 60 + seconds) * second
          if (local >= from && local < to) out.push(local)
        }
      }
    }
  }
  return out
}

/** The instants of a pattern in a zone under a rule for clock changes. */
export const zoned = (pattern: Pattern, timeZone: string, clockChange: ClockChange | Preset): Rule => ({
  instants: (from, to) => {
    const out = new Set<number>()
    const keep = (instant: number) => {
      if (instant >= from && instant <= to) out.add(instant)
    }
    const chosen = changeOf(pattern, clockChange)
    const ruleAt = (change: Transition): ClockChange =>
      clockChange === "vixie" && isCorrection(change) ? { gap: "skip", overlap: "both" } : chosen
    const start = from - 26 * hour
    const end = to + 26 * hour
    const changes = transitions(timeZone, start, end)
    for (let index = 0; index <= changes.length; index++) {
      const previous = changes[index - 1]
      const following = changes[index]
      const offset = previous?.after ?? following?.before ?? offsetAt(timeZone, from)
      const first = Math.max(previous?.at ?? start, from)
      const last = Math.min(following?.at ?? end, to + second)
      for (const local of first < last ? named(pattern, first + offset, last + offset) : []) {
        const repeats = previous !== undefined && local < previous.at + previous.before
        const isRepeated = following !== undefined && local >= following.at + following.after
        if (repeats && ruleAt(previous).overlap === "first") continue
        if (isRepeated && ruleAt(following).overlap === "last") continue
        keep(local - offset)
      }
      if (following === undefined || following.after < following.before) continue
      const { gap } = ruleAt(following)
      if (gap === "skip" || following.at > to || following.at + (following.after - following.before) < from) continue
      const missing = named(pattern, following.at + following.before, following.at + following.after)
      for (const local of missing) keep(gap === "gapEnd" ? following.at : local - following.before)
    }
    return sorted(out)
  }
})

const sorted = (instants: Iterable<number>): ReadonlyArray<number> => Array.from(instants).toSorted((a, b) => a - b)

const lastOf = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()

/** 0 is Sunday. */
const weekdayOf = (year: number, month: number, date: number): number =>
  new Date(Date.UTC(year, month - 1, date)).getUTCDay()

const between = (low: number, high: number): ReadonlyArray<number> =>
  Array.from({ length: high - low + 1 }, (_, index) => low + index)

// ---------------------------------------------------------------------------------------------------------------------
// cron text
// ---------------------------------------------------------------------------------------------------------------------

const monthNames = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ")
const weekdayNames = "sun mon tue wed thu fri sat".split(" ")

const valueOf = (text: string): number => {
  if (/^\d+$/.test(text)) return Number(text)
  const month = monthNames.indexOf(text)
  return month >= 0 ? month + 1 : weekdayNames.indexOf(text)
}

const takes = (item: string, value: number, low: number, high: number): boolean => {
  const [base, step] = item.split("/")
  const [from, to] = base === "*" || base === "?" ? [low, high] : base!.split("-")
  const first = typeof from === "number" ? from : valueOf(from!)
  const last = typeof to === "number" ? to : to === undefined ? first : to === "sun" ? 7 : valueOf(to)
  return value >= first && value <= last && (value - first) % Number(step ?? 1) === 0
}

/** The weekday of Monday to Friday nearest to a day, in its month. */
const nearestWeekday = (year: number, month: number, date: number): number => {
  const candidates = between(1, lastOf(year, month)).filter((other) => {
    const weekday = weekdayOf(year, month, other)
    return weekday >= 1 && weekday <= 5
  })
  const distance = (other: number) => Math.abs(other - date)
  return candidates.reduce((best, other) => (distance(other) < distance(best) ? other : best))
}

const dayTakes = (item: string, year: number, month: number, date: number): boolean => {
  const last = lastOf(year, month)
  if (item === "l") return date === last
  if (item === "lw") return date === nearestWeekday(year, month, last)
  if (item.endsWith("w")) {
    const wanted = Number(item.slice(0, -1))
    return wanted <= last && date === nearestWeekday(year, month, wanted)
  }
  return takes(item, date, 1, 31)
}

const weekdayTakes = (item: string, year: number, month: number, date: number): boolean => {
  const weekday = weekdayOf(year, month, date)
  const isLast = date + 7 > lastOf(year, month)
  if (item.includes("#")) {
    const [name, nth] = item.split("#")
    return valueOf(name!) % 7 === weekday && (nth === "l" ? isLast : Math.ceil(date / 7) === Number(nth))
  }
  if (item.endsWith("l")) return valueOf(item.slice(0, -1)) % 7 === weekday && isLast
  return takes(item, weekday, 0, 7) || (weekday === 0 && item !== "*" && !/^[*?]\//.test(item) && takes(item, 7, 0, 7))
}

const nicknames: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *"
}

const takenBy = (items: ReadonlyArray<string>, low: number, high: number) =>
  between(low, high).filter((value) => items.some((item) => takes(item, value, low, high)))

const isAll = (items: ReadonlyArray<string>) => items.length === 1 && (items[0] === "*" || items[0] === "?")

/** Reads a cron text that is known to be valid. */
export const cronPattern = (text: string): Pattern => {
  const plain = text.trim().toLowerCase()
  const fields = (nicknames[plain] ?? plain).split(/[ \t]+/)
  if (fields.length === 5) fields.unshift("0")
  if (fields.length === 6) fields.push("*")
  const [seconds, minutes, hours, days, months, weekdays, years] = fields.map((field) => field.split(","))
  const both = weekdays![0]!.startsWith("+")
  const weekdayItems = weekdays!.map((item) => item.replace("+", ""))
  return {
    seconds: takenBy(seconds!, 0, 59),
    minutes: takenBy(minutes!, 0, 59),
    hours: takenBy(hours!, 0, 23),
    date: (year, month, date) => {
      if (!months!.some((item) => takes(item, month, 1, 12))) return false
      if (!years!.some((item) => (item.startsWith("*/") ? takes(item, year, 1970, 9999) : takes(item, year, 1, 9999))))
        return false
      const day = isAll(days!) || days!.some((item) => dayTakes(item, year, month, date))
      const weekday = isAll(weekdayItems) || weekdayItems.some((item) => weekdayTakes(item, year, month, date))
      return both || isAll(days!) || isAll(weekdayItems) ? day && weekday : day || weekday
    },
    wild: [...minutes!, ...hours!].some((item) => item.startsWith("*"))
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// fields
// ---------------------------------------------------------------------------------------------------------------------

const fieldNames = ["year", "month", "day", "week", "dayOfWeek", "hour", "minute", "second"] as const

export type FieldName = (typeof fieldNames)[number]

export type Fields = { readonly [K in FieldName]?: string }

const fieldRanges: Record<FieldName, readonly [number, number]> = {
  year: [1970, 9999],
  month: [1, 12],
  day: [1, 31],
  week: [1, 53],
  dayOfWeek: [0, 6],
  hour: [0, 23],
  minute: [0, 59],
  second: [0, 59]
}

const fromMonday = "mon tue wed thu fri sat sun".split(" ")

/** The ISO week: that of the Thursday of the week. */
const weekOf = (year: number, month: number, date: number): number => {
  const thursday = Date.UTC(year, month - 1, date + 4 - (weekdayOf(year, month, date) || 7))
  return Math.ceil(((thursday - Date.UTC(new Date(thursday).getUTCFullYear(), 0, 1)) / day + 1) / 7)
}

const fieldTakes = (name: FieldName, item: string, value: number): boolean => {
  if (item === "*") return true
  const [low, high] = fieldRanges[name]
  const read = (text: string) =>
    name === "month" ? valueOf(text) : name === "dayOfWeek" ? fromMonday.indexOf(text) : Number(text)
  const [base, step] = item.split("/")
  const [from, to] = base!.split("-")
  const first = base === "*" ? low : read(from!)
  const last = base === "*" || (to === undefined && step !== undefined) ? high : to === undefined ? first : read(to)
  return value >= first && value <= last && (value - first) % Number(step ?? 1) === 0
}

const dayFieldTakes = (item: string, year: number, month: number, date: number): boolean => {
  const last = lastOf(year, month)
  if (item === "last") return date === last
  const words = item.split(" ")
  if (words.length === 1) return fieldTakes("day", item, date)
  if (weekdayOf(year, month, date) !== weekdayNames.indexOf(words[1]!)) return false
  return words[0] === "last" ? date + 7 > last : Math.ceil(date / 7) === Number(words[0]![0])
}

/** The field-wise form: all fields match; what is left out is `*` or its minimum by its place. */
export const fieldsPattern = (fields: Fields): Pattern => {
  const given = fieldNames.map((name) => fields[name] !== undefined)
  const least = given.lastIndexOf(true)
  const text = (name: FieldName): string =>
    (
      fields[name] ??
      (fieldNames.indexOf(name) < least || name === "week" || name === "dayOfWeek" ? "*" : String(fieldRanges[name][0]))
    ).toLowerCase()
  const items = (name: FieldName) => text(name).split(",")
  const values = (name: FieldName) =>
    between(...fieldRanges[name]).filter((value) => items(name).some((item) => fieldTakes(name, item, value)))
  return {
    hours: values("hour"),
    minutes: values("minute"),
    seconds: values("second"),
    date: (year, month, date) =>
      items("year").some((item) => fieldTakes("year", item, year)) &&
      items("month").some((item) => fieldTakes("month", item, month)) &&
      items("day").some((item) => dayFieldTakes(item, year, month, date)) &&
      items("week").some((item) => fieldTakes("week", item, weekOf(year, month, date))) &&
      items("dayOfWeek").some((item) => fieldTakes("dayOfWeek", item, (weekdayOf(year, month, date) + 6) % 7)),
    wild: [...items("minute"), ...items("hour")].some((item) => item.startsWith("*"))
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// other rules
// ---------------------------------------------------------------------------------------------------------------------

const within = (instants: Iterable<number>, from: number, to: number): ReadonlyArray<number> =>
  sorted(new Set(Array.from(instants).filter((instant) => instant >= from && instant <= to)))

export const at = (instant: number): Rule => ({ instants: (from, to) => within([instant], from, to) })

/** Elapsed time from `start`, which fires. */
export const every = (duration: number, start: number): Rule => ({
  instants: (from, to) => {
    const out: Array<number> = []
    for (let k = Math.max(0, Math.ceil((from - start) / duration)); start + k * duration <= to; k++) {
      out.push(start + k * duration)
    }
    return out
  }
})

export const or = (...rules: ReadonlyArray<Rule>): Rule => ({
  instants: (from, to) =>
    within(
      rules.flatMap((rule) => rule.instants(from, to)),
      from,
      to
    )
})

/** Whether one of the instants, which are in order, is in [from, to]. */
const hasBetween = (instants: ReadonlyArray<number>, from: number, to: number): boolean => {
  let low = 0
  let high = instants.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (instants[middle]! < from) low = middle + 1
    else high = middle
  }
  return low < instants.length && instants[low]! <= to
}

export const and = (rules: ReadonlyArray<Rule>, tolerance: number): Rule => ({
  instants: (from, to) => {
    const others = rules.slice(1).map((rule) => rule.instants(from - tolerance, to + tolerance))
    return rules[0]!
      .instants(from, to)
      .filter((instant) => others.every((other) => hasBetween(other, instant - tolerance, instant + tolerance)))
  }
})

export const except = (rule: Rule, other: Rule): Rule => ({
  instants: (from, to) => {
    const removed = new Set(other.instants(from, to))
    return rule.instants(from, to).filter((instant) => !removed.has(instant))
  }
})

const dateText = (local: number): string => new Date(local).toISOString().slice(0, 10)

export const exceptDates = (rule: Rule, dates: ReadonlyArray<string>, timeZone: string): Rule => ({
  instants: (from, to) =>
    rule.instants(from, to).filter((instant) => !dates.includes(dateText(shownAt(timeZone, instant))))
})

export const bounded = (rule: Rule, start: number, end: number): Rule => ({
  instants: (from, to) => (from > end || to < start ? [] : rule.instants(Math.max(from, start), Math.min(to, end)))
})

export const offset = (rule: Rule, by: number): Rule => ({
  instants: (from, to) => rule.instants(from - by, to - by).map((instant) => instant + by)
})

export interface Window {
  /** The days on which it opens; 0 is Sunday. */
  readonly days: ReadonlyArray<number>
  /** Seconds of the local day. One that does not end after it begins ends on the following day; `to` is exclusive. */
  readonly from: number
  readonly to: number
  readonly timeZone: string
}

export const during = (rule: Rule, windows: ReadonlyArray<Window>): Rule => ({
  instants: (from, to) =>
    rule.instants(from, to).filter((instant) =>
      windows.some((window) => {
        const local = shownAt(window.timeZone, instant)
        const weekday = new Date(local).getUTCDay()
        const time = (local - Math.floor(local / day) * day) / second
        const opened = (ago: number) => window.days.includes((weekday - ago + 7) % 7)
        if (window.from < window.to) return opened(0) && time >= window.from && time < window.to
        return (opened(0) && time >= window.from) || (opened(1) && time < window.to)
      })
    )
})

/** One firing at the anchor, then the rule. */
export const startNow = (rule: Rule, anchor: number): Rule => ({
  instants: (from, to) => within([anchor, ...rule.instants(Math.max(from, anchor), to)], from, to)
})

export interface Calendar {
  readonly years?: number
  readonly months?: number
  readonly weeks?: number
  readonly days?: number
  /** Seconds of the local day. */
  readonly at: number
  /** `YYYY-MM-DD`. */
  readonly start: string
  readonly day: "skip" | "clamp"
}

/**
 * The dates up to a day. Those that are clamped are counted from the start each time; those that are skipped one after the
 * other, months until the date exists, then days.
 */
const calendarDates = (spec: Calendar, until: number): ReadonlyArray<number> => {
  const [startYear, startMonth, startDate] = spec.start.split("-").map(Number)
  const months = (spec.years ?? 0) * 12 + (spec.months ?? 0)
  const days = ((spec.weeks ?? 0) * 7 + (spec.days ?? 0)) * day
  const dates = [Date.UTC(startYear!, startMonth! - 1, startDate)]
  let month = startYear! * 12 + startMonth! - 1
  for (let count = 1; dates.at(-1)! <= until; count++) {
    const last = dates.at(-1)!
    if (months === 0) {
      dates.push(last + days)
      continue
    }
    let wanted = startDate!
    if (spec.day === "skip") {
      wanted = new Date(last).getUTCDate()
      month = new Date(last).getUTCFullYear() * 12 + new Date(last).getUTCMonth()
    }
    const length = () => lastOf(Math.floor(month / 12), (month % 12) + 1)
    do month += months
    while (spec.day === "skip" && wanted > length())
    const date = Date.UTC(Math.floor(month / 12), month % 12, Math.min(wanted, length()))
    dates.push(date + (spec.day === "skip" ? days : days * count))
  }
  return dates
}

export const calendar = (spec: Calendar, timeZone: string, clockChange: ClockChange | Preset): Rule => ({
  instants: (from, to) => {
    const dates = new Set(calendarDates(spec, to + 2 * day))
    const pattern: Pattern = {
      date: (year, month, date) => dates.has(Date.UTC(year, month - 1, date)),
      hours: [Math.floor(spec.at / 3600)],
      minutes: [Math.floor(spec.at / 60) % 60],
      seconds: [spec.at % 60],
      wild: false
    }
    return zoned(pattern, timeZone, clockChange).instants(from, to)
  }
})
