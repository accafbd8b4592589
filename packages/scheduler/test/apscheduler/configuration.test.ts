import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Layer, Option } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import type { SchedulerOptions } from "effect-scheduler/SchedulerOptions"
import { on, pass, record, settle, Slow, tags, Tick, worker } from "./kit.ts"

/** Flat dotted keys as an .ini or .properties file has them. */
const flat = (keys: Record<string, string>) =>
  ConfigProvider.layer(
    ConfigProvider.fromEnvRecord(
      Object.fromEntries(Object.entries(keys).map(([key, value]) => [key.replaceAll(".", "_"), value]))
    )
  )

/** The policy that a schedule without options of its own gets. */
const policyWith = (keys: Record<string, string>, options: SchedulerOptions = {}) =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const { policy } = yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 minute") })
    return policy!
  }).pipe(Effect.provide(Scheduler.layerConfig(options).pipe(Layer.provide(flat(keys)))))

describe("configuration", () => {
  it("1 no hard dependencies: the core imports effect and nothing else", () => {
    const root = new URL("../../", import.meta.url)
    const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"))
    assert.deepStrictEqual([manifest.dependencies, Object.keys(manifest.peerDependencies)], [undefined, ["effect"]])
    const files = readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts")
    )
    const imports = files.flatMap((name) =>
      Array.from(
        readFileSync(new URL(`src/${name}`, root), "utf8").matchAll(/^(?:import|export|\}) ?[^"\n]*from "([^"]+)"$/gm),
        (match) => match[1]!
      )
    )
    assert.isAbove(imports.length, 100)
    assert.deepStrictEqual(
      imports.filter((from) => !from.startsWith(".") && from !== "effect" && !from.startsWith("effect/")),
      []
    )
  })

  it.effect("9 Scheduler(gconfig, **options): flat prefixed keys are read, and code gives what they leave out", () =>
    Effect.gen(function* () {
      const policy = yield* policyWith(
        { "scheduler.policies.maxInstances": "3", "scheduler.policies.missed.grace": "5 seconds" },
        { drainDeadline: "1 second" }
      )
      assert.deepStrictEqual([policy.maxInstances, policy.missed.grace], [3, Duration.toMillis("5 seconds")])
      const fromCode = yield* policyWith({}, { policies: { maxInstances: 4 } })
      assert.strictEqual(fromCode.maxInstances, 4)
      const both = yield* policyWith({ "scheduler.policies.maxInstances": "5" }, { policies: { maxInstances: 4 } })
      assert.strictEqual(both.maxInstances, 5)
      const merged = yield* policyWith(
        { "scheduler.policies.missed.grace": "5 seconds" },
        { policies: { maxInstances: 4, missed: { run: "none" } } }
      )
      assert.deepStrictEqual(
        [merged.maxInstances, merged.missed.run, merged.missed.grace],
        [4, "none", Duration.toMillis("5 seconds")]
      )
    })
  )

  it.effect("9 Scheduler(gconfig, **options): a value of the wrong type is an error that names its key", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(policyWith({ "scheduler.maxRunning": "many" }))
      assert.include(String(error), "maxRunning")
    })
  )

  it.effect("seed-configure-prefix: a key without the prefix has no effect", () =>
    Effect.gen(function* () {
      const policy = yield* policyWith({ "policies.maxInstances": "3", maxInstances: "3" })
      assert.strictEqual(policy.maxInstances, 1)
    })
  )

  it.effect(
    "10 configure(): what is scheduled is declared first, and the options come when the program is put together",
    () =>
      Effect.gen(function* () {
        const ran: Array<string> = []
        const declared = Scheduler.every(
          "some job",
          "3 hours",
          Effect.sync(() => void ran.push("decorated job"))
        )
        const options = flat({ "scheduler.policies.maxInstances": "2" })
        const program = declared.pipe(Layer.provideMerge(Scheduler.layerConfig()), Layer.provide(options))
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const view = Option.getOrThrow(yield* scheduler.get("some job"))
          assert.strictEqual(view.policy?.maxInstances, 2)
          yield* pass("3 hours")
          assert.deepStrictEqual(ran, ["decorated job"])
        }).pipe(on(program))
      })
  )

  it.effect("seed-configure-running: a scheduler that runs is not started again", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const events = yield* record("SchedulerStarted")
        yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 second") })
        yield* scheduler.start
        yield* pass("1 second")
        assert.deepStrictEqual([tags(events), nominals()], [[], ["12:00:01"]])
      }).pipe(on(layer))
    })
  )

  it.effect("16 threadpool.max_threads: maxRunning bounds the handlers that run at once, over all stores", () =>
    Effect.gen(function* () {
      const { began, ended, layer } = worker({ maxRunning: 2 })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.enqueueAll(
          Slow,
          Array.from({ length: 6 }, () => ({ millis: 1_000 }))
        )
        yield* settle
        assert.strictEqual(began.length, 2)
        yield* pass("1 second")
        assert.deepStrictEqual([ended.length, began.length], [2, 4])
        yield* pass("2 seconds")
        assert.deepStrictEqual([ended.length, began.length], [6, 6])
      }).pipe(on(layer))
    })
  )
})
