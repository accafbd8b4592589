/** Cron in both forms against the brute-force model: random patterns in random zones, half of them at clock changes. */
import { describe, expect, it } from "vitest"
import { corrections, correction, cron, day, fields, hour, place } from "./cases.ts"
import { laws } from "./laws.ts"
import * as model from "./model.ts"
import { forAll } from "./random.ts"

const timeout = 120_000

describe("cron agrees with the brute-force model", () => {
  it("on text: next, prev, matches and count", { timeout }, () => {
    let near = 0
    const cases = forAll("cron text", 500, (random) => {
      const at = place(random)
      if (at.transition !== undefined && Math.abs(at.instant - at.transition.at) <= 2 * day) near++
      laws(cron(random, at), at.instant, random)
    })
    expect(near / cases).toBeGreaterThan(cases < 100 ? -1 : 0.4)
  })

  it("on fields: next, prev, matches and count", { timeout }, () => {
    const cases = forAll("cron fields", 300, (random) => {
      const at = place(random)
      laws(fields(random, at), at.instant, random)
    })
    expect(cases).toBeGreaterThan(0)
  })

  it("at corrections of three hours and more", { timeout }, () => {
    const cases = forAll("corrections", 200, (random) => {
      const at = correction(random)
      laws(random.chance(0.7) ? cron(random, at) : fields(random, at), at.instant, random)
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
