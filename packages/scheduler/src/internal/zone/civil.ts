/**
 * The proleptic Gregorian calendar by integer division. A day is its number since 1970-01-01.
 */

export const SECONDS_PER_DAY = 86_400

/** The years in which a rule on local time can fire; both ends are what OCPS 1.2 calls an extended range. */
export const MIN_YEAR = 1
export const MAX_YEAR = 9999

export const daysFromCivil = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + day - 1
  return era * 146_097 + yearOfEra * 365 + (yearOfEra >> 2) - ((yearOfEra / 100) | 0) + dayOfYear - 719_468
}

/** Year, month and day in one integer, so that the hot path allocates nothing. Read with the three functions below. */
export const civilFromDays = (days: number): number => {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0))
  const shifted = ((5 * dayOfYear + 2) / 153) | 0
  const day = dayOfYear - (((153 * shifted + 2) / 5) | 0) + 1
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return year * 512 + month * 32 + day
}

export const yearOf = (civil: number): number => civil >> 9
export const monthOf = (civil: number): number => (civil >> 5) & 15
export const dayOf = (civil: number): number => civil & 31

export const isLeapYear = (year: number): boolean => (year & 3) === 0 && (year % 100 !== 0 || year % 400 === 0)

export const daysInMonth = (year: number, month: number): number =>
  month === 2 ? (isLeapYear(year) ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31

/** 0 is Sunday. */
export const weekdayOf = (days: number): number => {
  const weekday = (days + 4) % 7
  return weekday < 0 ? weekday + 7 : weekday
}

/** ISO 8601: the week belongs to the year of its Thursday. */
export const isoWeekOf = (days: number): number => {
  const thursday = days + 3 - ((weekdayOf(days) + 6) % 7)
  const january = daysFromCivil(yearOf(civilFromDays(thursday)), 1, 1)
  return (((thursday - january) / 7) | 0) + 1
}

export const MIN_DAY = daysFromCivil(MIN_YEAR, 1, 1)
export const MAX_DAY = daysFromCivil(MAX_YEAR, 12, 31)

/** Instants outside these seconds hold no local time of a supported year, in any zone. */
export const MIN_SECOND = (MIN_DAY - 2) * SECONDS_PER_DAY
export const MAX_SECOND = (MAX_DAY + 2) * SECONDS_PER_DAY

const pad = (value: number, length: number): string => String(value).padStart(length, "0")

/** `2026-02-28` */
export const formatDay = (days: number): string => {
  const civil = civilFromDays(days)
  return `${pad(yearOf(civil), 4)}-${pad(monthOf(civil), 2)}-${pad(dayOf(civil), 2)}`
}

/** The day of a real date between the years 1 and 9999, or undefined. */
export const parseDay = (text: string): number | undefined => {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  return match === null ? undefined : dayFromParts(Number(match[1]), Number(match[2]), Number(match[3]))
}

export const dayFromParts = (year: number, month: number, day: number): number | undefined =>
  Number.isInteger(year) &&
  year >= MIN_YEAR &&
  year <= MAX_YEAR &&
  Number.isInteger(month) &&
  month >= 1 &&
  month <= 12 &&
  Number.isInteger(day) &&
  day >= 1 &&
  day <= daysInMonth(year, month)
    ? daysFromCivil(year, month, day)
    : undefined
