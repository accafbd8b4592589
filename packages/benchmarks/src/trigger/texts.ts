/** What is parsed and searched: the listed expressions, and random ones of the vectors. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

export interface Pattern {
  readonly text: string
  readonly timeZone: string
}

export const patterns: ReadonlyArray<Pattern> = [
  ...["* * * * *", "*/5 * * * * *", "0 0 29 2 *", "0 0 0 L * *", "0 0 13 * 5", "1 2 3 4 5 6"].map((text) => ({
    text,
    timeZone: "UTC"
  })),
  { text: "0 30 2 * * *", timeZone: "Europe/Berlin" },
  { text: "15 10 * * 1-5", timeZone: "America/New_York" },
  { text: "*/5 * * * * *", timeZone: "Europe/Berlin" }
]

/** The same numbers each time, from 0 to below 1. */
const random = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Random expressions out of the vectors on which croner and cron-parser give the same answers, in 16 zones. */
export const vectors = (count: number): ReadonlyArray<Pattern> => {
  const file = join(import.meta.dirname, "../../../scheduler/test/vectors/cron-oracle.json")
  const all: ReadonlyArray<{ readonly trigger: { readonly expression: string; readonly timeZone: string } }> =
    JSON.parse(readFileSync(file, "utf8"))
  const unlike = new Map(
    all.map(({ trigger }) => [
      `${trigger.expression} ${trigger.timeZone}`,
      { text: trigger.expression, timeZone: trigger.timeZone }
    ])
  )
  const next = random(500)
  const drawn = Array.from(unlike.values(), (pattern) => ({ pattern, order: next() }))
  return drawn
    .toSorted((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ pattern }) => pattern)
}

export const day = 86_400_000

/** Starts that move by a random step up to a year, and begin again before the end of the century. */
export const starts: ReadonlyArray<number> = (() => {
  const next = random(1)
  let at = Date.UTC(2020, 0, 1)
  return Array.from({ length: 4096 }, () => {
    at += Math.floor(next() * 365 * day)
    if (at > Date.UTC(2095, 0, 1)) at -= 75 * 365 * day
    return at
  })
})()
