/** Grids, calendars, combinations and modifiers against the brute-force model, and every trigger through its codec. */
import { Equal, Hash, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as Trigger from "../../src/Trigger.ts"
import { type Case, cron, day, fields, next, place } from "./cases.ts"
import { calendar, combination, every } from "./combinators.cases.ts"
import { laws, lawsAround } from "./laws.ts"
import { forAll, type Random } from "./random.ts"

const timeout = 120_000

const anyTrigger = (random: Random): readonly [Case, number] => {
  const at = place(random)
  const kind = random.next()
  const make = kind < 0.2 ? cron : kind < 0.4 ? fields : kind < 0.5 ? every : kind < 0.6 ? calendar : combination
  return [make(random, at), at.instant]
}

describe("other triggers agree with the brute-force model", () => {
  it("every", { timeout }, () => {
    const cases = forAll("every", 60, (random) => {
      const at = place(random)
      laws(every(random, at), at.instant, random)
    })
    expect(cases).toBeGreaterThan(0)
  })

  it("calendar", { timeout }, () => {
    const cases = forAll("calendar", 60, (random) => {
      const at = place(random)
      const subject = calendar(random, at)
      laws(subject, at.instant, random)
      lawsAround(subject, at.transition)
    })
    expect(cases).toBeGreaterThan(0)
  })

  it("or, and, except, during, bounded, offset and startNow, nested", { timeout }, () => {
    const cases = forAll("combinations", 60, (random) => {
      const at = place(random)
      const subject = combination(random, at)
      laws(subject, at.instant, random)
      lawsAround(subject, at.transition)
    })
    expect(cases).toBeGreaterThan(0)
  })
})

describe("the codec of triggers", () => {
  it("decoding what was encoded gives an equal trigger that fires alike", { timeout }, () => {
    const codec = Schema.toCodecJson(Trigger.Trigger)
    const encode = Schema.encodeSync(codec)
    const decode = Schema.decodeUnknownSync(codec)
    const cases = forAll("codec", 80, (random) => {
      const [{ text, trigger }, instant] = anyTrigger(random)
      const stored = JSON.parse(JSON.stringify(encode(trigger))) as unknown
      const again = decode(stored)
      const later = instant + random.int(0, 30 * day)
      const isSame =
        Equal.equals(again, trigger) &&
        Hash.hash(again) === Hash.hash(trigger) &&
        JSON.stringify(encode(again)) === JSON.stringify(stored) &&
        next(again, instant) === next(trigger, instant) &&
        next(again, later) === next(trigger, later)
      if (!isSame) throw new Error(`${text} comes back as ${again} from ${JSON.stringify(stored)}`)
    })
    expect(cases).toBeGreaterThan(0)
  })
})
