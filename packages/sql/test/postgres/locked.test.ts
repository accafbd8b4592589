/** What a transaction of the application that is left open has locked is left alone by the calls of nodes, all else is not. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schedule } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import type { JobStoreService, RunReport, Transition } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql"
import { changeTo, enqueued, jobs, run, schedule, success, t0 } from "../support.ts"
import { storeOn } from "./between.ts"
import { newPrefix } from "./database.ts"

/** Nothing is decided. */
const nothing: Transition = () => undefined

const put = (store: JobStoreService, ...rows: ReadonlyArray<ScheduleRecord>) =>
  store.modify({
    now: t0,
    ids: rows.map((row) => row.id),
    transition: (id) => changeTo(rows.find((row) => row.id === id)!)
  })

const pause = (store: JobStoreService, id: string) =>
  store.modify({
    now: t0,
    ids: [id],
    transition: (_, view) => changeTo({ ...view!.schedule, state: "paused", nextAt: null })
  })

const release = ({ attempt, id }: RunRecord): RunReport => ({ _tag: "Release", id, attempt })
const retry = ({ attempt, id }: RunRecord): RunReport => ({
  _tag: "Retry",
  id,
  attempt,
  failures: 1,
  errors: "[1]",
  runAt: t0
})

const remembered = (each: RunRecord): RunReport => ({ ...success(each), result: "1", remember: true }) as RunReport

/** A run of a schedule. */
const runOf = ({ cause, generation, id }: ScheduleRecord, fields: Partial<RunRecord> = {}) =>
  run({ scheduleId: id, generation, cause, nominal: t0, ...fields })

const waiting = schedule("waiting", { state: "waiting", nextAt: null })
const active = schedule("active", { nextAt: t0 + 1e9 })

const cancel = (store: JobStoreService, id: string) => store.cancel({ now: t0, id, transition: nothing })

/** A transaction that stays open with what was done in it; how it is ended. */
const leftOpen = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, what: Effect.Effect<unknown, unknown>) {
  const isOpen = yield* Deferred.make<void>()
  const how = yield* Deferred.make<"committed" | "undone">()
  const open = yield* Effect.forkScoped(
    sql.withTransaction(
      Effect.gen(function* () {
        yield* Effect.orDie(what)
        yield* Deferred.succeed(isOpen, undefined)
        if ((yield* Deferred.await(how)) === "undone") return yield* Effect.interrupt
      })
    )
  )
  yield* Deferred.await(isOpen)
  return (as: "committed" | "undone") => Effect.andThen(Deferred.succeed(how, as), Effect.exit(Fiber.join(open)))
})

const cases: ReadonlyArray<{
  readonly title: string
  readonly locked: RunRecord
  readonly lock: (store: JobStoreService, id: string) => Effect.Effect<unknown, unknown>
  readonly report: (run: RunRecord) => RunReport
}> = [
  { title: "the end of a run that it has cancelled", locked: run(), lock: cancel, report: success },
  {
    title: "the end of a run with a key that it has cancelled",
    locked: run({ key: "k" }),
    lock: cancel,
    report: success
  },
  { title: "the retry of a run that it has cancelled", locked: run(), lock: cancel, report: retry },
  { title: "the release of a run that it has cancelled", locked: run(), lock: cancel, report: release },
  {
    title: "the end of a run that a schedule waits for which it has paused",
    locked: runOf(waiting, { settles: true }),
    lock: (store) => pause(store, waiting.id),
    report: success
  },
  {
    title: "the result of a run of a schedule that it has paused",
    locked: runOf(active),
    lock: (store) => pause(store, active.id),
    report: remembered
  }
]

describe("a transaction of the application that is left open", () => {
  for (const { lock, locked, report, title } of cases) {
    it.live(`holds up ${title}, and nothing that is reported with it`, () =>
      Effect.gen(function* () {
        const { sql, store } = yield* storeOn(yield* newPrefix)
        yield* put(store, waiting, active)
        const others = [run(), run({ key: "other" }), runOf(active, { nominal: t0 + 1 })]
        yield* store.enqueue(enqueued(locked, ...others))
        const { runs } = yield* store.claim({ now: t0, node: "n", limit: 10, jobs, queues: {} })
        assert.lengthOf(runs, 4)
        const reports = runs.map((each) => (each.id === locked.id ? report(each) : success(each)))
        const finish = store.finish({ now: t0, node: "n", reports, transition: nothing })
        const end = yield* leftOpen(sql, lock(store, locked.id))
        for (let time = 0; time < 2; time++) {
          const { busy, fenced } = yield* finish
          assert.deepStrictEqual({ busy, fenced }, { busy: [locked.id], fenced: [] })
        }
        const ids = runs.map(({ id }) => id)
        const before = yield* store.getRuns({ ids })
        assert.deepStrictEqual(
          before.unfinished.map(({ id, state }) => [id, state]),
          [[locked.id, "running"]]
        )
        yield* end("committed")
        const { busy, fenced } = yield* finish
        assert.deepStrictEqual({ busy: busy ?? [], fenced }, { busy: [], fenced: [] })
        const after = yield* store.getRuns({ ids })
        assert.isTrue(after.unfinished.every(({ state }) => state === "pending"))
        assert.lengthOf(after.ended, report(runs[0]!)._tag === "End" ? 4 : 3)
      }).pipe(Effect.scoped)
    )
  }

  it.live("holds up nothing of a schedule that is gone", () =>
    Effect.gen(function* () {
      const { store } = yield* storeOn(yield* newPrefix)
      yield* store.enqueue(enqueued(runOf(waiting, { settles: true })))
      const { runs } = yield* store.claim({ now: t0, node: "n", limit: 10, jobs, queues: {} })
      const { busy, fenced } = yield* store.finish({
        now: t0,
        node: "n",
        reports: runs.map(success),
        transition: nothing
      })
      assert.deepStrictEqual({ busy: busy ?? [], fenced }, { busy: [], fenced: [] })
    }).pipe(Effect.scoped)
  )

  it.live("holds up the reaper and the janitor for what it has locked alone", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* storeOn(yield* newPrefix)
      const other = schedule("other", { state: "waiting", nextAt: null })
      yield* put(store, waiting, other)
      yield* store.enqueue(enqueued(run(), runOf(waiting, { settles: true }), runOf(other, { settles: true })))
      // Of a node that was never there.
      const { runs } = yield* store.claim({ now: t0, node: "dead", limit: 10, jobs, queues: {} })
      assert.lengthOf(runs, 3)
      const reap = Effect.map(
        store.reap({ now: t0, node: "n", recovery: () => undefined, limit: 10, transition: nothing }),
        ({ lost }) => lost.map((each) => each.scheduleId)
      )
      const maintain = Effect.map(
        store.maintain({
          now: t0,
          retention: { succeeded: 1e12, others: 1e12, exhausted: 1e12, keys: 1e12 },
          limit: 10,
          version: 1,
          triggers: [],
          zoneData: "2026a",
          transition: (_, view) => changeTo({ ...view!.schedule, state: "active", nextAt: t0 + 1e9 })
        }),
        ({ applied }) => applied.map(({ id }) => id)
      )
      const end = yield* leftOpen(sql, pause(store, waiting.id))
      assert.sameMembers(yield* reap, [null, "other"])
      assert.sameMembers(yield* maintain, ["other"])
      yield* end("undone")
      assert.deepStrictEqual(yield* reap, ["waiting"])
      assert.deepStrictEqual(yield* maintain, ["waiting"])
    }).pipe(Effect.scoped)
  )

  it.live("holds up claims for what it has locked alone: jobs of one limit, and those of a queue", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { sql, store } = yield* storeOn(prefix)
      const claimable = [
        { name: "limited", queue: "default", concurrency: 1 },
        { name: "queued", queue: "narrow" },
        { name: "keyed", queue: "default" },
        { name: "free", queue: "default" }
      ]
      const claim = Effect.map(
        store.claim({ now: t0, node: "n", limit: 10, jobs: claimable, queues: { narrow: 5 } }),
        ({ runs }) => runs
      )
      /** Runs of all, those that can be claimed by now, and these end. */
      const around = Effect.gen(function* () {
        yield* store.enqueue(
          enqueued(...claimable.map(({ name }) => run({ job: name, key: name === "keyed" ? name : null })))
        )
        const runs = yield* claim
        yield* store.finish({ now: t0, node: "n", reports: runs.map(success), transition: nothing })
        return runs.map(({ job }) => job)
      })
      assert.sameMembers(yield* around, ["limited", "queued", "keyed", "free"])
      for (const name of ["job limited", "queue narrow", "key keyed"]) {
        const lock = sql.unsafe(`select 1 from ${prefix}limits where name = '${name}' for update`)
        const end = yield* leftOpen(sql, lock)
        const free = ["limited", "queued", "keyed", "free"].filter((job) => !name.includes(job.slice(0, 5)))
        assert.sameMembers(yield* around, name === "queue narrow" ? ["limited", "keyed", "free"] : free)
        yield* end("undone")
        // What was left.
        const { length } = yield* Effect.repeat(claim, { until: (runs) => runs.length > 0 })
        assert.strictEqual(length, 1)
        const held = yield* store.held({ node: "n" })
        yield* store.finish({ now: t0, node: "n", reports: held.map(success), transition: nothing })
      }
    }).pipe(Effect.scoped)
  )

  it.live("hides no run from a claim behind however many it has cancelled", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* storeOn(yield* newPrefix)
      const cancelled = Array.from({ length: 200 }, () => run())
      yield* store.enqueue(enqueued(...cancelled))
      const last = run({ priority: 3 })
      yield* store.enqueue(enqueued(last))
      const end = yield* leftOpen(
        sql,
        Effect.forEach(cancelled, ({ id }) => cancel(store, id), { discard: true })
      )
      const { runs } = yield* store.claim({ now: t0, node: "n", limit: 10, jobs, queues: {} })
      assert.deepStrictEqual(
        runs.map(({ id }) => id),
        [last.id]
      )
      yield* end("committed")
    }).pipe(Effect.scoped)
  )
})

it.live(
  "A process that stops in the middle of renewing its lease keeps its death from being noticed for a second",
  () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const isLocked = yield* Deferred.make<void>()
      const { store: stopped } = yield* storeOn(prefix, {
        // Its row is locked, and it never commits.
        between: (text, params, send) =>
          text.includes("with renewed")
            ? Effect.andThen(send(text, params), Effect.andThen(Deferred.succeed(isLocked, undefined), Effect.never))
            : send(text, params)
      })
      const { store } = yield* storeOn(prefix)
      const node = { node: "stopped", lease: 100, jobs: [], triggers: [] }
      yield* stopped.register({ ...node, now: t0, version: 1 })
      yield* Effect.forkChild(stopped.heartbeat({ ...node, now: t0 }))
      const reap = store.reap({ now: t0, node: "n", recovery: () => undefined, limit: 10, transition: nothing })
      yield* Deferred.await(isLocked)
      const later = yield* Effect.repeat(reap, {
        until: ({ dead }) => dead.length > 0,
        schedule: Schedule.spaced("100 millis")
      }).pipe(Effect.timeout("4 seconds"))
      assert.deepStrictEqual(later.dead, ["stopped"])
    }).pipe(Effect.scoped)
)
