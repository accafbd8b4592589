/** What one schedule, run or transaction of the application must not do to the others. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Deferred, Effect, Fiber, Layer, Option, Redacted, Schema } from "effect"
import { Job, type JobRegistry, Scheduler, type SchedulerEvent, Trigger } from "effect-scheduler"
import type { SchedulerOptions } from "effect-scheduler/SchedulerOptions"
import { SqlClient } from "effect/sql"
import { SqlJobStore } from "../../src/index.ts"
import { newPrefix, sharedUrl } from "./database.ts"

class Tick extends Job.make("Tick") {}
class Held extends Job.make("Held") {}

/** A scheduler, with the client that its store shares with the application. */
const node = Effect.fnUntraced(function* (
  jobs: Layer.Layer<never, never, JobRegistry>,
  options: Omit<SchedulerOptions, "stores"> = {}
) {
  const database = PgClient.layer({ url: Redacted.make(sharedUrl), maxConnections: 6 })
  const prefix = yield* newPrefix
  const scheduling = Scheduler.layer({
    pollInterval: "100 millis",
    drainDeadline: 0,
    ...options,
    stores: { default: Layer.orDie(SqlJobStore.layer({ prefix })) }
  })
  const live = Layer.provideMerge(jobs, scheduling).pipe(Layer.provideMerge(database))
  const context = yield* Effect.orDie(Layer.build(Layer.fresh(live)))
  const scheduler = Context.get(context, Scheduler)
  const ended: Array<SchedulerEvent.Of<"RunSucceeded">> = []
  yield* scheduler.on(["RunSucceeded"], (event) => Effect.sync(() => void ended.push(event)))
  const endedOf = (scheduleId: string) => ended.filter((event) => event.scheduleId === scheduleId).length
  /** Waits for some more ends of a schedule's runs. */
  const more = (scheduleId: string, count: number) =>
    Effect.suspend(() => {
      const before = endedOf(scheduleId)
      return Effect.repeat(Effect.sleep("20 millis"), { until: () => endedOf(scheduleId) >= before + count })
    })
  return { scheduler, more, sql: Context.get(context, SqlClient.SqlClient) }
})

const tick = Tick.toLayer(() => Effect.void)

describe("other schedules go on", () => {
  for (const overlap of ["bufferOne", "bufferAll", "cancelPrevious"] as const) {
    it.live(`while a transaction of the application that has cancelled a run is left open (${overlap})`, () =>
      Effect.gen(function* () {
        const held = Held.toLayer(() => Effect.sleep("1 minute"))
        const { more, scheduler, sql } = yield* node(Layer.merge(tick, held))
        yield* scheduler.schedule(Held, { id: "held", trigger: Trigger.every("300 millis"), overlap })
        const runs = yield* Effect.repeat(scheduler.runs({}), { until: ({ items }) => items[0]?.state === "running" })
        yield* scheduler.schedule(Tick, { id: "ticks", trigger: Trigger.every("50 millis") })
        const isOpen = yield* Deferred.make<void>()
        const end = yield* Deferred.make<void>()
        const open = yield* Effect.forkChild(
          sql.withTransaction(
            Effect.gen(function* () {
              yield* scheduler.cancel(runs.items[0]!.id)
              yield* Deferred.succeed(isOpen, undefined)
              yield* Deferred.await(end)
            })
          )
        )
        yield* Deferred.await(isOpen)
        yield* more("ticks", 20)
        yield* Deferred.succeed(end, undefined)
        yield* Fiber.join(open)
        // What was left alone meanwhile is decided after all.
        const decided = Effect.map(scheduler.get("held"), (view) => {
          const { counts, nextAt } = Option.getOrThrow(view)
          return { count: counts.fired + counts.skipped, nextAt: nextAt ?? 0 }
        })
        const before = yield* decided
        yield* Effect.repeat(decided, { until: ({ count, nextAt }) => count > before.count && nextAt > before.nextAt })
      })
    )
  }

  it.live("where a custom rule throws what no text of Postgres can hold", () =>
    Effect.gen(function* () {
      let isBroken = false
      const Rule = Trigger.custom("Rule", Schema.Struct({}), {
        next: (_, after) => {
          if (isBroken) throw new Error("an unexpected \u0000 in the answer")
          return Option.some(DateTime.add(after, { milliseconds: 50 }))
        }
      })
      const { more, scheduler } = yield* node(tick, { triggers: [Rule] })
      yield* scheduler.schedule(Tick, { id: "ticks", trigger: Trigger.every("50 millis") })
      yield* scheduler.schedule(Tick, { id: "broken", trigger: Rule({}) })
      yield* more("broken", 2)
      isBroken = true
      const faulty = yield* Effect.repeat(scheduler.get("broken"), {
        until: (view) => Option.getOrThrow(view).error !== null
      })
      assert.include(String(Option.getOrThrow(faulty).error), "an unexpected \\0 in the answer")
      yield* more("ticks", 20)
    })
  )
})

it.live("runs that end with one that an open transaction of the application has cancelled are stored at once", () =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    const held = Held.toLayer(() => Deferred.await(gate))
    const { scheduler, sql } = yield* node(held)
    const ids = yield* scheduler.enqueueAll(Held, Array.from({ length: 10 }))
    yield* Effect.repeat(scheduler.runs({}), {
      until: ({ items }) => items.filter(({ state }) => state === "running").length === 10
    })
    const isOpen = yield* Deferred.make<void>()
    const end = yield* Deferred.make<void>()
    const open = yield* Effect.forkChild(
      sql.withTransaction(
        Effect.gen(function* () {
          yield* scheduler.cancel(ids[3]!)
          yield* Deferred.succeed(isOpen, undefined)
          yield* Deferred.await(end)
        })
      )
    )
    yield* Deferred.await(isOpen)
    yield* Deferred.succeed(gate, undefined)
    const left = yield* Effect.repeat(scheduler.runs({}), { until: ({ items }) => items.length === 1 })
    assert.deepStrictEqual(
      left.items.map(({ id, state }) => [id, state]),
      [[ids[3]!, "running"]]
    )
    yield* Deferred.succeed(end, undefined)
    yield* Fiber.join(open)
    yield* scheduler.awaitEnd(ids[3]!)
  })
)
