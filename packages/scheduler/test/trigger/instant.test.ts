import { inspect } from "node:util"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { DateTime, Equal, Hash, Schema } from "effect"
import { utcOf } from "../../src/internal/trigger/instant.ts"
import * as Trigger from "../../src/Trigger.ts"

const utc = (text: string) => String(Trigger.at(text))

describe("an instant as text", () => {
  describe("on a machine whose zone is not UTC", () => {
    const zone = process.env["TZ"]
    beforeEach(() => {
      process.env["TZ"] = "America/New_York"
    })
    afterEach(() => {
      if (zone === undefined) delete process.env["TZ"]
      else process.env["TZ"] = zone
    })

    it("is in UTC where it gives no offset", () => {
      assert.strictEqual(new Date(2026, 0, 1).getTimezoneOffset(), 300)
      assert.strictEqual(utc("2026-01-01T10:00"), utc("2026-01-01T10:00:00.000Z"))
      assert.strictEqual(utc("2026-01-01 10:00:30"), utc("2026-01-01T10:00:30Z"))
      assert.strictEqual(utc("2026-01-01"), utc("2026-01-01T00:00:00Z"))
    })
  })

  it("keeps the offset that it gives", () => {
    assert.strictEqual(utc("2026-01-01T10:00:00+02:00"), utc("2026-01-01T08:00:00Z"))
    assert.strictEqual(utc("2026-01-01T10:00:00-0530"), utc("2026-01-01T15:30:00Z"))
  })

  it("keeps its seconds and milliseconds", () => {
    const at = Trigger.at("2026-01-01T10:00:01.234Z")
    assert.strictEqual(at.at, DateTime.makeUnsafe("2026-01-01T10:00:01.234Z").epochMilliseconds)
  })

  for (const text of [
    "19700-12-1",
    "2026-02-30",
    "2026-13-01",
    "2026-1-1",
    "1/2/2026",
    "tomorrow",
    "",
    "2026-01-01T25:00Z"
  ]) {
    it(`is refused where it is none: ${JSON.stringify(text)}`, () => {
      assert.throws(() => Trigger.at(text), /instant/)
    })
  }
})

describe("an instant as a value", () => {
  it("is the same as milliseconds, a Date, a DateTime in any zone, its parts, or what holds its milliseconds", () => {
    const millis = Date.UTC(2026, 0, 1, 10)
    const berlin = DateTime.makeZonedUnsafe(millis, { timeZone: "Europe/Berlin" })
    const parts = { year: 2026, month: 1, day: 1, hour: 10 }
    const given = [
      millis,
      millis + 0.5,
      new Date(millis),
      DateTime.makeUnsafe(millis),
      berlin,
      parts,
      { epochMilliseconds: millis }
    ]
    assert.deepStrictEqual(
      given.map((input) => Trigger.at(input).at),
      given.map(() => millis)
    )
  })
})

const reckon = (at: DateTime.Utc) =>
  DateTime.formatIsoZoned(DateTime.setZoneNamedUnsafe(DateTime.add(at, { months: 1 }), "Europe/Berlin"))

describe("an answer", () => {
  const answers = [0, 1, -1, 1_782_000_000_123, -62_135_596_800_000, 8.64e15, -8.64e15]

  it("is to effect what `DateTime` makes of the same number", () => {
    for (const instant of answers) {
      const [ours, theirs] = [utcOf(instant), DateTime.makeUnsafe(instant)]
      assert.deepStrictEqual(ours, theirs)
      assert.isTrue(DateTime.isUtc(ours))
      assert.isTrue(Equal.equals(ours, theirs) && Equal.equals(theirs, ours))
      assert.strictEqual(Hash.hash(ours), Hash.hash(theirs))
      assert.strictEqual(String(ours), String(theirs))
      assert.strictEqual(JSON.stringify(ours), JSON.stringify(theirs))
      assert.strictEqual(inspect(ours), inspect(theirs))
      assert.deepStrictEqual(Object.keys(ours), Object.keys(theirs))
      assert.deepStrictEqual(DateTime.toPartsUtc(ours), DateTime.toPartsUtc(theirs))
      assert.deepStrictEqual(DateTime.toPartsUtc(ours), DateTime.toPartsUtc(theirs))
      assert.deepStrictEqual(Schema.encodeSync(Schema.DateTimeUtcFromMillis)(ours), instant)
    }
  })

  it("can be reckoned with", () => {
    const [ours, theirs] = [utcOf(1_782_000_000_123), DateTime.makeUnsafe(1_782_000_000_123)]
    assert.strictEqual(reckon(ours), reckon(theirs))
  })
})
