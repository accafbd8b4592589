import { assert, describe, it } from "@effect/vitest"
import { Equal, Result } from "effect"
import * as Trigger from "../../src/Trigger.ts"
import { isoBetween, isoNext, isoPrev } from "./iso.ts"

const parse = (text: string): Trigger.Cron => Result.getOrThrow(Trigger.parseCron(text))

const refused = (text: string | Trigger.CronFields): Trigger.CronParseError =>
  Result.match(Trigger.parseCron(text), {
    onFailure: (error) => error,
    onSuccess: (trigger) => assert.fail(`${JSON.stringify(text)} was read as ${String(trigger)}`)
  })

describe("a cron text that is refused names its field, where it is wrong, and what was expected", () => {
  const rows: ReadonlyArray<readonly [text: string, field: string, position: number, found: string, expected: string]> =
    [
      ["0 25 * * *", "hour", 2, "25", "0 to 23"],
      ["60 * * * *", "minute", 0, "60", "0 to 59"],
      ["0 0 0 * *", "day", 4, "0", "1 to 31"],
      ["0 0 1 jar *", "month", 6, "jar", "1 to 12 or jan to dec"],
      ["0 0 1,,2 * *", "day", 6, "", "1 to 31"],
      ["  0 0 * * 1,MON-8", "weekday", 16, "8", "0 to 7 or sun to sat"],
      ["0 0 0 1 1 * 10000", "year", 12, "10000", "1 to 9999"],
      ["5-1 * * * *", "minute", 0, "5-1", "a range that does not end before it begins"],
      ["*/0 * * * *", "minute", 2, "0", "a step from 1 to 9999"],
      ["0/5 * * * *", "minute", 0, "0/5", `"*" or a range before the step`],
      ["0 0 1,15W * *", "day", 4, "1,15W", `"W" after one day from 1 to 31 or after "L", as the whole field`],
      ["0 0 * * 1#6", "weekday", 10, "6", `1 to 5 or "L" after "#"`],
      ["0 0 * * MON+", "weekday", 8, "MON+", "0 to 7 or sun to sat"],
      ["? * * * *", "minute", 0, "?", "0 to 59"],
      ["* * *", "text", 5, "* * *", "5, 6 (seconds first) or 7 (year last) fields, not 3"],
      ["", "text", 0, "", "5, 6 (seconds first) or 7 (year last) fields, not 0"],
      ["@reboot", "text", 0, "@reboot", "a time: run the effect when the program starts instead"],
      ["0 0 é * *", "day", 4, "é", "1 to 31"]
    ]
  it.each(rows)("%j", (text, field, position, found, expected) => {
    const error = refused(text)
    assert.strictEqual(error._tag, "CronParseError")
    assert.deepStrictEqual(
      [error.text, error.field, error.position, error.found, error.expected],
      [text, field, position, found, expected]
    )
    assert.include(error.message, expected)
  })

  it("an unknown zone, and an unknown clock-change rule", () => {
    const zone = Result.getOrThrow(Result.flip(Trigger.parseCron("@daily", { timeZone: "Mars/Olympus" })))
    assert.deepStrictEqual([zone.field, zone.found], ["timeZone", "Mars/Olympus"])
    const rule = Result.getOrThrow(Result.flip(Trigger.parseCron("@daily", { clockChange: "sometimes" as "ocps" })))
    assert.strictEqual(rule.field, "clockChange")
  })

  it("and cron throws the same error as a defect", () => {
    assert.throws(() => Trigger.cron("0 0 * * *", { timeZone: "Mars/Olympus" }), Trigger.CronParseError)
  })
})

describe("cron text", () => {
  it("is equal in any case and with any blanks, and printed alike", () => {
    const one = parse("0 9 * * MON-FRI")
    const other = parse("  0\t9 *  * mon-fri ")
    assert.isTrue(Equal.equals(one, other))
    assert.strictEqual(String(one), "at 09:00 on Monday to Friday, UTC")
    assert.isFalse(Equal.equals(one, parse("0 9 * * 1-5 ".replace("1-5", "1-4"))))
  })

  it("shares one rule between equal patterns", () => {
    assert.strictEqual(parse("7 7 * * *").rule, parse(" 7 7 * * *").rule)
  })

  it("takes 5, 6 and 7 fields", () => {
    assert.strictEqual(isoNext(parse("30 9 * * *"), "2026-01-01"), "2026-01-01T09:30:00Z")
    assert.strictEqual(isoNext(parse("15 30 9 * * *"), "2026-01-01"), "2026-01-01T09:30:15Z")
    assert.strictEqual(isoNext(parse("15 30 9 1 1 * 2030"), "2026-01-01"), "2030-01-01T09:30:15Z")
  })

  it("fires on either day field, or on both with +", () => {
    const either = isoBetween(parse("0 0 13 * FRI"), "2026-02-01", "2026-02-28")
    assert.deepStrictEqual(
      either,
      ["06", "13", "20", "27"].map((day) => `2026-02-${day}T00:00:00Z`)
    )
    assert.deepStrictEqual(isoBetween(parse("0 0 13 * +FRI"), "2026-01-01", "2026-12-31"), [
      "2026-02-13T00:00:00Z",
      "2026-03-13T00:00:00Z",
      "2026-11-13T00:00:00Z"
    ])
  })

  it("knows the last day, the nearest weekday, and the n-th weekday", () => {
    assert.strictEqual(isoNext(parse("0 0 L 2 *"), "2028-01-01"), "2028-02-29T00:00:00Z")
    assert.strictEqual(isoNext(parse("0 0 LW * *"), "2026-05-01"), "2026-05-29T00:00:00Z")
    assert.strictEqual(isoNext(parse("0 0 1W * *"), "2026-07-02"), "2026-08-03T00:00:00Z")
    assert.strictEqual(isoNext(parse("0 0 31W * *"), "2026-05-02"), "2026-05-29T00:00:00Z")
    assert.strictEqual(isoNext(parse("0 0 * * FRI#3"), "2026-01-01"), "2026-01-16T00:00:00Z")
    assert.strictEqual(isoNext(parse("0 0 * * 7#L"), "2026-01-01"), "2026-01-25T00:00:00Z")
  })

  it("counts years with a step from 1970", () => {
    assert.strictEqual(isoNext(parse("0 0 0 1 1 * */3"), "2026-02-01"), "2027-01-01T00:00:00Z")
    assert.strictEqual(isoPrev(parse("0 0 0 1 1 * */3"), "1970-01-02"), "1970-01-01T00:00:00Z")
    assert.isUndefined(isoPrev(parse("0 0 0 1 1 * */3"), "1969-12-31"))
  })

  it("ends with its last year, in both directions", () => {
    const trigger = parse("0 0 0 1 1 * 2026-2027")
    assert.isUndefined(isoNext(trigger, "2027-01-01"))
    assert.isUndefined(isoPrev(trigger, "2025-12-31"))
    assert.strictEqual(isoNext(parse("0 0 1 1 *"), "9998-06-01"), "9999-01-01T00:00:00Z")
    assert.isUndefined(isoNext(parse("0 0 1 1 *"), "9999-06-01"))
  })

  it("fires from the first day of the year 1 to the last of the year 9999, also where only weekdays are named", () => {
    // 0001-01-01 is a Monday, 9999-12-31 a Friday.
    assert.strictEqual(isoNext(parse("0 0 * * *"), "-000001-06-01"), "0001-01-01T00:00:00Z")
    assert.strictEqual(isoNext(parse("0 0 * * SAT"), "-000001-06-01"), "0001-01-06T00:00:00Z")
    assert.strictEqual(isoPrev(parse("0 0 * * SAT"), "0001-01-06T00:00:01Z"), "0001-01-06T00:00:00Z")
    assert.isUndefined(isoPrev(parse("0 0 * * SAT"), "0001-01-05"))
    assert.isUndefined(isoPrev(parse("0 0 * * *"), "-000001-06-01"))
    assert.strictEqual(isoPrev(parse("0 0 * * *"), "+012000-01-01"), "9999-12-31T00:00:00Z")
    assert.strictEqual(isoPrev(parse("0 0 * * SAT"), "+012000-01-01"), "9999-12-25T00:00:00Z")
    assert.strictEqual(isoNext(parse("0 0 * * FRI"), "9999-12-25"), "9999-12-31T00:00:00Z")
    assert.isUndefined(isoNext(parse("0 0 * * SAT"), "9999-12-25"))
    assert.isUndefined(isoNext(parse("0 0 * * *"), "9999-12-31"))
  })

  it("takes instants between seconds", () => {
    const trigger = parse("*/5 * * * * *")
    assert.strictEqual(isoNext(trigger, "2026-01-01T00:00:04.999Z"), "2026-01-01T00:00:05Z")
    assert.strictEqual(isoPrev(trigger, "2026-01-01T00:00:09.999Z"), "2026-01-01T00:00:05Z")
    assert.isFalse(Trigger.matches(trigger, "2026-01-01T00:00:05.001Z"))
  })
})

describe("cron by fields", () => {
  it("takes a field that was left out as * or as its least value", () => {
    assert.deepStrictEqual(isoBetween(Trigger.cron({ month: "6-7", hour: 8 }), "2026-05-31", "2026-06-02"), [
      "2026-06-01T08:00:00Z"
    ])
    assert.strictEqual(isoNext(Trigger.cron({ year: 2027 }), 0), "2027-01-01T00:00:00Z")
    assert.strictEqual(isoNext(Trigger.cron({ dayOfWeek: "mon" }), "2026-01-01"), "2026-01-05T00:00:00Z")
  })

  it("wants all fields to match", () => {
    const trigger = Trigger.cron({ day: 13, dayOfWeek: "fri" })
    assert.strictEqual(isoNext(trigger, "2026-01-01"), "2026-02-13T00:00:00Z")
  })

  it("knows ISO weeks, which begin in the old year", () => {
    assert.strictEqual(isoNext(Trigger.cron({ week: 1, dayOfWeek: "mon" }), "2024-06-01"), "2024-12-30T00:00:00Z")
    assert.strictEqual(Trigger.count(Trigger.cron({ week: 53 }), "2026-01-01", "2427-01-01"), 71 * 7 + 5)
  })

  it("refuses a number for the day of the week, and says why", () => {
    for (const dayOfWeek of ["1", "1-5", "mon-5", "fri,6", "0/2"]) {
      const error = refused({ dayOfWeek })
      assert.strictEqual(error.field, "dayOfWeek")
    }
    assert.include(refused({ dayOfWeek: "1" }).message, "two conventions exist")
    assert.include(refused({ dayOfWeek: 1 as never }).message, "two conventions exist")
  })

  it("refuses an unknown field, no field, and values out of range", () => {
    assert.strictEqual(refused({ third: 1 } as never).found, "third")
    assert.strictEqual(refused({}).field, "fields")
    assert.deepStrictEqual([refused({ hour: "0-24" }).field, refused({ hour: "0-24" }).position], ["hour", 2])
    assert.strictEqual(refused({ day: "6th fri" }).found, "6th fri")
    assert.strictEqual(refused({ day: "1st moh" }).found, "moh")
    assert.strictEqual(refused({ hour: 1.5 }).field, "hour")
  })

  it("takes lists with blanks, and numbers", () => {
    const spaced = Trigger.cron({ day: "1st mon, last fri", hour: 9 })
    assert.isTrue(Equal.equals(spaced, Trigger.cron({ day: "1ST MON,LAST FRI", hour: "9" })))
  })
})

describe("a pattern that can never fire", () => {
  it.each(["0 0 30 2 *", "* * 31 2,4,6,9,11 *", "0 0 31W 4 *", "0 0 0 29 2 * 2025,2026,2027"])("%s", (text) => {
    const trigger = parse(text)
    assert.isUndefined(isoNext(trigger, "2026-01-01"))
    assert.isUndefined(isoPrev(trigger, "2026-01-01"))
    assert.strictEqual(Trigger.count(trigger, 0, "9999-01-01"), 0)
  })

  it("by fields: week 53 in June", () => {
    assert.isUndefined(isoNext(Trigger.cron({ week: 53, month: 6 }), 0))
  })

  it("always in a gap: the last Sunday of March at 02:30 in Berlin", () => {
    const trigger = Trigger.cron("30 2 * 3 SUN#L", { timeZone: "Europe/Berlin", clockChange: "ocps" })
    assert.isUndefined(isoNext(trigger, "2026-01-01"))
    assert.strictEqual(isoPrev(trigger, "2026-01-01"), "1980-03-30T01:30:00Z")
  })
})
