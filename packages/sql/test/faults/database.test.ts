/** What happens to the database as a whole: another version of its schema, a backup put back, an outage. */
import { execFileSync } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Schedule } from "effect"
import { Trigger } from "effect-scheduler"
import { JobStore, JobStoreError } from "effect-scheduler/JobStore"
import { FaultyStore, Invariants } from "effect-scheduler/testing"
import { SqliteClient, SqlJobStore } from "../../src/index.ts"
import { folder, reasonOf } from "../support.ts"
import { Tick, Work } from "./jobs.ts"
import { fault, instead, type Node, type World } from "./kit.ts"
import { client as postgres, open } from "./layers.ts"

const databases = ["sqlite", "postgres"] as const

/** What a node that makes no tables finds behind a prefix. */
const openUnmigrated = (world: World, prefix: string) =>
  Effect.scoped(
    Layer.build(
      world.place.kind === "sqlite"
        ? SqlJobStore.layerStorage({ prefix }).pipe(Layer.provide(SqliteClient.layer({ filename: world.filename })))
        : SqlJobStore.layerStorage({ prefix }).pipe(Layer.provide(postgres(world.place)))
    )
  ).pipe(Effect.catchTag("SqlError", Effect.die))

const openAgain = (world: World) =>
  Effect.scoped(Layer.build(open(world.place))).pipe(Effect.catchTag("SqlError", Effect.die))

fault(
  50,
  "the schema is migrated while old nodes run",
  {
    on: databases,
    without: { memory: "has no schema" },
    injected:
      "a next version made by the test, beside a node: first a column more, then a step that takes something away"
  },
  (world) =>
    Effect.gen(function* () {
      const tick = Tick.toLayer(() => Effect.asVoid(world.executing))
      const node = yield* world.node({ jobs: tick })
      yield* world.sql((table) => `alter table ${table("runs")} add column note text`)
      yield* world.sql((table) => `insert into ${table("migrations")} (migration_id, name) values (2, 'expand_next')`)
      const ids = yield* node.scheduler.enqueueAll(Tick, Array.from({ length: 100 }))
      for (const id of ids) assert.strictEqual((yield* world.ended(id)).outcome, "succeeded")
      const another = yield* world.node({ jobs: tick })
      yield* node.stop
      const later = yield* another.scheduler.enqueue(Tick)
      assert.strictEqual((yield* world.ended(later)).outcome, "succeeded")
      yield* world.sql((table) => `insert into ${table("migrations")} (migration_id, name) values (3, 'contract_next')`)
      const newer = yield* reasonOf(openAgain(world))
      assert.strictEqual(newer.reason, "SchemaNewer")
      assert.include(newer.message, "use a newer release")
      const last = yield* another.scheduler.enqueue(Tick)
      assert.strictEqual((yield* world.ended(last)).outcome, "succeeded")
      const older = yield* reasonOf(openUnmigrated(world, "older_"))
      assert.strictEqual(older.reason, "SchemaMissing")
      assert.include(older.message, "run the migrations")
      world.mustEnd(...ids, later, last)
      return "a node of today ran a hundred runs beside what was added, and another one started there; beside what takes something away none starts (SchemaNewer); one that may not migrate does not start on an older schema (SchemaMissing)"
    })
)

/** The connections of the test's own client were cut too. */
const patient = <A>(call: Effect.Effect<A, JobStoreError>) =>
  Effect.orDie(Effect.retry(call, { while: (error) => error.isRetryable, schedule: Schedule.spaced("50 millis") }))

const firedAfter = (world: Pick<World, "until">, store: JobStore["Service"], count: number) =>
  world.until("it has fired", patient(store.getSchedules({ ids: ["tick"] })), (rows) => rows[0]!.counts.fired >= count)

/** The runs of a state, each with its nominal time. */
const runsOf = (state: Invariants.Dump): ReadonlyMap<string, number> =>
  new Map(
    [...state.runs, ...state.history.filter((row) => row._tag === "Run")].map((run) => [run.id, run.nominal!] as const)
  )

/** Puts an earlier state of the database back. `later` happens between the backup and its return. */
const restored = Effect.fnUntraced(function* (world: World, later: Effect.Effect<unknown>) {
  if (world.place.kind === "sqlite") {
    const filename = join(yield* folder, "backup.db")
    yield* world.sql(() => `vacuum into '${filename}'`)
    yield* later
    return open({ ...world.place, filename })
  }
  const { server } = world
  const backup = join(server.data, "..", "backup")
  yield* Effect.promise(() => server.stop("fast"))
  execFileSync("cp", ["-a", server.data, backup])
  yield* Effect.promise(server.start)
  yield* later
  yield* Effect.promise(() => server.stop("immediate"))
  rmSync(server.data, { recursive: true })
  execFileSync("cp", ["-a", backup, server.data])
  yield* Effect.promise(server.start)
  return open(world.place)
})

fault(
  60,
  "the database is restored from a backup",
  {
    on: databases,
    without: { memory: "has no backup" },
    own: "server",
    injected: {
      sqlite: "a copy of the file, opened in place of the file that had gone on",
      postgres: "the data folder copied, and put back under a running node after it had gone on"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const tick = Tick.toLayer(() => Effect.void)
      const node = yield* world.node({ jobs: tick })
      const all = { run: "all", limit: 1_000 } as const
      const trigger = Trigger.every("100 millis")
      yield* node.scheduler.schedule(Tick, { id: "tick", trigger, missed: all, overlap: "allow" })
      yield* firedAfter(world, world.store, 3)
      const previous = yield* Invariants.dump(world.store)
      let gone = previous
      const later = Effect.gen(function* () {
        const rows = yield* firedAfter(world, world.store, 0)
        yield* firedAfter(world, world.store, rows[0]!.counts.fired + 5)
        gone = yield* patient(Invariants.dump(world.store))
      })
      const layer = yield* restored(world, later)
      const store = Context.get(yield* Effect.orDie(Layer.build(layer)), JobStore)
      if (world.name === "sqlite") {
        yield* node.stop
        yield* world.node({ jobs: tick, store: layer })
      }
      const newest = Math.max(...runsOf(gone).values())
      yield* world.until(
        "it has come as far again",
        patient(store.getSchedules({ ids: ["tick"] })),
        (rows) => rows[0]!.watermark > newest
      )
      const client = yield* world.node({ store: layer })
      yield* client.scheduler.pause("tick")
      const after = yield* world.until(
        "nothing is unfinished",
        patient(Invariants.dump(store)),
        ({ runs }) => runs.length === 0
      )
      assert.deepStrictEqual(Invariants.violations(after, { previous, wholeHistory: true }), [])
      const lost = [...runsOf(gone)].filter(([id]) => !runsOf(after).has(id))
      assert.isAbove(lost.length, 0)
      const again = new Set(runsOf(after).values())
      assert.isTrue(lost.every(([, nominal]) => again.has(nominal)))
      yield* world.measured(`${lost.length} runs were lost, and their nominal times fired again`)
      return "the nominal times that the backup had not seen fired again, with new runs; no node fell, and the watermark only rose from there"
    })
)

const refuse = (method: FaultyStore.Method) =>
  new JobStoreError({ reason: "Unavailable", method, message: "the test has cut it off" })

/** Lets no call through to the database while it is gone. */
const gate = () => {
  let isGone = false
  const over: NonNullable<Parameters<World["node"]>[0]>["over"] = (store) =>
    FaultyStore.methods.reduce(
      (below, method) =>
        method === "nodes"
          ? below
          : instead({
              [method]: (call: (params: object) => Effect.Effect<unknown, JobStoreError>) => (params: object) =>
                Effect.suspend(() => (isGone ? Effect.fail(refuse(method)) : call(params)))
            })(below),
      store
    )
  const set = (gone: boolean) =>
    Effect.sync(() => {
      isGone = gone
    })
  return { over, set }
}

/** Keeps the database away for so long. */
const outage = Effect.fnUntraced(function* (world: World, set: (gone: boolean) => Effect.Effect<void>, millis: number) {
  switch (world.name) {
    case "memory":
      yield* set(true)
      yield* Effect.sleep(millis)
      return yield* set(false)
    case "sqlite": {
      const db = new DatabaseSync(world.filename, { timeout: 5_000 })
      db.exec("begin immediate")
      yield* Effect.sleep(millis)
      db.exec("rollback")
      return db.close()
    }
    case "postgres":
      yield* Effect.promise(() => world.server.stop("fast"))
      yield* Effect.sleep(millis)
      return yield* Effect.promise(world.server.start)
  }
})

fault(
  61,
  "the store is away for three leases while 100 runs are in progress",
  {
    on: ["memory", "sqlite", "postgres"],
    shared: true,
    own: "server",
    injected: {
      memory: "every call of two nodes fails, for 3 s with a lease of 1 s",
      sqlite: "another process holds the write lock, for 3 s with a lease of 1 s",
      postgres: "the server stopped, for 3 s with a lease of 1 s, and started"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const { over, set } = gate()
      const end = yield* Deferred.make<void>()
      const jobs = Work.toLayer(({ deed }) =>
        Effect.andThen(world.executing, deed._tag === "End" ? Deferred.await(end) : Effect.sleep(2_000))
      )
      const options = { jobs, maxRunning: 50, ...(over === undefined ? {} : { over }) }
      const nodes: ReadonlyArray<Node> = [yield* world.node(options), yield* world.node(options)]
      const names = Effect.forEach(nodes, (node) => node.scheduler.node)
      const before = yield* names
      const deeds = Array.from({ length: 100 }, (_, n) =>
        n % 2 === 0 ? ({ _tag: "End" } as const) : ({ _tag: "Sleep", millis: 2_000 } as const)
      )
      const ids = yield* nodes[0]!.scheduler.enqueueAll(
        Work,
        deeds.map((deed) => ({ deed }))
      )
      yield* world.until(
        "all run",
        Effect.sync(() => world.executions.length),
        (count) => count === 100
      )
      yield* outage(world, set, 3_000)
      yield* Deferred.succeed(end, undefined)
      for (const id of ids) {
        assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1, failures: 0, recoveries: 0 })
      }
      assert.strictEqual(world.executions.length, 100)
      assert.deepStrictEqual(yield* names, before)
      for (const node of nodes) {
        assert.deepStrictEqual(node.only("NodeFenced"), [])
        assert.deepStrictEqual(node.only("NodeReaped"), [])
      }
      world.mustEnd(...ids)
      return "each was executed once, those that ended meanwhile were stored when it was back, and the nodes kept their ids"
    })
)
