/** Handlers and rows that are wrong. */
import { randomUUID } from "node:crypto"
import { assert } from "@effect/vitest"
import { DateTime, Deferred, Effect, Layer, Schedule, Schema } from "effect"
import { Job, Trigger } from "effect-scheduler"
import { changeTo, run } from "../support.ts"
import { Tick, Work } from "./jobs.ts"
import { fault, type World } from "./kit.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const

const end = { _tag: "End" } as const

const counted = (world: World) => Effect.asVoid(world.executing)

const ticking = (world: World) => Tick.toLayer(() => counted(world))
const working = (world: World) => Work.toLayer(() => counted(world))

// The first to be started, since its end takes longest.
class Deaf extends Job.make("Deaf", { timeout: "100 millis" }) {}

fault(
  33,
  "a handler that ignores interruption",
  { on: everywhere, clock: "virtual", injected: "an uninterruptible handler that does not end, with a timeout" },
  (world) =>
    Effect.gen(function* () {
      const forever = yield* Deferred.make<void>()
      const deaf = Deaf.toLayer(() => Effect.uninterruptible(Effect.andThen(world.executing, Deferred.await(forever))))
      const jobs = Layer.merge(deaf, ticking(world))
      const node = yield* world.node({ jobs, maxRunning: 1, stuckAfter: "100 millis" })
      const id = yield* node.scheduler.enqueue(Deaf)
      yield* world.until(
        "it is told",
        Effect.sync(() => node.only("RunStuck")),
        (events) => events.length > 0
      )
      assert.deepStrictEqual(node.story(id), ["RunCreated", "RunStarted", "RunTimedOut", "RunStuck"])
      const other = yield* node.scheduler.enqueue(Tick)
      yield* world.pass(200)
      assert.strictEqual(world.executionsOf(other), 0, "the slot is kept")
      // With the last grace of 5 s after the deadline of the drain.
      const stopping = yield* Effect.forkChild(node.stop)
      yield* world.until(
        "it has stopped",
        Effect.sync(() => stopping.pollUnsafe() !== undefined),
        (stopped) => stopped
      )
      yield* Deferred.succeed(forever, undefined)
      assert.strictEqual((yield* world.store.getRuns({ ids: [id, other] })).ended.length, 0)
      return "told as RunTimedOut and RunStuck; it kept its slot; the shutdown ended all the same, and the run was left to the lease"
    })
)

fault(
  27,
  "a payload that does not decode",
  {
    on: everywhere,
    injected: "runs stored with a payload of another shape, and one that is no JSON, before a good one"
  },
  (world) =>
    Effect.gen(function* () {
      const [shape, json, good] = Array.from({ length: 3 }, () => randomUUID()) as [string, string, string]
      const now = Date.now()
      const of = (id: string, payload: string) => ({
        run: run({ id, job: "Work", payload, runAt: now, createdAt: now }),
        unique: null
      })
      const payload = JSON.stringify({ deed: end })
      yield* world.store.enqueue({ now, runs: [of(shape, '{"deed":5}'), of(json, '"{'), of(good, payload)] })
      const node = yield* world.node({ jobs: working(world) })
      for (const id of [shape, json]) {
        const row = yield* world.ended(id)
        assert.deepInclude(row, { outcome: "failed", attempt: 1, failures: 1 })
        assert.include(row.errors, '"kind":"undecodable"')
        assert.isNotNull(row.payload, "it is kept")
        yield* world.until(
          "its event",
          Effect.sync(() => node.story(id)),
          (story) => story.includes("RunFailed")
        )
        assert.deepStrictEqual(node.story(id), ["RunFailed"])
      }
      assert.deepInclude(yield* world.ended(good), { outcome: "succeeded", attempt: 1 })
      assert.strictEqual(world.begun(), 1)
      world.mustEnd(shape, json, good)
      return "ended as failed, undecodable, without a retry and with the payload kept; the run behind them succeeded"
    })
)

fault(
  28,
  "a job that this node does not know, in a rolling upgrade",
  { on: everywhere, shared: true, injected: "a node without the handler, then a second one with it" },
  (world) =>
    Effect.gen(function* () {
      const old = yield* world.node({
        jobs: ticking(world),
        unresolvedAfter: "300 millis",
        janitorInterval: "100 millis"
      })
      const id = yield* old.scheduler.enqueue(Work, { deed: end })
      yield* old.scheduler.schedule(Work, {
        id: "work",
        trigger: Trigger.every("1 hour"),
        payload: { deed: end }
      })
      const other = yield* old.scheduler.enqueue(Tick)
      assert.deepInclude(yield* world.ended(other), { outcome: "succeeded" })
      yield* world.until(
        "it is told",
        Effect.sync(() => old.only("JobUnresolved")),
        (events) => events.length > 0
      )
      assert.deepStrictEqual(
        old.only("JobUnresolved").map((event) => event.job),
        ["Work"]
      )
      const [view] = (yield* old.scheduler.list({ job: "Work" })).items
      assert.strictEqual(view!.state, "unresolved")
      const [waiting] = (yield* world.store.listRuns({ filter: { job: "Work" }, limit: 9 })).items
      assert.deepInclude(waiting!, { state: "pending", attempt: 0 })

      const newer = yield* world.node({ jobs: working(world) })
      assert.deepInclude(yield* world.ended(id), {
        outcome: "succeeded",
        attempt: 1,
        node: yield* newer.scheduler.node
      })
      const [resolved] = (yield* old.scheduler.list({ job: "Work" })).items
      assert.strictEqual(resolved!.state, "active")
      world.mustEnd(id, other)
      return "the run waited unclaimed, told once as JobUnresolved and shown as unresolved; the node that has the handler ran it"
    })
)

fault(
  29,
  "a schedule of a newer version",
  {
    on: everywhere,
    injected: "a due row with a version one ahead, a trigger that nobody here can read, and a policy of the future"
  },
  (world) =>
    Effect.gen(function* () {
      const client = yield* world.client
      const due = Trigger.at(DateTime.makeUnsafe(Date.now() - 1_000))
      yield* client.schedule(Tick, { id: "future", trigger: due })
      yield* world.store.modify({
        now: Date.now(),
        ids: ["future"],
        transition: (_, view) =>
          changeTo({
            ...view!.schedule,
            version: view!.schedule.version + 1,
            trigger: '{"_tag":"Moon","phase":"full"}',
            policy: '{"newer":true}'
          })
      })
      const [before] = yield* world.store.getSchedules({ ids: ["future"] })
      const node = yield* world.node({ jobs: ticking(world), janitorInterval: "50 millis" })
      yield* client.schedule(Tick, { id: "today", trigger: due })
      const [event] = yield* world.until(
        "the other has run",
        Effect.sync(() => node.only("RunSucceeded")),
        (events) => events.length > 0
      )
      assert.strictEqual(event!.scheduleId, "today")
      const { items } = yield* node.scheduler.list()
      assert.deepStrictEqual(
        items.map((view) => [view.id, view.state]),
        [
          ["future", "unresolved"],
          ["today", "exhausted"]
        ]
      )
      yield* node.stop
      assert.deepStrictEqual(yield* world.store.getSchedules({ ids: ["future"] }), [before!])
      return "left as it was, to the byte, and shown as unresolved; the schedule beside it fired"
    })
)

class Failing extends Job.make("Failing", {
  queue: "shaky",
  error: Schema.String,
  retry: Schedule.exponential("40 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 3 }))
}) {}

fault(
  30,
  "a handler that always fails",
  { on: everywhere, injected: "Effect.fail at each execution, with three retries" },
  (world) =>
    Effect.gen(function* () {
      const failing = Failing.toLayer(() => Effect.andThen(world.executing, Effect.fail("no luck")))
      const node = yield* world.node({ jobs: Layer.merge(failing, ticking(world)) })
      const id = yield* node.scheduler.enqueue(Failing)
      const others: Array<string> = []
      for (let i = 0; i < 5; i++) others.push(yield* node.scheduler.enqueue(Tick))
      assert.deepInclude(yield* world.ended(id), { outcome: "failed", attempt: 4, failures: 4, recoveries: 0 })
      assert.strictEqual(world.executionsOf(id), 4)
      const failures = yield* world.until(
        "the last is told",
        Effect.sync(() => node.only("RunFailed")),
        (events) => events.length === 4
      )
      const { errors } = yield* world.ended(id)
      const instants = (JSON.parse(errors) as ReadonlyArray<{ readonly at: number }>).map((failure) => failure.at)
      const [first, second, third, last] = failures.map(({ nextAttemptAt }, i) =>
        nextAttemptAt === null ? null : nextAttemptAt - instants[i]!
      )
      assert.isTrue(0 < first! && first! < second! && second! < third!, `${first}, ${second}, ${third}`)
      assert.isNull(last)
      for (const other of others) assert.deepInclude(yield* world.ended(other), { outcome: "succeeded", attempt: 1 })
      world.mustEnd(id, ...others)
      return "four executions with a growing delay, then failed; runs of other queues went on"
    })
)

class Dying extends Job.make("Dying") {}

fault(
  31,
  "a handler that dies, and one whose finaliser throws",
  { on: everywhere, injected: "Effect.die; and a finaliser that throws" },
  (world) =>
    Effect.gen(function* () {
      const dying = Dying.toLayer(() => Effect.andThen(world.executing, Effect.die(new Error("a defect"))))
      const throwing = Work.toLayer(() =>
        Effect.ensuring(
          counted(world),
          Effect.sync(() => {
            throw new Error("thrown by a finaliser")
          })
        )
      )
      const node = yield* world.node({ jobs: Layer.mergeAll(dying, throwing, ticking(world)) })
      const dead = yield* node.scheduler.enqueue(Dying)
      const thrown = yield* node.scheduler.enqueue(Work, { deed: end })
      const first = yield* world.ended(dead)
      assert.deepInclude(first, { outcome: "failed", failures: 1 })
      assert.include(first.errors, "a defect")
      const second = yield* world.ended(thrown)
      assert.deepInclude(second, { outcome: "failed", failures: 1 })
      assert.include(second.errors, "thrown by a finaliser")
      const other = yield* node.scheduler.enqueue(Tick)
      assert.deepInclude(yield* world.ended(other), { outcome: "succeeded" })
      assert.deepStrictEqual(node.only("FiberRestarted"), [])
      world.mustEnd(dead, thrown, other)
      return "each ended as failed with its defect recorded; no fiber of the scheduler ended"
    })
)
