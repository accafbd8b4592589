/** Nodes that come and go beside each other. */
import { assert } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { Trigger } from "effect-scheduler"
import { Tick, Work } from "./jobs.ts"
import { fault, type World } from "./kit.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const
const processes = ["sqlite", "postgres"] as const
const without = { memory: "its runs live and die with its process" }

const began = (world: World, what: string, count: number) =>
  world.until(what, Effect.sync(world.begun), (n) => n >= count)

fault(
  47,
  "two nodes with the same name and configuration",
  {
    on: everywhere,
    shared: true,
    injected: {
      memory: "two schedulers built from the same options; one of them stops",
      sqlite: "a process and a node of another one with the same options; the first is killed",
      postgres: "a process and a node of another one with the same options; the first is killed"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const client = yield* world.client
      if (world.name === "memory") {
        const jobs = Work.toLayer(() => Effect.andThen(world.executing, Effect.sleep(300)))
        const options = { jobs, origin: "app", maxRunning: 1 }
        const [a, b] = [yield* world.node(options), yield* world.node(options)]
        assert.notStrictEqual(yield* a.scheduler.node, yield* b.scheduler.node)
        const ids = yield* client.enqueueAll(Work, [{ deed: { _tag: "End" } }, { deed: { _tag: "End" } }])
        yield* began(world, "both run", 2)
        yield* a.stop
        for (const id of ids) assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", recoveries: 0 })
        assert.deepStrictEqual(b.only("NodeFenced"), [])
        assert.strictEqual(b.only("RunReleased").length, 0)
        world.mustEnd(...ids)
        return "each had an id of its own; the other went on with its own run"
      }
      const options = { origin: "app", maxRunning: 1 }
      const a = yield* world.worker({ ...options, jobs: ["Work"] })
      const taken = yield* client.enqueue(Work, { deed: { _tag: "Sleep", millis: 60_000 } })
      yield* began(world, "the first runs one", 1)
      const sleep = Effect.andThen(world.executing, Effect.sleep(2_000))
      const b = yield* world.node({ ...options, jobs: Work.toLayer(() => sleep) })
      const nodeOfB = yield* b.scheduler.node
      assert.notStrictEqual(a.of("Ready")[0]!.node, nodeOfB)
      const mine = yield* client.enqueue(Work, { deed: { _tag: "End" } })
      yield* began(world, "both run", 2)
      yield* a.signal("SIGKILL")
      assert.deepInclude(yield* world.ended(mine), { outcome: "succeeded", attempt: 1, recoveries: 0, node: nodeOfB })
      assert.deepInclude(yield* world.ended(taken), { outcome: "succeeded", attempt: 2, recoveries: 1, node: nodeOfB })
      world.mustEnd(mine, taken)
      return "each had an id of its own; the run of the dead one was taken back, that of the other was not touched"
    })
)

fault(
  48,
  "a node's row is deleted before its runs are taken back",
  { on: everywhere, shared: true, injected: "the row of a node that runs something, removed from the store" },
  (world) =>
    Effect.gen(function* () {
      let interrupted = 0
      const first = Work.toLayer(() =>
        Effect.andThen(
          world.executing,
          Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
        )
      )
      const a = yield* world.node({ jobs: first })
      const old = yield* a.scheduler.node
      const id = yield* a.scheduler.enqueue(Work, { deed: { _tag: "Never" } })
      yield* began(world, "it runs", 1)
      yield* a.scheduler.pauseAll
      const b = yield* world.node({ jobs: Work.toLayer(() => Effect.asVoid(world.executing)) })
      yield* world.store.leave({ node: old })
      const run = yield* world.ended(id)
      assert.deepInclude(run, { outcome: "succeeded", attempt: 2, recoveries: 1, node: yield* b.scheduler.node })
      yield* world.until(
        "the first learns of it",
        Effect.sync(() => a.only("NodeFenced").length),
        (count) => count === 1
      )
      assert.strictEqual(interrupted, 1)
      assert.notStrictEqual(yield* a.scheduler.node, old)
      world.mustEnd(id)
      return "its run was taken back all the same and succeeded elsewhere; the node itself was told that it was fenced and went on under a new id"
    })
)

const period = 500

fault(
  49,
  "a node dies at the boundary of a tick",
  { on: processes, without, injected: "SIGKILL of one of two nodes within the last 50 ms before a nominal time" },
  (world) =>
    Effect.gen(function* () {
      const worker = yield* world.worker({ jobs: ["Tick"] })
      const node = yield* world.node({ jobs: Tick.toLayer(() => Effect.asVoid(world.executing)) })
      const client = yield* world.client
      yield* client.schedule(Tick, { id: "tick", trigger: Trigger.every(period), overlap: "allow" })
      const row = Effect.map(world.store.getSchedules({ ids: ["tick"] }), (rows) => rows[0]!)
      const { anchor } = yield* row
      const worked = Effect.sync(() => worker.of("Began").length > 0 && world.executions.length > 0)
      yield* world.until("both have worked", worked, (both) => both)
      const late = (now: number) => (now - anchor) % period
      const boundary = Effect.map(Clock.currentTimeMillis, late)
      yield* Effect.repeat(Effect.andThen(Effect.sleep(1), boundary), { until: (at) => at >= period - 50 })
      const before = (yield* row).counts.fired
      yield* worker.signal("SIGKILL")
      yield* world.until("the other goes on", row, ({ counts }) => counts.fired >= before + 4)
      yield* client.pause("tick")
      const { counts, firstWatermark, watermark } = yield* row
      const times = Trigger.count(Trigger.anchor(Trigger.every(period), anchor), firstWatermark, watermark)
      assert.strictEqual(counts.fired + counts.missed + counts.skipped + counts.dropped + counts.paused, times)
      assert.strictEqual(counts.skipped + counts.dropped, 0)
      yield* world.until(
        "nothing is left",
        world.store.listRuns({ filter: {}, limit: 1 }),
        (page) => page.items.length === 0
      )
      const { items } = yield* world.store.history({ filter: { scheduleId: "tick" }, limit: 1_000 })
      const nominals = items.filter((each) => each._tag === "Run").map((run) => run.nominal)
      assert.strictEqual(new Set(nominals).size, counts.fired)
      assert.strictEqual(nominals.length, counts.fired)
      yield* world.measured(`${times} times, ${counts.fired} fired, ${node.only("RunRecovered").length} recovered`)
      return "each nominal time was decided once, by whichever node was there; no time has two runs"
    })
)

fault(
  67,
  "a run that ends its process each time, beside 50 others",
  {
    on: processes,
    without,
    injected:
      "process.exit in the handler of one of 51 runs that a process has claimed together; it is started again whenever it ends"
  },
  (world) =>
    Effect.gen(function* () {
      const recoveryDelays = [0, "500 millis", "500 millis", "500 millis"] as const
      const client = yield* world.client
      const others = yield* client.enqueueAll(Tick, Array.from({ length: 50 }))
      const poison = yield* client.enqueue(Work, { deed: { _tag: "Exit" } })
      for (let death = 1; death <= 5; death++) {
        const worker = yield* world.worker({ jobs: ["Work", "Tick"], recoveryDelays })
        assert.strictEqual(yield* worker.end, 7)
        // The first death takes all of them; from then on there is another node beside those that die.
        if (death > 1) continue
        const { items } = yield* world.store.listRuns({ filter: { state: "running" }, limit: 100 })
        assert.strictEqual(items.length, 51)
        yield* world.node({ jobs: Tick.toLayer(() => Effect.asVoid(world.executing)), recoveryDelays })
      }
      assert.deepInclude(yield* world.ended(poison), { outcome: "lost", attempt: 5, recoveries: 4 })
      const rows = yield* Effect.forEach(others, world.ended)
      for (const row of rows) assert.strictEqual(row.outcome, "succeeded")
      assert.isAtLeast(Math.min(...rows.map((row) => row.recoveries)), 1)
      yield* world.measured(
        `the others were taken back at most ${Math.max(...rows.map((row) => row.recoveries))} times`
      )
      world.mustEnd(poison, ...others)
      return "all were taken back; from the second recovery on they came back apart: the one ended as lost after its recoveries, the 50 others succeeded"
    })
)
