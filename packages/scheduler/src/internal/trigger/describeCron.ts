/**
 * Cron patterns in English, from their sets, so that every spelling of a pattern reads alike.
 */
import { members, members60 } from "./bits.ts"
import type { FieldSet, MonthDays, Weekdays } from "./fieldSet.ts"
import { formatTime } from "./localText.ts"
import { listed, ordinal, plural, runs, stepOf } from "./words.ts"

const MONTHS = [
  "",
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December"
]

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
const NTH = ["first", "second", "third", "fourth", "fifth"]

export const describeFields = (fields: FieldSet): string => {
  const days = describeDays(fields)
  const times = timesText(fields)
  const months = members(fields.months)
  const rest = [
    fields.weeks === undefined ? "" : `in ISO week ${runs(members60(fields.weeks), String)}`,
    months.length === 12 ? "" : `in ${runs(months, (month) => MONTHS[month]!)}`,
    fields.years === undefined ? "" : `in ${yearsText(fields.years)}`
  ]
  const anyDay = days === "" && rest.every((text) => text === "") && /^at \d\d:/.test(times) ? "every day" : days
  return [times, anyDay, ...rest].filter((text) => text !== "").join(" ")
}

/** As many times of day as are still read more easily one by one. */
const FEW = 6

const timesText = (fields: FieldSet): string => {
  const [hours, minutes, seconds] = [members(fields.hours), members60(fields.minutes), members60(fields.seconds)]
  if (hours.length * minutes.length * seconds.length <= FEW) {
    const times = hours.flatMap((hour) =>
      minutes.flatMap((minute) => seconds.map((second) => formatTime(hour * 3600 + minute * 60 + second)))
    )
    return `at ${listed(times)}`
  }
  const second = seconds.length === 1 && seconds[0] === 0 ? "" : unitText(seconds, "second", 59)
  // "every 5 seconds" says that it is every minute.
  const minute = minutes.length === 60 && second.startsWith("every") ? "" : unitText(minutes, "minute", 59)
  const hour = hours.length === 24 && (second + minute).includes("every") ? "" : hoursText(hours)
  return [second, minute, hour].filter((text) => text !== "").join(" ")
}

const unitText = (values: ReadonlyArray<number>, unit: string, max: number): string => {
  const step = stepOf(values, 0, max)
  if (step === 1) return `every ${unit}`
  if (step !== undefined && (max + 1) % step === 0) return `every ${plural(step, unit)}`
  return `at ${unit}${values.length === 1 ? "" : "s"} ${runs(values, String)}`
}

const hoursText = (hours: ReadonlyArray<number>): string => {
  const step = stepOf(hours, 0, 23)
  if (step === 1) return "of every hour"
  if (step !== undefined && 24 % step === 0) return `of every ${ordinal(step)} hour`
  return `in the hour${hours.length === 1 ? "" : "s"} ${runs(hours, String)}`
}

const describeDays = ({ days, match, weekdays }: FieldSet): string => {
  const parts = [
    ...(days.restricted ? [monthDaysText(days)] : []),
    ...(weekdays.restricted ? [weekdaysText(weekdays)] : [])
  ]
  return parts.length === 0 ? "" : `on ${parts.join(match === "any" ? " or on " : " if it is also ")}`
}

const monthDaysText = (days: MonthDays): string =>
  listed([
    ...(days.set === 0 ? [] : [`the ${dayNumbers(days.set)}`]),
    ...(days.last ? ["the last day of the month"] : []),
    ...(days.nearest === 0 ? [] : [`the weekday nearest to the ${dayNumbers(days.nearest)}`]),
    ...(days.lastWorkday ? ["the last weekday of the month"] : []),
    ...nthText(days.nth, days.lastOf)
  ])

const dayNumbers = (set: number): string => {
  const numbers = members(set)
  const step = stepOf(numbers, 1, 31)
  return step !== undefined && step > 1 && numbers.length > FEW
    ? `1st and every ${ordinal(step)} day after it`
    : runs(numbers, ordinal)
}

const weekdaysText = (weekdays: Weekdays): string =>
  listed([...(weekdays.set === 0 ? [] : [weekdaySetText(weekdays.set)]), ...nthText(weekdays.nth, weekdays.lastOf)])

/** The week begins on Monday here, so that a weekend is one run. */
export const weekdaySetText = (set: number): string => {
  const fromMonday = members(set)
    .map((weekday) => (weekday + 6) % 7)
    .toSorted((a, b) => a - b)
  return runs(fromMonday, (weekday) => WEEKDAYS[(weekday + 1) % 7]!)
}

const nthText = (nth: ReadonlyArray<number>, lastOf: number): Array<string> => [
  ...nth.flatMap((set, index) => members(set).map((weekday) => `the ${NTH[index]} ${WEEKDAYS[weekday]} of the month`)),
  ...members(lastOf).map((weekday) => `the last ${WEEKDAYS[weekday]} of the month`)
]

const yearsText = (years: ReadonlyArray<number>): string => {
  const step = years.length > FEW ? years[1]! - years[0]! : 0
  const even = step > 1 && years.every((year, index) => year === years[0]! + index * step)
  if (!even) return runs(years, String)
  const last = years[years.length - 1]!
  return `every ${ordinal(step)} year from ${years[0]}${last + step > 9999 ? "" : ` to ${last}`}`
}
