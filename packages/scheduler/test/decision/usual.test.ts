/**
 * The short ways of the usual cases, beside the way that every other case takes.
 *
 * `SEED=` in the environment repeats a run.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { advance } from "../../src/internal/transitions/index.ts"
import { advanceUsual } from "../../src/internal/transitions/usual.ts"
import { advanceWork, begin, changeOf } from "../../src/internal/transitions/work.ts"
import * as Trigger from "../../src/Trigger.ts"
import { makeRandom, plan, type Random } from "../trigger/random.ts"
import { epoch } from "./rules.ts"
import { makeWorld, type World } from "./world.ts"

const { runs, seed } = plan(300)
const options = { arbitrary: { runs, seed }, timeout: 120_000 }
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 }))

const plain: ReadonlyArray<Trigger.Trigger> = [
  Trigger.every("10 seconds", { start: epoch }),
  Trigger.cron("*/10 * * * * *"),
  Trigger.cron("0 0 0 1 1 * 2026"),
  Trigger.at(epoch + 10_000)
]

const declared = (random: Random, trigger: Trigger.Trigger): World => {
  const world = makeWorld()
  world.now = epoch + random.int(-20_000, 70_000)
  world.declare({
    trigger,
    missed: { run: random.pick(["none", "latest", "all"]), grace: random.pick([0, 1000, 60_000]) },
    overlap: random.pick(["skip", "bufferOne", "bufferAll", "allow"]),
    maxInstances: random.pick([undefined, 1, 2]),
    jitter: random.pick([0, 0, 500]),
    maxRuns: random.pick([undefined, undefined, 1, 2, 3]),
    draft: { cause: random.pick(["nominal", "nominal", "backfill-1"]) }
  })
  return world
}

describe("the short way", () => {
  let taken = 0
  it.prop(
    "of a schedule that fires one run answers what the decision and its steps do",
    { seed: Seed },
    ({ seed }) => {
      const random = makeRandom(seed)
      const world = declared(random, random.pick(plain))
      const context = { resolve: world.context.resolve, newId: () => "id", zoneData: random.pick(["2026a", "2026b"]) }
      const counts = { fired: random.int(0, 2), skipped: 1, missed: 2, dropped: 3, paused: 4 }
      const schedule = {
        ...world.schedule,
        counts,
        revision: 7,
        faults: random.int(0, 1),
        error: random.pick([null, "it failed"]),
        lastSuccess: random.pick([null, { nominal: epoch, value: "1" }])
      }
      const view = { schedule, active: random.int(0, 1), deferred: random.int(0, 1) }
      const now = (schedule.nextAt ?? schedule.watermark) + random.pick([0, 0, 3, 999, 9_999, 10_000, 25_000])
      const known = context.resolve(schedule)!
      // A backfill's.
      const waits = random.chance(0.2)
      const resolved = waits ? { ...known, policy: { ...known.policy, overlap: "wait" as const } } : known
      const change = advanceUsual(context, view, resolved, now)
      if (change === undefined) return
      taken++
      assert.deepStrictEqual(change, changeOf(view, advanceWork(context, begin(view), resolved, now), now))
      if (!waits) assert.deepStrictEqual(change, advance(context)("s", view, now))
    },
    options
  )

  it("is taken", () => assert.isAbove(taken, 0))

  it.prop(
    "of a new schedule finds the time that a decision up to its watermark does",
    { seed: Seed },
    ({ seed }) => {
      const random = makeRandom(seed)
      const world = declared(random, random.pick(plain))
      const row = world.schedule
      const before = { ...row, state: "active", nextAt: null } as const
      const view = { schedule: before, active: 0, deferred: 0 }
      const work = advanceWork(world.context, begin(view), world.context.resolve(row)!, row.watermark)
      assert.deepStrictEqual({ ...work.row, revision: 0, updatedAt: row.updatedAt }, row)
      assert.deepStrictEqual([work.runs, work.ranges], [[], []])
    },
    options
  )
})
