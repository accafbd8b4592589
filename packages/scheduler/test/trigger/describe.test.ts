import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Trigger from "../../src/Trigger.ts"

describe("cron in English", () => {
  const rows: ReadonlyArray<readonly [pattern: string, english: string]> = [
    ["* * * * *", "every minute"],
    ["*/5 * * * * *", "every 5 seconds"],
    ["*/15 9-17 * * MON-FRI", "every 15 minutes in the hours 9 to 17 on Monday to Friday"],
    ["@hourly", "at minute 0 of every hour"],
    ["5 */2 * * *", "at minute 5 of every 2nd hour"],
    ["30 2 * * *", "at 02:30 every day"],
    ["0 9,17 * * *", "at 09:00 and 17:00 every day"],
    ["0 12 1 * +MON", "at 12:00 on the 1st if it is also Monday"],
    ["0 0 13 * FRI", "at 00:00 on the 13th or on Friday"],
    ["0 0 29 2 *", "at 00:00 on the 29th in February"],
    ["0 0 LW * *", "at 00:00 on the last weekday of the month"],
    ["0 0 15W 1-3 *", "at 00:00 on the weekday nearest to the 15th in January to March"],
    ["0 0 * * FRI#L", "at 00:00 on the last Friday of the month"],
    ["0 0 * * SAT,SUN", "at 00:00 on Saturday and Sunday"],
    ["0 0 */2 * *", "at 00:00 on the 1st and every 2nd day after it"],
    ["0 0 0 1 1 * */2", "at 00:00 on the 1st in January in every 2nd year from 1970"]
  ]
  it.each(rows)("%s", (pattern, english) => {
    assert.strictEqual(String(Result.getOrThrow(Trigger.parseCron(pattern))), `${english}, UTC`)
  })

  it("names a zone and a rule for clock changes", () => {
    const trigger = Trigger.cron("0 9 * * *", { timeZone: "Europe/Berlin", clockChange: "ocps" })
    assert.strictEqual(String(trigger), "at 09:00 every day, Europe/Berlin (clock changes: ocps)")
  })
})

describe("other triggers in English", () => {
  const rows: ReadonlyArray<readonly [trigger: Trigger.Trigger, english: string]> = [
    [Trigger.at("2026-01-01T10:00:00Z"), "once at 2026-01-01T10:00:00Z"],
    [Trigger.every("1 hour"), "every hour"],
    [Trigger.every("90 minutes", { start: 0 }), "every 1 hour 30 minutes from 1970-01-01T00:00:00Z"],
    [Trigger.anchor(Trigger.every("5 millis"), 0), "every 5 milliseconds after 1970-01-01T00:00:00Z"],
    [Trigger.spaced("10 minutes"), "10 minutes after the end of the last run, first at once"],
    [
      Trigger.calendar({ months: 1, start: "2026-01-31", day: "clamp", at: "08:00" }),
      "every month from 2026-01-31 or the last day of the month at 08:00, UTC"
    ],
    [Trigger.or(Trigger.at(0), Trigger.every("1 day")), "(once at 1970-01-01T00:00:00Z) or (every day)"],
    [
      Trigger.and([Trigger.every("2 hours"), Trigger.every("1 day")], { tolerance: "1 second" }),
      "(every 2 hours) and (every day) together, within 1 second"
    ],
    [
      Trigger.every("1 hour").pipe(Trigger.during([{ days: "sat,sun" }, { from: "22:00", to: "06:00" }])),
      "(every hour) during Saturday and Sunday in UTC or 22:00 to 06:00 in UTC"
    ],
    [
      Trigger.every("1 hour").pipe(Trigger.except({ dates: ["2026-12-25"] }), Trigger.bounded({ start: 0 })),
      "(every hour) except on 2026-12-25 in UTC, not before 1970-01-01T00:00:00Z"
    ],
    [Trigger.offset(Trigger.every("1 hour"), "-5 minutes"), "5 minutes before (every hour)"],
    [Trigger.startNow(Trigger.every("1 hour")), "at once, then (every hour)"]
  ]
  it.each(rows)("%s", (trigger, english) => {
    assert.strictEqual(Trigger.describe(trigger), english)
  })
})
