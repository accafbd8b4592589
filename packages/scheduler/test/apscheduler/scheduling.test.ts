import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"
import { away, on, pass, settle, Slow, Tick, time, worker } from "./kit.ts"

const minute = Trigger.every("1 minute")

describe("the scheduler", () => {
  it.effect("8 Scheduler() and start(): with defaults it needs nothing, and works when it is built", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: minute })
        yield* pass("2 minutes")
        assert.deepStrictEqual(nominals(), ["12:01:00", "12:02:00"])
      }).pipe(on(layer))
    })
  )

  it.effect(
    "2 thread-safe API: many fibers change the same schedules at once, and every time is still decided once",
    () =>
      Effect.gen(function* () {
        const { layer, nominals } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const trigger = Trigger.every("1 second")
          const busy = Effect.forEach(
            Array.from({ length: 200 }, (_, i) => i),
            (i) =>
              Effect.gen(function* () {
                yield* scheduler.schedule(Tick, { id: "shared", trigger })
                yield* Effect.sleep(i * 40)
                yield* scheduler.schedule(Tick, { id: `own ${i}`, trigger: Trigger.every("1 hour") })
                yield* scheduler.schedule(Tick, { id: "shared", trigger, priority: i % 2 === 0 ? 1 : 2 })
                yield* scheduler.unschedule(`own ${i}`)
              }),
            { concurrency: "unbounded" }
          )
          yield* Effect.forkScoped(busy)
          yield* pass("10 seconds")
          const expected = Array.from({ length: 10 }, (_, i) => time(Date.parse("2026-03-02T12:00:01Z") + i * 1_000))
          assert.deepStrictEqual(nominals(), expected)
          const { items } = yield* scheduler.list()
          assert.deepStrictEqual(
            items.map((view) => [view.id, view.counts.fired]),
            [["shared", 10]]
          )
        }).pipe(Effect.scoped, on(layer))
      })
  )

  it.effect("3 test coverage: a program's schedules are tested on Effect's TestClock, hours in an instant", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "hourly", trigger: Trigger.cron("30 * * * *") })
        yield* pass("4 hours")
        assert.strictEqual(nominals().length, 4)
      }).pipe(on(layer))
    })
  )

  it.effect("29 a triggered job is handed to a fiber: a slow one delays no other", () =>
    Effect.gen(function* () {
      const { began, layer } = worker({ drainDeadline: 0 })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Slow, { id: "slow", trigger: minute, payload: { millis: 1_000_000 } })
        yield* scheduler.schedule(Tick, { id: "tick", trigger: minute })
        yield* pass("2 minutes")
        assert.deepStrictEqual(
          began.map((one) => `${one.at} ${one.scheduleId}`),
          ["12:01:00 slow", "12:01:00 tick", "12:02:00 tick"]
        )
      }).pipe(on(layer))
    })
  )
})

describe("scheduling", () => {
  it.effect("27 shortcuts: a schedule is declared in one expression, for each of the three triggers", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const note = (name: string) => Effect.sync(() => void ran.push(name))
      const declared = Layer.mergeAll(
        Scheduler.cron("cron job", "*/2 * * * *", note("cron job")),
        Scheduler.every("interval job", "3 minutes", note("interval job"))
      ).pipe(Layer.provideMerge(Scheduler.layer()))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const trigger = Trigger.at("2026-03-02T12:05:00Z")
        yield* scheduler.scheduleEffect(note("date job"), { id: "date job", trigger })
        yield* pass("5 minutes")
        assert.deepStrictEqual(ran.toSorted(), ["cron job", "cron job", "date job", "interval job"])
      }).pipe(Effect.scoped, on(declared, "2026-03-02T12:00:01Z"))
    })
  )

  it.effect(
    "25 only what can be stored reaches a store: the types refuse an effect, scheduling refuses a payload",
    () =>
      Effect.gen(function* () {
        class Mail extends Job.make("Mail", { payload: { to: Schema.String.check(Schema.isMinLength(3)) } }) {}
        const { layer } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const refused = () => {
            // @ts-expect-error a store keeps the names of jobs, not effects
            void scheduler.schedule(Effect.log("hi"), { id: "effect", trigger: minute })
            // @ts-expect-error the payload does not fit
            void scheduler.schedule(Mail, { id: "mail", trigger: minute, payload: { to: 42 } })
            // @ts-expect-error a store holds no closures, so an effect takes none
            void scheduler.scheduleEffect(Effect.void, { id: "effect", trigger: minute, store: "file" })
          }
          assert.isFunction(refused)
          const error = yield* Effect.flip(
            scheduler.schedule(Mail, { id: "mail", trigger: minute, payload: { to: "" } })
          )
          assert.match(error.message, /schedule "mail": the payload does not fit job "Mail"/)
          assert.deepStrictEqual((yield* scheduler.list()).items, [])
        }).pipe(on(layer))
      })
  )

  it.effect("53 max_runs: after so many runs the schedule is exhausted", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: minute, maxRuns: 2 })
        yield* pass("10 minutes")
        assert.deepStrictEqual(nominals(), ["12:01:00", "12:02:00"])
        // Of several missed times too the oldest run, and no more.
        const late = { trigger: minute, missed: { run: "all" }, overlap: "bufferAll" } as const
        yield* scheduler.schedule(Tick, { id: "late", ...late, maxRuns: 2 })
        yield* away("5 minutes")
        assert.deepStrictEqual(nominals().slice(2), ["12:11:00", "12:12:00"])
      }).pipe(on(layer))
    })
  )

  it.effect(
    "seed-job-finished: a schedule whose runs are used up fires no more; its row stays, so that a restart does not fire it again",
    () =>
      Effect.gen(function* () {
        const { layer, nominals } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const once = { id: "tick", trigger: minute, maxRuns: 1 }
          yield* scheduler.schedule(Tick, once)
          yield* pass("1 minute")
          const again = yield* scheduler.schedule(Tick, once)
          assert.deepStrictEqual([again.state, again.nextAt], ["exhausted", null])
          yield* pass("10 minutes")
          assert.strictEqual(nominals().length, 1)
        }).pipe(on(layer))
      })
  )

  it.effect("54 name: a schedule has the id that its user gives, beside the name of its job", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const view = yield* scheduler.schedule(Tick, { id: "nightly clean-up", trigger: minute })
        assert.deepStrictEqual([view.id, view.job], ["nightly clean-up", "Tick"])
        assert.include(yield* scheduler.render(), "nightly clean-up")
      }).pipe(on(layer))
    })
  )

  it.effect("55 unschedule_job: a schedule is removed by its id, and an unknown one is a typed error", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: minute })
        yield* pass("1 minute")
        yield* scheduler.unschedule("tick")
        yield* pass("5 minutes")
        assert.deepStrictEqual(nominals(), ["12:01:00"])
        assert.isTrue(Option.isNone(yield* scheduler.get("tick")))
        const error = yield* Effect.flip(scheduler.unschedule("tick"))
        assert.include(error.message, `No schedule "tick" in store "default"`)
      }).pipe(on(layer))
    })
  )

  it.effect("seed-past-date: a date in the past is due at once, and the missed policy decides", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const trigger = Trigger.at("2026-03-01T00:00:00Z")
        yield* scheduler.schedule(Tick, { id: "late", trigger })
        yield* scheduler.schedule(Tick, { id: "never", trigger, missed: { run: "none" } })
        yield* settle
        assert.deepStrictEqual(nominals(), ["00:00:00"])
      }).pipe(on(layer))
    })
  )

  it.effect("seed-job-validation: each bad option is a typed error that names it and what was expected", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const bad = [
          [{ maxRuns: 0 }, "maxRuns"],
          [{ maxInstances: 0 }, "maxInstances"],
          [{ missed: { grace: -1 } }, "missed.grace"],
          [{ missed: { limit: 0 } }, "missed.limit"],
          [{ jitter: Infinity }, "jitter"],
          [{ id: "" }, "id"]
        ] as const
        for (const [options, option] of bad) {
          const error = yield* Effect.flip(scheduler.schedule(Tick, { id: "tick", trigger: minute, ...options }))
          assert.include(error.message, `${option} must be`)
        }
        assert.deepStrictEqual((yield* scheduler.list()).items, [])
      }).pipe(on(layer))
    })
  )
})
