import { assert, describe, it } from "@effect/vitest"
import { firstWatermark } from "../../src/internal/trigger/anchor.ts"
import { countBetween } from "../../src/internal/trigger/count.ts"
import { searchNext, searchPrev } from "../../src/internal/trigger/search.ts"
import * as Trigger from "../../src/Trigger.ts"
import { isoBetween, isoNext, isoPrev } from "./iso.ts"

const at = (iso: string): number => Date.parse(iso)

const hourly = Trigger.cron("@hourly")
const five = Trigger.every("5 seconds", { start: 0 })
/** Two grids that never meet, so that every step of a search is spent. */
const never = Trigger.and([Trigger.every("1 second", { start: 0 }), Trigger.every("1 second", { start: 500 })])

describe("or", () => {
  it("fires once where members meet", () => {
    const trigger = Trigger.or(Trigger.cron("0 */2 * * *"), Trigger.cron("0 */3 * * *"))
    assert.deepStrictEqual(
      isoBetween(trigger, "2026-01-01", "2026-01-01T07:00:00Z"),
      ["00", "02", "03", "04", "06"].map((hour) => `2026-01-01T${hour}:00:00Z`)
    )
    assert.strictEqual(isoPrev(trigger, "2026-01-01T05:00:00Z"), "2026-01-01T04:00:00Z")
  })

  it("is not starved by a member that never fires", () => {
    assert.strictEqual(isoNext(Trigger.or(never, hourly), "2026-01-01"), "2026-01-01T01:00:00Z")
    assert.strictEqual(isoPrev(Trigger.or(never, hourly), "2026-01-01T01:30:00Z"), "2026-01-01T01:00:00Z")
    const nested = Trigger.or(never, Trigger.or(never, Trigger.during(hourly, { days: "sun" })))
    assert.strictEqual(searchNext(nested, at("2026-01-04T00:30:00Z"))._tag, "Found")
  })
})

describe("and", () => {
  it("takes the instants of the first member that are near one of each other", () => {
    const first = Trigger.every("1 minute", { start: 0 })
    const other = Trigger.every("1 hour", { start: "1970-01-01T00:00:30Z" })
    const trigger = Trigger.and([first, other], { tolerance: "30 seconds" })
    assert.deepStrictEqual(isoBetween(trigger, "2026-01-01", "2026-01-01T01:30:00Z"), [
      "2026-01-01T00:00:00Z",
      "2026-01-01T00:01:00Z",
      "2026-01-01T01:00:00Z",
      "2026-01-01T01:01:00Z"
    ])
    assert.strictEqual(isoPrev(trigger, "2026-01-01T00:59:00Z"), "2026-01-01T00:01:00Z")
  })

  it("leaps over what cannot match: no step for each of ten million seconds", () => {
    const trigger = Trigger.and([Trigger.cron("* * * * * *"), Trigger.cron("0 0 29 2 *")])
    assert.strictEqual(isoNext(trigger, "2026-01-01"), "2028-02-29T00:00:00Z")
  })

  it("ends without an answer after its steps, says how far it came, and can be taken up from there", () => {
    const found = searchNext(never, 0)
    assert.strictEqual(found._tag, "NotBefore")
    assert.isUndefined(isoNext(never, 0))
    const back = searchPrev(never, at("2026-01-01"))
    assert.strictEqual(back._tag, "NotAfter")
    if (found._tag === "NotBefore") {
      assert.isAtLeast(found.at, 5_000_000)
      const later = searchNext(never, found.at - 1)
      assert.isTrue(later._tag === "NotBefore" && later.at > found.at)
    }
  })
})

describe("bounded", () => {
  it("includes both ends", () => {
    const trigger = Trigger.bounded(hourly, { start: "2026-01-01T01:00:00Z", end: "2026-01-01T02:00:00Z" })
    const both = ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]
    assert.deepStrictEqual(isoBetween(trigger, 0, "2027-01-01"), both)
    assert.strictEqual(isoPrev(trigger, "2030-01-01"), both[1])
    assert.isUndefined(isoPrev(trigger, "2026-01-01T00:59:59Z"))
    assert.strictEqual(Trigger.count(trigger, 0, "2030-01-01"), 2)
  })

  it("ends a search that would not end", () => {
    assert.deepStrictEqual(searchNext(Trigger.bounded(never, { end: 5_000_000 }), 0), { _tag: "Never" })
  })
})

describe("except", () => {
  it("leaves out the instants of another trigger", () => {
    const trigger = Trigger.except(hourly, Trigger.cron("0 9-17 * * *"))
    assert.strictEqual(isoNext(trigger, "2026-01-01T08:00:00Z"), "2026-01-01T18:00:00Z")
    assert.strictEqual(isoPrev(trigger, "2026-01-01T17:30:00Z"), "2026-01-01T08:00:00Z")
  })

  it("leaves out local dates, by the zone", () => {
    const trigger = Trigger.except(hourly, { dates: ["2026-01-01"], timeZone: "America/New_York" })
    assert.strictEqual(isoNext(trigger, "2026-01-01T04:00:00Z"), "2026-01-02T05:00:00Z")
    assert.strictEqual(isoPrev(trigger, "2026-01-02T04:59:59Z"), "2026-01-01T04:00:00Z")
  })

  it("passes a year of dates at one leap", () => {
    const dates = Array.from({ length: 365 }, (_, day) =>
      new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10)
    )
    const trigger = Trigger.except(five, { dates })
    assert.strictEqual(isoNext(trigger, "2025-12-31T23:59:55Z"), "2027-01-01T00:00:00Z")
    assert.strictEqual(isoPrev(trigger, "2026-12-31T23:59:55Z"), "2025-12-31T23:59:55Z")
    assert.strictEqual(searchNext(trigger, at("2025-12-31T23:59:55Z"), 10)._tag, "Found")
  })
})

describe("during", () => {
  it("keeps what is in the window, whose end is not", () => {
    const trigger = Trigger.during(Trigger.cron("0,30 * * * *"), { days: "mon-fri", from: "09:00", to: "10:00" })
    assert.deepStrictEqual(isoBetween(trigger, "2026-01-02", "2026-01-05T23:00:00Z"), [
      "2026-01-02T09:00:00Z",
      "2026-01-02T09:30:00Z",
      "2026-01-05T09:00:00Z",
      "2026-01-05T09:30:00Z"
    ])
    assert.strictEqual(isoPrev(trigger, "2026-01-05T08:00:00Z"), "2026-01-02T09:30:00Z")
  })

  it("may cross midnight: then the day is the one on which it opens", () => {
    const trigger = Trigger.during(hourly, { days: ["fri"], from: "22:00", to: "02:00" })
    assert.deepStrictEqual(isoBetween(trigger, "2026-01-01", "2026-01-04"), [
      "2026-01-02T22:00:00Z",
      "2026-01-02T23:00:00Z",
      "2026-01-03T00:00:00Z",
      "2026-01-03T01:00:00Z"
    ])
  })

  it("takes any of several windows", () => {
    const trigger = Trigger.during(hourly, [
      { from: "01:00", to: "02:00" },
      { from: "05:00", to: "06:00" }
    ])
    assert.deepStrictEqual(isoBetween(trigger, "2026-01-01", "2026-01-01T12:00:00Z"), [
      "2026-01-01T01:00:00Z",
      "2026-01-01T05:00:00Z"
    ])
  })

  it("goes by what the clock shows: a skipped hour is not in it, a repeated one twice", () => {
    const trigger = Trigger.during(Trigger.every("30 minutes", { start: 0 }), {
      from: "02:00",
      to: "03:00",
      timeZone: "Europe/Berlin"
    })
    assert.deepStrictEqual(isoBetween(trigger, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), [])
    assert.strictEqual(isoBetween(trigger, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z").length, 4)
  })

  it("keeps instants between seconds, up to the last millisecond", () => {
    const trigger = Trigger.during(Trigger.every("1 millis", { start: 0 }), { from: "09:00", to: "10:00" })
    assert.strictEqual(isoPrev(trigger, "2026-01-01T12:00:00Z"), "2026-01-01T09:59:59.999Z")
    assert.strictEqual(isoNext(trigger, "2026-01-01T10:00:00Z"), "2026-01-02T09:00:00Z")
  })

  it("is not limited in steps by a window that opens next year", () => {
    const trigger = five.pipe(Trigger.during({ days: "mon", from: "09:00" }), Trigger.bounded({ start: "2027-01-01" }))
    assert.strictEqual(isoNext(trigger, "2026-01-01"), "2027-01-04T09:00:00Z")
  })
})

describe("offset and startNow", () => {
  it("offset moves every instant, backwards too", () => {
    const before = Trigger.offset(Trigger.cron("0 9 1 * *"), "-1 day")
    assert.strictEqual(isoNext(before, "2026-01-31"), "2026-01-31T09:00:00Z")
    assert.strictEqual(isoPrev(before, "2026-02-01"), "2026-01-31T09:00:00Z")
    assert.strictEqual(Trigger.count(before, "2026-01-01", "2027-01-01"), 12)
  })

  it("startNow fires at the anchor once, then as the rule does", () => {
    const trigger = Trigger.anchor(Trigger.startNow(hourly), "2026-01-01T10:00:00Z")
    assert.deepStrictEqual(isoBetween(trigger, 0, "2026-01-01T11:30:00Z"), [
      "2026-01-01T10:00:00Z",
      "2026-01-01T11:00:00Z"
    ])
    assert.isUndefined(isoPrev(trigger, "2026-01-01T09:59:59Z"))
    assert.strictEqual(Trigger.count(trigger, 0, "2026-01-01T11:30:00Z"), 2)
  })
})

describe("the first watermark", () => {
  const now = at("2026-01-01")

  it("is just before the storing instant", () => {
    assert.strictEqual(firstWatermark(hourly, now), now - 1)
    assert.strictEqual(firstWatermark(Trigger.at("2027-01-01"), now), now - 1)
  })

  it("is just before the first of instants given by hand, so that a past one is due", () => {
    const past = Trigger.or(Trigger.at("2025-06-01"), Trigger.at("2024-06-01"), Trigger.at("2027-01-01"))
    assert.strictEqual(firstWatermark(past, now), at("2024-06-01") - 1)
    assert.strictEqual(firstWatermark(Trigger.or(Trigger.at("2025-06-01"), hourly), now), now - 1)
  })
})

describe("count", () => {
  it("divides for rules: ten years of a 5 s pattern in a zone", () => {
    const trigger = Trigger.cron("*/5 * * * * *", { timeZone: "Europe/Berlin" })
    const seconds = (at("2036-01-01") - at("2026-01-01")) / 1000
    assert.deepStrictEqual(countBetween(trigger, at("2026-01-01"), at("2036-01-01")), {
      count: seconds / 5,
      exact: true
    })
  })

  it("leaves out what a gap skips and counts what an overlap repeats", () => {
    const fixed = Trigger.cron("30 2 * * *", { timeZone: "Europe/Berlin", clockChange: "ocps" })
    assert.strictEqual(Trigger.count(fixed, "2026-01-01", "2027-01-01"), 364)
    const both = Trigger.cron("30 2 * * *", {
      timeZone: "Europe/Berlin",
      clockChange: { gap: "gapEnd", overlap: "both" }
    })
    assert.strictEqual(Trigger.count(both, "2026-01-01", "2027-01-01"), 366)
  })

  it("is exact up to 100,000 for combinations, and says when it is not", () => {
    const trigger = Trigger.or(five, Trigger.at(1))
    assert.deepStrictEqual(countBetween(trigger, 0, 5000 * 99_999), { count: 100_000, exact: true })
    assert.deepStrictEqual(countBetween(trigger, 0, 5000 * 100_000), { count: 100_000, exact: false })
  })

  it("is nothing for an empty or inverted interval", () => {
    assert.strictEqual(Trigger.count(hourly, "2026-01-02", "2026-01-01"), 0)
  })
})
