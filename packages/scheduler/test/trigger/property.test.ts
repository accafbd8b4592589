/** Cron in both forms against the brute-force model: random patterns in random zones, half of them at clock changes. */
import { describe, expect, it } from "vitest"
import {
  corrections,
  correction,
  cron,
  cronAround,
  day,
  days,
  fields,
  hour,
  place,
  placeAtChange,
  year
} from "./cases.ts"
import { laws, lawsAround, lawsBetween } from "./laws.ts"
import * as model from "./model.ts"
import { forAll } from "./random.ts"

const timeout = 120_000

describe("cron agrees with the brute-force model", () => {
  it("on text: next, prev, matches and count", { timeout }, () => {
    let near = 0
    const cases = forAll("cron text", 200, (random) => {
      const at = place(random)
      if (at.transition !== undefined && Math.abs(at.instant - at.transition.at) <= 2 * day) near++
      const subject = cron(random, at)
      laws(subject, at.instant, random)
      lawsAround(subject, at.transition)
    })
    expect(near / cases).toBeGreaterThan(cases < 100 ? -1 : 0.4)
  })

  it("on fields: next, prev, matches and count", { timeout }, () => {
    const cases = forAll("cron fields", 100, (random) => {
      const at = place(random)
      const subject = fields(random, at)
      laws(subject, at.instant, random)
      lawsAround(subject, at.transition)
    })
    expect(cases).toBeGreaterThan(0)
  })

  it("in gaps and overlaps, under each rule for clock changes", { timeout }, () => {
    const cases = forAll("clock changes", 150, (random) => {
      const { transition, zone } = placeAtChange(random)
      lawsAround(cronAround(random, zone, transition), transition)
    })
    expect(cases).toBeGreaterThan(0)
  })

  it("on days: all that fires in three years", { timeout }, () => {
    const cases = forAll("cron days", 75, (random) => {
      const start = Date.UTC(random.int(1900, 2096), random.int(0, 11), 1)
      lawsBetween(days(random), start, start + 3 * year)
    })
    expect(cases).toBeGreaterThan(0)
  })

  it("at corrections of three hours and more", { timeout }, () => {
    const cases = forAll("corrections", 100, (random) => {
      const at = correction(random)
      const subject = random.chance(0.7) ? cron(random, at) : fields(random, at)
      laws(subject, at.instant, random)
      lawsAround(subject, at.transition)
    })
    expect(cases).toBeGreaterThan(0)
  })

  it("the list of corrections is one", () => {
    const lengths = corrections.flatMap(([zone, from, to]) =>
      model.transitions(zone, Date.parse(from), Date.parse(to)).map((change) => Math.abs(change.after - change.before))
    )
    expect(Math.max(...lengths)).toBeGreaterThanOrEqual(23 * hour)
    expect(lengths.filter((length) => length >= 3 * hour).length).toBeGreaterThanOrEqual(8)
  })
})
