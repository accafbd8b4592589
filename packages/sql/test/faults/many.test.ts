/** Many rows at once. */
import { randomUUID } from "node:crypto"
import { DatabaseSync } from "node:sqlite"
import { assert } from "@effect/vitest"
import { Context, Deferred, Effect, Layer } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import type { JobStoreService, Transition } from "effect-scheduler/JobStore"
import { SqlClient } from "effect/sql"
import { changeTo, run as anyRun, schedule, success } from "../support.ts"
import { fault, type World } from "./kit.ts"
import { client as postgres } from "./layers.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const

const batch = 1_000

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

let made = 0

/** A run whose id comes after those made before, as the ids of a scheduler do. */
const run = (fields: Partial<RunRecord>): RunRecord =>
  anyRun({ id: `018f0000-0000-7000-8000-${(++made).toString(16).padStart(12, "0")}`, ...fields })

/** Stores schedules as they are given, in batches. */
const put = (store: JobStoreService, count: number, row: (n: number) => ScheduleRecord) =>
  Effect.forEach(
    numbers(Math.ceil(count / batch)),
    (part) => {
      const rows = numbers(Math.min(batch, count - part * batch)).map((n) => row(part * batch + n))
      const byId = new Map(rows.map((each) => [each.id, each]))
      return store.modify({ now: Date.now(), ids: [...byId.keys()], transition: (id) => changeTo(byId.get(id)!) })
    },
    { discard: true }
  )

const enqueue = (store: JobStoreService, count: number, row: (n: number) => RunRecord) =>
  Effect.forEach(
    numbers(Math.ceil(count / batch)),
    (part) =>
      store.enqueue({
        now: Date.now(),
        runs: numbers(Math.min(batch, count - part * batch)).map((n) => ({ run: row(part * batch + n), unique: null }))
      }),
    { discard: true }
  )

/** Fires a schedule's one time, and that is all. */
const once: Transition = (_, view) => {
  const row = view!.schedule
  const made = run({
    scheduleId: row.id,
    generation: row.generation,
    nominal: row.nextAt,
    cause: "nominal",
    runAt: row.nextAt!
  })
  const counts = { ...row.counts, fired: row.counts.fired + 1 }
  return {
    ...changeTo({ ...row, state: "exhausted", watermark: row.nextAt!, nextAt: null, counts }),
    runs: [made]
  }
}

const dueAt = (id: string, at: number, fields: Partial<ScheduleRecord> = {}) =>
  schedule(id, {
    anchor: at,
    firstWatermark: at - 1,
    watermark: at - 1,
    nextAt: at,
    createdAt: at,
    updatedAt: at,
    ...fields
  })

fault(
  38,
  "a herd of schedules is due at one instant",
  {
    on: everywhere,
    alone: true,
    injected:
      "10,000 schedules of one instant, a few due before and after it, and a run of priority 0 that comes meanwhile (50,000 in the benchmark, 1,000,000 in its full length)"
  },
  (world) =>
    Effect.gen(function* () {
      const { store } = world
      const herd = 10_000
      const at = Date.now() - 60_000
      const begin = performance.now()
      yield* put(store, 10, (n) => dueAt(`z before ${n}`, at - 1))
      yield* put(store, herd, (n) => dueAt(`m ${String(n).padStart(6, "0")}`, at))
      yield* put(store, 10, (n) => dueAt(`a after ${n}`, at + 1))
      const stored = performance.now()
      const fired: Array<string> = []
      const node = randomUUID()
      let most = 0
      let memory = 0
      for (let full = true; full;) {
        const answer = yield* store.fire({ now: Date.now(), limit: batch, version: 1, triggers: [], transition: once })
        full = answer.full
        most = Math.max(most, answer.applied.length)
        fired.push(...answer.applied.map((each) => each.id))
        memory = Math.max(memory, process.memoryUsage().heapUsed)
        if (fired.length !== 5 * batch) continue
        const urgent = run({ job: "urgent", priority: 0, runAt: at + 1 })
        yield* enqueue(store, 1, () => urgent)
        const jobs = ["job", "urgent"].map((name) => ({ name, queue: "default" }))
        const claimed = yield* store.claim({ now: Date.now(), node, limit: 1, jobs, queues: {} })
        assert.deepStrictEqual(
          claimed.runs.map((each) => each.id),
          [urgent.id],
          "what is urgent does not wait for the herd"
        )
        yield* store.finish({ now: Date.now(), node, reports: claimed.runs.map(success), transition: () => undefined })
      }
      const done = performance.now()
      assert.isAtMost(most, batch)
      assert.strictEqual(fired.length, herd + 20)
      assert.strictEqual(new Set(fired).size, fired.length)
      assert.isTrue(fired.slice(0, 10).every((id) => id.startsWith("z before")))
      assert.isTrue(fired.slice(-10).every((id) => id.startsWith("a after")))
      yield* world.measured(
        `stored in ${Math.round(stored - begin)} ms, fired in ${Math.round(done - stored)} ms, heap at most ${Math.round(memory / (1 << 20))} MiB`
      )
      return "fired in batches of at most 1,000, each once, in the order of their times; a run of priority 0 that came meanwhile was claimed first"
    })
)

/** One run through its life at the port, and how long its claim took. */
const cycle = Effect.fnUntraced(function* (
  store: JobStoreService,
  node: string,
  jobs: Parameters<JobStoreService["claim"]>[0]["jobs"]
) {
  const mine = run({ runAt: Date.now() - 1_000 })
  yield* enqueue(store, 1, () => mine)
  const begin = performance.now()
  const { runs } = yield* store.claim({ now: Date.now(), node, limit: 10, jobs, queues: {} })
  const millis = performance.now() - begin
  assert.deepStrictEqual(
    runs.map((each) => each.id),
    [mine.id]
  )
  yield* store.finish({ now: Date.now(), node, reports: runs.map(success), transition: () => undefined })
  return millis
})

const jobs = [{ name: "job", queue: "default" }]

/** The middle of the times that claims took in so many cycles. */
const claims = (store: JobStoreService, node: string, known = jobs) =>
  Effect.map(
    Effect.forEach(numbers(21), () => cycle(store, node, known)),
    (millis) => `${millis.toSorted((a, b) => a - b)[10]!.toFixed(1)} ms`
  )

/** Thousands of runs from enqueue to history, in batches. */
const through = (store: JobStoreService, node: string, thousands: number) =>
  Effect.forEach(
    numbers(thousands),
    Effect.fnUntraced(function* () {
      yield* enqueue(store, batch, () => run({ runAt: Date.now() - 1_000 }))
      const { runs } = yield* store.claim({ now: Date.now(), node, limit: batch, jobs, queues: {} })
      assert.strictEqual(runs.length, batch)
      yield* store.finish({ now: Date.now(), node, reports: runs.map(success), transition: () => undefined })
    }),
    { discard: true }
  )

/** A transaction that has read and stays open until the scope closes. */
const openSnapshot = ({ place }: World) =>
  place.kind === "sqlite"
    ? Effect.acquireRelease(
        Effect.sync(() => {
          const db = new DatabaseSync(place.filename)
          db.exec("begin; select count(*) from scheduler_runs")
          return db
        }),
        (db) => Effect.sync(() => db.close())
      )
    : Effect.gen(function* () {
        const context = yield* Layer.build(postgres(place))
        const sql = Context.get(context, SqlClient.SqlClient)
        const isOpen = yield* Deferred.make<void>()
        const transaction = Effect.gen(function* () {
          yield* sql`set transaction isolation level repeatable read`
          yield* sql`select 1 from pg_class limit 1`
          yield* Deferred.succeed(isOpen, undefined)
          return yield* Effect.never
        })
        yield* Effect.forkScoped(sql.withTransaction(transaction))
        yield* Deferred.await(isOpen)
      })

fault(
  37,
  "a transaction that is left open pins what vacuum would remove",
  {
    on: ["sqlite", "postgres"],
    own: "database",
    alone: true,
    without: { memory: "keeps no old versions" },
    injected: {
      sqlite: "a read transaction of another connection left open, which keeps the log from being cut, over 5,000 runs",
      postgres: "a REPEATABLE READ transaction left open over 5,000 runs (the pages read are measured in the benchmark)"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const { store } = world
      const node = randomUUID()
      const before = yield* claims(store, node)
      yield* openSnapshot(world)
      yield* through(store, node, 5)
      const after = yield* claims(store, node)
      // Later than all others by its own time: no lower bound of a search may pass it over for long.
      const late = run({ runAt: 1 })
      yield* enqueue(store, 1, () => late)
      yield* world.until(
        "a run of long ago is claimed",
        store.claim({ now: Date.now(), node, limit: 1, jobs, queues: {} }),
        ({ runs }) => runs[0]?.id === late.id
      )
      yield* world.measured(`a claim took ${before} before, ${after} with 5,000 dead rows that are pinned`)
      return "all runs went through, and a run whose time was long ago was found too"
    })
)

fault(
  51,
  "retention deletes a long history",
  {
    on: everywhere,
    alone: true,
    injected: "10,000 rows of history past their retention, 1,000 a call, with a claim after each call"
  },
  (world) =>
    Effect.gen(function* () {
      const { store } = world
      const node = randomUUID()
      yield* through(store, node, 10)
      const before = yield* claims(store, node)
      const retention = { succeeded: 0, others: 1e12, exhausted: 1e12, keys: 1e12 }
      const params = { limit: batch, version: 1, triggers: [], zoneData: "2026a", transition: () => undefined }
      const between: Array<number> = []
      let deleted = 0
      while (deleted < 10_000) {
        const answer = yield* store.maintain({ now: Date.now(), retention, ...params })
        assert.isAtMost(answer.deleted, batch)
        deleted += answer.deleted
        between.push(yield* cycle(store, node, jobs))
      }
      assert.isAtLeast(between.length, 10)
      yield* world.measured(
        `a claim took ${before} before, at most ${Math.max(...between).toFixed(1)} ms between the deletions`
      )
      return "each call deleted at most its limit, and the claim after each found its run"
    })
)

fault(
  62,
  "rows that this node must leave stand at the head of every queue",
  {
    on: everywhere,
    alone: true,
    injected:
      "1,000 schedules of a newer version, and 5,000 runs each of an unknown job, of a job at its limit and of one busy key"
  },
  (world) =>
    Effect.gen(function* () {
      const { store } = world
      const node = randomUUID()
      const known = [...jobs, { name: "full", queue: "default", concurrency: 1 }, { name: "keyed", queue: "default" }]
      const before = yield* claims(store, node, known)
      const crowd = 5_000
      yield* put(store, 1_000, (n) => dueAt(`new ${n}`, 1_000, { version: 99 }))
      const head = { runAt: 1_000 }
      yield* enqueue(store, 2, (n) => run(n === 0 ? { ...head, job: "full" } : { ...head, job: "keyed", key: "busy" }))
      const claim = (limit: number) => store.claim({ now: Date.now(), node, limit, jobs: known, queues: {} })
      assert.strictEqual((yield* claim(10)).runs.length, 2, "the slot and the key are taken")
      yield* enqueue(store, crowd, () => run({ ...head, job: "unknown" }))
      yield* enqueue(store, crowd, () => run({ ...head, job: "full" }))
      yield* enqueue(store, crowd, () => run({ ...head, job: "keyed", key: "busy" }))
      const free = run({ runAt: 2_000, job: "keyed", key: "free" })
      yield* enqueue(store, 1, () => free)

      yield* put(store, 1, () => dueAt("other", 2_000))
      const fired = yield* store.fire({ now: Date.now(), limit: batch, version: 1, triggers: [], transition: once })
      assert.deepStrictEqual(
        fired.applied.map((each) => each.id),
        ["other"]
      )
      // Each claim puts some of the busy key aside, and takes what is free beside them at once.
      const first = (yield* claim(10)).runs.map((each) => each.id)
      const [other] = fired.applied[0]!.change.runs
      assert.include(first, other!.id)
      const look = Effect.map(claim(10), ({ runs }) => void first.push(...runs.map((each) => each.id)))
      yield* world.until("the free key is reached", look, () => first.includes(free.id))
      assert.deepStrictEqual(first.toSorted(), [other!.id, free.id].toSorted(), "and nothing else is claimed")
      const after = yield* claims(store, node, known)
      yield* world.measured(`a claim took ${before} before, ${after} behind ${3 * crowd} runs`)
      const { items } = yield* store.listSchedules({ filter: { prefix: "new " }, limit: batch })
      assert.isTrue(items.every((row) => row.version === 99 && row.state === "active" && row.watermark === 999))
      const wake = yield* store.wake({ now: Date.now(), version: 1, triggers: [], jobs: known, queues: {} })
      assert.deepStrictEqual([wake.schedules, wake.runs], [undefined, undefined], "nothing of it keeps a node awake")
      return "the other schedule fired and its run was claimed by the first call; the free key behind the busy one was reached; the newer rows were left as they were, and a node may sleep"
    })
)
