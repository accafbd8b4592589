/**
 * What one decision says: bounds, limits, and what can go wrong.
 */
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Option, Schema } from "effect"
import { decide, type Schedule, type Situation } from "../../src/Decision.ts"
import { timesOf } from "../../src/internal/decision/times.ts"
import { windowOf } from "../../src/internal/decision/window.ts"
import type { PolicyOptions } from "../../src/JobSchedule.ts"
import * as Trigger from "../../src/Trigger.ts"
import { epoch, everySeconds, Squares } from "./rules.ts"
import { policyOf } from "./world.ts"

const twoWeeks = 14 * 86_400_000

const decideFor = (
  trigger: Trigger.Trigger,
  options: PolicyOptions,
  situation: Partial<Situation> & { readonly now: number },
  schedule: Partial<Schedule> = {}
) =>
  decide({
    schedule: { id: "s", trigger, policy: policyOf(options), watermark: epoch, fired: 0, state: "active", ...schedule },
    active: 0,
    deferred: 0,
    ...situation
  })

describe("two weeks offline with a 5 s trigger", () => {
  const { trigger } = everySeconds(5)
  const now = epoch + twoWeeks

  it("is one run and 241,919 missed times", () => {
    const decision = decideFor(trigger, {}, { now })
    expect(decision.fire).toEqual([{ nominal: now, runAt: now, startBy: null }])
    expect(decision.missed).toEqual({ first: epoch + 5000, last: now - 5000, count: 241_919 })
    expect(decision).toMatchObject({ watermark: now, nextAt: now + 5000, state: "active", complete: true })
  })

  it("looks at a few times only, whatever the policy keeps", () => {
    const real = timesOf(trigger)
    let questions = 0
    const asked = <A extends ReadonlyArray<number>, B>(of: (...args: A) => B) =>
      (...args: A): B => (questions++, of(...args)) // prettier-ignore
    const times = { next: asked(real.next), prev: asked(real.prev), count: asked(real.count) }
    for (const newest of [1, 100]) {
      questions = 0
      const { kept, missed } = windowOf(times, epoch, { now, tolerance: Infinity, newest, batch: 1000 })
      expect([kept.length, missed?.count]).toEqual([newest, 241_920 - newest])
      expect(questions).toBeLessThan(30 + newest)
    }
    questions = 0
    const { kept, missed } = windowOf(times, epoch, { now, tolerance: Infinity, newest: 50_000, batch: 1000 })
    expect([kept.length, missed?.count]).toEqual([1000, 191_920])
    expect(questions).toBeLessThan(1100)
  })

  it("with every one kept, is decided in batches of 1,000 that come at once", () => {
    const policy: PolicyOptions = { missed: { run: "all", limit: Infinity }, overlap: "allow" }
    let watermark = epoch
    let fired = 0
    let decisions = 0
    for (;;) {
      const decision = decideFor(trigger, policy, { now }, { watermark, fired })
      decisions++
      expect(decision.fire.length).toBeLessThanOrEqual(1000)
      expect(decision.missed).toBeUndefined()
      fired += decision.fire.length
      watermark = decision.watermark
      if (decision.complete) break
      expect(decision.nextAt).toBe(watermark + 5000)
    }
    expect([fired, decisions, watermark]).toEqual([241_920, 242, now])
  })
})

describe("counts", () => {
  it("of a combination too long to be counted exactly are taken in exact parts", () => {
    const trigger = Trigger.or(everySeconds(1).trigger, Trigger.offset(everySeconds(1).trigger, "500 millis"))
    const now = epoch + 2 * 86_400_000
    let watermark = epoch
    let missed = 0
    let decision = decideFor(trigger, {}, { now })
    for (; !decision.complete; decision = decideFor(trigger, {}, { now }, { watermark })) {
      missed += decision.missed!.count
      expect(decision.fire).toEqual([])
      expect(decision.watermark).toBeGreaterThan(watermark)
      watermark = decision.watermark
      expect(decision.nextAt).toBeGreaterThan(watermark)
      expect(decision.nextAt).toBeLessThanOrEqual(now)
    }
    expect(decision.fire.map(({ nominal }) => nominal)).toEqual([now])
    missed += decision.missed?.count ?? 0
    // Two a second, but for the half second that has no whole one before it.
    expect(missed + 1).toBe(2 * 2 * 86_400 - 1)
  })

  it("of a rule that cannot be asked backwards are exact", () => {
    const decision = decideFor(Squares({ start: epoch }), {}, { now: epoch + 1_000_000_000 })
    expect(decision.fire.map(({ nominal }) => nominal)).toEqual([epoch + 1_000_000_000])
    expect(decision.missed).toEqual({ first: epoch + 1000, last: epoch + 999 * 999 * 1000, count: 999 })
  })
})

describe("tolerance", () => {
  const { trigger } = everySeconds(3600)
  const nominal = epoch + 3_600_000

  it.each([
    ["none", { run: "none", grace: "10 seconds" }],
    ["latest", { run: "latest", within: "10 seconds" }],
    ["all", { run: "all", within: "10 seconds" }]
  ] as const)("%s: a time exactly at it runs, one later than it is missed", (_, missed) => {
    const inTime = decideFor(trigger, { missed }, { now: nominal + 10_000 })
    expect(inTime.fire).toEqual([{ nominal, runAt: nominal, startBy: nominal + 10_000 }])
    const late = decideFor(trigger, { missed }, { now: nominal + 10_001 })
    expect(late.fire).toEqual([])
    expect(late.missed).toEqual({ first: nominal, last: nominal, count: 1 })
  })

  it("infinite: a time months ago runs, and its run never expires", () => {
    const now = epoch + 90 * 86_400_000
    expect(decideFor(trigger, {}, { now }).fire).toEqual([{ nominal: now, runAt: now, startBy: null }])
  })

  it("grace bounds what overlap skips: a later time is deferred", () => {
    const decisions = [10_000, 10_001].map((late) => decideFor(trigger, {}, { now: nominal + late, active: 1 }))
    expect(decisions.map(({ defer, skipped }) => [skipped?.count ?? 0, defer.length])).toEqual([
      [1, 0],
      [0, 1]
    ])
  })
})

describe("jitter", () => {
  const { trigger } = everySeconds(60)

  it("delays the run and moves its deadline, not its nominal time", () => {
    const missed = { run: "none", grace: "10 seconds" } as const
    const now = epoch + 60_000
    const [due] = decideFor(trigger, { missed, jitter: "50 seconds" }, { now }).fire
    expect(due!.nominal).toBe(now)
    expect(due!.runAt).toBeGreaterThan(now)
    expect(due!.startBy).toBe(due!.runAt + 10_000)
  })

  it("stays below the gap to the next time", () => {
    const decision = decideFor(
      trigger,
      { jitter: "2 hours", missed: { run: "all" }, overlap: "allow" },
      { now: epoch + 3_600_000 }
    )
    expect(decision.fire.length).toBe(60)
    expect(decision.fire.every(({ nominal, runAt }) => runAt >= nominal && runAt < nominal + 60_000)).toBe(true)
  })

  it("of a last time is bounded by itself", () => {
    const [due] = decideFor(Trigger.at(epoch + 5000), { jitter: "1 second" }, { now: epoch + 5000 }).fire
    expect(due!.runAt - due!.nominal).toBeLessThan(1000)
  })

  it("spreads schedules of one time evenly", () => {
    const policy = policyOf({ jitter: "10 seconds" })
    const buckets = Array.from({ length: 10 }, () => 0)
    for (let index = 0; index < 10_000; index++) {
      const schedule = {
        id: `schedule:${index}`,
        trigger,
        policy,
        watermark: epoch,
        fired: 0,
        state: "active"
      } as const
      const [due] = decide({ schedule, now: epoch + 60_000, active: 0, deferred: 0 }).fire
      buckets[Math.floor((due!.runAt - due!.nominal) / 1000)]!++
    }
    expect(Math.min(...buckets)).toBeGreaterThan(900)
    expect(Math.max(...buckets)).toBeLessThan(1100)
  })

  it("is what earlier versions computed", () => {
    const delays = ["digest:42", "digest:43", "ä"].map((id) => {
      const schedule = {
        id,
        trigger,
        policy: policyOf({ jitter: "1 minute" }),
        watermark: epoch,
        fired: 0,
        state: "active"
      } as const
      const [due] = decide({ schedule, now: epoch + 60_000, active: 0, deferred: 0 }).fire
      return due!.runAt - due!.nominal
    })
    expect(delays).toEqual([43_349, 5_326, 5_890])
  })
})

describe("the end", () => {
  it("comes with the last time", () => {
    const decision = decideFor(Trigger.at(epoch + 1000), {}, { now: epoch + 1000 })
    expect(decision).toMatchObject({ state: "exhausted", nextAt: null, watermark: epoch + 1000, complete: true })
    expect(decision.fire.length).toBe(1)
  })

  it("comes at once for a trigger that never fires", () => {
    const decision = decideFor(Trigger.cron("0 0 30 2 *"), {}, { now: epoch })
    expect(decision).toMatchObject({ state: "exhausted", nextAt: null, watermark: epoch, fire: [] })
  })

  it("by maxRuns stops the watermark at the last that may fire", () => {
    const { trigger } = everySeconds(10)
    const policy: PolicyOptions = { missed: { run: "all" }, overlap: "allow", maxRuns: 3 }
    const decision = decideFor(trigger, policy, { now: epoch + 60_000 }, { fired: 1 })
    expect(decision.fire.map(({ nominal }) => nominal)).toEqual([epoch + 10_000, epoch + 20_000])
    expect(decision).toMatchObject({ state: "exhausted", nextAt: null, watermark: epoch + 20_000, missed: undefined })
  })

  it("is left as it is, as a pause and a fault are", () => {
    for (const state of ["exhausted", "paused", "faulty"] as const) {
      const decision = decideFor(everySeconds(10).trigger, {}, { now: epoch + 60_000 }, { state, faults: 2 })
      expect(decision).toMatchObject({ fire: [], defer: [], watermark: epoch, nextAt: null, state, faults: 2 })
      expect([decision.missed, decision.skipped, decision.dropped]).toEqual([undefined, undefined, undefined])
    }
  })
})

describe("a clock that went back", () => {
  it("decides nothing, keeps the watermark, and the next time is after it", () => {
    const decision = decideFor(everySeconds(10).trigger, {}, { now: epoch - 3_600_000 })
    expect(decision).toMatchObject({ fire: [], missed: undefined, watermark: epoch, nextAt: epoch + 10_000 })
  })
})

describe("a search that spends its budget", () => {
  // Nothing is left of it, which no search can know.
  const trigger = Trigger.except(everySeconds(1).trigger, everySeconds(1).trigger)

  it("is no end: it is looked at again from where it came to", () => {
    const first = decideFor(trigger, {}, { now: epoch })
    expect(first.state).toBe("active")
    expect(first.nextAt).toBeGreaterThan(epoch + 9_000_000)
    const then = decideFor(trigger, {}, { now: first.nextAt! }, { watermark: first.watermark })
    expect(then.state).toBe("active")
    expect(then.nextAt).toBeGreaterThan(first.nextAt! + 9_000_000)
    expect(then.watermark).toBe(first.nextAt)
    expect([then.fire, then.missed]).toEqual([[], undefined])
  })

  it("after a long time goes on at once, a part at a time, and passes over nothing", () => {
    const last = epoch + 700_000_000
    const everyTime = everySeconds(1).trigger
    const late = Trigger.except(everyTime, Trigger.bounded(everyTime, { end: last }))
    const now = last + 30_500
    let decision = decideFor(late, {}, { now })
    let decisions = 1
    for (; !decision.complete; decisions++) {
      const { watermark } = decision
      expect([decision.fire, decision.missed]).toEqual([[], undefined])
      decision = decideFor(late, {}, { now }, { watermark })
      expect(decision.watermark).toBeGreaterThan(watermark)
    }
    expect(decisions).toBeGreaterThan(3)
    expect(decisions).toBeLessThan(20)
    expect(decision.fire.map(({ nominal }) => nominal)).toEqual([last + 30_000])
    expect(decision.missed).toEqual({ first: last + 1000, last: last + 29_000, count: 29 })
  })
})

/** One time each second, until it throws. */
const failing = (from: number, message: unknown) =>
  Trigger.custom("Failing", Schema.Struct({}), {
    next: (_, after) => {
      if (after.epochMilliseconds >= from) throw message
      return Option.some(DateTime.makeUnsafe(Math.floor(after.epochMilliseconds / 1000) * 1000 + 1000))
    }
  })({})

describe("a trigger that fails", () => {
  it("is asked again after 1, 10, 60 and 300 s, and is faulty the fifth time", () => {
    const trigger = failing(epoch, new Error("out of order"))
    const seen = [0, 1, 2, 3, 4].map((faults) => {
      const {
        error,
        nextAt,
        state,
        faults: after,
        watermark
      } = decideFor(trigger, {}, { now: epoch + 500 }, { faults })
      expect([after, error, watermark]).toEqual([faults + 1, "out of order", epoch])
      return [state, nextAt === null ? null : nextAt - epoch - 500]
    })
    expect(seen).toEqual([
      ["active", 1_000],
      ["active", 10_000],
      ["active", 60_000],
      ["active", 300_000],
      ["faulty", null]
    ])
  })

  it("forgets its failures with the first answer", () => {
    const decision = decideFor(failing(Infinity, "never"), {}, { now: epoch + 1000 }, { faults: 4 })
    expect(decision).toMatchObject({ faults: 0, error: null, state: "active", nextAt: epoch + 2000 })
  })

  it("fires what was found before it failed", () => {
    const decision = decideFor(failing(epoch + 2000, "halt"), {}, { now: epoch + 60_000 })
    expect(decision.fire.map(({ nominal }) => nominal)).toEqual([epoch + 2000])
    expect(decision.missed?.count).toBe(1)
    expect(decision).toMatchObject({ watermark: epoch + 2000, faults: 1, error: "halt", nextAt: epoch + 61_000 })
  })

  it("far into a long absence decides what came before", () => {
    const decision = decideFor(failing(epoch + 100_000, "halt"), {}, { now: epoch + 3_600_000 })
    expect(decision.fire.map(({ nominal }) => nominal)).toEqual([epoch + 100_000])
    expect(decision.missed?.count).toBe(99)
    expect(decision).toMatchObject({ faults: 1, watermark: epoch + 100_000 })
  })

  it("by an answer that is not after its argument does so too", () => {
    const stuck = Trigger.custom("Stuck", Schema.Struct({}), { next: (_, after) => Option.some(after) })({})
    const decision = decideFor(stuck, {}, { now: epoch + 1000 })
    expect(decision).toMatchObject({ faults: 1, state: "active", watermark: epoch })
    expect(decision.error).toContain("Stuck")
  })

  it("with anything that can be thrown says something short", () => {
    const thrown = [undefined, null, { a: 1 }, Symbol("s"), "x".repeat(5000), Object.create(null)]
    for (const value of thrown) {
      const { error } = decideFor(failing(epoch, value), {}, { now: epoch })
      expect(typeof error).toBe("string")
      expect(error!.length).toBeLessThanOrEqual(1001)
    }
  })
})
