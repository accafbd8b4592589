/** Processes that are killed at each point of a run's life. */
import { assert } from "@effect/vitest"
import { DateTime, Effect, Layer, type Scope } from "effect"
import { Trigger } from "effect-scheduler"
import type { Deed } from "./jobs.ts"
import { Tick, Work } from "./jobs.ts"
import { fault, isLocked, type Worker, type WorkerOptions, type World } from "./kit.ts"

const processes = ["sqlite", "postgres"] as const
const without = { memory: "its runs live and die with its process" }

const end = { _tag: "End" } as const

/** A worker that has come to a point with one run is killed there, and a node of this process takes the run over. */
const killedAt = (world: World, options: WorkerOptions, deed: typeof Deed.Type, comes: (worker: Worker) => boolean) =>
  Effect.gen(function* () {
    const worker = yield* world.worker(options)
    const client = yield* world.client
    const id = yield* client.enqueue(Work, { deed })
    const survivor = yield* world.node()
    yield* world.until(
      "the run is at the point",
      Effect.sync(() => comes(worker)),
      (is) => is
    )
    const dead = worker.of("Ready")[0]!.node
    yield* worker.signal("SIGKILL")
    const killed = performance.now()
    assert.strictEqual(yield* worker.end, "SIGKILL")
    yield* world.until(
      "the run is taken back",
      Effect.sync(() => survivor.only("RunRecovered")),
      (events) => events.length === 1
    )
    yield* world.measured(`taken back ${Math.round(performance.now() - killed)} ms after the kill`)
    assert.deepStrictEqual(
      survivor.only("NodeReaped").map((event) => event.dead),
      [dead]
    )
    yield* survivor.stop
    const node = yield* world.node({ jobs: Work.toLayer(() => Effect.asVoid(world.executing)) })
    const run = yield* world.ended(id)
    assert.deepInclude(run, { outcome: "succeeded", attempt: 2, failures: 0, recoveries: 1 })
    assert.strictEqual(run.node, yield* node.scheduler.node)
    world.mustEnd(id)
    return id
  })

fault(
  1,
  "kill -9 during a run",
  { on: processes, without, injected: "SIGKILL of a worker process whose handler sleeps" },
  (world) =>
    Effect.gen(function* () {
      const deed = { _tag: "Sleep", millis: 60_000 } as const
      const id = yield* killedAt(world, {}, deed, (worker) => worker.of("Began").length === 1)
      assert.strictEqual(world.executionsOf(id), 2)
      return "the node was marked dead and the run taken back as a recovery; attempt 2 succeeded on another node; in history once"
    })
)

fault(
  2,
  "kill -9 after the claim, before the handler starts",
  { on: processes, without, injected: "SIGKILL of a worker process that stopped dead when its claim was answered" },
  (world) =>
    Effect.gen(function* () {
      const options = { park: { method: "claim", when: "after" } } as const
      const id = yield* killedAt(world, options, end, (worker) => worker.of("Parked").length === 1)
      assert.strictEqual(world.executionsOf(id), 1)
      return "taken back as a recovery; attempt 2 succeeded elsewhere, and the handler ran once in all"
    })
)

fault(
  3,
  "kill -9 after the handler succeeded, before the end is stored",
  { on: processes, without, injected: "SIGKILL of a worker process that stopped dead before it sent its finish" },
  (world) =>
    Effect.gen(function* () {
      const options = { park: { method: "finish", when: "before" } } as const
      const id = yield* killedAt(world, options, end, (worker) => worker.of("Parked").length === 1)
      assert.strictEqual(world.executionsOf(id), 2)
      return "executed twice under the same run id, the second time as attempt 2; in history once"
    })
)

/** Has the insertion of a run last for ever, inside the statement or transaction that moved its schedule on. */
const holdInsertions = (world: World) =>
  world.name === "sqlite"
    ? Effect.gen(function* () {
        const tens = "json_each('[1,2,3,4,5,6,7,8,9,0]')"
        const sources = Array.from({ length: 14 }, (_, i) => `${tens} t${i}`).join(", ")
        const slow = `select count(*) from ${sources} where t0.value + t13.value > 100`
        yield* world.sql((t) => `create trigger held before insert on ${t("runs")} begin ${slow}; end`)
        return {
          isHeld: Effect.sync(() => isLocked(world.filename)),
          free: world.sql(() => "drop trigger held")
        }
      })
    : Effect.gen(function* () {
        const name = `${world.prefix}held`
        const body = "begin perform pg_sleep(3600); return new; end"
        yield* world.sql(() => `create function ${name}() returns trigger language plpgsql as '${body}'`)
        yield* world.sql(
          (t) => `create trigger held before insert on ${t("runs")} for each row execute function ${name}()`
        )
        const held = `wait_event = 'PgSleep' and query like '%${world.prefix}%'`
        return {
          isHeld: Effect.map(
            world.sql(() => `select pid from pg_stat_activity where ${held}`),
            (rows) => rows.length > 0
          ),
          // The backend of a dead client sleeps on: it would notice at its next answer.
          free: Effect.andThen(
            world.sql(() => `select pg_terminate_backend(pid) from pg_stat_activity where ${held}`),
            world.sql((t) => `drop trigger held on ${t("runs")}`)
          )
        }
      })

fault(
  4,
  "kill -9 between the schedule's move and the insertion of its run",
  {
    on: processes,
    without: { memory: "the two are one synchronous step" },
    injected: "a trigger before insert on the table of runs that never returns; SIGKILL of the process that waits in it"
  },
  (world) =>
    Effect.gen(function* () {
      const client = yield* world.client
      const at = DateTime.makeUnsafe(Date.now() - 1_000)
      yield* client.schedule(Tick, { id: "tick", trigger: Trigger.at(at) })
      const hold = yield* holdInsertions(world)
      const worker = yield* world.worker()
      yield* world.until("the insertion is held", hold.isHeld, (is) => is)
      yield* worker.signal("SIGKILL")
      yield* worker.end
      yield* hold.free
      const [row] = yield* world.store.getSchedules({ ids: ["tick"] })
      assert.deepInclude(row!, { state: "active", watermark: row!.firstWatermark })
      assert.deepStrictEqual((yield* world.store.listRuns({ filter: {}, limit: 9 })).items, [])

      const node = yield* world.node({ jobs: Tick.toLayer(() => Effect.asVoid(world.executing)) })
      const [created] = yield* world.until(
        "another node has fired it",
        Effect.sync(() => node.only("RunSucceeded")),
        (events) => events.length > 0
      )
      assert.strictEqual((yield* world.ended(created!.runId)).nominal, at.epochMilliseconds)
      world.mustEnd(created!.runId)
      const [fired] = yield* world.store.getSchedules({ ids: ["tick"] })
      assert.deepInclude(fired!, { state: "exhausted", watermark: at.epochMilliseconds })
      assert.strictEqual(fired!.counts.fired, 1)
      return "neither was stored; another node fired the time, and it ran once"
    })
)

fault(
  8,
  "two schedulers on one store, 10,000 due",
  {
    on: ["memory", ...processes],
    shared: true,
    injected: {
      memory: "2,000 due schedules and 8,000 due runs, two schedulers in one process",
      sqlite: "2,000 due schedules and 8,000 due runs, two processes",
      postgres: "2,000 due schedules and 8,000 due runs, two processes"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const client = yield* world.client
      const at = Trigger.at(DateTime.makeUnsafe(Date.now() - 1_000))
      const schedules = Array.from({ length: 2_000 }, (_, i) => ({ id: `s${i}`, trigger: at }))
      yield* client.scheduleAll(Tick, schedules)
      const ids = yield* client.enqueueAll(
        Work,
        Array.from({ length: 8_000 }, () => ({ deed: end }))
      )
      const both = Layer.merge(
        Tick.toLayer(() => Effect.asVoid(world.executing)),
        Work.toLayer(() => Effect.asVoid(world.executing))
      )
      // Nobody is to be taken for dead because the machine is busy.
      const lease = "15 seconds"
      const here = world.node({ jobs: both, lease })
      const other: Effect.Effect<unknown, never, Scope.Scope> =
        world.name === "memory" ? world.node({ jobs: both, lease }) : world.worker({ lease })
      yield* Effect.all([other, here], { concurrency: 2 })
      yield* world.until("nothing is left", world.store.listRuns({ filter: {}, limit: 1 }), (page) => {
        return page.items.length === 0 && world.begun() >= 10_000
      })
      world.mustEnd(...ids)
      assert.strictEqual(world.begun(), 10_000)
      const due = yield* world.store.listSchedules({ filter: { state: "active" }, limit: 1 })
      assert.deepStrictEqual(due.items, [])
      return "each schedule fired once, each run executed once, no attempt twice"
    })
)

fault(
  32,
  "a handler that ends its process, each time",
  { on: processes, without, injected: "process.exit in the handler; the process is started again by its supervisor" },
  (world) =>
    Effect.gen(function* () {
      const client = yield* world.client
      const id = yield* client.enqueue(Work, { deed: { _tag: "Exit" } })
      const reaper = yield* world.node({ recoveryDelays: [0] })
      for (let round = 1; round <= 2; round++) {
        const worker = yield* world.worker({ recoveryDelays: [0] })
        assert.strictEqual(yield* worker.end, 7)
      }
      const run = yield* world.ended(id)
      assert.deepInclude(run, { outcome: "lost", attempt: 2, recoveries: 1 })
      assert.strictEqual(reaper.only("RunLost").length, 1)
      const other = yield* client.enqueue(Tick)
      yield* world.node({ jobs: Tick.toLayer(() => Effect.asVoid(world.executing)) })
      assert.strictEqual((yield* world.ended(other)).outcome, "succeeded")
      assert.strictEqual(world.executionsOf(id), 2)
      world.mustEnd(id, other)
      return "each death counted as a recovery; after the last that is allowed it ended as lost, and the others lived on"
    })
)
