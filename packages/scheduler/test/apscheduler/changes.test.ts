/** What changes a schedule that is there: pause, resume, other triggers, the same id again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import { Crash, iso, on, pass, record, settle, tags, Tick, worker } from "./kit.ts"

const view = Effect.fnUntraced(function* (id: string) {
  const scheduler = yield* Scheduler
  return Option.getOrThrow(yield* scheduler.get(id))
})

describe("pause and resume", () => {
  it.effect("v3-pause-job: nothing runs while it is paused; resumed, it goes on from now and says what passed", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("SchedulePaused", "ScheduleResumed")
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("5 seconds") })
        yield* pass("5 seconds")
        yield* scheduler.pause("tick")
        yield* pass("12 seconds")
        assert.strictEqual((yield* view("tick")).nextAt, null)
        yield* scheduler.resume("tick")
        yield* pass("5 seconds")
        assert.deepStrictEqual(nominals(), ["12:00:05", "12:00:20"])
        assert.deepStrictEqual(
          events.map((event) => (event._tag === "ScheduleResumed" ? event.skipped : event._tag)),
          ["SchedulePaused", 2]
        )
      }).pipe(on(layer))
    })
  )

  it.effect("v4-unpause-default: from now none of ten missed minutes runs, from missed all of them do", () =>
    Effect.gen(function* () {
      const { ended, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const policy = { trigger: Trigger.every("1 minute"), missed: { run: "all" }, overlap: "bufferAll" } as const
        yield* scheduler.schedule(Tick, { id: "now", ...policy })
        yield* scheduler.schedule(Tick, { id: "missed", ...policy })
        yield* scheduler.pause("now")
        yield* scheduler.pause("missed")
        yield* pass("10 minutes")
        yield* scheduler.resume("now", { from: "now" })
        yield* scheduler.resume("missed", { from: "missed" })
        yield* settle
        yield* settle
        const ran = ["now", "missed"].map((id) => ended.filter((one) => one.scheduleId === id).length)
        assert.deepStrictEqual(ran, [0, 10])
      }).pipe(on(layer))
    })
  )

  it.effect("v3-pause-scheduler: the missed policy decides what passed while the whole scheduler was paused", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("SchedulerPaused", "SchedulerResumed", "RunMissed")
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("5 seconds") })
        yield* scheduler.pauseAll
        yield* pass("12 seconds")
        assert.deepStrictEqual(nominals(), [])
        yield* scheduler.resumeAll
        yield* settle
        assert.deepStrictEqual(nominals(), ["12:00:10"])
        assert.deepStrictEqual(tags(events), ["SchedulerPaused", "SchedulerResumed", "RunMissed"])
      }).pipe(on(layer))
    })
  )

  it.effect("v3-reschedule-unpauses: another trigger does not wake a paused schedule", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 hour") })
        yield* scheduler.pause("tick")
        const changed = yield* scheduler.reschedule("tick", Trigger.every("1 minute"))
        assert.deepStrictEqual([changed.state, changed.nextAt], ["paused", null])
        yield* pass("10 minutes")
        assert.deepStrictEqual(nominals(), [])
        yield* scheduler.resume("tick")
        yield* pass("1 minute")
        assert.strictEqual(nominals().length, 1)
      }).pipe(on(layer))
    })
  )
})

describe("other definitions", () => {
  it.effect("v3-modify-trigger: another trigger gives another next time, other options keep it", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 hour") })
        yield* pass("10 minutes")
        const updated = yield* scheduler.update(Tick, "tick", { maxInstances: 3 })
        assert.deepStrictEqual([updated.policy?.maxInstances, iso(updated.nextAt)], [3, "2026-03-02T13:00:00Z"])
        const changed = yield* scheduler.reschedule("tick", Trigger.every("1 minute"))
        assert.strictEqual(iso(changed.nextAt), "2026-03-02T12:11:00Z")
      }).pipe(on(layer))
    })
  )

  it.effect("v3-replace-existing: declared again by a restart, a schedule keeps its next time and its pause", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const declare = (id: string) => scheduler.schedule(Tick, { id, trigger: Trigger.every("1 hour") })
        yield* declare("tick")
        yield* declare("paused")
        yield* scheduler.pause("paused")
        yield* pass("50 minutes")
        assert.strictEqual(iso((yield* declare("tick")).nextAt), "2026-03-02T13:00:00Z")
        assert.strictEqual((yield* declare("paused")).state, "paused")
      }).pipe(on(layer))
    })
  )

  it.effect(
    "v4-conflict-default: the new definition holds, unless it is asked to keep the old one, replace it, or fail",
    () =>
      Effect.gen(function* () {
        const { layer } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const declare = (minutes: number, onConflict?: "keep" | "replace" | "fail") =>
            scheduler.schedule(minutes === 9 ? Crash : Tick, {
              id: "tick",
              trigger: Trigger.every(`${minutes} minutes`),
              ...(onConflict === undefined ? {} : { onConflict })
            })
          yield* declare(1)
          assert.strictEqual(iso((yield* declare(2)).nextAt), "2026-03-02T12:02:00Z")
          assert.strictEqual(iso((yield* declare(3, "keep")).nextAt), "2026-03-02T12:02:00Z")
          yield* pass("2 minutes")
          assert.strictEqual((yield* declare(2)).counts.fired, 1)
          assert.strictEqual((yield* declare(2, "replace")).counts.fired, 0)
          const error = yield* Effect.flip(declare(5, "fail"))
          assert.include(error.message, `A schedule "tick" is in store "default" already`)
          assert.strictEqual((yield* declare(9)).job, "Crash")
        }).pipe(on(layer))
      })
  )
})
