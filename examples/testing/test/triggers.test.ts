/** When: a trigger is a value, and needs neither a scheduler nor a clock. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { Trigger } from "effect-scheduler"
import { nightly } from "../src/jobs.ts"

const between = (from: string, to: string) => Array.from(Trigger.between(nightly, from, to), DateTime.formatIso)

describe("the nightly charge", () => {
  it("is on workdays at half past four", () => {
    assert.deepStrictEqual(between("2026-02-06", "2026-02-10"), [
      "2026-02-06T03:30:00.000Z",
      "2026-02-09T03:30:00.000Z"
    ])
  })

  it("keeps to the clock on the wall when that is changed", () => {
    // From Friday, in winter, to Monday, in summer.
    assert.deepStrictEqual(between("2026-03-27", "2026-03-31"), [
      "2026-03-27T03:30:00.000Z",
      "2026-03-30T02:30:00.000Z"
    ])
  })

  it("reads well in a list", () => {
    assert.strictEqual(Trigger.describe(nightly), "at 04:30 on Monday to Friday, Europe/Berlin")
  })
})
