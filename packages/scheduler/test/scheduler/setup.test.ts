import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Exit, Layer, Option, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, MemoryJobStore, Scheduler, Trigger } from "../../src/index.ts"
import { build, listen, only, settled, steered } from "./support.ts"

class Tick extends Job.make("Tick") {}
class Note extends Job.make("Note", { payload: { text: Schema.String } }) {}

const world = () => {
  const ran: Array<string> = []
  const live = Layer.mergeAll(
    Tick.toLayer(() =>
      Effect.map(JobRun.current, (run) => void ran.push(`${run.store} ${run.scheduleId} ${run.nominal}`))
    ),
    Note.toLayer(({ text }) => Effect.sync(() => void ran.push(text)))
  )
  return { ran, live }
}

const wrong = { text: 42 } as never
const minutely = { id: "t", trigger: Trigger.every("1 minute") }

describe("autoStart: false", () => {
  it.effect("keeps what is scheduled, with all its options, and stores it at start with that instant as anchor", () => {
    const { live, ran } = world()
    const store = steered()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const view = yield* scheduler.schedule(Tick, {
        ...minutely,
        overlap: "bufferAll",
        maxRuns: 2,
        priority: 0,
        origin: "app"
      })
      assert.deepInclude(view, { state: "tentative", nextAt: 60_000, watermark: null })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(ran, [])
      assert.deepStrictEqual(yield* store.store.getSchedules({ ids: ["t"] }), [])
      assert.strictEqual((yield* scheduler.list()).items[0]?.nextAt, 660_000)
      assert.strictEqual((yield* scheduler.upcoming(1))[0]?.at, 660_000)
      yield* scheduler.start
      const stored = Option.getOrThrow(yield* scheduler.get("t"))
      assert.deepInclude(stored, { state: "active", nextAt: 660_000, watermark: 599_999, priority: 0, origin: "app" })
      assert.deepInclude(stored.policy!, { overlap: "bufferAll", maxRuns: 2 })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(ran, ["default t 660000", "default t 720000"])
    }).pipe(
      Effect.provide(Layer.provideMerge(live, Scheduler.layer({ autoStart: false, stores: { default: store.layer } })))
    )
  })

  it.effect("what is kept can be given up again, changed, and shadows what is stored under its id", () => {
    const { live } = world()
    const store = steered()
    const layer = (autoStart: boolean) =>
      Layer.fresh(Layer.provideMerge(live, Scheduler.layer({ autoStart, stores: { default: store.layer } })))
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        yield* (yield* Scheduler).schedule(Tick, { ...minutely, id: "old" })
      }).pipe(Effect.provide(layer(true)))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, minutely)
        yield* scheduler.schedule(Tick, { ...minutely, id: "old", trigger: Trigger.every("1 hour") })
        const states = () =>
          Effect.map(scheduler.list(), (page) => page.items.map((view) => `${view.id} ${view.state}`).toSorted())
        assert.deepStrictEqual(yield* states(), ["old tentative", "t tentative"])
        yield* scheduler.unschedule("t")
        assert.deepStrictEqual(yield* states(), ["old tentative"])
        yield* scheduler.unschedule("old")
        assert.deepStrictEqual(yield* states(), [])
        yield* scheduler.start
        assert.deepStrictEqual(yield* states(), [])
      }).pipe(Effect.provide(layer(false)))
    })
  })

  it.effect("what is kept can be rescheduled, updated, paused and resumed", () => {
    const { live, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, payload: { text: "a" }, missed: { run: "all" } })
      yield* scheduler.schedule(Tick, { ...minutely, id: "paused" })
      assert.strictEqual((yield* scheduler.reschedule("t", Trigger.every("2 minutes"))).nextAt, 120_000)
      const view = yield* scheduler.update(Note, "t", { payload: { text: "b" }, missed: { limit: 3 }, priority: 1 })
      assert.deepInclude(view, { state: "tentative", priority: 1, payload: { text: "b" } })
      assert.deepInclude(view.policy!.missed, { run: "all", limit: 3 })
      yield* scheduler.pause("t")
      yield* scheduler.resume("t")
      yield* scheduler.pause("paused")
      yield* Effect.flip(scheduler.update(Note, "t", { payload: wrong }))
      yield* scheduler.start
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(ran, ["b"])
      assert.strictEqual(Option.getOrThrow(yield* scheduler.get("paused")).state, "paused")
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ autoStart: false }))))
  })

  it.effect("what is enqueued is stored at once, and waits", () => {
    const { live, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Note, { text: "waits" })
      yield* settled
      assert.deepStrictEqual(ran, [])
      yield* scheduler.start
      yield* settled
      assert.deepStrictEqual(ran, ["waits"])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ autoStart: false }))))
  })
})

describe("several stores", () => {
  it.effect("work side by side, and default is made in memory if there is none", () => {
    const { live, ran } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      assert.deepStrictEqual((yield* scheduler.stores).toSorted(), ["default", "other"])
      yield* scheduler.schedule(Tick, minutely)
      yield* scheduler.schedule(Tick, { ...minutely, store: "other" })
      yield* TestClock.adjust("1 minute")
      yield* settled
      assert.deepStrictEqual(ran.toSorted(), ["default t 60000", "other t 60000"])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ stores: { other: steered().layer } }))))
  })

  it.effect("of one layer in memory are stores of their own", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Tick, minutely)
      assert.deepStrictEqual((yield* scheduler.list({ store: "b" })).items, [])
    }).pipe(Effect.provide(Scheduler.layer({ stores: { default: MemoryJobStore.layer, b: MemoryJobStore.layer } })))
  )

  it.effect("one that does not answer delays no other", () => {
    const { live, ran } = world()
    const sick = steered()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* settled
      for (const method of ["fire", "claim", "wake", "held", "maintain"] as const) sick.trouble(method, "hang")
      yield* TestClock.adjust("1 minute")
      yield* scheduler.schedule(Tick, minutely)
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual(ran.length, 3)
      sick.heal()
      yield* TestClock.adjust("20 seconds")
    }).pipe(
      Effect.provide(Layer.provideMerge(live, Scheduler.layer({ drainDeadline: 0, stores: { sick: sick.layer } })))
    )
  })

  it.effect("one is added for a scope, drained at its end, and loads its schedules when it is added again", () => {
    const { live, ran } = world()
    const more = steered()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const scope = yield* Scope.make()
      yield* scheduler.addStore("more", more.layer).pipe(Scope.provide(scope))
      yield* scheduler.schedule(Tick, { ...minutely, store: "more" })
      yield* TestClock.adjust("1 minute")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* scheduler.stores, ["default"])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(ran, ["more t 60000"])
      yield* scheduler.addStore("more", more.layer)
      yield* settled
      assert.deepStrictEqual(ran, ["more t 60000", "more t 360000"])
      assert.deepStrictEqual(
        [...only(events, "StoreAdded"), ...only(events, "StoreRemoved")].map((event) => `${event._tag} ${event.store}`),
        ["StoreAdded more", "StoreAdded more", "StoreRemoved more"]
      )
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })
})

describe("layerClient", () => {
  it.effect("writes at once and runs nothing; a scheduler on the same store runs it", () => {
    const { live, ran } = world()
    const store = steered()
    return Effect.gen(function* () {
      const client = Context.get(yield* build(Scheduler.layerClient({ default: store.layer })), Scheduler)
      yield* client.schedule(Tick, minutely)
      yield* client.enqueue(Note, { text: "from the client" })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(ran, [])
      assert.strictEqual((yield* client.list()).items[0]?.state, "unresolved")
      yield* build(Layer.provideMerge(live, Scheduler.layer({ stores: { default: store.layer } })))
      yield* settled
      assert.deepStrictEqual(ran.toSorted(), ["default t 600000", "from the client"])
      const fiber = yield* Effect.forkChild(client.execute(Note, { text: "awaited" }))
      yield* settled
      assert.strictEqual(fiber.pollUnsafe()?._tag, "Success")
    })
  })

  it.effect("makes no store of its own: what it is not given is unknown", () =>
    Effect.gen(function* () {
      const client = yield* Scheduler
      assert.deepStrictEqual(yield* client.stores, ["jobs"])
      const error = yield* Effect.flip(client.enqueue(Note, { text: "nowhere" }))
      assert.strictEqual(error.message, 'No store "default" here; there is "jobs"')
      yield* client.enqueue(Note, { text: "stored" }, { store: "jobs" })
    }).pipe(Effect.provide(Scheduler.layerClient({ jobs: steered().layer })))
  )
})

describe("declared schedules", () => {
  it.effect("are layers: cron and every run an effect, and prune removes those that are declared no more", () => {
    const store = steered()
    const ran: Array<string> = []
    const options = { stores: { default: store.layer }, origin: "app" } as const
    const hourly = Scheduler.cron(
      "hourly",
      "0 * * * *",
      Effect.sync(() => ran.push("hourly"))
    )
    const often = Scheduler.every(
      "often",
      "20 minutes",
      Effect.sync(() => ran.push("often")),
      { maxRuns: 2 }
    )
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("70 minutes")
        yield* settled
        assert.deepStrictEqual(ran, ["hourly", "often", "often", "hourly"])
      }).pipe(Effect.provide(Layer.fresh(Layer.provideMerge(Layer.mergeAll(hourly, often), Scheduler.layer(options)))))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { ...minutely, origin: "another" })
        assert.deepStrictEqual(yield* scheduler.prune("app"), ["often"])
        assert.deepStrictEqual(
          (yield* scheduler.list()).items.map((view) => view.id),
          ["hourly", "t"]
        )
      }).pipe(Effect.provide(Layer.fresh(Layer.provideMerge(hourly, Scheduler.layer(options)))))
    })
  })

  it.effect("before start are not pruned", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Tick, minutely)
      yield* scheduler.start
      assert.deepStrictEqual(yield* scheduler.prune("app"), [])
    }).pipe(Effect.provide(Scheduler.layer({ origin: "app", autoStart: false })))
  )
})

describe("layerConfig", () => {
  const probe = Effect.gen(function* () {
    const scheduler = yield* Scheduler
    yield* scheduler.enqueueAll(Note, [{ text: "a" }, { text: "b" }, { text: "c" }])
    yield* settled
    return (yield* scheduler.runs({ state: "running" })).items.length
  })
  const run = (env: Record<string, string>) =>
    Effect.provide(
      probe,
      Layer.provideMerge(
        Note.toLayer(() => Effect.never),
        Scheduler.layerConfig({ drainDeadline: 0 })
      ).pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
    )

  it.effect("reads flat prefixed keys", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* run({}), 3)
      assert.strictEqual(yield* run({ scheduler_maxRunning: "2" }), 2)
      assert.strictEqual(yield* run({ scheduler_queues_default_concurrency: "1" }), 1)
    })
  )

  it.effect("goes before what is given in code, option by option, nested ones too", () =>
    Effect.gen(function* () {
      const context = yield* build(
        Scheduler.layerConfig({ policies: { maxInstances: 5, missed: { limit: 7 } }, origin: "code" }).pipe(
          Layer.provide(
            ConfigProvider.layer(
              ConfigProvider.fromUnknown({
                scheduler: { policies: { overlap: "bufferAll", missed: { run: "all" } }, origin: "config" }
              })
            )
          )
        )
      )
      const view = yield* Context.get(context, Scheduler).schedule(Tick, minutely)
      assert.strictEqual(view.origin, "config")
      assert.deepInclude(view.policy!, { overlap: "bufferAll", maxInstances: 5 })
      assert.deepInclude(view.policy!.missed, { run: "all", limit: 7 })
    })
  )

  const wrong: ReadonlyArray<readonly [key: string, value: string]> = [
    ["scheduler_maxRunning", "many"],
    ["scheduler_maxRunning", "0"],
    ["scheduler_lease", "soon"],
    ["scheduler_lease", "1 millis"],
    ["scheduler_autoStart", "perhaps"],
    ["scheduler_policies_overlap", "queue"],
    ["scheduler_policies_buffer", "-1"],
    ["scheduler_queues_mail_concurrency", "none"],
    ["scheduler_retention_succeeded", "for ever"]
  ]
  for (const [key, value] of wrong) {
    it.effect(`a configuration value of the wrong type is a ConfigError that names its key: ${key}=${value}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(run({ [key]: value }))
        assert.strictEqual((error as { readonly _tag: string })._tag, "ConfigError")
        assert.include(String(error), key.split("_").at(-1)!)
      })
    )
  }
})

describe("what is there is shown", () => {
  const { live } = world()
  const layer = Layer.provideMerge(live, Scheduler.layer())

  const fill = Effect.gen(function* () {
    const scheduler = yield* Scheduler
    yield* scheduler.schedule(Tick, { id: "a nightly report with quite a long id", trigger: Trigger.cron("0 3 * * *") })
    yield* scheduler.schedule(Tick, { id: "b", trigger: Trigger.every("90 minutes"), origin: "app" })
    yield* scheduler.schedule(Note, { id: "b2", trigger: Trigger.at(86_400_000 * 40), payload: { text: "x" } })
    yield* scheduler.schedule(Tick, { id: "c", trigger: Trigger.spaced("1 hour", { first: "5 minutes" }) })
    yield* scheduler.pause("b")
    return scheduler
  })

  it.effect("render is a table of at most 80 columns", () =>
    Effect.gen(function* () {
      const scheduler = yield* fill
      const text = yield* scheduler.render()
      assert.deepStrictEqual(text.split("\n"), [
        "ID                     JOB  TRIGGER                STATE  NEXT",
        "a nightly report with… Tick at 03:00 every day, U… active in 3h",
        "b                      Tick every 1 hour 30 minut… paused -",
        "b2                     Note once at 1970-02-10T00… active in 40d",
        "c                      Tick 1 hour after the end … active in 5m"
      ])
      assert.isAtMost(Math.max(...text.split("\n").map((line) => line.length)), 80)
      assert.strictEqual(yield* scheduler.render({ prefix: "nothing" }), "No schedules")
    }).pipe(Effect.provide(layer))
  )

  it.effect("list is paged and filtered", () =>
    Effect.gen(function* () {
      const scheduler = yield* fill
      const first = yield* scheduler.list({ limit: 3 })
      const second = yield* scheduler.list({ limit: 3, cursor: first.cursor })
      assert.deepStrictEqual(
        [first.items.length, second.items.map((view) => view.id), second.cursor],
        [3, ["c"], undefined]
      )
      const ids = (filter: Parameters<typeof scheduler.listAll>[0]) =>
        Effect.map(Stream.runCollect(scheduler.listAll(filter)), (views) => views.map((view) => view.id))
      assert.deepStrictEqual(yield* ids({ job: "Note" }), ["b2"])
      assert.deepStrictEqual(yield* ids({ prefix: "b" }), ["b", "b2"])
      assert.deepStrictEqual(yield* ids({ state: "paused" }), ["b"])
      assert.deepStrictEqual(yield* ids({ origin: "app" }), ["b"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("upcoming is the next nominal times of all, in order", () =>
    Effect.gen(function* () {
      const scheduler = yield* fill
      yield* scheduler.resume("b")
      const times = yield* scheduler.upcoming(6)
      assert.deepStrictEqual(
        times.map(({ at, scheduleId }) => `${scheduleId.slice(0, 2).trim()} ${at / 60_000}`),
        ["c 5", "b 90", "a 180", "b 180", "b 270", "b 360"]
      )
    }).pipe(Effect.provide(layer))
  )
})
