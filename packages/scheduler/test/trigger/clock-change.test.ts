import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Trigger from "../../src/Trigger.ts"
import { isoBetween, isoNext } from "./iso.ts"

const cron = (text: string, timeZone: string, clockChange?: Trigger.ClockChange): Trigger.Cron =>
  Result.getOrThrow(Trigger.parseCron(text, { timeZone, clockChange }))

/** The instants of a pattern on the days of a clock change. */
const inBerlin = (text: string, day: "spring" | "autumn", clockChange?: Trigger.ClockChange): ReadonlyArray<string> =>
  day === "spring"
    ? isoBetween(cron(text, "Europe/Berlin", clockChange), "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z")
    : isoBetween(cron(text, "Europe/Berlin", clockChange), "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z")

describe("a fixed time in the gap (02:30 in Berlin, 2026-03-29)", () => {
  it("fires at the end of the gap by default", () => {
    assert.deepStrictEqual(inBerlin("30 2 * * *", "spring"), ["2026-03-29T01:00:00Z"])
  })

  it("is skipped by ocps", () => {
    assert.deepStrictEqual(inBerlin("30 2 * * *", "spring", "ocps"), [])
  })

  it("is shifted by the length of the gap by compatible", () => {
    assert.deepStrictEqual(inBerlin("30 2 * * *", "spring", "compatible"), ["2026-03-29T01:30:00Z"])
  })

  it("fires once with the other times of the gap, and with a time at its end", () => {
    assert.deepStrictEqual(inBerlin("0,20,40 2 * * *", "spring"), ["2026-03-29T01:00:00Z"])
    assert.deepStrictEqual(inBerlin("0 2,3 * * *", "spring"), ["2026-03-29T01:00:00Z"])
  })

  it("fires once where a shifted time meets a regular one", () => {
    const found = inBerlin("15,30 2,3 * * *", "spring", "compatible")
    assert.deepStrictEqual(found, ["2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z"])
    const trigger = cron("15,30 2,3 * * *", "Europe/Berlin", "compatible")
    assert.strictEqual(Trigger.count(trigger, "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z"), 2)
  })
})

describe("a time in the overlap (02:30 in Berlin, 2026-10-25)", () => {
  it("fires at the first pass by default", () => {
    assert.deepStrictEqual(inBerlin("30 2 * * *", "autumn"), ["2026-10-25T00:30:00Z"])
  })

  it("fires at the last pass, or at both, where the rule says so", () => {
    const last = inBerlin("30 2 * * *", "autumn", { gap: "skip", overlap: "last" })
    assert.deepStrictEqual(last, ["2026-10-25T01:30:00Z"])
    const both = inBerlin("30 2 * * *", "autumn", { gap: "skip", overlap: "both" })
    assert.deepStrictEqual(both, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"])
  })

  it("comes in the order of instants, not of local times", () => {
    const found = inBerlin("15,45 2 * * *", "autumn", { gap: "skip", overlap: "both" })
    assert.deepStrictEqual(found, [
      "2026-10-25T00:15:00Z",
      "2026-10-25T00:45:00Z",
      "2026-10-25T01:15:00Z",
      "2026-10-25T01:45:00Z"
    ])
  })
})

describe("a wild pattern", () => {
  it("has no hole and no extra run when clocks go forward", () => {
    assert.deepStrictEqual(inBerlin("*/30 * * * *", "spring").slice(0, 4), [
      "2026-03-29T00:00:00Z",
      "2026-03-29T00:30:00Z",
      "2026-03-29T01:00:00Z",
      "2026-03-29T01:30:00Z"
    ])
  })

  it("fires at both passes", () => {
    assert.deepStrictEqual(inBerlin("5 * * * *", "autumn"), ["2026-10-25T00:05:00Z", "2026-10-25T01:05:00Z"])
  })

  it("is one whose minute or hour has an item that begins with a star", () => {
    assert.deepStrictEqual(inBerlin("30,*/40 2 * * *", "spring"), [])
    assert.deepStrictEqual(inBerlin("30 2 */1 * *", "spring"), ["2026-03-29T01:00:00Z"])
  })

  it("is by fields one whose hour was left out and is more significant than a given one", () => {
    const wild = Trigger.cron({ minute: 30 }, { timeZone: "Europe/Berlin" })
    assert.strictEqual(isoNext(wild, "2026-10-25T00:30:00Z"), "2026-10-25T01:30:00Z")
    const fixed = Trigger.cron({ hour: 2, minute: 30 }, { timeZone: "Europe/Berlin" })
    assert.strictEqual(isoNext(fixed, "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z")
  })
})

describe("a change of three hours or more", () => {
  it("is a correction by default: its gap is skipped", () => {
    // Casey went from +08:00 to +11:00 on 2009-10-18.
    const trigger = cron("30 3 * * *", "Antarctica/Casey")
    assert.strictEqual(isoNext(trigger, "2009-10-17T00:00:00Z"), "2009-10-18T16:30:00Z")
  })

  it("and what it repeats fires at both passes", () => {
    // And back on 2010-03-05 at 02:00, to 23:00 the day before.
    const trigger = cron("30 23 4 3 *", "Antarctica/Casey")
    assert.deepStrictEqual(isoBetween(trigger, "2010-03-01", "2010-04-01"), [
      "2010-03-04T12:30:00Z",
      "2010-03-04T15:30:00Z"
    ])
  })

  it("is a change like any other for a rule that was written out", () => {
    const trigger = cron("30 3 * * *", "Antarctica/Casey", { gap: "gapEnd", overlap: "first" })
    assert.strictEqual(isoNext(trigger, "2009-10-17T12:00:00Z"), "2009-10-17T18:00:00Z")
  })
})

describe("unusual changes", () => {
  it("half an hour: Lord Howe", () => {
    const trigger = cron("15 2 * * *", "Australia/Lord_Howe")
    assert.strictEqual(isoNext(trigger, "2026-10-03T05:00:00Z"), "2026-10-03T15:30:00Z")
  })

  it("at midnight: Santiago has no 00:00 on 2026-09-06", () => {
    const trigger = cron("0 0 * * *", "America/Santiago")
    assert.strictEqual(isoNext(trigger, "2026-09-05T12:00:00Z"), "2026-09-06T04:00:00Z")
  })

  it("a missing day: Apia had no 2011-12-30", () => {
    const trigger = cron("0 9 30 12 *", "Pacific/Apia", { gap: "gapEnd", overlap: "first" })
    assert.strictEqual(isoNext(trigger, "2011-12-01"), "2011-12-30T10:00:00Z")
    assert.strictEqual(isoNext(cron("0 9 30 12 *", "Pacific/Apia"), "2011-12-01"), "2012-12-29T19:00:00Z")
  })
})
