import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { spacedFirst, spacedNext } from "../../src/internal/trigger/spaced.ts"
import * as Trigger from "../../src/Trigger.ts"
import { isoBetween, isoNext, isoPrev } from "./iso.ts"

const at = (iso: string): number => Date.parse(iso)

describe("at", () => {
  it("fires once, to the millisecond", () => {
    const trigger = Trigger.at("2026-07-01T10:00:00.250Z")
    assert.strictEqual(isoNext(trigger, "2026-07-01T10:00:00.249Z"), "2026-07-01T10:00:00.250Z")
    assert.isUndefined(isoNext(trigger, "2026-07-01T10:00:00.250Z"))
    assert.strictEqual(isoPrev(trigger, "2026-07-01T10:00:00.250Z"), "2026-07-01T10:00:00.250Z")
  })
})

describe("every", () => {
  it("fires at its start, and never before", () => {
    const trigger = Trigger.every("1 hour", { start: "2026-01-01T00:20:00Z" })
    assert.strictEqual(isoNext(trigger, "2020-01-01"), "2026-01-01T00:20:00Z")
    assert.isUndefined(isoPrev(trigger, "2026-01-01T00:19:59Z"))
    assert.strictEqual(isoNext(trigger, "2026-01-01T00:20:00Z"), "2026-01-01T01:20:00Z")
  })

  it("does not fire at its anchor", () => {
    const trigger = Trigger.anchor(Trigger.every("1 hour"), "2026-01-01T00:20:00Z")
    assert.strictEqual(isoNext(trigger, "2020-01-01"), "2026-01-01T01:20:00Z")
    assert.isFalse(Trigger.matches(trigger, "2026-01-01T00:20:00Z"))
  })

  it("is anchored at the epoch while it is open", () => {
    assert.strictEqual(isoNext(Trigger.every("1 day"), "2026-01-01T10:00:00Z"), "2026-01-02T00:00:00Z")
    assert.strictEqual(isoNext(Trigger.every("1 day"), -1), "1970-01-02T00:00:00Z")
  })

  it("is elapsed time: it takes no notice of clocks, and does not drift in a century", () => {
    const trigger = Trigger.every("7 millis", { start: 0 })
    const far = 7 * 500_000_000_001
    assert.strictEqual(Option.getOrThrow(Trigger.next(trigger, far - 1)).epochMilliseconds, far)
    assert.strictEqual(Option.getOrThrow(Trigger.prev(trigger, far + 6)).epochMilliseconds, far)
    assert.strictEqual(Trigger.count(trigger, -1, far), 500_000_000_002)
  })

  it("ends with the last instant that there is", () => {
    assert.isUndefined(isoNext(Trigger.every("100000000 days", { start: 1 }), 1))
  })
})

describe("spaced", () => {
  const end = at("2026-01-02T16:59:00Z")

  it("is due after the anchor and first, then after the end of a run", () => {
    const trigger = Trigger.spaced("10 minutes", { first: "1 minute" })
    assert.strictEqual(spacedFirst(trigger, end), end + 60_000)
    assert.strictEqual(spacedNext(trigger, end), end + 600_000)
    assert.strictEqual(spacedFirst(Trigger.spaced("10 minutes"), end), end)
  })

  it("moves on to the next opening of a window", () => {
    const trigger = Trigger.spaced("10 minutes").pipe(
      Trigger.during({ days: "mon-fri", from: "09:00", to: "17:00", timeZone: "Europe/Berlin" })
    )
    // Friday, in winter: the office closes at 16:00Z.
    assert.strictEqual(spacedNext(trigger, end), at("2026-01-05T08:00:00Z"))
    assert.strictEqual(spacedNext(trigger, at("2026-01-05T08:00:00Z")), at("2026-01-05T08:10:00Z"))
  })

  it("moves on to a start, and has no time after an end", () => {
    const trigger = Trigger.spaced("10 minutes").pipe(Trigger.bounded({ start: "2026-02-01", end: "2026-03-01" }))
    assert.strictEqual(spacedNext(trigger, end), at("2026-02-01"))
    assert.isUndefined(spacedNext(trigger, at("2026-03-01")))
    const both = trigger.pipe(Trigger.during({ from: "09:00", to: "10:00" }))
    assert.strictEqual(spacedNext(both, end), at("2026-02-01T09:00:00Z"))
  })

  it("has no time where two windows never open together", () => {
    const trigger = Trigger.spaced("1 minute").pipe(
      Trigger.during({ from: "09:00", to: "10:00" }),
      Trigger.during({ from: "11:00", to: "12:00" })
    )
    assert.isUndefined(spacedNext(trigger, end))
  })
})

describe("calendar", () => {
  it("counts days that are days whatever the clock does", () => {
    const trigger = Trigger.calendar({ days: 1, start: "2026-03-28", at: "09:00" }, { timeZone: "Europe/Berlin" })
    assert.deepStrictEqual(isoBetween(trigger, "2026-03-28", "2026-03-31"), [
      "2026-03-28T08:00:00Z",
      "2026-03-29T07:00:00Z",
      "2026-03-30T07:00:00Z"
    ])
  })

  it("fires at the end of a gap, and at the first pass of an overlap", () => {
    const trigger = Trigger.calendar({ days: 1, start: "2026-01-01", at: "02:30" }, { timeZone: "Europe/Berlin" })
    assert.strictEqual(isoNext(trigger, "2026-03-29"), "2026-03-29T01:00:00Z")
    assert.strictEqual(isoNext(trigger, "2026-10-25"), "2026-10-25T00:30:00Z")
    assert.strictEqual(isoNext(trigger, "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z")
  })

  it("leaves out dates that do not exist", () => {
    const trigger = Trigger.calendar({ months: 1, start: "2026-01-31" })
    assert.deepStrictEqual(isoBetween(trigger, "2026-01-01", "2026-06-30"), [
      "2026-01-31T00:00:00Z",
      "2026-03-31T00:00:00Z",
      "2026-05-31T00:00:00Z"
    ])
    assert.strictEqual(Trigger.count(trigger, "2026-01-01", "2027-01-01"), 7)
  })

  it("or takes the last day of the month, and comes back to the 31st", () => {
    const trigger = Trigger.calendar({ months: 1, start: "2026-01-31", day: "clamp" })
    assert.deepStrictEqual(isoBetween(trigger, "2026-01-01", "2026-04-30"), [
      "2026-01-31T00:00:00Z",
      "2026-02-28T00:00:00Z",
      "2026-03-31T00:00:00Z",
      "2026-04-30T00:00:00Z"
    ])
  })

  it("waits for the next leap year", () => {
    const trigger = Trigger.calendar({ years: 1, start: "2096-02-29" })
    assert.strictEqual(isoNext(trigger, "2096-03-01"), "2104-02-29T00:00:00Z")
    assert.strictEqual(isoPrev(trigger, "2104-02-28"), "2096-02-29T00:00:00Z")
  })

  it("adds months, then days, to the date before, however far", () => {
    const trigger = Trigger.calendar({ months: 1, days: 1, start: "2024-01-31" })
    assert.strictEqual(isoNext(trigger, "2024-02-01"), "2024-04-01T00:00:00Z")
    const far = isoNext(trigger, "9000-01-01")!
    assert.strictEqual(isoPrev(trigger, far), far)
    assert.isUndefined(isoNext(trigger, "9999-12-31"))
  })

  it("begins on the local date of its anchor", () => {
    const open = Trigger.calendar({ weeks: 2, at: "08:00" }, { timeZone: "Asia/Tokyo" })
    assert.isFalse(Trigger.isClosed(open))
    // In Tokyo it is the 2nd already.
    const trigger = Trigger.anchor(open, "2026-01-01T20:00:00Z")
    assert.strictEqual(isoNext(trigger, "2026-01-01T20:00:00Z"), "2026-01-01T23:00:00Z")
    assert.strictEqual(isoNext(trigger, "2026-01-02"), "2026-01-15T23:00:00Z")
  })
})

describe("anchor", () => {
  it("is the identity on a closed trigger", () => {
    const closed = Trigger.or(Trigger.cron("@daily"), Trigger.every("1 hour", { start: 0 }))
    assert.strictEqual(Trigger.anchor(closed, 5), closed)
    const once = Trigger.anchor(Trigger.every("1 hour"), 5)
    assert.strictEqual(Trigger.anchor(once, 7), once)
  })

  it("reaches every member, and leaves closed ones as they are", () => {
    const cron = Trigger.cron("@daily")
    const open = Trigger.and([Trigger.or(cron, Trigger.every("1 hour")), Trigger.startNow(cron)]).pipe(
      Trigger.except(Trigger.calendar({ days: 1 })),
      Trigger.bounded({ start: 0 }),
      Trigger.during({ from: "09:00" }),
      Trigger.offset("1 hour")
    )
    assert.isFalse(Trigger.isClosed(open))
    assert.isTrue(Trigger.isClosed(Trigger.anchor(open, 5)))
  })
})
