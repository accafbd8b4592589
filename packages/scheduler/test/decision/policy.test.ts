import { describe, expect, it } from "@effect/vitest"
import { Duration, Result } from "effect"
import * as policies from "../../src/internal/policy.ts"
import type { PolicyOptions } from "../../src/JobSchedule.ts"
import { policyOf } from "./world.ts"

describe("policies", () => {
  it("have the design's defaults", () => {
    expect(policyOf({})).toEqual({
      missed: { run: "latest", grace: 10_000, within: Infinity, limit: 100 },
      overlap: "skip",
      maxInstances: 1,
      buffer: 100,
      jitter: 0,
      maxRuns: Infinity
    })
  })

  it("allow any number of instances with overlap allow, unless a number is given", () => {
    expect(policyOf({ overlap: "allow" }).maxInstances).toBe(Infinity)
    expect(policyOf({ overlap: "allow", maxInstances: 3 }).maxInstances).toBe(3)
  })

  it("take durations in any form, whole milliseconds inside", () => {
    const policy = policyOf({ jitter: "1 minute", missed: { grace: Duration.seconds(2), within: 1.4 } })
    expect(policy).toMatchObject({ jitter: 60_000, missed: { grace: 2000, within: 1 } })
  })
})

describe("a policy that is not valid is refused with the name of its field", () => {
  const cases: ReadonlyArray<readonly [option: string, options: PolicyOptions, message: string]> = [
    ["missed.run", { missed: { run: "some" as "all" } }, `one of "none", "latest", "all", not "some"`],
    ["missed.grace", { missed: { grace: -1 } }, "a duration, zero or more, or Infinity, not -1"],
    ["missed.grace", { missed: { grace: NaN } }, "a duration, zero or more, or Infinity, not NaN"],
    ["missed.within", { missed: { within: "soon" as "1 second" } }, `a duration, zero or more, or Infinity, not "soon"`],
    ["missed.within", { missed: { within: Duration.seconds(-1) } }, "a duration, zero or more, or Infinity, not -1000 ms"],
    ["missed.limit", { missed: { limit: 0 } }, "a whole number from 1 to 100000, or Infinity, not 0"],
    ["missed.limit", { missed: { limit: 100_001 } }, "a whole number from 1 to 100000, or Infinity, not 100001"],
    ["overlap", { overlap: "wait" as "skip" }, `not "wait"`],
    ["maxInstances", { maxInstances: 0 }, "a whole number, at least 1, or Infinity, not 0"],
    ["maxInstances", { maxInstances: 1.5 }, "a whole number, at least 1, or Infinity, not 1.5"],
    ["maxInstances", { maxInstances: NaN }, "a whole number, at least 1, or Infinity, not NaN"],
    ["maxInstances", { maxInstances: "2" as unknown as number }, `a whole number, at least 1, or Infinity, not "2"`],
    ["buffer", { buffer: -1 }, "a whole number, at least 0, or Infinity, not -1"],
    ["jitter", { jitter: Infinity }, "a finite duration, zero or more, not Infinity"],
    ["jitter", { jitter: null as unknown as number }, "a finite duration, zero or more, not null"],
    ["maxRuns", { maxRuns: 0 }, "a whole number, at least 1, or Infinity, not 0"],
    ["maxRuns", { maxRuns: -Infinity }, "a whole number, at least 1, or Infinity, not -Infinity"]
  ] // prettier-ignore

  it.each(cases)("%s: %j", (option, options, message) => {
    const made = policies.make(options, `schedule "digest:42"`)
    expect(Result.isFailure(made)).toBe(true)
    if (!Result.isFailure(made)) return
    expect(made.failure).toMatchObject({ _tag: "InvalidOption", option, subject: `schedule "digest:42"` })
    expect(made.failure.message).toContain(`schedule "digest:42": ${option} must be `)
    expect(made.failure.message).toContain(message)
  })
})

describe("the text that a row keeps", () => {
  const all = [
    policyOf({}),
    policyOf({ overlap: "allow", buffer: Infinity, maxRuns: 7, jitter: "90 seconds" }),
    policyOf({ missed: { run: "all", grace: Infinity, within: "1 hour", limit: Infinity }, overlap: "cancelPrevious" }),
    policies.backfill(4)
  ]

  it("decodes to the same policy, Infinity too", () => {
    for (const policy of all) expect(policies.decode(policies.encode(policy))).toEqual(policy)
  })

  it("is equal for equal policies, and decoded once", () => {
    for (const policy of all) {
      const text = policies.encode(policy)
      expect(policies.encode({ ...policies.decode(text)! })).toBe(text)
      expect(policies.decode(text)).toBe(policies.decode(text))
    }
  })

  it("is what it was", () => {
    expect(policies.encode(policyOf({}))).toBe(
      `{"v":1,"missed":{"run":"latest","grace":10000,"within":"Infinity","limit":100},` +
        `"overlap":"skip","maxInstances":1,"buffer":100,"jitter":0,"maxRuns":"Infinity"}`
    )
  })

  it("may lack what it did not have, and have what is not known", () => {
    const text = `{"v":1,"missed":{"run":"all"},"overlap":"allow","maxInstances":"Infinity","later":true}`
    expect(policies.decode(text)).toEqual({
      ...policyOf({}),
      missed: { run: "all", grace: 10_000, within: Infinity, limit: 100 },
      overlap: "allow",
      maxInstances: Infinity
    })
  })

  it.each([
    `{"v":2,"missed":{}}`,
    `{"v":1}`,
    `{"v":1,"missed":{"run":"some"}}`,
    `{"v":1,"missed":{"limit":0}}`,
    "",
    "null",
    "{"
  ])("that this version cannot read is no policy: %s", (text) => {
    expect(policies.decode(text)).toBeUndefined()
  })
})

describe("a patch", () => {
  it("changes what it names", () => {
    const before = policyOf({ jitter: "1 minute", maxRuns: 3, missed: { run: "all", limit: 7 } })
    const after = Result.getOrThrow(policies.patch(before, { missed: { run: "none" }, maxRuns: 5 }))
    expect(after).toEqual({ ...before, missed: { ...before.missed, run: "none" }, maxRuns: 5 })
  })

  it("does not keep what only followed from another option", () => {
    const allowed = Result.getOrThrow(policies.patch(policyOf({}), { overlap: "allow" }))
    expect(allowed.maxInstances).toBe(Infinity)
    expect(Result.getOrThrow(policies.patch(allowed, { overlap: "skip" })).maxInstances).toBe(1)
    const three = policyOf({ overlap: "allow", maxInstances: 3 })
    expect(Result.getOrThrow(policies.patch(three, { overlap: "skip" })).maxInstances).toBe(3)
  })

  it("leaves a backfill waiting for room", () => {
    const patched = Result.getOrThrow(policies.patch(policies.backfill(1), { maxInstances: 4, overlap: "skip" }))
    expect(patched).toEqual({ ...policies.backfill(4) })
  })

  it("lies over a scheduler's own policies", () => {
    const merged = policies.merge({ overlap: "allow", missed: { run: "all" } }, { missed: { limit: 3 } })
    expect(policyOf(merged)).toMatchObject({ overlap: "allow", missed: { run: "all", limit: 3, grace: 10_000 } })
    expect(policyOf(policies.merge(undefined, {}))).toEqual(policies.defaults)
  })
})
