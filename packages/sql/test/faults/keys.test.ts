/** Many clients that want the same key at once. */
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Job } from "effect-scheduler"
import { Tick } from "./jobs.ts"
import { fault } from "./kit.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const

fault(
  54,
  "100 concurrent enqueues with one idempotency key",
  { on: everywhere, shared: true, injected: "100 calls at once from four clients" },
  (world) =>
    Effect.gen(function* () {
      const clients = yield* Effect.forEach([1, 2, 3, 4], () => world.node({ storeTimeout: "20 seconds" }))
      const ids = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, n) => clients[n % 4]!),
        ({ scheduler }) => scheduler.enqueue(Tick, undefined, { idempotencyKey: "one" }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(ids).size, 1)
      const pending = yield* world.store.listRuns({ filter: {}, limit: 10 })
      assert.deepStrictEqual(
        pending.items.map((run) => run.id),
        [ids[0]!]
      )
      const worker = yield* world.node({ jobs: Tick.toLayer(() => Effect.asVoid(world.executing)) })
      assert.strictEqual((yield* world.ended(ids[0]!)).outcome, "succeeded")
      assert.strictEqual(yield* worker.scheduler.enqueue(Tick, undefined, { idempotencyKey: "one" }), ids[0])
      assert.strictEqual(world.executionsOf(ids[0]!), 1)
      const told = clients.flatMap((client) => client.only("RunCreated"))
      assert.strictEqual(told.length, 1, "one client made it")
      world.mustEnd(ids[0]!)
      return "one run; all 100 calls were answered its id, and so was one after its end; it was executed once"
    })
)

class Turn extends Job.make("Turn", { payload: { key: Schema.String }, key: ({ key }) => key }) {}

fault(
  55,
  "four nodes race for the runs of few concurrency keys",
  {
    on: everywhere,
    shared: true,
    injected: "90 runs of three keys, enqueued at once, for four nodes with 10 slots each"
  },
  (world) =>
    Effect.gen(function* () {
      const running = new Map<string, number>()
      const most = new Map<string, number>()
      const add = (key: string, n: number) =>
        Effect.sync(() => {
          const now = (running.get(key) ?? 0) + n
          running.set(key, now)
          most.set(key, Math.max(most.get(key) ?? 0, now))
        })
      const turn = Turn.toLayer(({ key }) =>
        Effect.andThen(
          world.executing,
          Effect.acquireUseRelease(
            add(key, 1),
            () => Effect.sleep(1),
            () => add(key, -1)
          )
        )
      )
      const nodes = yield* Effect.forEach([1, 2, 3, 4], () => world.node({ jobs: turn, maxRunning: 10 }))
      const payloads = Array.from({ length: 90 }, (_, n) => ({ key: `k${n % 3}` }))
      const ids = yield* nodes[0]!.scheduler.enqueueAll(Turn, payloads)
      yield* Effect.forEach(ids, world.ended)
      assert.deepStrictEqual(
        [...most.entries()].toSorted(),
        ["k0", "k1", "k2"].map((key) => [key, 1])
      )
      assert.strictEqual(world.executions.length, ids.length)
      for (const node of nodes) {
        const errors = node.only("StoreDegraded").filter((event) => event.reason !== "Timeout")
        assert.deepStrictEqual(errors, [], "a machine may be slow, but nobody is told of a constraint or a deadlock")
        assert.deepStrictEqual(node.only("FiberRestarted"), [])
      }
      world.mustEnd(...ids)
      return "never two runs of a key at once; each was executed once, and no node met a constraint, a conflict or a deadlock"
    })
)
