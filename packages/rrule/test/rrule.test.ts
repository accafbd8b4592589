import { assert, describe, it } from "@effect/vitest"
import { DateTime, Equal, Option, Result, Schema } from "effect"
import { Trigger } from "effect-scheduler"
import { Rrule } from "../src/index.ts"

const iso = (at: Option.Option<DateTime.Utc>): string | undefined =>
  Option.getOrUndefined(Option.map(at, DateTime.formatIso))?.replace(".000Z", "Z")

const utc = (rule: string, more = ""): Trigger.Custom => Rrule.rrule(`DTSTART:20260101T090000Z\nRRULE:${rule}${more}`)

const fires = (trigger: Trigger.Rule, from = "2000-01-01", limit = 10): ReadonlyArray<string> => {
  const found: Array<string> = []
  let at = Trigger.next(trigger, from)
  while (Option.isSome(at) && found.length < limit) {
    found.push(iso(at)!)
    at = Trigger.next(trigger, at.value)
  }
  return found
}

const problem = (text: string): string =>
  Result.match(Rrule.parseRrule(text), {
    onFailure: (error) => `${error._tag} ${error.message}`,
    onSuccess: () => assert.fail(`accepted ${text}`)
  })

describe("a recurrence", () => {
  it("is asked strictly after, and at or before", () => {
    const trigger = utc("FREQ=DAILY")
    assert.strictEqual(iso(Trigger.next(trigger, "2026-03-01T09:00:00Z")), "2026-03-02T09:00:00Z")
    assert.strictEqual(iso(Trigger.next(trigger, "2026-03-01T08:59:59.999Z")), "2026-03-01T09:00:00Z")
    assert.strictEqual(iso(Trigger.prev(trigger, "2026-03-01T09:00:00Z")), "2026-03-01T09:00:00Z")
    assert.strictEqual(iso(Trigger.prev(trigger, "2026-03-01T08:59:59.999Z")), "2026-02-28T09:00:00Z")
    assert.isTrue(Trigger.matches(trigger, "2026-03-01T09:00:00Z"))
  })

  it("begins with DTSTART, and ends with UNTIL, COUNT or the year 2999", () => {
    const open = utc("FREQ=DAILY")
    assert.strictEqual(iso(Trigger.next(open, -8.64e15)), "2026-01-01T09:00:00Z")
    assert.isUndefined(iso(Trigger.prev(open, "2026-01-01T08:59:59Z")))
    assert.strictEqual(iso(Trigger.prev(open, 8.64e15)), "2999-12-31T09:00:00Z")
    assert.isUndefined(iso(Trigger.next(open, 8.64e15)))
    assert.isUndefined(iso(Trigger.next(open, "2999-12-31T09:00:00Z")))
    const forever = utc("FREQ=DAILY;UNTIL=99991231T235959Z")
    assert.strictEqual(iso(Trigger.prev(forever, 8.64e15)), "2999-12-31T09:00:00Z")
    assert.deepStrictEqual(fires(utc("FREQ=DAILY;UNTIL=20260102T090000Z")), [
      "2026-01-01T09:00:00Z",
      "2026-01-02T09:00:00Z"
    ])
    const counted = utc("FREQ=DAILY;COUNT=2")
    assert.deepStrictEqual(fires(counted), ["2026-01-01T09:00:00Z", "2026-01-02T09:00:00Z"])
    assert.strictEqual(iso(Trigger.prev(counted, 8.64e15)), "2026-01-02T09:00:00Z")
  })

  it("has its RDATEs, and has not its EXDATEs, which COUNT has counted", () => {
    const more =
      "\nRDATE;TZID=Europe/Berlin:20260105T090000,20260106T090000\nRDATE:20260107T090000Z\nEXDATE:20260102T090000Z"
    assert.deepStrictEqual(fires(utc("FREQ=DAILY;COUNT=3", more)), [
      "2026-01-01T09:00:00Z",
      "2026-01-03T09:00:00Z",
      "2026-01-05T08:00:00Z",
      "2026-01-06T08:00:00Z",
      "2026-01-07T09:00:00Z"
    ])
    assert.deepStrictEqual(fires(utc("FREQ=WEEKLY;UNTIL=20260110T000000Z", more)), [
      "2026-01-01T09:00:00Z",
      "2026-01-05T08:00:00Z",
      "2026-01-06T08:00:00Z",
      "2026-01-07T09:00:00Z",
      "2026-01-08T09:00:00Z"
    ])
  })

  it("does not fire at a DTSTART that its rule does not name", () => {
    assert.deepStrictEqual(fires(utc("FREQ=DAILY;BYHOUR=10;COUNT=1")), ["2026-01-01T10:00:00Z"])
  })

  it("reads folded lines, both line ends, any case, quoted zones, and any order", () => {
    const text = 'rrule:freq=daily;\r\n count=1\r\ndtstart;tzid="europe/berlin":20260101T0\r\n\t90000\r\n'
    assert.deepStrictEqual(fires(Rrule.rrule(text)), ["2026-01-01T08:00:00Z"])
  })

  it("takes local times without a zone, and dates, as UTC", () => {
    assert.deepStrictEqual(fires(Rrule.rrule("DTSTART:20260101T090000\nRRULE:FREQ=DAILY;COUNT=1")), [
      "2026-01-01T09:00:00Z"
    ])
    assert.strictEqual(
      iso(Trigger.next(Rrule.rrule("DTSTART:20260101T090000\nRRULE:FREQ=DAILY"), "2026-05-01")),
      "2026-05-01T09:00:00Z"
    )
    assert.strictEqual(
      iso(Trigger.next(Rrule.rrule("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY"), "2026-05-01")),
      "2026-05-02T00:00:00Z"
    )
    assert.deepStrictEqual(
      fires(
        Rrule.rrule(
          "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY;UNTIL=20260103\nEXDATE;VALUE=DATE:20260102\nRDATE;VALUE=DATE:20260201"
        )
      ),
      ["2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z", "2026-02-01T00:00:00Z"]
    )
  })

  it("that began long ago is asked as quickly as a new one", () => {
    for (const rule of [
      "SECONDLY",
      "MINUTELY;INTERVAL=7",
      "DAILY",
      "MONTHLY;BYDAY=-1FR",
      "YEARLY;BYMONTH=3;BYDAY=2SU"
    ]) {
      const trigger = Rrule.rrule(`DTSTART;TZID=America/New_York:19700101T003000\nRRULE:FREQ=${rule}`)
      const at = Option.getOrThrow(Trigger.next(trigger, "2026-11-23T12:00:00Z"))
      assert.isTrue(Trigger.matches(trigger, at))
    }
  })

  it("of minutes or seconds is asked backwards over months in which it rests", () => {
    for (const [frequency, last] of [
      ["MINUTELY", "2023-12-01T04:59:00Z"],
      ["SECONDLY", "2023-12-01T04:59:59Z"]
    ]) {
      const trigger = Rrule.rrule(`DTSTART;TZID=America/New_York:20190101T013000\nRRULE:FREQ=${frequency};BYMONTH=3,11`)
      assert.strictEqual(iso(Trigger.prev(trigger, "2024-02-01T00:00:00Z")), last)
      assert.strictEqual(iso(Trigger.prev(trigger, "2024-03-01T05:00:00Z")), "2024-03-01T05:00:00Z")
      assert.strictEqual(iso(Trigger.prev(trigger, "2024-03-01T04:59:59.999Z")), last)
    }
    const rare = utc("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO")
    assert.strictEqual(iso(Trigger.prev(rare, "2112-02-28")), "2072-02-29T23:59:59Z")
  })

  it("finds the rarest days", () => {
    const rare = "BYMONTH=2;BYMONTHDAY=29;BYDAY=MO"
    for (const rule of [`YEARLY;${rare}`, `MONTHLY;${rare}`, `DAILY;${rare}`, `HOURLY;BYHOUR=9;${rare}`]) {
      const trigger = utc(`FREQ=${rule}`)
      assert.strictEqual(iso(Trigger.next(trigger, "2073-01-01")), "2112-02-29T09:00:00Z", rule)
      assert.strictEqual(iso(Trigger.prev(trigger, "2112-02-29")), "2072-02-29T09:00:00Z", rule)
    }
  })
})

const newYork = (start: string, rule: string, more = "") =>
  Rrule.rrule(`DTSTART;TZID=America/New_York:${start}\nRRULE:${rule}${more}`)

describe("a clock change", () => {
  it("leaves out a local time in the gap, and does not count it", () => {
    assert.deepStrictEqual(fires(newYork("20070310T023000", "FREQ=DAILY;COUNT=3")), [
      "2007-03-10T07:30:00Z",
      "2007-03-12T06:30:00Z",
      "2007-03-13T06:30:00Z"
    ])
    assert.strictEqual(
      iso(Trigger.next(newYork("20000101T023000", "FREQ=DAILY"), "2007-03-11T00:00:00Z")),
      "2007-03-12T06:30:00Z"
    )
  })

  it("reads a DTSTART or an RDATE in the gap with the offset before it", () => {
    assert.deepStrictEqual(fires(newYork("20070311T023000", "FREQ=DAILY;COUNT=1")), ["2007-03-11T07:30:00Z"])
    assert.deepStrictEqual(
      fires(newYork("20070301T023000", "FREQ=DAILY;COUNT=1", "\nRDATE;TZID=America/New_York:20070311T023000")),
      ["2007-03-01T07:30:00Z", "2007-03-11T07:30:00Z"]
    )
  })

  it("takes the first pass of an overlap", () => {
    assert.deepStrictEqual(fires(newYork("20071103T013000", "FREQ=DAILY;COUNT=3")), [
      "2007-11-03T05:30:00Z",
      "2007-11-04T05:30:00Z",
      "2007-11-05T06:30:00Z"
    ])
    assert.deepStrictEqual(fires(newYork("20071104T003000", "FREQ=HOURLY;COUNT=3")), [
      "2007-11-04T04:30:00Z",
      "2007-11-04T05:30:00Z",
      "2007-11-04T07:30:00Z"
    ])
  })
})

describe("a rule that never fires", () => {
  it.each([
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;BYMONTH=4,6;BYMONTHDAY=31,-31",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20300101T000000Z",
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6;COUNT=3",
    "FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1",
    "FREQ=YEARLY;INTERVAL=100;BYDAY=MO;BYSETPOS=60"
  ])("%s has no next and no previous instant", (rule) => {
    const trigger = utc(rule)
    assert.isUndefined(iso(Trigger.next(trigger, "2020-01-01")))
    assert.isUndefined(iso(Trigger.next(trigger, "2026-06-01")))
    assert.isUndefined(iso(Trigger.prev(trigger, "2099-01-01")))
  })

  it("still has its RDATEs", () => {
    const trigger = utc(
      "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
      "\nRDATE:20260505T090000Z,20260504T090000Z,20260503T090000Z\nEXDATE:20260504T090000Z"
    )
    assert.deepStrictEqual(fires(trigger), ["2026-05-03T09:00:00Z", "2026-05-05T09:00:00Z"])
  })
})

describe("text that is refused", () => {
  const start = "DTSTART:20260101T090000Z\n"

  it.each([
    ["", "DTSTART is missing: expected a line like DTSTART;TZID=Europe/Berlin:20260101T090000"],
    ["RRULE:FREQ=DAILY", "DTSTART is missing: expected a line like DTSTART;TZID=Europe/Berlin:20260101T090000"],
    ["FREQ=DAILY", "text: "],
    [start, "RRULE is missing: expected a line like RRULE:FREQ=DAILY"],
    [`${start}RRULE:BYDAY=MO`, "FREQ is missing: expected one of YEARLY, MONTHLY"],
    [`${start}RRULE:FREQ=FORTNIGHTLY`, 'FREQ: "FORTNIGHTLY" is not valid: expected one of YEARLY'],
    [`${start}RRULE:FREQ=DAILY;BYHOUR=25`, 'BYHOUR: "25" is not valid: expected 0 to 23'],
    [`${start}RRULE:FREQ=DAILY;BYSECOND=60`, 'BYSECOND: "60" is not valid: expected 0 to 59'],
    [`${start}RRULE:FREQ=DAILY;BYHOUR=`, "BYHOUR is missing: expected 0 to 23"],
    [`${start}RRULE:FREQ=DAILY;INTERVAL=0`, 'INTERVAL: "0" is not valid'],
    [`${start}RRULE:FREQ=YEARLY;INTERVAL=101`, 'INTERVAL: "101" is not valid: expected 1 to 100'],
    [
      `${start}RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=10000`,
      'COUNT: "10000" is not valid: expected fewer instants'
    ],
    [`${start}RRULE:FREQ=DAILY;COUNT=10001`, 'COUNT: "10001" is not valid: expected 1 to 10000; for more give UNTIL'],
    [`${start}RRULE:FREQ=DAILY;COUNT=1;COUNT=2`, 'COUNT: "2" is not valid: expected each part once'],
    [`${start}RRULE:FREQ=DAILY;COUNT=1;UNTIL=20270101T000000Z`, "COUNT and UNTIL MUST NOT occur"],
    [`${start}RRULE:FREQ=DAILY;UNTIL=tomorrow`, 'UNTIL: "TOMORROW" is not valid'],
    [`${start}RRULE:FREQ=DAILY;UNTIL=20270101`, "UNTIL rule part MUST have the same value type as DTSTART"],
    [`${start}RRULE:FREQ=DAILY;BYDAY=XX`, 'BYDAY: "XX" is not valid'],
    [`${start}RRULE:FREQ=WEEKLY;BYDAY=2MO`, "BYDAY with numeric value MUST NOT be used"],
    [`${start}RRULE:FREQ=MONTHLY;BYMONTHDAY=0`, 'BYMONTHDAY: "0" is not valid'],
    [`${start}RRULE:FREQ=WEEKLY;BYMONTHDAY=3`, "BYMONTHDAY MUST NOT be used when FREQ is WEEKLY"],
    [`${start}RRULE:FREQ=DAILY;BYSETPOS=1`, "BYSETPOS MUST be used with another BYxxx rule part"],
    [`${start}RRULE:FREQ=YEARLY;BYDAY=MO;BYYEARDAY=1`, 'BYDAY: "MO" is not valid: expected no BYDAY'],
    [`${start}RRULE:FREQ=YEARLY;BYWEEKNO=20`, 'BYWEEKNO: "20" is not valid: expected a BYDAY beside it'],
    [`${start}RRULE:FREQ=YEARLY;BYMONTHDAY=4;BYDAY=1MO`, 'BYMONTHDAY: "4" is not valid: expected only one of'],
    [`${start}RRULE:RSCALE=HEBREW;FREQ=YEARLY`, 'RRULE: "RSCALE=HEBREW" is not valid: expected parts of a rule'],
    [`${start}RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY`, 'RRULE: "FREQ=WEEKLY" is not valid: expected one RRULE'],
    [`${start}${start}RRULE:FREQ=DAILY`, "expected one DTSTART"],
    [`${start}RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY`, 'text: "EXRULE:FREQ=WEEKLY" is not valid: expected lines DTSTART'],
    [`${start}RRULE:FREQ=DAILY\nEXDATE:soon`, 'EXDATE: "soon" is not valid'],
    [`${start}RRULE:FREQ=DAILY\nRDATE;VALUE=PERIOD:20260101T000000Z/PT1H`, 'RDATE: "PERIOD" is not valid'],
    ["DTSTART;TZID=Mars/Base:20260101T090000\nRRULE:FREQ=DAILY", 'DTSTART: "Mars/Base" is not valid'],
    ["DTSTART;TZID=Europe/Berlin:20260101T090000Z\nRRULE:FREQ=DAILY", "DTSTART: "],
    ["DTSTART:20260101\nRRULE:FREQ=DAILY", 'DTSTART: "20260101" is not valid: expected 20260101T090000Z'],
    ["DTSTART:20260230T090000Z\nRRULE:FREQ=DAILY", "RRULE: "],
    [
      "DTSTART;TZID=Europe/Berlin:20260101T090000\nRRULE:FREQ=DAILY\nEXDATE:20260102T090000",
      'EXDATE: "20260102T090000" is not valid'
    ],
    ["DTSTART;TZID=Europe/Berlin:20260101T090000\nRRULE:FREQ=DAILY;UNTIL=20270101T000000", "UNTIL rule part MUST"]
  ])("%j", (text, message) => {
    const found = problem(text)
    assert.match(found, /^RruleParseError /)
    assert.include(found, message)
  })

  it("is thrown by the constructor as the same error", () => {
    assert.throws(() => Rrule.rrule("RRULE:FREQ=DAILY"), Rrule.RruleParseError)
  })

  it("is refused by the rule itself too, and by its schema", () => {
    assert.throws(() => Rrule.rule({ text: "RRULE:FREQ=DAILY" }), /DTSTART is missing/)
    assert.isFalse(Schema.is(Rrule.RruleText)("RRULE:FREQ=DAILY"))
    assert.isTrue(Schema.is(Rrule.RruleText)("DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY"))
  })
})

describe("the trigger", () => {
  const text = "DTSTART;TZID=Europe/Berlin:20260101T170000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR"

  it("encodes to its text and back", () => {
    const trigger = Rrule.rrule(text)
    const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Trigger.Trigger)(trigger)))
    assert.include(JSON.stringify(json), JSON.stringify(text).slice(1, -1))
    assert.isTrue(Equal.equals(Schema.decodeUnknownSync(Trigger.Trigger)(json), trigger))
    assert.isTrue(Equal.equals(Rrule.rrule(text), trigger))
    assert.isFalse(Equal.equals(Rrule.rrule(text.replace("-1FR", "1FR")), trigger))
    assert.isTrue(Trigger.isClosed(trigger))
  })

  it("combines and is modified like any other", () => {
    const trigger = Trigger.offset(Trigger.or(Rrule.rrule(text), Trigger.at("2026-03-30T00:00:00Z")), "1 hour")
    assert.deepStrictEqual(fires(trigger, "2026-03-01", 2), ["2026-03-27T17:00:00Z", "2026-03-30T01:00:00Z"])
  })
})
