import { assert, describe, it } from "@effect/vitest"
import * as Trigger from "../../src/Trigger.ts"

const reason = (make: () => unknown): Trigger.TriggerErrorReason => {
  try {
    make()
  } catch (error) {
    if (error instanceof Trigger.TriggerError) return error.reason
    throw error
  }
  return assert.fail("was accepted")
}

const hourly = Trigger.every("1 hour")

describe("bad input to the constructors of triggers", () => {
  it("an unknown time zone", () => {
    const unknown = { _tag: "UnknownTimeZone", timeZone: "Mars/Olympus" } as const
    assert.deepStrictEqual(
      reason(() => Trigger.calendar({ days: 1 }, { timeZone: "Mars/Olympus" })),
      unknown
    )
    assert.deepStrictEqual(
      reason(() => Trigger.during(hourly, { timeZone: "Mars/Olympus" })),
      unknown
    )
    assert.deepStrictEqual(
      reason(() => Trigger.except(hourly, { dates: [], timeZone: "Mars/Olympus" })),
      unknown
    )
  })

  it("an interval of zero or less, not finite, not whole, or over the range", () => {
    for (const interval of [0, -1, NaN, Infinity, 0.5, 9e15, "-1 second", "Infinity", "soon"] as const) {
      assert.strictEqual(reason(() => Trigger.every(interval as number))._tag, "InvalidInterval", String(interval))
      assert.strictEqual(reason(() => Trigger.spaced(interval as number))._tag, "InvalidInterval", String(interval))
    }
    assert.strictEqual(reason(() => Trigger.spaced("1 second", { first: "-1 second" }))._tag, "InvalidInterval")
    assert.strictEqual(reason(() => Trigger.and([hourly], { tolerance: -1 }))._tag, "InvalidInterval")
    assert.strictEqual(reason(() => Trigger.offset(hourly, Infinity))._tag, "InvalidInterval")
  })

  it("an end before its start", () => {
    assert.deepStrictEqual(
      reason(() => Trigger.bounded(hourly, { start: "2026-01-02", end: "2026-01-01" })),
      {
        _tag: "EndBeforeStart",
        start: "2026-01-02T00:00:00.000Z",
        end: "2026-01-01T00:00:00.000Z"
      }
    )
    assert.strictEqual(Trigger.bounded(hourly, { start: 5, end: 5 }).end, 5)
  })

  it("what is no instant", () => {
    const none = [{ epochMilliseconds: NaN }, { epochMilliseconds: 9e15 }, null as never, undefined as never]
    for (const instant of ["soon", "2026-02-30T00:00:00Z", NaN, Infinity, 9e15, ...none]) {
      assert.strictEqual(reason(() => Trigger.at(instant))._tag, "InvalidInstant", String(instant))
    }
    assert.deepStrictEqual(
      reason(() => Trigger.every("1 hour", { start: "soon" })),
      {
        _tag: "InvalidInstant",
        option: "start",
        instant: `"soon"`
      }
    )
    assert.strictEqual(reason(() => Trigger.next(hourly, "soon"))._tag, "InvalidInstant")
  })

  it("a date or a time of day that does not exist", () => {
    const options: ReadonlyArray<readonly [option: string, make: () => unknown]> = [
      ["start", () => Trigger.calendar({ days: 1, start: "2026-02-29" })],
      ["start", () => Trigger.calendar({ days: 1, start: { year: 2026, month: 13, day: 1 } })],
      ["at", () => Trigger.calendar({ days: 1, at: "24:00" })],
      ["dates", () => Trigger.except(hourly, { dates: ["2026-1-1"] })],
      ["from", () => Trigger.during(hourly, { from: "9" })],
      ["to", () => Trigger.during(hourly, { from: "09:00", to: "24:01" })],
      ["to", () => Trigger.during(hourly, { from: "09:00", to: "09:00" })],
      ["days", () => Trigger.during(hourly, { days: "1-5" })],
      ["days", () => Trigger.during(hourly, { days: [] })]
    ]
    for (const [option, make] of options) {
      const found = reason(make)
      assert.strictEqual(found._tag === "InvalidOption" ? found.option : found._tag, option)
    }
  })

  it("a calendar without a step, or with one that is no whole number", () => {
    assert.strictEqual(reason(() => Trigger.calendar({}))._tag, "InvalidOption")
    assert.strictEqual(reason(() => Trigger.calendar({ months: -1 }))._tag, "InvalidOption")
    assert.strictEqual(reason(() => Trigger.calendar({ days: 1.5 }))._tag, "InvalidOption")
    assert.strictEqual(reason(() => Trigger.calendar({ days: 1, day: "jump" as "skip" }))._tag, "InvalidOption")
  })

  it("combinations of nothing", () => {
    assert.strictEqual(reason(() => Trigger.and([] as never))._tag, "InvalidOption")
    assert.strictEqual(reason(() => Trigger.during(hourly, []))._tag, "InvalidOption")
  })

  it("a spaced trigger in a combination does not compile", () => {
    const spaced = Trigger.spaced("1 minute")
    // @ts-expect-error a spaced trigger is no set of instants
    Trigger.or(spaced, hourly)
    // @ts-expect-error a spaced trigger is no set of instants
    Trigger.and([hourly, spaced])
    // @ts-expect-error a spaced trigger is no set of instants
    Trigger.except(hourly, spaced)
    // @ts-expect-error a spaced trigger is no set of instants
    Trigger.offset(spaced, "1 minute")
    // @ts-expect-error a spaced trigger is no set of instants
    Trigger.startNow(spaced)
    // @ts-expect-error a spaced trigger is no set of instants
    spaced.pipe(Trigger.bounded({ start: 0 }), Trigger.startNow)
    assert.isTrue(Trigger.isSpaced(spaced.pipe(Trigger.bounded({ start: 0 }), Trigger.during({ from: "09:00" }))))
  })

  it("text that is not a literal does not compile", () => {
    const text: string = "0 0 * * *"
    // @ts-expect-error text that is not known when the program is written is for parseCron
    assert.strictEqual(Trigger.cron(text).timeZone, "UTC")
  })
})
