/** Recurrences of any shape: the two directions agree, and those that cron can say too are held against it. */
import { assert, describe, it } from "@effect/vitest"
import { type DateTime, Option, Schema } from "effect"
import { Trigger } from "effect-scheduler"
import { Rrule } from "../src/index.ts"

const among = Schema.Literals

const numbers = (minimum: number, maximum: number) =>
  Schema.Array(Schema.Int.check(Schema.isBetween({ minimum, maximum }))).check(Schema.isBetweenLength(1, 3))

/** Instants around both clock changes of New York and Berlin. */
const Instant = Schema.Int.check(Schema.isBetween({ minimum: Date.UTC(2024, 1, 1), maximum: Date.UTC(2024, 11, 1) }))

const Zone = among(["UTC", "America/New_York", "Europe/Berlin"])

const recurrence = {
  zone: Zone,
  start: among(["20190101T013000", "20231105T023000", "20240229T090000", "20240310T000000"]),
  frequency: among(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]),
  interval: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
  days: among(["", ";BYMONTH=3,10,11", ";BYDAY=SU", ";BYDAY=MO,WE,SU", ";BYMONTH=3,11;BYDAY=SU"]),
  times: among(["", ";BYHOUR=1,2,3", ";BYHOUR=2;BYMINUTE=0,30"]),
  end: among(["", ";COUNT=60", ";UNTIL=20240930T000000Z"]),
  from: Instant
}

const options = { arbitrary: { runs: 50 }, timeout: 30_000 }

const at = (instant: Option.Option<DateTime.Utc>): number | undefined =>
  Option.getOrUndefined(Option.map(instant, (at) => at.epochMilliseconds))

const check = (rrule: Trigger.Rule, cron: Trigger.Rule, from: number): void => {
  let after = from
  for (let step = 0; step < 5; step++) {
    const wanted = at(Trigger.next(cron, after))
    assert.strictEqual(at(Trigger.next(rrule, after)), wanted)
    if (wanted === undefined) return
    assert.strictEqual(at(Trigger.prev(rrule, wanted - 1)), at(Trigger.prev(cron, wanted - 1)))
    after = wanted
  }
}

const clockChange = { gap: "skip", overlap: "first" } as const

describe("any recurrence", () => {
  it.prop(
    "agrees forwards and backwards",
    recurrence,
    (drawn) => {
      const { days, end, frequency, interval, start, times, zone } = drawn
      const rule = `FREQ=${frequency};INTERVAL=${interval}${days}${times}${end}`
      const trigger = Rrule.rrule(`DTSTART;TZID=${zone}:${start}\nRRULE:${rule}`)
      let last = at(Trigger.prev(trigger, drawn.from))
      if (last !== undefined) assert.strictEqual(at(Trigger.next(trigger, last - 1)), last)
      let after = drawn.from
      for (let step = 0; step < 5; step++) {
        const next = at(Trigger.next(trigger, after))
        if (next === undefined) break
        assert.isAbove(next, after)
        assert.strictEqual(at(Trigger.next(trigger, next - 1)), next)
        assert.strictEqual(at(Trigger.prev(trigger, next)), next)
        assert.strictEqual(at(Trigger.prev(trigger, next - 1)), last)
        last = next
        after = next
      }
    },
    options
  )
})

describe("a recurrence that cron can say", () => {
  it.prop(
    "by times and days of the month is what cron says",
    {
      zone: Zone,
      days: numbers(1, 31),
      hours: numbers(0, 4),
      minutes: numbers(0, 59),
      frequency: among(["MONTHLY", "DAILY"]),
      from: Instant
    },
    ({ days, frequency, from, hours, minutes, zone }) => {
      const rule = `FREQ=${frequency};BYMONTHDAY=${days};BYHOUR=${hours};BYMINUTE=${minutes}`
      check(
        Rrule.rrule(`DTSTART;TZID=${zone}:20150101T000000\nRRULE:${rule}`),
        Trigger.cron({ day: `${days}`, hour: `${hours}`, minute: `${minutes}` }, { timeZone: zone, clockChange }),
        from
      )
    },
    options
  )

  it.prop(
    "by times and days of the week is what cron says",
    {
      zone: Zone,
      days: Schema.Array(among(["MO", "TU", "FR", "SA", "SU"])).check(Schema.isBetweenLength(1, 4)),
      months: numbers(1, 12),
      hours: numbers(0, 4),
      frequency: among(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]),
      from: Instant
    },
    ({ days, frequency, from, hours, months, zone }) => {
      const names = { MO: "mon", TU: "tue", FR: "fri", SA: "sat", SU: "sun" }
      const rule = `FREQ=${frequency};BYMONTH=${months};BYDAY=${days};BYHOUR=${hours}`
      check(
        Rrule.rrule(`DTSTART;TZID=${zone}:20150101T003000\nRRULE:${rule}`),
        Trigger.cron(
          { month: `${months}`, dayOfWeek: days.map((day) => names[day]).join(","), hour: `${hours}`, minute: 30 },
          { timeZone: zone, clockChange }
        ),
        from
      )
    },
    options
  )
})
