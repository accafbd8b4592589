/**
 * What each verb does to a row, and that it settles first: what has passed is decided by the old definition.
 */
import { describe, expect, it } from "@effect/vitest"
import { advance } from "../../src/internal/transitions/index.ts"
import type { ScheduleState } from "../../src/JobSchedule.ts"
import * as Trigger from "../../src/Trigger.ts"
import { epoch } from "./rules.ts"
import { type Declared, makeWorld, type World } from "./world.ts"

const second = 1000
const at = (seconds: number) => epoch + seconds * second
const secondsOf = (instant: number | null) => (instant === null ? null : (instant - epoch) / second)

const ten = Trigger.every("10 seconds", { start: epoch })
const seven = Trigger.every("7 seconds", { start: epoch })

/** Declared at the epoch, fired there, its run ended; then no firer until 35 s later: three times have passed. */
const prepared = (state: ScheduleState, declared: Declared = {}): World => {
  const world = makeWorld()
  world.declare({ trigger: ten, ...declared })
  world.at(at(0))
  world.finish()
  if (state === "paused") world.pause()
  if (state === "exhausted") {
    world.setPolicy({ ...declared, maxRuns: 1 })
    expect(world.schedule.state).toBe("exhausted")
  }
  if (state === "faulty" || state === "waiting") world.row = { ...world.schedule, state, nextAt: null }
  world.now = at(35)
  return world
}

const verbs = {
  update: (world) => world.update({ payload: `"new"` }),
  reschedule: (world) => world.reschedule(seven),
  "declared the same": (world) => world.declare({ trigger: ten }),
  "declared another": (world) => world.declare({ trigger: seven }),
  keep: (world) => world.declare({ trigger: seven, onConflict: "keep" }),
  fail: (world) => world.declare({ trigger: seven, onConflict: "fail" }),
  replace: (world) => world.declare({ trigger: ten, onConflict: "replace" }),
  pause: (world) => world.pause(),
  "resume from now": (world) => world.resume("now"),
  "resume from missed": (world) => world.resume("missed"),
  remove: (world) => world.remove()
} satisfies Record<string, (world: World) => unknown>

/** What fired, what was counted, the state, the watermark and the next time, in seconds. */
const seen = (world: World): string => {
  const fired = world.created.slice(1).map((run) => `fire ${secondsOf(run.nominal)}`)
  const ranges = world.ranges.map(
    ({ count, first, kind, last }) =>
      `${kind} ${count === 1 ? secondsOf(first) : `${secondsOf(first)}-${secondsOf(last)}`}`
  )
  const { row } = world
  const then = row === undefined ? "gone" : `${row.state} ${secondsOf(row.watermark)} → ${secondsOf(row.nextAt) ?? "-"}`
  return [...ranges, ...fired, then].join(", ")
}

type Expected = Readonly<Record<keyof typeof verbs, string>>

const expected: Readonly<Record<"active" | "paused" | "exhausted" | "faulty", Expected>> = {
  active: {
    update: "missed 10-20, fire 30, active 30 → 40",
    reschedule: "missed 10-20, fire 30, active 35 → 42",
    "declared the same": "active 0 → 10",
    "declared another": "missed 10-20, fire 30, active 35 → 42",
    keep: "active 0 → 10",
    fail: "active 0 → 10",
    replace: "missed 10-20, fire 30, active 34.999 → 40",
    pause: "missed 10-20, fire 30, paused 30 → -",
    "resume from now": "active 0 → 10",
    "resume from missed": "active 0 → 10",
    remove: "missed 10-20, fire 30, gone"
  },
  paused: {
    update: "paused 0 → -",
    reschedule: "paused 10-30, paused 35 → -",
    "declared the same": "paused 0 → -",
    "declared another": "paused 10-30, paused 35 → -",
    keep: "paused 0 → -",
    fail: "paused 0 → -",
    replace: "paused 10-30, active 34.999 → 40",
    pause: "paused 0 → -",
    "resume from now": "paused 10-30, active 35 → 40",
    "resume from missed": "missed 10-20, fire 30, active 30 → 40",
    remove: "paused 10-30, gone"
  },
  exhausted: {
    update: "exhausted 0 → -",
    reschedule: "exhausted 35 → -",
    "declared the same": "exhausted 0 → -",
    "declared another": "active 35 → 42",
    keep: "exhausted 0 → -",
    fail: "exhausted 0 → -",
    replace: "active 34.999 → 40",
    pause: "exhausted 0 → -",
    "resume from now": "exhausted 0 → -",
    "resume from missed": "exhausted 0 → -",
    remove: "gone"
  },
  faulty: {
    update: "faulty 0 → -",
    reschedule: "missed 10-30, active 35 → 42",
    "declared the same": "active 0 → 35",
    "declared another": "missed 10-30, active 35 → 42",
    keep: "faulty 0 → -",
    fail: "faulty 0 → -",
    replace: "missed 10-30, active 34.999 → 40",
    pause: "paused 0 → -",
    "resume from now": "paused 10-30, active 35 → 40",
    "resume from missed": "missed 10-20, fire 30, active 30 → 40",
    remove: "missed 10-30, gone"
  }
}

describe("each verb in each state settles first", () => {
  for (const [state, cells] of Object.entries(expected)) {
    for (const [verb, cell] of Object.entries(cells)) {
      it(`${state}, ${verb}: ${cell}`, () => {
        // Declaring again what maxRuns had ended says the same policy again.
        const world = prepared(state as ScheduleState, state === "exhausted" ? { maxRuns: 1 } : {})
        if (state === "exhausted" && verb === "declared the same") world.declare({ trigger: ten, maxRuns: 1 })
        else verbs[verb as keyof typeof verbs](world)
        expect(seen(world)).toBe(cell)
      })
    }
  }

  it("twice is once: the second does nothing", () => {
    for (const [name, verb] of Object.entries(verbs)) {
      if (name === "replace") continue
      const world = prepared("active")
      verb(world)
      const { row } = world
      expect([name, verb(world)]).toEqual([name, undefined])
      expect(world.row).toBe(row)
    }
  })
})

describe("settling", () => {
  it("uses the old payload and the old policy for what has passed", () => {
    const world = prepared("active", { missed: { run: "all" }, overlap: "allow", payload: `"old"` })
    world.declare({ trigger: ten, missed: { run: "none" }, payload: `"new"` })
    expect(world.created.map(({ payload }) => payload)).toEqual([`"old"`, `"old"`, `"old"`, `"old"`])
    world.until(at(50))
    expect(world.created.at(-1)!.payload).toBe(`"old"`)
    while (world.runs.length > 0) world.finish()
    world.until(at(60))
    expect(world.created.at(-1)!.payload).toBe(`"new"`)
  })

  it("fires under the old priority, queue, key and job", () => {
    const world = prepared("active")
    world.update({ priority: 0, queue: "q", key: "k", job: "K", delivery: "atMostOnce", origin: "app" })
    expect(world.created.at(-1)).toMatchObject({ priority: 2, queue: "default", key: null, job: "J" })
    expect(world.schedule).toMatchObject({
      priority: 0,
      queue: "q",
      key: "k",
      job: "K",
      delivery: "atMostOnce",
      origin: "app"
    })
  })

  it("of a long absence decides it all, the runs in the same transaction", () => {
    const world = makeWorld()
    world.declare({ trigger: ten, missed: { run: "all", limit: Infinity }, overlap: "allow" })
    world.now = at(50_000)
    world.reschedule(seven)
    expect(world.created.length).toBe(5001)
    expect(world.ranges).toEqual([])
  })

  it("of more than it may create counts the rest as missed", () => {
    const world = makeWorld()
    world.declare({ trigger: ten, missed: { run: "all", limit: Infinity }, overlap: "allow" })
    world.now = at(500_000)
    world.reschedule(seven)
    expect(world.created.length).toBe(10_000)
    expect(world.ranges.map(({ count, kind }) => [kind, count])).toEqual([["missed", 40_001]])
    expect(world.schedule.watermark).toBe(at(500_000))
  })

  it("for an update or a pause leaves that rest for later", () => {
    const world = makeWorld()
    world.declare({ trigger: ten, missed: { run: "all", limit: Infinity }, overlap: "allow" })
    world.now = at(500_000)
    world.update({ payload: `"new"` })
    expect([world.created.length, world.ranges.length]).toEqual([10_000, 0])
    expect(world.schedule.nextAt).toBeLessThanOrEqual(world.now)
    world.fire()
    expect(world.created.length).toBe(50_001)
  })

  it("of a combination that is long to count is exact", () => {
    const world = makeWorld()
    const both = Trigger.or(Trigger.every("1 second", { start: at(0) }), Trigger.every("1 second", { start: at(0.5) }))
    world.declare({ trigger: both })
    world.now = at(100_000)
    world.pause()
    expect(world.created.length).toBe(1)
    expect(world.ranges.reduce((sum, { count }) => sum + count, 0)).toBe(200_000)
    world.now = at(200_000)
    world.resume("now")
    expect(world.schedule.counts).toMatchObject({ fired: 1, missed: 200_000, paused: 200_000 })
  })

  it("keeps an end that it finds", () => {
    const world = makeWorld()
    world.declare({ trigger: Trigger.at(at(10)) })
    world.now = at(20)
    world.pause()
    expect(seen(world)).toBe("exhausted 10 → -")
    expect(world.created.length).toBe(1)
  })
})

describe("declaring", () => {
  it("a new schedule starts its watermark just before now, and fires nothing itself", () => {
    const world = makeWorld()
    world.now = at(3)
    const change = world.declare({ trigger: Trigger.startNow(Trigger.every("10 seconds")) })
    expect(change?.runs).toEqual([])
    expect(world.schedule).toMatchObject({
      state: "active",
      anchor: at(3),
      firstWatermark: at(3) - 1,
      watermark: at(3) - 1,
      nextAt: at(3),
      revision: 0,
      counts: { fired: 0, skipped: 0, missed: 0, dropped: 0, paused: 0 },
      zoneData: "2026a",
      createdAt: at(3)
    })
    world.until(at(30))
    expect(world.created.map(({ nominal }) => secondsOf(nominal))).toEqual([3])
    expect(world.schedule.counts.skipped).toBe(2)
  })

  it("an instant that has passed is due at once", () => {
    const world = makeWorld()
    world.declare({ trigger: Trigger.at(at(-100)) })
    expect(world.schedule).toMatchObject({ firstWatermark: at(-100) - 1, nextAt: at(-100) })
  })

  it("again with the same trigger keeps its anchor, next time, counts and pause", () => {
    const world = makeWorld()
    const open = Trigger.every("10 seconds")
    world.declare({ trigger: open })
    world.until(at(25))
    const before = world.schedule
    world.now = at(26)
    expect(world.declare({ trigger: open })).toBeUndefined()
    world.declare({ trigger: open, jitter: "1 second", payload: "1" })
    expect(world.schedule).toMatchObject({
      anchor: before.anchor,
      nextAt: before.nextAt,
      counts: before.counts,
      generation: before.generation,
      watermark: before.watermark,
      payload: "1",
      updatedAt: at(26)
    })
    world.pause()
    world.declare({ trigger: open, payload: "2" })
    expect(world.schedule).toMatchObject({ state: "paused", payload: "2" })
  })

  it("with another trigger starts that now, anchored now", () => {
    const world = prepared("active")
    world.declare({ trigger: Trigger.every("1 minute") })
    expect(world.schedule).toMatchObject({ anchor: at(35), watermark: at(35), nextAt: at(95), state: "active" })
    expect(world.schedule.counts.fired).toBe(2)
  })

  it("with another trigger keeps a pause", () => {
    const world = prepared("paused")
    world.declare({ trigger: Trigger.every("1 minute") })
    expect(world.schedule).toMatchObject({ state: "paused", nextAt: null })
    world.now = at(100)
    world.resume("now")
    expect(world.schedule.nextAt).toBe(at(155))
  })

  it("sent again, an insert is not a conflict", () => {
    const world = makeWorld()
    const draft = { generation: "mine" }
    for (const onConflict of ["update", "keep", "replace", "fail"] as const) {
      world.declare({ trigger: ten, onConflict, draft })
      const { row } = world
      world.until(world.now + 25_000)
      expect(world.declare({ trigger: ten, onConflict, draft })).toBeUndefined()
      expect(world.schedule.generation).toBe("mine")
      expect(world.schedule.createdAt).toBe(row!.createdAt)
    }
  })

  it("to replace is another generation, and old runs stay", () => {
    const world = makeWorld()
    world.declare({ trigger: ten })
    world.until(at(0))
    const [run] = world.runs
    const before = world.schedule
    world.until(at(15))
    world.declare({ trigger: ten, onConflict: "replace" })
    expect(world.schedule.generation).not.toBe(before.generation)
    expect(world.schedule.counts.fired).toBe(0)
    expect(world.runs).toEqual([run])
    // The old run is none of the new generation's, so the next time is free.
    world.until(at(20))
    expect(world.created.at(-1)).toMatchObject({ nominal: at(20), generation: world.schedule.generation })
  })

  it("another job forgets the last success of the old one", () => {
    const world = prepared("active")
    world.row = { ...world.schedule, lastSuccess: { nominal: at(0), value: "1" } }
    world.update({ payload: "2" })
    expect(world.schedule.lastSuccess).not.toBeNull()
    world.update({ job: "K" })
    expect(world.schedule.lastSuccess).toBeNull()
  })
})

describe("maxRuns", () => {
  it("raised, revives what it had ended; what passed is missed", () => {
    const world = prepared("exhausted", { maxRuns: 1 })
    world.setPolicy({ maxRuns: 2 })
    expect(seen(world)).toBe("missed 10-30, active 30 → 40")
    world.until(at(60))
    expect(world.schedule).toMatchObject({ state: "exhausted", watermark: at(40) })
  })

  it("raised, revives a spaced one too", () => {
    const world = makeWorld()
    const trigger = Trigger.spaced("1 minute")
    world.declare({ trigger, maxRuns: 1 })
    world.until(at(0))
    world.finish()
    world.now = at(10)
    world.declare({ trigger, maxRuns: 2 })
    expect(world.schedule).toMatchObject({ state: "active", nextAt: at(70) })
  })

  it("lowered below what has fired ends it", () => {
    const world = prepared("active")
    world.setPolicy({ maxRuns: 2 })
    expect(seen(world)).toBe("missed 10-20, fire 30, exhausted 30 → -")
  })

  it("counts over another trigger: only another generation starts anew", () => {
    const world = prepared("exhausted", { maxRuns: 1 })
    world.declare({ trigger: seven, maxRuns: 1 })
    expect(world.schedule.state).toBe("exhausted")
    world.declare({ trigger: seven, maxRuns: 1, onConflict: "replace" })
    expect(world.schedule.state).toBe("active")
  })

  it("counts deferred runs", () => {
    const world = makeWorld()
    world.declare({ trigger: ten, overlap: "bufferAll", maxRuns: 2 })
    world.until(at(60))
    expect([world.pending().length, world.deferred().length]).toEqual([1, 1])
    expect(world.schedule).toMatchObject({ state: "exhausted", watermark: at(10) })
  })
})

describe("advance", () => {
  it("leaves a row alone that is not due", () => {
    const world = makeWorld()
    world.declare({ trigger: ten })
    world.until(at(5))
    expect(world.transact(advance(world.context))).toBeUndefined()
  })

  it("leaves paused, exhausted and faulty rows alone, and nothing where there is none", () => {
    for (const state of ["paused", "exhausted", "faulty"] as const) {
      expect(prepared(state).transact(advance(prepared(state).context))).toBeUndefined()
    }
    const world = makeWorld()
    expect(world.transact(advance(world.context))).toBeUndefined()
  })

  it("computes the next time again with other zone data", () => {
    const world = makeWorld()
    world.declare({ trigger: Trigger.cron("0 9 * * *", { timeZone: "Europe/Berlin" }) })
    const right = world.schedule.nextAt
    world.row = { ...world.schedule, nextAt: right! + 3_600_000, zoneData: "2020a" }
    world.transact(advance(world.context))
    expect(world.schedule).toMatchObject({ nextAt: right, zoneData: "2026a" })
    expect(world.transact(advance(world.context))).toBeUndefined()
  })

  it("carries the schedule's fields into its runs and ranges", () => {
    const world = makeWorld()
    const fields = { job: "K", queue: "q", priority: 1, key: "k", delivery: "atMostOnce" } as const
    world.declare({ trigger: ten, payload: "[1]", draft: fields })
    world.at(at(10))
    expect(world.created).toEqual([
      {
        id: expect.any(String),
        ...fields,
        payload: "[1]",
        scheduleId: "s",
        generation: world.schedule.generation,
        nominal: at(10),
        cause: "nominal",
        settles: false,
        state: "pending",
        waitsFor: null,
        runAt: at(10),
        startBy: null,
        attempt: 0,
        failures: 0,
        recoveries: 0,
        errors: "[]",
        node: null,
        startedAt: null,
        cancelAt: null,
        progress: null,
        createdAt: at(10)
      }
    ])
    expect(world.ranges).toEqual([
      {
        _tag: "Range",
        id: expect.any(String),
        kind: "missed",
        job: "K",
        scheduleId: "s",
        generation: world.schedule.generation,
        cause: "nominal",
        first: at(0),
        last: at(0),
        count: 1,
        endedAt: at(10)
      }
    ])
  })

  it("makes a deferred run that waits for overlap", () => {
    const world = makeWorld()
    world.declare({ trigger: ten, overlap: "bufferOne" })
    world.until(at(10))
    expect(world.deferred()).toMatchObject([{ state: "deferred", waitsFor: "overlap", nominal: at(10) }])
  })

  it("decides nothing while the clock is behind the watermark", () => {
    const world = makeWorld()
    world.declare({ trigger: ten })
    world.until(at(100))
    const { counts } = world.schedule
    world.at(at(20))
    world.until(at(100))
    expect(world.schedule.counts).toEqual(counts)
    world.until(at(110))
    expect(world.schedule.watermark).toBe(at(110))
  })
})

const unreadable = (state: ScheduleState = "active") => {
  const world = prepared(state)
  world.blind = true
  return world
}

describe("a row that this node cannot read", () => {
  it("is removed and paused without being settled", () => {
    const removed = unreadable()
    removed.remove()
    expect(seen(removed)).toBe("gone")
    const paused = unreadable()
    paused.pause()
    expect(seen(paused)).toBe("paused 0 → -")
    paused.blind = false
    paused.resume("missed")
    expect(seen(paused)).toBe("missed 10-20, fire 30, active 30 → 40")
  })

  it("is resumed from missed, for a node that can read it, and not from now", () => {
    const world = unreadable("paused")
    expect(world.resume("now")).toBeUndefined()
    world.resume("missed")
    expect(seen(world)).toBe("active 0 → 35")
  })

  it("is not updated, and not given a definition that cannot be read either", () => {
    const world = unreadable()
    const { row } = world
    world.update({ payload: "1" })
    world.declare({ trigger: ten, payload: "1" })
    world.declare({ trigger: seven })
    world.reschedule(seven)
    expect(world.row).toBe(row)
  })

  it("of a newer version is left alone by an older definition", () => {
    const world = prepared("active")
    world.row = { ...world.schedule, trigger: "from the future", version: 2 }
    const { row } = world
    world.declare({ trigger: seven })
    world.reschedule(seven)
    expect(world.row).toBe(row)
  })

  it("for want of a custom rule takes another definition, unsettled", () => {
    const world = prepared("active")
    world.row = { ...world.schedule, trigger: "a rule that is gone", needs: "Gone" }
    world.declare({ trigger: seven })
    expect(seen(world)).toBe("active 35 → 42")
  })

  it("that is due all the same is looked at again in a minute", () => {
    const world = unreadable()
    world.fire()
    expect(world.schedule).toMatchObject({ watermark: at(0), nextAt: at(95), state: "active" })
    expect(world.schedule.error).toContain("cannot be read")
    world.blind = false
    world.until(at(95))
    expect(seen(world)).toBe("missed 10-80, fire 90, active 90 → 100")
    expect(world.schedule.error).toBeNull()
  })

  it("that is new is stored, due at once", () => {
    const world = makeWorld()
    world.blind = true
    world.declare({ trigger: ten })
    expect(world.schedule).toMatchObject({ state: "active", watermark: epoch - 1, nextAt: epoch })
  })
})

describe("verbs on nothing", () => {
  it("do nothing", () => {
    const world = makeWorld()
    expect(world.update({ payload: "1" })).toBeUndefined()
    expect(world.reschedule(seven)).toBeUndefined()
    expect(world.pause()).toBeUndefined()
    expect(world.resume("now")).toBeUndefined()
    expect(world.remove()).toBeUndefined()
  })
})
