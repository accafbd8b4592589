import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { Scheduler, Trigger } from "../../src/index.ts"
import type { ScheduleRecord } from "../../src/JobSchedule.ts"
import type { SchedulerService } from "../../src/Scheduler.ts"
import { settled } from "../scheduler/support.ts"
import { messageOf, minutely, Note, world } from "../scheduler/verbs/world.ts"

type Change = (row: ScheduleRecord) => Partial<ScheduleRecord>

const kinds: ReadonlyArray<readonly [title: string, change: Change, why: string]> = [
  [
    "a trigger of a newer version",
    () => ({ version: 99, trigger: '{"version":99,"trigger":{"_tag":"Moon"}}' }),
    "it was written by a newer version (99, this one reads up to 1)"
  ],
  [
    "a trigger of a newer version whose text is one that is known here",
    () => ({ version: 99 }),
    "it was written by a newer version (99, this one reads up to 1)"
  ],
  ["a trigger that is no JSON", () => ({ trigger: "{" }), "its stored trigger cannot be decoded"],
  ["a trigger of an unknown kind", () => ({ trigger: "{}" }), "its stored trigger cannot be decoded"],
  [
    "a custom rule that is not registered",
    () => ({
      trigger: '{"version":1,"trigger":{"_tag":"Custom","name":"tides","params":{}}}',
      needs: "tides"
    }),
    'no rule named "tides" is registered here: give it to the option "triggers"'
  ],
  ["policies that cannot be decoded", () => ({ policy: '{"v":7}' }), "its stored policies cannot be decoded"]
]

/** The verbs that have to read the row to do what they are asked. */
const reading: ReadonlyArray<readonly [string, (scheduler: SchedulerService) => Effect.Effect<unknown, Error>]> = [
  ["update", (scheduler) => scheduler.update(Note, "m", { payload: { text: "b" } })],
  ["update of policies", (scheduler) => scheduler.update(Note, "m", { maxRuns: 3 })],
  ["backfill", (scheduler) => scheduler.backfill("m", { from: 0, to: 60_000, request: "r" })]
]

describe("a stored row with", () => {
  for (const [title, change, why] of kinds) {
    const written = Effect.fnUntraced(function* (kit: ReturnType<typeof world>) {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* kit.store.store.modify({
        now: 0,
        ids: ["m"],
        transition: (_, view) => ({
          schedule: { ...view!.schedule, ...change(view!.schedule) },
          runs: [],
          ranges: [],
          replaceDeferred: false,
          cancelActive: false
        })
      })
      return scheduler
    })

    it.effect(`${title} is left alone, fires nothing, is listed as unresolved, and the verbs say why`, () => {
      const kit = world()
      return Effect.gen(function* () {
        const scheduler = yield* written(kit)
        const before = yield* kit.row("m")
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(kit.ran, [])
        const view = Option.getOrThrow(yield* scheduler.get("m"))
        assert.strictEqual(view.state, "unresolved")
        for (const [verb, call] of reading) {
          assert.strictEqual(yield* messageOf(call(scheduler)), `Schedule "m" was left as it is: ${why}`, verb)
        }
        const { counts, generation, needs, payload, policy, state, trigger, version, watermark } = before!
        const definition = { counts, generation, needs, payload, policy, state, trigger, version, watermark }
        assert.deepInclude((yield* kit.row("m"))!, definition)
        assert.include(yield* scheduler.render(), "unresolved")
      }).pipe(Effect.provide(kit.layer))
    })

    it.effect(`${title} can be paused, is not resumed by guessing, and is unscheduled`, () => {
      const kit = world()
      return Effect.gen(function* () {
        const scheduler = yield* written(kit)
        yield* scheduler.pause("m")
        assert.strictEqual((yield* kit.row("m"))!.state, "paused")
        assert.include(yield* messageOf(scheduler.resume("m")), why)
        assert.strictEqual((yield* kit.row("m"))!.state, "paused")
        yield* scheduler.unschedule("m")
        assert.isUndefined(yield* kit.row("m"))
      }).pipe(Effect.provide(kit.layer))
    })
  }

  it.effect("a trigger that cannot be read disturbs no other schedule", () => {
    const kit = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, id: "well" })
      yield* scheduler.schedule(Note, minutely)
      yield* kit.store.store.modify({
        now: 0,
        ids: ["m"],
        transition: (_, view) => ({
          schedule: { ...view!.schedule, trigger: "{" },
          runs: [],
          ranges: [],
          replaceDeferred: false,
          cancelActive: false
        })
      })
      yield* TestClock.adjust("2 minutes")
      yield* settled
      assert.deepStrictEqual(kit.ran, ["nominal 1 a", "nominal 2 a"])
      const view = yield* scheduler.reschedule("m", Trigger.every("1 hour"))
      assert.deepInclude(view, { state: "active", nextAt: 3_720_000 })
    }).pipe(Effect.provide(kit.layer))
  })
})
