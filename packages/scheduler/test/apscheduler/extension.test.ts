/** One's own stores and triggers, and how the scheduler lives with faulty ones. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { JobStore, MemoryJobStore, Scheduler, Trigger } from "effect-scheduler"
import { away, iso, on, pass, record, type Seen, settle, tags, Tick, worker } from "./kit.ts"

type Service = JobStore.JobStoreService

/** A store of one's own: here one that keeps its rows in memory and does as it likes around each call. */
const storeOver = (change: (service: Service) => Partial<Service>): Layer.Layer<JobStore.JobStore> =>
  Layer.effect(
    JobStore.JobStore,
    Effect.map(MemoryJobStore.make(), (service) => ({ ...service, ...change(service) }))
  )

const outage = (method: string) => new JobStore.JobStoreError({ reason: "Unavailable", method, message: "gone" })

/** How often each schedule ran. */
const count = (seen: ReadonlyArray<Seen>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { scheduleId } of seen) counts[scheduleId ?? ""] = (counts[scheduleId ?? ""] ?? 0) + 1
  return counts
}

const secondly = Trigger.every("1 second")

describe("one's own store", () => {
  it.effect("22 extensible stores: whatever implements the methods of JobStore is a store", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const note = (text: string) => Effect.sync(() => void log.push(text))
      const journal = storeOver((service) => ({
        description: "journal",
        modify: (params) => Effect.tap(service.modify(params), note(`modify ${params.ids.join(" ")}`)),
        enqueue: (params) => Effect.tap(service.enqueue(params), note(`enqueue ${params.runs[0]?.run.job}`)),
        finish: (params) => Effect.tap(service.finish(params), note(`finish ${params.reports[0]?._tag}`))
      }))
      const { layer } = worker({ stores: { journal } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: secondly, store: "journal" })
        yield* pass("1 second")
        yield* scheduler.unschedule("tick", { store: "journal" })
        yield* scheduler.execute(Tick, undefined, { store: "journal" })
        yield* settle
        assert.deepStrictEqual(log, ["modify tick", "finish End", "modify tick", "enqueue Tick", "finish End"])
      }).pipe(on(layer))
    })
  )

  it.effect(
    "v3-store-failure: a store that cannot be read is told of and tried again, and the others go on meanwhile",
    () =>
      Effect.gen(function* () {
        let down = false
        const shaky = storeOver((service) => ({
          fire: (params) => (down ? Effect.fail(outage("fire")) : service.fire(params))
        }))
        const { ended, layer } = worker({ stores: { shaky } })
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const events = yield* record("StoreDegraded", "StoreRecovered")
          yield* scheduler.schedule(Tick, { id: "tick", trigger: secondly, store: "shaky" })
          yield* scheduler.schedule(Tick, { id: "other", trigger: secondly })
          yield* settle
          down = true
          yield* pass("20 seconds")
          assert.deepStrictEqual(
            [tags(events), new Set(ended.map((one) => one.scheduleId))],
            [["StoreDegraded"], new Set(["other"])]
          )
          down = false
          yield* pass("10 seconds")
          assert.deepStrictEqual(tags(events), ["StoreDegraded", "StoreRecovered"])
          assert.isAbove(ended.filter((one) => one.scheduleId === "tick").length, 3)
        }).pipe(on(layer))
      })
  )

  it.effect("v3-store-write-failure: a store that fails once when it is written to ends no loop", () =>
    Effect.gen(function* () {
      let failures = 1
      const shaky = storeOver((service) => ({
        finish: (params) => (failures-- > 0 ? Effect.fail(outage("finish")) : service.finish(params))
      }))
      const { layer, nominals } = worker({ stores: { default: shaky } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: secondly })
        yield* pass("5500 millis")
        assert.strictEqual(nominals().length, 5)
        const { items } = yield* scheduler.history({ outcome: "succeeded" })
        assert.strictEqual(items.length, 5)
      }).pipe(on(layer))
    })
  )

  it.effect("v4-crash-schedule: an answer that got lost after the store had acted makes no second run", () =>
    Effect.gen(function* () {
      let lost = 1
      const shaky = storeOver((service) => ({
        fire: (params) =>
          Effect.filterOrFail(
            service.fire(params),
            (answer) => answer.applied.length === 0 || lost-- <= 0,
            () => outage("fire")
          )
      }))
      const { layer, nominals } = worker({ stores: { default: shaky } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("10 seconds") })
        yield* pass("25 seconds")
        assert.deepStrictEqual(nominals(), ["12:00:10", "12:00:20"])
      }).pipe(on(layer))
    })
  )

  it.effect("v4-paused-spin: an overdue schedule that is paused costs nothing", () =>
    Effect.gen(function* () {
      let calls = 0
      const counted = storeOver((service) => ({
        fire: (params) => {
          calls++
          return service.fire(params)
        }
      }))
      const { layer } = worker({ stores: { default: counted } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: secondly })
        yield* pass("2 seconds")
        yield* scheduler.pause("tick")
        yield* settle
        calls = 0
        yield* pass("10 minutes")
        // Only the look at the clock that is due every 30 s.
        assert.isAtMost(calls, 20)
      }).pipe(on(layer))
    })
  )
})

/** The first day of each quarter. */
const Quarterly = Trigger.custom("Quarterly", Schema.Struct({ hour: Schema.Finite }), {
  next: ({ hour }, after) => {
    const { month, year } = DateTime.toPartsUtc(after)
    const candidates = [year, year + 1].flatMap((year) => [1, 4, 7, 10].map((month) => ({ year, month, hour })))
    return Option.fromUndefinedOr(
      candidates
        .filter((parts) => parts.year > year || parts.month >= month)
        .map((parts) => DateTime.makeUnsafe({ ...parts, day: 1 }))
        .find((instant) => DateTime.isGreaterThan(instant, after))
    )
  }
})

describe("one's own trigger", () => {
  it.effect("28 custom triggers: a rule of one's own fires, and is stored by its name and parameters", () =>
    Effect.gen(function* () {
      const store = yield* MemoryJobStore.make()
      const stores = { default: Layer.succeed(JobStore.JobStore, store) }
      const { layer, nominals } = worker({ stores, triggers: [Quarterly] })
      const schedule = Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const view = yield* scheduler.schedule(Tick, { id: "report", trigger: Quarterly({ hour: 8 }) })
        assert.deepStrictEqual([iso(view.nextAt), view.description], ["2026-04-01T08:00:00Z", `Quarterly({"hour":8})`])
      })
      yield* schedule.pipe(on(layer, "2026-04-01T07:59:00Z"))
      yield* pass("1 minute").pipe(on(layer, "2026-04-01T07:59:00Z"))
      assert.deepStrictEqual(nominals(), ["08:00:00"])
      // A program that does not know the rule leaves the row as it is, and says so.
      const stranger = worker({ stores })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const view = Option.getOrThrow(yield* scheduler.get("report"))
        assert.deepStrictEqual([view.state, view.trigger], ["unresolved", undefined])
        assert.include(view.description, "Quarterly")
      }).pipe(on(stranger.layer, "2026-04-02T00:00:00Z"))
    })
  )

  it.effect("28 custom triggers: a program that has the rule in its registry goes on with it after a restart", () =>
    Effect.gen(function* () {
      const stores = { default: Layer.succeed(JobStore.JobStore, yield* MemoryJobStore.make()) }
      const first = worker({ stores, triggers: [Quarterly] })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "report", trigger: Quarterly({ hour: 8 }) })
      }).pipe(on(first.layer, "2026-04-01T07:59:00Z"))
      const second = worker({ stores })
      const layer = Layer.provide(second.layer, Trigger.layerRegistry(Quarterly))
      yield* pass("1 minute").pipe(on(layer, "2026-04-01T07:59:00Z"))
      assert.deepStrictEqual(second.nominals(), ["08:00:00"])
    })
  )

  it.effect("v4-trigger-raises: a rule that throws makes its own schedule faulty, and disturbs no other", () =>
    Effect.gen(function* () {
      let broken = false
      const Shaky = Trigger.custom("Shaky", Schema.Struct({}), {
        next: (_, after) => {
          if (broken) throw new Error("no such day")
          return Option.some(DateTime.add(after, { minutes: 1 }))
        }
      })
      const { ended, layer } = worker({ triggers: [Shaky] })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const faulty = yield* record("ScheduleFaulty")
        yield* scheduler.schedule(Tick, { id: "a", trigger: Trigger.every("1 minute") })
        yield* scheduler.schedule(Tick, { id: "b", trigger: Shaky({}) })
        yield* scheduler.schedule(Tick, { id: "c", trigger: Trigger.every("7 minutes") })
        broken = true
        yield* pass("15 minutes")
        assert.deepStrictEqual(count(ended), { a: 15, c: 2 })
        assert.strictEqual(faulty.length, 1)
        assert.include(faulty[0]?.message, "no such day")
        // Declared again once it is mended, it goes on.
        broken = false
        yield* scheduler.schedule(Tick, { id: "b", trigger: Shaky({}) })
        yield* away("2 minutes")
        assert.isAtLeast(count(ended)["b"] ?? 0, 1)
      }).pipe(on(layer))
    })
  )
})
