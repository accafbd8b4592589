/** Processes that stop and go on: frozen, blocked, or in the middle of a transaction. */
import { assert } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { Trigger } from "effect-scheduler"
import { type Deed, Tick, Work } from "./jobs.ts"
import { fault, isLocked, type Worker, type World } from "./kit.ts"

const processes = ["sqlite", "postgres"] as const
const without = { memory: "nobody else is there while its process stands still" }

/** A worker stands still with a run for longer than its lease, another node takes the run over, and the worker goes on. */
const stoodStill = (
  world: World,
  deed: typeof Deed.Type,
  stop: (worker: Worker) => Effect.Effect<void>,
  goOn: (worker: Worker) => Effect.Effect<void>
) =>
  Effect.gen(function* () {
    const worker = yield* world.worker({ jobs: ["Work"] })
    const before = worker.of("Ready")[0]!.node
    const client = yield* world.client
    const id = yield* client.enqueue(Work, { deed })
    yield* world.until(
      "the run has begun",
      Effect.sync(() => worker.of("Began").length),
      (count) => count === 1
    )
    yield* stop(worker)
    const other = yield* world.node({ jobs: Work.toLayer(() => Effect.asVoid(world.executing)) })
    const run = yield* world.ended(id)
    assert.deepInclude(run, { outcome: "succeeded", attempt: 2, recoveries: 1, node: yield* other.scheduler.node })
    assert.deepStrictEqual(
      other.only("NodeReaped").map((event) => event.dead),
      [before]
    )
    yield* other.stop
    yield* goOn(worker)
    const [fenced] = yield* world.until(
      "the worker knows that it was fenced",
      Effect.sync(() => worker.of("Event").flatMap(({ event }) => (event._tag === "NodeFenced" ? [event] : []))),
      (events) => events.length > 0
    )
    assert.notStrictEqual(fenced!.newNode, before)
    assert.deepStrictEqual(yield* world.ended(id), run)

    const next = yield* client.enqueue(Work, { deed: { _tag: "End" } })
    assert.deepInclude(yield* world.ended(next), { outcome: "succeeded", node: fenced!.newNode })
    assert.strictEqual(world.executionsOf(id), 2)
    world.mustEnd(id, next)
  })

/** A process that stands still holds what it holds: not so the lock of the file, which is fault 11. */
const freeze = (world: World, worker: Worker): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (;;) {
      yield* worker.signal("SIGSTOP")
      if (world.name !== "sqlite" || !isLocked(world.filename)) return
      yield* worker.signal("SIGCONT")
      yield* Effect.sleep("5 millis")
    }
  })

fault(
  9,
  "a process frozen longer than its lease, then going on",
  {
    on: processes,
    without,
    injected: "SIGSTOP of a worker process in the middle of a run, SIGCONT when another ended it"
  },
  (world) =>
    Effect.as(
      stoodStill(
        world,
        { _tag: "Sleep", millis: 2_000 },
        (worker) => freeze(world, worker),
        (worker) => worker.signal("SIGCONT")
      ),
      "another node took the run over and ended it; the old owner's renewal was refused: NodeFenced, a new node id, and history stayed as it was"
    )
)

fault(
  10,
  "an event loop blocked longer than the lease",
  { on: processes, without, injected: "a handler that blocks its thread for four leases" },
  (world) =>
    Effect.as(
      stoodStill(
        world,
        { _tag: "Block", millis: 4_000 },
        () => Effect.void,
        () => Effect.void
      ),
      "as fault 9, and the end of the blocking handler was refused. No warning comes before: what would warn is blocked too"
    )
)

fault(
  11,
  "a frozen process with an open transaction",
  {
    on: processes,
    without,
    injected: "SIGSTOP of a worker process that stopped dead within the transaction that fires a schedule"
  },
  (world) =>
    Effect.gen(function* () {
      const client = yield* world.client
      const at = Trigger.at(DateTime.makeUnsafe(Date.now() - 1_000))
      yield* client.schedule(Tick, { id: "held", trigger: at })
      const worker = yield* world.worker({ park: { method: "fire", when: "within" } })
      yield* world.until(
        "the worker is in its transaction",
        Effect.sync(() => worker.of("Parked").length),
        (count) => count === 1
      )
      yield* worker.signal("SIGSTOP")
      const node = yield* world.node({ jobs: Tick.toLayer(() => Effect.asVoid(world.executing)) })
      const run = world.until(
        "the schedule was fired",
        Effect.sync(() => node.only("RunSucceeded")),
        (events) => events.length === 1
      )
      if (world.name === "sqlite") {
        // The lock of a file is the process's for as long as it lives. Writers wait for it without blocking.
        yield* world.pass(1_500)
        assert.deepStrictEqual(node.only("RunCreated"), [])
        assert.deepStrictEqual(node.only("FiberRestarted"), [])
        yield* worker.signal("SIGKILL")
      }
      const begin = performance.now()
      world.mustEnd(...(yield* run).map((event) => event.runId))
      yield* world.measured(`fired by another node after ${Math.round(performance.now() - begin)} ms`)
      const [row] = yield* world.store.getSchedules({ ids: ["held"] })
      assert.deepInclude(row!, { state: "exhausted", watermark: row!.firstWatermark + 1 })
      assert.strictEqual(world.begun(), 1)
      return world.name === "sqlite"
        ? "writers waited for the file's lock, without failing, until the frozen process was killed; then another fired the schedule, once"
        : "the server ended the idle transaction, and another node fired the schedule, once"
    })
)
