import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Job, JobStore, MemoryJobStore, Scheduler, Trigger } from "effect-scheduler"
import { on, pass, record, settle, Slow, tags, Tick, worker } from "./kit.ts"

const secondly = Trigger.every("1 second")

/** A run of 10 s has begun. */
const busy = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  const id = yield* scheduler.enqueue(Slow, { millis: 10_000 })
  yield* settle
  return id
})

describe("shutting down", () => {
  it.effect("44 shutdown(): it stops, and can be started again", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("SchedulerStopped", "SchedulerStarted")
        yield* scheduler.schedule(Tick, { id: "tick", trigger: secondly })
        yield* pass("1 second")
        yield* scheduler.drain()
        yield* pass("10 seconds")
        assert.deepStrictEqual(nominals(), ["12:00:01"])
        yield* scheduler.start
        yield* settle
        yield* pass("1 second")
        assert.deepStrictEqual(nominals(), ["12:00:01", "12:00:11", "12:00:12"])
        assert.deepStrictEqual(tags(events), ["SchedulerStopped", "SchedulerStarted"])
      }).pipe(on(layer))
    })
  )

  it.effect("seed-shutdown-offline: stopping what is not running is no error", () =>
    Effect.gen(function* () {
      const { layer } = worker({ autoStart: false })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.drain()
        yield* scheduler.start
        yield* scheduler.drain()
        yield* scheduler.drain("1 second")
      }).pipe(on(layer))
    })
  )

  it.effect("45 shutdown clears transient jobs: what was in memory is gone when the scheduler is built again", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      const durable = Layer.succeed(JobStore.JobStore, yield* MemoryJobStore.make())
      const counts = Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.addStore("durable", durable)
        const inMemory = yield* scheduler.list()
        const inStore = yield* scheduler.list({ store: "durable" })
        return [inMemory.items.length, inStore.items.length]
      })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* counts
        yield* scheduler.schedule(Tick, { id: "transient", trigger: secondly })
        yield* scheduler.schedule(Tick, { id: "kept", trigger: secondly, store: "durable" })
      }).pipe(Effect.scoped, on(layer))
      assert.deepStrictEqual(yield* counts.pipe(Effect.scoped, on(layer)), [0, 1])
      assert.deepStrictEqual(nominals(), [])
    })
  )

  it.effect("seed-shutdown-keeps-jobs: an effect that was scheduled ends with the scope that scheduled it", () =>
    Effect.gen(function* () {
      let ran = 0
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const count = Effect.sync(() => void ran++)
        const scope = yield* Scope.make()
        yield* Scope.provide(scheduler.scheduleEffect(count, { id: "count", trigger: secondly }), scope)
        yield* pass("2 seconds")
        yield* Scope.close(scope, Exit.void)
        yield* pass("10 seconds")
        assert.strictEqual(ran, 2)
      }).pipe(on(Scheduler.layer()))
    })
  )
})

describe("running jobs", () => {
  it.effect("46 shutdown(10): it waits at most so long, then interrupts what still runs and gives it back", () =>
    Effect.gen(function* () {
      const { ended, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("RunReleased", "RunSucceeded")
        const id = yield* busy
        const drained = yield* Effect.forkChild(scheduler.drain("4 seconds"))
        yield* pass("3900 millis")
        assert.isUndefined(drained.pollUnsafe())
        yield* pass("100 millis")
        yield* settle
        assert.isDefined(drained.pollUnsafe())
        assert.deepStrictEqual([ended, tags(events)], [[], ["RunReleased"]])
        yield* scheduler.start
        yield* pass("10 seconds")
        const run = yield* scheduler.awaitEnd(id)
        assert.deepStrictEqual([run.outcome, run.attempt, run.failures], ["succeeded", 2, 0])
      }).pipe(on(layer))
    })
  )

  it.effect("47 shutdown(0): without a limit it waits as long as it takes", () =>
    Effect.gen(function* () {
      const { ended, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* busy
        const drained = yield* Effect.forkChild(scheduler.drain(Infinity))
        yield* pass("9999 millis")
        assert.isUndefined(drained.pollUnsafe())
        yield* pass("1 millis")
        yield* Fiber.join(drained)
        assert.strictEqual(ended.length, 1)
      }).pipe(on(layer))
    })
  )

  it.effect("48 shutdown does not guarantee that jobs have ended: with no wait it says which were given back", () =>
    Effect.gen(function* () {
      const { ended, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("RunReleased")
        const id = yield* busy
        yield* scheduler.drain(0)
        yield* settle
        assert.deepStrictEqual(
          events.map((event) => event.runId),
          [id]
        )
        assert.deepStrictEqual(ended, [])
        const { items } = yield* scheduler.runs()
        assert.deepStrictEqual(
          items.map((run) => run.state),
          ["pending"]
        )
      }).pipe(on(layer))
    })
  )

  it.effect("v3-shutdown-asyncio: a job that waits for something is waited for like any other", () =>
    Effect.gen(function* () {
      const { ended, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* busy
        const drained = yield* Effect.forkChild(scheduler.drain())
        yield* pass("10 seconds")
        yield* Fiber.join(drained)
        assert.strictEqual(ended.length, 1)
      }).pipe(on(layer))
    })
  )

  it.effect(
    "v4-stop-cancels: a stopped run ends neither as cancelled nor as failed, and what its handler uses stays open",
    () =>
      Effect.gen(function* () {
        class Using extends Job.make("Using") {}
        const said: Array<string> = []
        const say = (text: string) => Effect.sync(() => void said.push(text))
        const resource = Layer.effectDiscard(Effect.acquireRelease(say("opened"), () => say("closed")))
        const handler = Using.toLayer(() => Effect.andThen(Effect.sleep("5 seconds"), say("used")))
        const layer = handler.pipe(Layer.provide(resource), Layer.provideMerge(Scheduler.layer()))
        const program = Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* scheduler.enqueue(Using)
          yield* settle
        })
        const fiber = yield* Effect.forkChild(program.pipe(on(layer)))
        yield* settle
        yield* pass("10 seconds")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(said, ["opened", "used", "closed"])
      })
  )

  it("49 the process waits for running jobs at exit, and then ends by itself", () => {
    const program = `
      import { Effect, Layer } from "effect"
      import { Job, Scheduler, Trigger } from "effect-scheduler"
      class Work extends Job.make("Work") {}
      const Live = Work.toLayer(() => Effect.andThen(Effect.sleep("300 millis"), Effect.sync(() => console.log("ended"))))
      const main = Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Work, { id: "hourly", trigger: Trigger.every("1 hour") })
        yield* scheduler.enqueue(Work)
        yield* Effect.sleep("50 millis")
        console.log("leaving")
      })
      await Effect.runPromise(main.pipe(Effect.provide(Live.pipe(Layer.provideMerge(Scheduler.layer())))))
      console.log("closed")
    `
    const { status, stdout } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", program], {
      cwd: new URL(".", import.meta.url),
      encoding: "utf8",
      timeout: 10_000
    })
    assert.deepStrictEqual([stdout.trim().split("\n"), status], [["leaving", "ended", "closed"], 0])
  })
})
