/**
 * English for numbers, lists and durations.
 */
import { formatInstant } from "./instant.ts"

/** `a`, `a and b`, `a, b and c` */
export const listed = (words: ReadonlyArray<string>, joint = "and"): string =>
  words.length <= 1 ? words.join("") : `${words.slice(0, -1).join(", ")} ${joint} ${words[words.length - 1]}`

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
  ["millisecond", 1]
] as const

/** `1 hour 30 minutes` */
export const durationText = (millis: number): string => {
  let rest = Math.abs(millis)
  const parts: Array<string> = []
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length)
    if (count > 0) parts.push(plural(count, unit))
    rest -= count * length
  }
  return parts.length === 0 ? "0 seconds" : parts.join(" ")
}

/** `every minute`, `every 5 minutes`, `every 1 hour 30 minutes` */
export const everyText = (millis: number): string => {
  const text = durationText(millis)
  return `every ${/^1 \D+$/.test(text) ? text.slice(2) : text}`
}

export const plural = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"}`

/** ISO without what is zero: `2026-01-01T10:00:00Z`. */
export const instantText = (instant: number): string => formatInstant(instant).replace(".000Z", "Z")

export const ordinal = (n: number): string => {
  const tens = n % 100
  const ending = tens > 10 && tens < 14 ? "th" : n % 10 === 1 ? "st" : n % 10 === 2 ? "nd" : n % 10 === 3 ? "rd" : "th"
  return `${n}${ending}`
}

/** Runs of three and more as `a to b`: `1 to 5, 9 and 12`. The members are in order. */
export const runs = (members: ReadonlyArray<number>, word: (member: number) => string): string => {
  const words: Array<string> = []
  for (let i = 0; i < members.length;) {
    let end = i
    while (members[end + 1] === members[end]! + 1) end++
    if (end - i >= 2) words.push(`${word(members[i]!)} to ${word(members[end]!)}`)
    else for (let j = i; j <= end; j++) words.push(word(members[j]!))
    i = end + 1
  }
  return listed(words)
}

/** The step of `a, a + n, a + 2n …` from `min` on as far as it goes; undefined for any other set. */
export const stepOf = (members: ReadonlyArray<number>, min: number, max: number): number | undefined => {
  const step = members.length > 1 ? members[1]! - members[0]! : 0
  const even = members.every((member, index) => member === min + index * step)
  return step > 0 && even && members[members.length - 1]! + step > max ? step : undefined
}
