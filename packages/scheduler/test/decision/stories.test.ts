/**
 * Schedules over time: what other schedulers specify by name, and what is this one's own.
 */
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Option, Schema } from "effect"
import * as policies from "../../src/internal/policy.ts"
import * as Trigger from "../../src/Trigger.ts"
import { epoch } from "./rules.ts"
import { makeWorld, type World } from "./world.ts"

const second = 1000
const minute = 60_000
const at = (seconds: number) => epoch + seconds * second

/** Seconds after the epoch of the nominal times of runs. */
const seconds = (runs: ReadonlyArray<{ readonly nominal: number | null }>) =>
  runs.map(({ nominal }) => (nominal! - epoch) / second)

const counted = ({ ranges }: World) =>
  ranges.map(({ count, first, kind, last }) => [kind, (first - epoch) / second, (last - epoch) / second, count])

describe("Temporal's schedules", () => {
  const trigger = Trigger.every("1 minute", { start: epoch })

  it("catch-up window: what is older than it is missed", () => {
    const world = makeWorld()
    world.declare({ trigger, missed: { run: "all", within: "3 minutes" }, overlap: "allow" })
    world.at(at(0))
    world.at(at(605))
    expect(seconds(world.created)).toEqual([0, 480, 540, 600])
    expect(counted(world)).toEqual([["missed", 60, 420, 7]])
  })

  it("catch-up while paused: resumed from missed, the window holds; from now, all count as paused", () => {
    for (const from of ["missed", "now"] as const) {
      const world = makeWorld()
      world.declare({ trigger, missed: { run: "all", within: "3 minutes" }, overlap: "allow" })
      world.at(at(0))
      world.pause()
      world.at(at(605))
      expect(seconds(world.created)).toEqual([0])
      world.resume(from)
      expect(seconds(world.created)).toEqual(from === "missed" ? [0, 480, 540, 600] : [0])
      expect(counted(world)).toEqual(from === "missed" ? [["missed", 60, 420, 7]] : [["paused", 60, 600, 10]])
      expect(world.schedule.nextAt).toBe(at(660))
    }
  })

  it("overlap skip", () => {
    const world = makeWorld()
    world.declare({ trigger })
    world.until(at(150))
    world.finish()
    world.until(at(200))
    expect(seconds(world.created)).toEqual([0, 180])
    expect(counted(world)).toEqual([["skipped", 60, 60, 1], ["skipped", 120, 120, 1]]) // prettier-ignore
  })

  it("buffer one: the first that waits stays, those after it are skipped", () => {
    const world = makeWorld()
    world.declare({ trigger, overlap: "bufferOne" })
    world.until(at(200))
    expect([seconds(world.pending()), seconds(world.deferred())]).toEqual([[0], [60]])
    world.finish()
    expect([seconds(world.pending()), seconds(world.deferred())]).toEqual([[60], []])
    expect(world.schedule.counts).toMatchObject({ fired: 2, skipped: 2 })
  })

  it("buffer all: each runs, one after the other", () => {
    const world = makeWorld()
    world.declare({ trigger, overlap: "bufferAll" })
    world.until(at(200))
    expect([seconds(world.pending()), seconds(world.deferred())]).toEqual([[0], [60, 120, 180]])
    world.finish()
    world.finish()
    expect([seconds(world.pending()), seconds(world.deferred())]).toEqual([[120], [180]])
  })

  it("buffer limit: what is beyond it is dropped", () => {
    const world = makeWorld()
    world.declare({ trigger, overlap: "bufferAll", buffer: 2 })
    world.until(at(300))
    expect(seconds(world.created)).toEqual([0, 60, 120])
    expect(world.schedule.counts).toMatchObject({ fired: 3, dropped: 3 })
    world.finish()
    world.until(at(360))
    expect(seconds(world.deferred())).toEqual([120, 360])
  })

  it("cancel: the newest takes the place of what runs and of what waited for it", () => {
    const world = makeWorld()
    world.declare({ trigger, overlap: "cancelPrevious" })
    world.until(at(0))
    world.start()
    world.until(at(60))
    expect(seconds(world.deferred())).toEqual([60])
    world.until(at(120))
    expect(seconds(world.deferred())).toEqual([120])
    expect(world.ended.map(({ how, run }) => [how, ...seconds([run])])).toEqual([["replaced", 60]])
    world.finish()
    expect(seconds(world.pending())).toEqual([120])
    // The replaced run was stored, so its time counts as fired; nothing is counted twice.
    expect(world.schedule.counts).toMatchObject({ fired: 3, skipped: 0 })
  })

  it("cancel: one that has not started ends at once, and the newest goes on in its place", () => {
    const world = makeWorld()
    world.declare({ trigger, overlap: "cancelPrevious" })
    world.until(at(60))
    expect(world.ended.map(({ how, run }) => [how, ...seconds([run])])).toEqual([["cancelled", 0]])
    expect([seconds(world.pending()), seconds(world.deferred())]).toEqual([[60], []])
  })

  it("backfill inclusive: both ends of the range run", () => {
    const world = makeWorld()
    world.now = at(600)
    backfill(world, trigger, at(60), at(300), 10)
    expect(seconds(world.created)).toEqual([60, 120, 180, 240, 300])
    expect(world.schedule).toMatchObject({ state: "exhausted", nextAt: null })
  })

  it("update not retroactive: what has passed was decided by the old definition", () => {
    const world = makeWorld()
    world.declare({ trigger })
    world.until(at(0))
    world.finish()
    world.now = at(100)
    world.reschedule(Trigger.every("30 seconds", { start: epoch }))
    expect(seconds(world.created)).toEqual([0, 60])
    expect(world.schedule.nextAt).toBe(at(120))
    world.finish()
    world.until(at(130))
    expect(seconds(world.created)).toEqual([0, 60, 120])
  })

  it("update between nominal and jittered time: the run of the old definition stays", () => {
    const world = makeWorld()
    world.declare({ trigger, jitter: "50 seconds" })
    world.until(at(0))
    world.finish()
    world.until(at(60))
    const [, run] = world.created
    expect(run!.runAt).toBeGreaterThan(at(60))
    world.now = at(61)
    world.update({ payload: `"new"` })
    world.reschedule(Trigger.every("1 hour", { start: epoch }))
    expect(world.runs).toContainEqual(run)
    expect(run!.payload).toBe("{}")
    expect(world.schedule.nextAt).toBe(at(3600))
  })
})

describe("APScheduler's actions and options", () => {
  // Its own test: an interval of 5 s from 18:40:00, and the scheduler wakes at 18:40:14.
  const trigger = Trigger.every("5 seconds", { start: epoch })
  const wake = (options: Parameters<World["declare"]>[0]) => {
    const world = makeWorld()
    world.declare({ trigger, ...options })
    world.at(at(14))
    return world
  }

  it("ACTION_NONE, grace 1: no run, all missed", () => {
    const world = wake({ missed: { run: "none", grace: "1 second" } })
    expect(seconds(world.created)).toEqual([])
    expect(counted(world)).toEqual([["missed", 0, 10, 3]])
    expect(world.schedule.nextAt).toBe(at(15))
  })

  it("ACTION_NONE, grace 4: the newest is in time", () => {
    const world = wake({ missed: { run: "none", grace: "4 seconds" } })
    expect(seconds(world.created)).toEqual([10])
    expect(world.created[0]!.startBy).toBe(at(14))
  })

  it("ACTION_RUN_ONCE: one run for all of them", () => {
    const world = wake({ missed: { run: "latest" } })
    expect(seconds(world.created)).toEqual([10])
    expect(counted(world)).toEqual([["missed", 0, 5, 2]])
  })

  it("ACTION_RUN_ALL: one run for each, with its own time, one after the other", () => {
    const world = wake({ missed: { run: "all", limit: Infinity, grace: 0 } })
    expect(seconds(world.created)).toEqual([0, 5, 10])
    expect([world.pending().length, world.deferred().length]).toEqual([1, 2])
  })

  it("ACTION_RUN_ALL respects max_runs", () => {
    const world = wake({ missed: { run: "all", limit: Infinity }, overlap: "allow", maxRuns: 2 })
    expect(seconds(world.created)).toEqual([0, 5])
    expect(world.schedule).toMatchObject({ state: "exhausted", nextAt: null })
  })

  it.each([
    ["None", undefined, [10]],
    ["6", "6 seconds", [10]],
    ["1", "1 second", []]
  ] as const)("misfire_grace_time %s with coalescing", (_, within, expected) => {
    expect(seconds(wake({ missed: { run: "latest", within } }).created)).toEqual(expected)
  })

  it("max_instances reached: the times that come meanwhile are skipped and the next one moves on", () => {
    const world = makeWorld()
    world.declare({ trigger, maxInstances: 2 })
    world.until(at(12))
    expect([seconds(world.created), world.schedule.counts.skipped]).toEqual([[0, 5], 1])
    expect(world.schedule.nextAt).toBe(at(15))
  })

  it("max_runs 1: finished after the first run, and the row stays", () => {
    const world = makeWorld()
    world.declare({ trigger, maxRuns: 1 })
    world.until(at(60))
    expect([seconds(world.created), world.schedule.state]).toEqual([[0], "exhausted"])
    world.declare({ trigger, maxRuns: 1 })
    world.until(at(120))
    expect(seconds(world.created)).toEqual([0])
  })

  it("a date in the past runs once, and the missed policy can say no", () => {
    const [runs, missed] = (["latest", "none"] as const).map((run) => {
      const world = makeWorld()
      world.declare({ trigger: Trigger.at(at(-86_400)), missed: { run } })
      world.at(at(0))
      return [seconds(world.created), counted(world)]
    })
    expect(runs).toEqual([[-86_400], []])
    expect(missed).toEqual([[], [["missed", -86_400, -86_400, 1]]])
  })
})

describe("spaced", () => {
  const trigger = Trigger.spaced("1 minute")
  const begun = (options: Parameters<World["declare"]>[0] = {}) => {
    const world = makeWorld()
    world.declare({ trigger, ...options })
    return world
  }

  it("runs at once, waits for the end of its run, and then for its duration", () => {
    const world = begun()
    world.until(at(0))
    expect(world.schedule).toMatchObject({ state: "waiting", nextAt: null, watermark: at(0) })
    expect(world.created[0]).toMatchObject({ settles: true, nominal: at(0), startBy: null })
    world.until(at(3600))
    world.finish()
    expect(world.schedule).toMatchObject({ state: "active", nextAt: at(3660) })
    world.until(at(4000))
    world.finish()
    expect(seconds(world.created)).toEqual([0, 3660])
    expect(world.schedule.nextAt).toBe(at(4060))
  })

  it("waits for its first time", () => {
    const world = begun({ trigger: Trigger.spaced("1 minute", { first: "10 seconds" }) })
    expect(world.schedule.nextAt).toBe(at(10))
    world.until(at(10))
    expect(seconds(world.created)).toEqual([10])
  })

  it("is never missed, however late, and with any policy", () => {
    const world = begun({ missed: { run: "none", grace: 0 } })
    world.at(at(86_400))
    expect(seconds(world.created)).toEqual([0])
    expect(world.schedule.counts).toMatchObject({ fired: 1, missed: 0 })
  })

  it("is deferred behind a run of an older definition, not skipped", () => {
    const world = makeWorld()
    world.declare({ trigger: Trigger.every("1 minute", { start: epoch }) })
    world.until(at(0))
    world.now = at(10)
    world.reschedule(trigger)
    world.until(at(20))
    expect([world.pending().length, world.deferred().length, world.schedule.state]).toEqual([1, 1, "waiting"])
    world.finish()
    expect([world.pending().length, world.schedule.state]).toEqual([1, "waiting"])
    world.now = at(100)
    world.finish()
    expect(world.schedule.nextAt).toBe(at(160))
  })

  it("ends with maxRuns, while its last run goes on", () => {
    const world = begun({ maxRuns: 2 })
    world.until(at(0))
    world.finish()
    world.until(at(60))
    expect(world.schedule).toMatchObject({ state: "exhausted", nextAt: null })
    world.finish()
    expect(world.schedule.state).toBe("exhausted")
  })

  it("keeps to its window", () => {
    const world = begun({ trigger: Trigger.during(trigger, { days: ["tue"], from: "09:00", to: "10:00" }) })
    expect(world.schedule.nextAt).toBe(epoch + 33 * 60 * minute)
    world.until(epoch + 33 * 60 * minute)
    world.until(epoch + 33 * 60 * minute + 59.5 * minute)
    world.finish()
    expect(world.schedule.nextAt).toBe(epoch + (33 + 7 * 24) * 60 * minute)
  })

  it("ends with its bounds", () => {
    const world = begun({ trigger: Trigger.bounded(trigger, { end: at(90) }) })
    world.until(at(0))
    world.now = at(40)
    world.finish()
    expect(world.schedule).toMatchObject({ state: "exhausted", nextAt: null })
  })

  it("with a clock that went back is still after its watermark", () => {
    const world = begun()
    world.at(at(600))
    world.now = at(-3600)
    world.finish()
    expect(world.schedule.nextAt).toBeGreaterThan(world.schedule.watermark)
  })

  it("paused while it waited, counts from when it is resumed", () => {
    for (const from of ["now", "missed"] as const) {
      const world = begun()
      world.until(at(0))
      world.finish()
      world.now = at(30)
      world.pause()
      expect(world.schedule).toMatchObject({ state: "paused", nextAt: null })
      world.at(at(600))
      world.resume(from)
      expect(world.schedule.nextAt).toBe(from === "now" ? at(660) : null)
      expect(seconds(world.created)).toEqual(from === "now" ? [0] : [0, 600])
    }
  })

  it("resumed while its run goes on, waits for it", () => {
    const world = begun()
    world.until(at(0))
    world.pause()
    world.at(at(600))
    world.resume("missed")
    expect(world.schedule).toMatchObject({ state: "waiting", nextAt: null })
    world.finish()
    expect(world.schedule.nextAt).toBe(at(660))
  })

  it("paused before its first time keeps it if it is still to come", () => {
    const world = begun({ trigger: Trigger.spaced("1 minute", { first: "1 hour" }) })
    world.pause()
    world.at(at(600))
    world.resume("now")
    expect(world.schedule.nextAt).toBe(at(3600))
  })

  it("delays its runs by jitter", () => {
    const world = begun({ jitter: "10 seconds" })
    world.until(at(0))
    expect(world.created[0]!.runAt - at(0)).toBeGreaterThan(0)
    expect(world.created[0]!.runAt - at(0)).toBeLessThan(10_000)
  })
})

const backfill = (...args: Parameters<typeof declareBackfill>) => {
  declareBackfill(...args)
  args[0].fire()
}

const declareBackfill = (world: World, trigger: Trigger.Trigger, from: number, to: number, concurrency: number) => {
  const bounded = Trigger.bounded(trigger as ReturnType<typeof Trigger.every>, { start: from, end: to })
  world.declare({
    onConflict: "keep",
    trigger: bounded,
    draft: {
      priority: 3,
      cause: "backfill:r1",
      watermark: from - 1,
      policy: policies.encode(policies.backfill(concurrency))
    }
  })
}

describe("a backfill", () => {
  const trigger = Trigger.every("1 minute", { start: at(-86_400) })

  it("runs each of its times, as many at once as it may, and drops none", () => {
    const world = makeWorld()
    world.now = at(86_400)
    backfill(world, trigger, at(60), at(600), 2)
    expect(world.schedule).toMatchObject({ state: "waiting", nextAt: null, watermark: at(120) })
    expect(world.created.every((run) => run.settles && run.cause === "backfill:r1" && run.priority === 3)).toBe(true)
    let ended = 0
    while (world.runs.length > 0) {
      expect(world.runs.length).toBeLessThanOrEqual(2)
      world.now += 1000
      world.finish()
      ended++
    }
    expect(ended).toBe(10)
    expect(seconds(world.created)).toEqual([60, 120, 180, 240, 300, 360, 420, 480, 540, 600])
    expect(world.schedule).toMatchObject({ state: "exhausted", watermark: at(600) })
    expect(world.ranges).toEqual([])
  })

  it("does nothing for the same request again, not even when it is done", () => {
    const world = makeWorld()
    backfill(world, trigger, at(-300), at(-60), 10)
    const { row } = world
    backfill(world, trigger, at(-300), at(-60), 10)
    expect(world.row).toBe(row)
    expect(world.created.length).toBe(5)
  })

  it("a long one looks no further than it has room", () => {
    const world = makeWorld()
    world.now = at(365 * 86_400)
    backfill(world, Trigger.every("1 second", { start: epoch }), at(1), at(365 * 86_400), 3)
    expect(world.runs.length).toBe(3)
    for (let run = 0; run < 100; run++) world.finish()
    expect(seconds(world.created).at(-1)).toBe(103)
  })

  it("asks a rule for no more than it has room for", () => {
    let questions = 0
    const counting = Trigger.custom("Counting", Schema.Struct({}), {
      next: (_, after) => {
        questions++
        return Option.some(DateTime.makeUnsafe(Math.floor(after.epochMilliseconds / 1000) * 1000 + 1000))
      }
    })
    const world = makeWorld()
    world.now = at(100_000)
    backfill(world, counting({}), at(1), at(50_000), 1)
    questions = 0
    world.finish()
    expect(questions).toBeLessThan(60)
  })

  it("that has room when it is removed or paused starts nothing any more", () => {
    for (const verb of ["remove", "pause"] as const) {
      const world = makeWorld()
      world.now = at(600)
      declareBackfill(world, trigger, at(-300), at(-60), 2)
      world[verb]()
      expect(world.created).toEqual([])
      expect(counted(world)).toEqual(verb === "remove" ? [["dropped", -300, -60, 5]] : [])
    }
  })

  it("loses nothing to a pause, wherever it is resumed from", () => {
    for (const from of ["now", "missed"] as const) {
      const world = makeWorld()
      backfill(world, trigger, at(-300), at(-60), 1)
      world.pause()
      world.finish()
      expect(world.schedule.state).toBe("paused")
      expect(seconds(world.created)).toEqual([-300])
      world.at(at(3600))
      world.resume(from)
      while (world.runs.length > 0) world.finish()
      expect(seconds(world.created)).toEqual([-300, -240, -180, -120, -60])
      expect(world.ranges).toEqual([])
    }
  })

  it("removed, drops what had no room yet", () => {
    const world = makeWorld()
    backfill(world, trigger, at(-300), at(-60), 2)
    world.remove()
    expect(counted(world)).toEqual([["dropped", -180, -60, 3]])
    expect(world.runs.length).toBe(2)
  })

  it("given more room, uses it", () => {
    const world = makeWorld()
    backfill(world, trigger, at(-300), at(-60), 1)
    world.update({ policy: policies.encode(policies.backfill(3)) })
    expect(seconds(world.runs)).toEqual([-300, -240, -180])
    expect(world.schedule.state).toBe("waiting")
  })
})
