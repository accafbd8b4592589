import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { JobStore, MemoryJobStore, Scheduler } from "../../../src/index.ts"
import { build, settled, steered } from "../support.ts"
import { messageOf, minutely, Note, Slow, world } from "./world.ts"

class NoDisk extends Schema.TaggedError<NoDisk>()("NoDisk", {}) {}

const note = { text: "a" }

describe("addStore", () => {
  it.effect("fails with the store's own typed error, and leaves the alias free", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const broken = Layer.effect(JobStore.JobStore, Effect.fail(new NoDisk()))
      const error = yield* Effect.flip(scheduler.addStore("file", broken))
      assert.strictEqual(error._tag, "NoDisk")
      assert.deepStrictEqual(yield* scheduler.stores, ["default"])
      yield* scheduler.addStore("file", MemoryJobStore.layer)
      assert.deepStrictEqual(yield* scheduler.stores, ["default", "file"])
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("of one alias twice at the same time: one is added, the other is refused", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const slowly = Layer.effect(JobStore.JobStore, Effect.andThen(Effect.yieldNow, MemoryJobStore.make()))
      const add = Effect.result(scheduler.addStore("file", slowly))
      const results = yield* Effect.all([add, add], { concurrency: "unbounded" })
      assert.deepStrictEqual(results.map((result) => result._tag).toSorted(), ["Failure", "Success"])
      yield* scheduler.enqueue(Note, note, { store: "file" })
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("is over with its scope: a verb then says that it is not there, and the others go on", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const scope = yield* Scope.make()
      yield* Scope.provide(scheduler.addStore("file", MemoryJobStore.layer), scope)
      yield* scheduler.schedule(Note, { ...minutely, store: "file" })
      yield* scheduler.schedule(Note, { ...minutely, payload: { text: "stays" } })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(
        yield* messageOf(scheduler.get("m", { store: "file" })),
        'No store "file" here; there is "default"'
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran, ["nominal 1 stays"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("added again goes on with the schedules, runs and history that are in it", () => {
    const { layer, ran } = world()
    const kept = steered()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const inFile = { store: "file" }
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* scheduler.addStore("file", kept.layer)
          yield* scheduler.schedule(Note, { ...minutely, ...inFile })
          yield* scheduler.enqueue(Slow, { seconds: 0 }, { ...inFile, at: 150_000 })
          yield* TestClock.adjust("1 minute")
        })
      )
      yield* TestClock.adjust("30 seconds")
      yield* scheduler.addStore("file", kept.layer)
      assert.strictEqual((yield* scheduler.history(inFile)).items.length, 1)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran, ["nominal 1 a", "nominal 2 a", "enqueue - 0"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("before start waits with the others", () => {
    const { layer, ran } = world({ autoStart: false })
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.addStore("file", MemoryJobStore.layer)
      yield* scheduler.enqueue(Note, note, { store: "file" })
      yield* settled
      assert.deepStrictEqual(ran, [])
      yield* scheduler.start
      yield* settled
      assert.deepStrictEqual(ran, ["enqueue - a"])
    }).pipe(Effect.provide(layer))
  })
})

describe("layerClient", () => {
  it.effect("writes at once into a store that it shares by Layer.succeed with the scheduler that runs it", () =>
    Effect.gen(function* () {
      const service = yield* MemoryJobStore.make()
      const shared = Layer.succeed(JobStore.JobStore, service)
      const client = Context.get(yield* build(Scheduler.layerClient({ default: shared })), Scheduler)
      yield* client.schedule(Note, minutely)
      assert.strictEqual((yield* service.getSchedules({ ids: ["m"] })).length, 1)
      const id = yield* client.enqueue(Note, note)
      yield* client.start
      yield* TestClock.adjust("1 minute")
      assert.deepInclude((yield* client.runs()).items[0], { id, state: "pending" })

      const { layer } = worldOn(shared)
      yield* build(layer)
      const ended = yield* Effect.forkChild(client.awaitEnd(id))
      yield* settled
      assert.strictEqual(ended.pollUnsafe()?._tag, "Success")
      yield* client.pause("m")
      yield* client.unschedule("m")
      assert.strictEqual(yield* client.cancel(yield* client.enqueue(Note, note, { at: 9e9 })), "cancelled")
    })
  )

  it.effect("cannot run an effect, and says so", () =>
    Effect.gen(function* () {
      const client = yield* Scheduler
      const { id, trigger } = minutely
      assert.strictEqual(
        yield* messageOf(client.scheduleEffect(Effect.void, { id, trigger })),
        "scheduleEffect: the scheduler must be one that runs, not a client"
      )
    }).pipe(Effect.provide(Scheduler.layerClient({ default: steered().layer })))
  )
})

const worldOn = (store: Layer.Layer<JobStore.JobStore>) => ({
  layer: Note.toLayer(() => Effect.void).pipe(Layer.provideMerge(Scheduler.layer({ stores: { default: store } })))
})

describe("pauseAll and drain", () => {
  it.effect("a pause outlives a drain and a start, and reaches a store that is added later", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.pauseAll
      yield* scheduler.drain(0)
      yield* scheduler.start
      yield* scheduler.addStore("file", MemoryJobStore.layer)
      yield* scheduler.enqueue(Note, { text: "a" })
      yield* scheduler.enqueue(Note, { text: "b" }, { store: "file" })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran, [])
      yield* scheduler.resumeAll
      yield* settled
      assert.deepStrictEqual(ran.toSorted(), ["enqueue - a", "enqueue - b"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("running handlers go on while all is paused", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Slow, { seconds: 30 })
      yield* settled
      yield* scheduler.pauseAll
      yield* TestClock.adjust("30 seconds")
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", endedAt: 30_000 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("a drained scheduler still writes and reads, and start runs what was written", () => {
    const { layer, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.drain()
      yield* scheduler.schedule(Note, minutely)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* scheduler.list()).items[0]?.state, "active")
      assert.deepStrictEqual(ran, [])
      yield* scheduler.start
      yield* settled
      assert.deepStrictEqual(ran, ["nominal 10 a"])
    }).pipe(Effect.provide(layer))
  })
})
