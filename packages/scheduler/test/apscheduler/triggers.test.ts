import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Result, Schema } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import { TestClock } from "effect/testing"
import { away, iso, on, pass, settle, Tick, worker } from "./kit.ts"

/** The first instants after one, as text. */
const firings = (trigger: Trigger.Rule, after: string, n: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  let next = Trigger.next(trigger, after)
  while (Option.isSome(next) && found.length < n) {
    found.push(iso(next.value))
    next = Trigger.next(trigger, next.value)
  }
  return found
}

describe("triggers", () => {
  it.effect("4 triggers: a cron-like, a delayed single run and an interval trigger run their jobs", () =>
    Effect.gen(function* () {
      const { began, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "cron", trigger: Trigger.cron("*/20 * * * *") })
        yield* scheduler.schedule(Tick, { id: "date", trigger: Trigger.at("2026-03-02T12:05:00Z") })
        yield* scheduler.schedule(Tick, { id: "interval", trigger: Trigger.every("25 minutes") })
        yield* pass("58 minutes")
        assert.deepStrictEqual(
          began.map((one) => `${one.at} ${one.scheduleId}`),
          ["12:05:00 date", "12:20:00 cron", "12:26:00 interval", "12:40:00 cron", "12:51:00 interval"]
        )
      }).pipe(on(layer, "2026-03-02T12:01:00Z"))
    })
  )

  it("26 SimpleTrigger, IntervalTrigger, CronTrigger: they are values, usable without a scheduler", () => {
    const after = "2026-03-02T12:00:00Z"
    assert.deepStrictEqual(firings(Trigger.at("2026-03-02T13:00:00Z"), after, 3), ["2026-03-02T13:00:00Z"])
    assert.deepStrictEqual(firings(Trigger.every("1 hour", { start: "2026-03-01T00:30:00Z" }), after, 2), [
      "2026-03-02T12:30:00Z",
      "2026-03-02T13:30:00Z"
    ])
    assert.deepStrictEqual(firings(Trigger.cron("15 10 * * 1-5"), after, 2), [
      "2026-03-03T10:15:00Z",
      "2026-03-04T10:15:00Z"
    ])
  })

  describe("50 date text: a date, a date and time, and fractions of a second", () => {
    const texts = [
      ["2009-08-01", "2009-08-01T00:00:00Z"],
      ["2010-10-10 09:30", "2010-10-10T09:30:00Z"],
      ["2009-08-01 05:16:12", "2009-08-01T05:16:12Z"],
      ["2009-08-01T05:16:12", "2009-08-01T05:16:12Z"],
      ["2009-08-01 05:16:12.250", "2009-08-01T05:16:12.250Z"],
      ["2009-08-01T05:16:12+02:30", "2009-08-01T02:46:12Z"],
      ["2009-08-01T05:16:12Z", "2009-08-01T05:16:12Z"]
    ] as const
    for (const [text, expected] of texts) {
      it(text, () => assert.deepStrictEqual(firings(Trigger.at(text), "2000-01-01", 2), [expected]))
    }
  })

  it("seed-date-hhmm: hours and minutes without seconds are not dropped", () => {
    const trigger = Trigger.every("2 hours", { start: "2010-10-10 09:30" })
    assert.deepStrictEqual(firings(trigger, "2010-10-10", 2), ["2010-10-10T09:30:00Z", "2010-10-10T11:30:00Z"])
  })

  it("v3-date-text: a text that is no date is refused, a Date, a DateTime and milliseconds are accepted", () => {
    for (const text of ["", "tomorrow", "2009-13-01", "2009-08-01 25:00"]) {
      assert.throws(() => Trigger.at(text), /instant/, text)
    }
    const instant = Date.parse("2009-08-01T05:16:12Z")
    assert.deepStrictEqual(firings(Trigger.at(instant), "2000-01-01", 2), ["2009-08-01T05:16:12Z"])
    assert.deepStrictEqual(firings(Trigger.at(new Date(instant)), "2000-01-01", 2), ["2009-08-01T05:16:12Z"])
  })

  it.effect("51 interval: the first run comes after the delay, or at the start date", () =>
    Effect.gen(function* () {
      const { began, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const schedule = (id: string, trigger: Trigger.Trigger) => scheduler.schedule(Tick, { id, trigger })
        yield* schedule("delay", Trigger.every("10 minutes"))
        yield* schedule("start", Trigger.every("10 minutes", { start: "2026-03-02T12:07:00Z" }))
        yield* schedule("past start", Trigger.every("10 minutes", { start: "2026-03-02T11:55:00Z" }))
        yield* schedule("at once", Trigger.startNow(Trigger.every("10 minutes")))
        yield* pass("19 minutes")
        assert.deepStrictEqual(
          began.map((one) => `${one.at} ${one.scheduleId}`),
          [
            "12:00:00 at once",
            "12:05:00 past start",
            "12:07:00 start",
            "12:10:00 at once",
            "12:10:00 delay",
            "12:15:00 past start",
            "12:17:00 start"
          ].toSorted()
        )
      }).pipe(on(layer))
    })
  )

  it("v4-interval-dst: an interval is elapsed time, and its stored form gives the same instants", () => {
    const codec = Schema.toCodecJson(Trigger.Trigger)
    const trigger = Trigger.every("1 hour", { start: "2024-03-31T00:30:00+01:00" })
    const stored = Schema.encodeSync(codec)(trigger)
    const read = Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(stored)))
    const expected = ["2024-03-30T23:30:00Z", "2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z", "2024-03-31T02:30:00Z"]
    assert.deepStrictEqual(firings(trigger, "2024-03-30T23:00:00Z", 4), expected)
    assert.deepStrictEqual(firings(read as Trigger.Rule, "2024-03-30T23:00:00Z", 4), expected)
  })
})

describe("52 cron fields: each form of the table", () => {
  const after = "2026-03-01T00:00:00Z"
  const rows: ReadonlyArray<readonly [string, Trigger.CronFields, ReadonlyArray<string>]> = [
    ["*", { minute: "*" }, ["2026-03-01T00:01:00Z", "2026-03-01T00:02:00Z"]],
    ["*/a", { hour: "*/6" }, ["2026-03-01T06:00:00Z", "2026-03-01T12:00:00Z"]],
    ["a", { month: 6, day: 15 }, ["2026-06-15T00:00:00Z", "2027-06-15T00:00:00Z"]],
    ["a-b", { hour: "5-6" }, ["2026-03-01T05:00:00Z", "2026-03-01T06:00:00Z", "2026-03-02T05:00:00Z"]],
    ["a-b/c", { hour: "8-14/3" }, ["2026-03-01T08:00:00Z", "2026-03-01T11:00:00Z", "2026-03-01T14:00:00Z"]],
    ["xth y", { day: "3rd fri", hour: 9 }, ["2026-03-20T09:00:00Z", "2026-04-17T09:00:00Z"]],
    ["last x", { day: "last sun" }, ["2026-03-29T00:00:00Z", "2026-04-26T00:00:00Z"]],
    ["last", { day: "last" }, ["2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z"]],
    ["x,y,z", { hour: "1, 3,5" }, ["2026-03-01T01:00:00Z", "2026-03-01T03:00:00Z", "2026-03-01T05:00:00Z"]],
    ["week", { week: 10, dayOfWeek: "wed" }, ["2026-03-04T00:00:00Z", "2027-03-10T00:00:00Z"]],
    ["year", { year: 2028 }, ["2028-01-01T00:00:00Z"]],
    ["day and weekday", { day: 13, dayOfWeek: "fri" }, ["2026-03-13T00:00:00Z", "2026-11-13T00:00:00Z"]]
  ]
  for (const [name, fields, expected] of rows) {
    it(name, () => assert.deepStrictEqual(firings(Trigger.cron(fields), after, expected.length), expected))
  }

  it("the documentation's example, the third Friday of June, July, August, November and December at 0 to 3", () => {
    const trigger = Trigger.cron({ month: "6-8,11-12", day: "3rd fri", hour: "0-3" })
    assert.deepStrictEqual(firings(trigger, after, 5), [
      "2026-06-19T00:00:00Z",
      "2026-06-19T01:00:00Z",
      "2026-06-19T02:00:00Z",
      "2026-06-19T03:00:00Z",
      "2026-07-17T00:00:00Z"
    ])
  })

  it("seed-default-star: a field left out below a given one is its least value", () => {
    assert.deepStrictEqual(firings(Trigger.cron({ hour: "5-6" }), after, 2), [
      "2026-03-01T05:00:00Z",
      "2026-03-01T06:00:00Z"
    ])
  })

  it("seed-hour0: hour 0 is midnight", () => {
    assert.deepStrictEqual(firings(Trigger.cron({ hour: 0 }), after, 2), [
      "2026-03-02T00:00:00Z",
      "2026-03-03T00:00:00Z"
    ])
  })

  it("v4-dow-step: weekdays by name take steps, and a number is refused with the reason", () => {
    const expected = ["2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z", "2026-03-06T00:00:00Z", "2026-03-09T00:00:00Z"]
    assert.deepStrictEqual(firings(Trigger.cron({ dayOfWeek: "mon-fri/2" }), after, 4), expected)
    assert.deepStrictEqual(firings(Trigger.cron("0 0 * * 1-5/2"), after, 4), expected)
    const refused = Trigger.parseCron({ dayOfWeek: "1-5/2" })
    assert.include(Result.isFailure(refused) ? refused.failure.expected : "", "two conventions")
  })

  it("v4-start-micro: a start between two seconds does not move the firings off the second", () => {
    const trigger = Trigger.bounded(Trigger.cron("* * * * * *"), { start: "2026-03-01T00:00:00.500Z" })
    assert.deepStrictEqual(firings(trigger, after, 2), ["2026-03-01T00:00:01Z", "2026-03-01T00:00:02Z"])
  })

  it.effect("v3-unsat: fields that never match have no time, and their schedule is exhausted at once", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const never = Trigger.cron({ month: 5, week: 1 })
        assert.isTrue(Option.isNone(Trigger.next(never, after)))
        const view = yield* scheduler.schedule(Tick, { id: "never", trigger: never })
        assert.deepStrictEqual([view.state, view.nextAt], ["exhausted", null])
      }).pipe(on(layer))
    })
  )
})

describe("local time", () => {
  const waits = [
    { now: "2010-03-28T02:00:00+02:00", hour: 4, seconds: 3_600 },
    { now: "2010-10-31T02:00:00+03:00", hour: 5, seconds: 14_400 }
  ]
  describe("seed-dst-wait: what is waited for is elapsed time, whatever the clocks show", () => {
    for (const { hour, now, seconds } of waits) {
      it.effect(`from ${now} to ${hour} o'clock it is ${seconds} s`, () =>
        Effect.gen(function* () {
          const { began, layer } = worker()
          yield* Effect.gen(function* () {
            const scheduler = yield* Scheduler
            const trigger = Trigger.cron({ hour }, { timeZone: "Europe/Helsinki" })
            yield* scheduler.schedule(Tick, { id: "tick", trigger })
            yield* pass(seconds * 1_000 - 1)
            assert.strictEqual(began.length, 0)
            yield* pass(1)
            assert.strictEqual(began.length, 1)
          }).pipe(on(layer, now))
        })
      )
    }
  })

  it.effect(
    "v3-calendar-rewind: a calendar trigger never goes back, not when it is stored and not when it is resumed",
    () =>
      Effect.gen(function* () {
        const { began, layer } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const trigger = Trigger.calendar({ weeks: 1, start: "2023-12-25", at: "09:00" })
          const view = yield* scheduler.schedule(Tick, { id: "weekly", trigger })
          assert.strictEqual(iso(view.nextAt), "2024-01-01T09:00:00Z")
          yield* scheduler.pause("weekly")
          yield* scheduler.resume("weekly")
          yield* settle
          const resumed = yield* scheduler.get("weekly")
          assert.strictEqual(iso(Option.getOrThrow(resumed).nextAt), "2024-01-01T09:00:00Z")
          assert.deepStrictEqual(began, [])
        }).pipe(on(layer, "2024-01-01T00:00:00Z"))
      })
  )

  it.effect(
    "v3-clock-back: a clock that is set back runs nothing twice and stalls nothing for longer than it went back",
    () =>
      Effect.gen(function* () {
        const { layer, nominals } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.cron("*/10 * * * * *") })
          yield* pass("29 seconds")
          yield* TestClock.setTime(Date.parse("2026-03-02T12:00:00Z"))
          yield* away("35 seconds")
          yield* pass("15 seconds")
          assert.deepStrictEqual(nominals(), ["12:00:10", "12:00:20", "12:00:30", "12:00:40", "12:00:50"])
        }).pipe(on(layer, "2026-03-02T12:00:01Z"))
      })
  )

  it.effect(
    "v3-backlog: ten days of a trigger that fires each second are one record of 863,999 times and one run",
    () =>
      Effect.gen(function* () {
        const { layer, nominals } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 second") })
          yield* away("10 days")
          assert.deepStrictEqual(nominals(), ["12:00:00"])
          const { items } = yield* scheduler.history({ outcome: "missed" })
          assert.deepStrictEqual(
            items.map((row) => (row._tag === "Range" ? row.count : 0)),
            [863_999]
          )
        }).pipe(on(layer))
      }),
    60_000
  )
})
