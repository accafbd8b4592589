/** What needs a store that outlives its process. A restart is a scope that closes and another one on the same file. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SqliteClient, SqlJobStore } from "@effect-scheduler/sql"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, type Duration, Effect, Layer, Option, Schema, type Scope } from "effect"
import { Job, JobRun, JobStore, MemoryJobStore, Scheduler, Trigger } from "effect-scheduler"
import { TestClock } from "effect/testing"

class Tick extends Job.make("Tick") {}
class Count extends Job.make("Count", { success: Schema.Finite }) {}

const settle = Effect.repeat(Effect.yieldNow, { times: 40 })
const pass = (duration: Duration.Input) =>
  settle.pipe(Effect.andThen(TestClock.adjust(duration)), Effect.andThen(settle))

/** A file in a folder that goes with the test. */
const file: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "apscheduler-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ),
  (folder) => join(folder, "jobs.sqlite")
)

const began = "2026-03-02T12:00:00Z"
const start = TestClock.setTime(Date.parse(began))
const time = (instant: number): string => DateTime.formatIso(DateTime.makeUnsafe(instant)).slice(11, 19)

/** One life of a program: its scheduler on the file, with handlers that note the nominal times of their runs. */
const life = (filename: string, notes: Array<string> = []) => {
  const note = Effect.gen(function* () {
    const run = yield* JobRun.current
    notes.push(`${run.scheduleId ?? "-"} ${run.nominal === null ? "-" : time(run.nominal)} ${run.execution}`)
  })
  const handlers = Layer.mergeAll(
    Tick.toLayer(() => note),
    Count.toLayer(() =>
      Effect.gen(function* () {
        yield* note
        const last = yield* Effect.orDie(JobRun.lastSuccess(Count))
        return Option.getOrElse(last, () => 0) + 1
      })
    )
  )
  return Layer.provideMerge(
    handlers,
    Scheduler.layer({ stores: { default: SqlJobStore.layerSqlite({ filename }) }, lease: "6 seconds" })
  )
}

describe("persistence", () => {
  it.effect(
    "23 durability: after a restart the stored jobs are there, with their next times and what passed is decided",
    () =>
      Effect.gen(function* () {
        yield* start
        const filename = yield* file
        const first: Array<string> = []
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const trigger = Trigger.every("1 minute")
          yield* scheduler.schedule(Tick, { id: "latest", trigger })
          yield* scheduler.schedule(Tick, { id: "none", trigger, missed: { run: "none" } })
          yield* scheduler.schedule(Tick, { id: "all", trigger, missed: { run: "all" }, overlap: "bufferAll" })
          yield* pass("1 minute")
        }).pipe(Effect.provide(life(filename, first)))
        assert.deepStrictEqual(first.toSorted(), ["all 12:01:00 1", "latest 12:01:00 1", "none 12:01:00 1"])

        yield* pass("150 seconds")
        const second: Array<string> = []
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* pass("1 second")
          const { items } = yield* scheduler.list()
          assert.deepStrictEqual(
            items.map(
              (view) => `${view.id} ${time(view.nextAt ?? 0)} fired ${view.counts.fired} missed ${view.counts.missed}`
            ),
            ["all 12:04:00 fired 3 missed 0", "latest 12:04:00 fired 2 missed 1", "none 12:04:00 fired 1 missed 2"]
          )
        }).pipe(Effect.provide(life(filename, second)))
        assert.deepStrictEqual(second.toSorted(), ["all 12:02:00 1", "all 12:03:00 1", "latest 12:03:00 1"])
      })
  )

  it.effect("5 persistent, stateful jobs: a run reads the last success of its schedule, also of a life before", () =>
    Effect.gen(function* () {
      yield* start
      const filename = yield* file
      const days = Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Count, { id: "count", trigger: Trigger.every("1 minute") })
        yield* pass("2 minutes")
        const { items } = yield* scheduler.history({ limit: 1 })
        return items[0]?._tag === "Run" ? items[0].result : undefined
      })
      assert.strictEqual(yield* days.pipe(Effect.provide(life(filename))), "2")
      assert.strictEqual(yield* days.pipe(Effect.provide(life(filename))), "4")
    })
  )

  it.effect("7 RAM, file and SQL stores: one scheduler works on memory, a file, and the application's own client", () =>
    Effect.gen(function* () {
      yield* start
      const own = SqlJobStore.layer({ prefix: "jobs_" }).pipe(
        Layer.provide(SqliteClient.layer({ filename: ":memory:" }))
      )
      const stores = {
        ram: MemoryJobStore.layer,
        file: SqlJobStore.layerSqlite({ filename: yield* file }),
        database: own
      }
      const ran: Array<string> = []
      const handler = Tick.toLayer(() => Effect.map(JobRun.current, (run) => void ran.push(run.store)))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        for (const store of Object.keys(stores)) {
          yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 minute"), store })
        }
        yield* pass("1 minute")
        assert.deepStrictEqual(ran.toSorted(), ["database", "file", "ram"])
      }).pipe(Effect.provide(handler.pipe(Layer.provideMerge(Scheduler.layer({ stores })))))
    })
  )

  it.effect("24 textual reference: a row holds the name of its job, and another program finds the handler by it", () =>
    Effect.gen(function* () {
      yield* start
      const filename = yield* file
      // This program knows the job, and has no handler for it.
      const writer = Scheduler.layerClient({ default: SqlJobStore.layerSqlite({ filename }) })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 minute") })
        yield* scheduler.enqueue(Tick)
      }).pipe(Effect.provide(writer))
      const rows = yield* Effect.gen(function* () {
        const store = yield* JobStore.JobStore
        return (yield* store.listSchedules({ filter: {}, limit: 9 })).items
      }).pipe(Effect.provide(SqlJobStore.layerSqlite({ filename })))
      assert.deepStrictEqual(
        rows.map((row) => [row.id, row.job, row.payload]),
        [["tick", "Tick", "null"]]
      )
      const notes: Array<string> = []
      yield* pass("1 minute").pipe(Effect.provide(life(filename, notes)))
      assert.deepStrictEqual(notes.toSorted(), ["- - 1", "tick 12:01:00 1"])
    })
  )
})

/** A run that a client stored. */
const enqueued = (filename: string) =>
  Effect.flatMap(Scheduler, (scheduler) => scheduler.enqueue(Tick)).pipe(
    Effect.provide(Scheduler.layerClient({ default: SqlJobStore.layerSqlite({ filename }) }))
  )

describe("crashes", () => {
  /** A node that claims the run of a schedule and is never heard of again. */
  const crashed = Effect.fnUntraced(function* (lease: number) {
    const store = yield* JobStore.JobStore
    const now = yield* Effect.map(DateTime.now, (now) => now.epochMilliseconds)
    yield* store.register({ now, node: "crashed", lease, version: 1, jobs: ["Tick"], triggers: [] })
    const { runs } = yield* store.claim({
      now,
      node: "crashed",
      limit: 10,
      jobs: [{ name: "Tick", queue: "default" }],
      queues: {}
    })
    return runs.map((run) => run.id)
  })

  it.effect("v4-crash-job: a run whose process died is executed again, under the same id", () =>
    Effect.gen(function* () {
      yield* start
      const filename = yield* file
      const id = yield* enqueued(filename)
      const claimed = yield* crashed(6_000).pipe(Effect.provide(SqlJobStore.layerSqlite({ filename })))
      assert.deepStrictEqual(claimed, [id])
      const notes: Array<string> = []
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* pass("30 seconds")
        const run = yield* scheduler.awaitEnd(id)
        assert.deepStrictEqual([run.outcome, run.recoveries, run.attempt], ["succeeded", 1, 2])
      }).pipe(Effect.provide(life(filename, notes)))
      assert.deepStrictEqual(notes, ["- - 2"])
    })
  )

  it.effect("v4-lease-job: while the lease holds nobody takes the run, after it the run is always executed again", () =>
    Effect.gen(function* () {
      yield* start
      const filename = yield* file
      yield* enqueued(filename)
      yield* crashed(60_000).pipe(Effect.provide(SqlJobStore.layerSqlite({ filename })))
      const notes: Array<string> = []
      yield* Effect.gen(function* () {
        yield* pass("59 seconds")
        assert.deepStrictEqual(notes, [])
        yield* pass("10 seconds")
        assert.deepStrictEqual(notes, ["- - 2"])
      }).pipe(Effect.provide(life(filename, notes)))
    })
  )

  it.effect(
    "v4-lease-schedule: no node holds a schedule, so another one fires it at once, and only one of them does",
    () =>
      Effect.gen(function* () {
        yield* start
        const filename = yield* file
        const notes: Array<string> = []
        const other = Layer.fresh(life(filename, notes))
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("10 seconds") })
          yield* pass("30 seconds").pipe(Effect.provide(other))
          assert.deepStrictEqual(notes, ["tick 12:00:10 1", "tick 12:00:20 1", "tick 12:00:30 1"])
          yield* scheduler.drain(0)
          yield* pass("10 seconds").pipe(Effect.provide(other))
          assert.strictEqual(notes.at(-1), "tick 12:00:40 1")
        }).pipe(Effect.provide(life(filename, notes)))
      })
  )
})
