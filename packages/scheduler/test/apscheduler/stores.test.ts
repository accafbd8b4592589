import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Exit, Layer, Scope } from "effect"
import { JobStore, MemoryJobStore, Scheduler, Trigger } from "effect-scheduler"
import { on, pass, record, settle, tags, Tick, worker } from "./kit.ts"

const trigger = Trigger.every("10 seconds")

describe("several stores at once", () => {
  it.effect("6 several job stores active at once: each keeps its own schedules, and all of them are run", () =>
    Effect.gen(function* () {
      const { layer } = worker({ stores: { orders: MemoryJobStore.layer, mails: MemoryJobStore.layer } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const runs = yield* record("RunSucceeded")
        yield* scheduler.schedule(Tick, { id: "same id", trigger, store: "orders" })
        yield* scheduler.schedule(Tick, { id: "same id", trigger, store: "mails" })
        yield* pass("10 seconds")
        assert.deepStrictEqual(
          runs.map((event) => `${event.store} ${event.scheduleId}`),
          ["orders same id", "mails same id"]
        )
        yield* scheduler.unschedule("same id", { store: "orders" })
        const left = yield* scheduler.list({ store: "mails" })
        assert.strictEqual(left.items.length, 1)
        assert.deepStrictEqual((yield* scheduler.list({ store: "orders" })).items, [])
      }).pipe(on(layer))
    })
  )

  it.effect("20 store aliases: without one a job goes to default, which is made in memory if there is none", () =>
    Effect.gen(function* () {
      const { layer } = worker({ stores: { other: MemoryJobStore.layer } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        assert.deepStrictEqual(yield* scheduler.stores, ["default", "other"])
        const view = yield* scheduler.schedule(Tick, { id: "tick", trigger })
        assert.strictEqual(view.store, "default")
        assert.deepStrictEqual((yield* scheduler.list({ store: "other" })).items, [])
      }).pipe(on(layer))
    })
  )

  it.effect("20 store aliases: a default that is given is the one that is used", () =>
    Effect.gen(function* () {
      const given = yield* MemoryJobStore.make()
      const { layer } = worker({ stores: { default: storeOf(given) } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "tick", trigger })
        const { items } = yield* given.listSchedules({ filter: {}, limit: 10 })
        assert.deepStrictEqual(
          items.map((row) => row.id),
          ["tick"]
        )
      }).pipe(on(layer))
    })
  )

  it.effect("30 jobstore option: every verb that names a schedule or a run takes the alias of a store", () =>
    Effect.gen(function* () {
      const { ended, layer } = worker({ stores: { b: MemoryJobStore.layer } })
      const declared = Scheduler.cron("declared", "* * * * *", Effect.void, { store: "b" })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const inB = { store: "b" }
        yield* scheduler.schedule(Tick, { id: "1", trigger, ...inB })
        yield* scheduler.scheduleAll(Tick, [{ id: "2", trigger }], inB)
        const listed = yield* scheduler.list(inB)
        assert.deepStrictEqual(
          listed.items.map((view) => view.id),
          ["1", "2", "declared"]
        )
        const enqueued = yield* scheduler.enqueue(Tick, undefined, inB)
        yield* scheduler.execute(Tick, undefined, inB)
        assert.strictEqual((yield* scheduler.awaitEnd(enqueued, inB)).outcome, "succeeded")
        yield* scheduler.pause("1", inB)
        yield* scheduler.resume("1", inB)
        yield* scheduler.reschedule("1", Trigger.every("1 hour"), inB)
        yield* scheduler.runNow("2", inB)
        yield* scheduler.unschedule("2", inB)
        assert.deepStrictEqual((yield* scheduler.list()).items, [])
        assert.deepStrictEqual((yield* scheduler.history()).items, [])
        yield* settle
        assert.strictEqual(ended.length, 3)
      }).pipe(on(Layer.provideMerge(declared, layer)))
    })
  )
})

describe("adding and removing stores", () => {
  it.effect("21 add_jobstore: a store that is added while the scheduler runs equals one that is configured", () =>
    Effect.gen(function* () {
      const { ended, layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const scope = yield* Scope.make()
        yield* Scope.provide(scheduler.addStore("file", MemoryJobStore.layer), scope)
        assert.deepStrictEqual(yield* scheduler.stores, ["default", "file"])
        yield* scheduler.schedule(Tick, { id: "tick", trigger, store: "file" })
        yield* pass("10 seconds")
        assert.strictEqual(ended.length, 1)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* scheduler.stores, ["default"])
        yield* pass("1 minute")
        assert.strictEqual(ended.length, 1)
      }).pipe(on(layer))
    })
  )

  it.effect("21 add_jobstore: adding a store again loads what is in it", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      const kept = storeOf(yield* MemoryJobStore.make())
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* Effect.scoped(
          Effect.andThen(
            scheduler.addStore("kept", kept),
            scheduler.schedule(Tick, { id: "tick", trigger, store: "kept" })
          )
        )
        yield* pass("25 seconds")
        assert.deepStrictEqual(nominals(), [])
        yield* scheduler.addStore("kept", kept)
        yield* settle
        yield* pass("5 seconds")
        assert.deepStrictEqual(nominals(), ["12:00:20", "12:00:30"])
      }).pipe(Effect.scoped, on(layer))
    })
  )

  it.effect("seed-dup-alias: an alias in use and an unknown one are typed errors that name it", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const twice = yield* Effect.flip(scheduler.addStore("default", MemoryJobStore.layer))
        assert.include(twice.message, `A store "default" is there already`)
        const unknown = yield* Effect.flip(scheduler.schedule(Tick, { id: "tick", trigger, store: "nowhere" }))
        assert.include(unknown.message, `No store "nowhere" here; there is "default"`)
      }).pipe(Effect.scoped, on(layer))
    })
  )

  it.effect("jobs of a removed store do not stop those of the others, and events tell of both", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("StoreAdded", "StoreRemoved")
        yield* scheduler.schedule(Tick, { id: "stays", trigger })
        yield* Effect.scoped(scheduler.addStore("guest", MemoryJobStore.layer))
        yield* pass("10 seconds")
        assert.deepStrictEqual(tags(events), ["StoreAdded", "StoreRemoved"])
        assert.deepStrictEqual(nominals(), ["12:00:10"])
      }).pipe(on(layer))
    })
  )
})

describe("stores from configuration", () => {
  /** What a program writes that lets its configuration choose: the classes that it knows, by name. */
  const chosen = Layer.unwrap(
    Effect.gen(function* () {
      const kind = yield* Config.withDefault(Config.String("class"), "memory")
      const historyLimit = yield* Config.withDefault(Config.Int("historyLimit"), 100_000)
      if (kind !== "memory") return yield* Effect.die(`no store "${kind}"`)
      return MemoryJobStore.layerWith({ historyLimit })
    })
  )
  const configured = (keys: Record<string, string>) =>
    Layer.provide(
      chosen,
      ConfigProvider.layer(
        ConfigProvider.nested(ConfigProvider.fromUnknown({ jobstores: { big: keys } }), ["jobstores", "big"])
      )
    )

  it.effect("18 jobstores.X.class: a key names the store, and a name that the program does not know is refused", () =>
    Effect.gen(function* () {
      const { layer } = worker({ stores: { big: configured({ class: "memory" }) } })
      const view = yield* Effect.flatMap(Scheduler, (scheduler) =>
        scheduler.schedule(Tick, { id: "tick", trigger, store: "big" })
      ).pipe(on(layer))
      assert.strictEqual(view.store, "big")
      const unknown = worker({ stores: { big: configured({ class: "shelve" }) } })
      const defect = yield* Effect.catchDefect(Effect.void.pipe(on(unknown.layer)), Effect.succeed)
      assert.strictEqual(defect, `no store "shelve"`)
    })
  )

  it.effect("19 jobstores.X.Y: an option of a store is read from its key", () =>
    Effect.gen(function* () {
      const kept = Effect.fnUntraced(function* (keys: Record<string, string>) {
        const { layer } = worker({ stores: { big: configured(keys) } })
        return yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* scheduler.schedule(Tick, { id: "tick", trigger, store: "big" })
          yield* pass("50 seconds")
          return (yield* scheduler.history({ store: "big" })).items.length
        }).pipe(on(layer))
      })
      assert.strictEqual(yield* kept({}), 5)
      assert.strictEqual(yield* kept({ historyLimit: "2" }), 2)
    })
  )
})

/** A store that is there already, as a layer. */
function storeOf(service: JobStore.JobStoreService): Layer.Layer<JobStore.JobStore> {
  return Layer.succeed(JobStore.JobStore, service)
}
