import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Scheduler } from "../../../src/index.ts"
import type { SchedulerOptions } from "../../../src/SchedulerOptions.ts"
import { build, settled } from "../support.ts"
import { minutely, Note, Slow } from "./world.ts"

/** A scheduler that is set up from this provider and from code. */
const from = (provider: ConfigProvider.ConfigProvider, code: Omit<SchedulerOptions, "stores"> = {}) =>
  build(
    Slow.toLayer(({ seconds }) => Effect.sleep(seconds * 1_000)).pipe(
      Layer.provideMerge(Scheduler.layerConfig({ drainDeadline: 0, ...code })),
      Layer.provide(ConfigProvider.layer(provider))
    )
  ).pipe(Effect.map((context) => Context.get(context, Scheduler)))

const env = (keys: Record<string, string>) => ConfigProvider.fromEnv({ env: keys })

describe("layerConfig", () => {
  it.effect("reads policies from flat prefixed keys of the environment, durations in words and numbers as texts", () =>
    Effect.gen(function* () {
      const scheduler = yield* from(
        env({
          scheduler_policies_overlap: "bufferAll",
          scheduler_policies_maxInstances: "3",
          scheduler_policies_jitter: "5 seconds",
          scheduler_policies_missed_run: "all",
          scheduler_policies_missed_grace: "1 minute",
          scheduler_policies_missed_within: "Infinity",
          scheduler_policies_missed_limit: "7",
          scheduler_origin: "app",
          unrelated_maxRunning: "none of our business"
        })
      )
      const view = yield* scheduler.schedule(Note, minutely)
      assert.strictEqual(view.origin, "app")
      assert.deepInclude(view.policy!, { overlap: "bufferAll", maxInstances: 3, jitter: 5_000, buffer: 100 })
      assert.deepStrictEqual(view.policy!.missed, { run: "all", grace: 60_000, within: Infinity, limit: 7 })
    })
  )

  it.effect("reads the same options from a nested document", () =>
    Effect.gen(function* () {
      const scheduler = yield* from(
        ConfigProvider.fromUnknown({
          scheduler: { maxRunning: 1, policies: { missed: { grace: "2 minutes" } }, payloadLimit: 20 }
        })
      )
      assert.strictEqual((yield* scheduler.schedule(Note, minutely)).policy?.missed.grace, 120_000)
      yield* scheduler.enqueueAll(Slow, [{ seconds: 9 }, { seconds: 9 }])
      yield* settled
      assert.strictEqual((yield* scheduler.runs({ state: "running" })).items.length, 1)
      const error = yield* Effect.flip(scheduler.enqueue(Note, { text: "more than twenty bytes" }))
      assert.include(error.message, "payloadLimit is 20")
    })
  )

  it.effect("reads below an application's own prefix", () =>
    Effect.gen(function* () {
      const provider = env({ myapp_scheduler_origin: "mine", scheduler_origin: "another's" })
      const scheduler = yield* from(ConfigProvider.nested(provider, "myapp"))
      assert.strictEqual((yield* scheduler.schedule(Note, minutely)).origin, "mine")
    })
  )

  it.effect("reads upper-case keys where the provider makes them so", () =>
    Effect.gen(function* () {
      const provider = ConfigProvider.constantCase(env({ SCHEDULER_ORIGIN: "loud", SCHEDULER_MAX_RUNNING: "1" }))
      const scheduler = yield* from(provider)
      assert.strictEqual((yield* scheduler.schedule(Note, minutely)).origin, "loud")
    })
  )

  it.effect("reads a list of durations, and bounds of queues by their names", () =>
    Effect.gen(function* () {
      const scheduler = yield* from(
        ConfigProvider.fromUnknown({
          scheduler: { recoveryDelays: ["0 millis", "1 second"], queues: { default: { concurrency: 1 } } }
        }),
        { queues: { mail: { concurrency: 2 } } }
      )
      yield* scheduler.enqueueAll(Slow, [{ seconds: 9 }, { seconds: 9 }])
      yield* settled
      assert.strictEqual((yield* scheduler.runs({ state: "running" })).items.length, 1)
    })
  )

  it.effect("autoStart: false from the environment waits for start", () =>
    Effect.gen(function* () {
      const scheduler = yield* from(env({ scheduler_autoStart: "false" }))
      assert.strictEqual((yield* scheduler.schedule(Note, minutely)).state, "tentative")
    })
  )

  it.effect("takes from code what configuration leaves out, and from the defaults what both leave out", () =>
    Effect.gen(function* () {
      const scheduler = yield* from(env({ scheduler_retention_succeeded: "1 hour" }), {
        maxRunning: 1,
        retention: { succeeded: "1 day", others: "2 hours" },
        origin: "code"
      })
      assert.strictEqual((yield* scheduler.schedule(Note, { ...minutely, maxRuns: 1 })).origin, "code")
      yield* scheduler.enqueue(Slow, { seconds: 0 })
      yield* scheduler.cancel(yield* scheduler.enqueue(Slow, { seconds: 0 }, { at: 9e9 }))
      const outcomes = Effect.map(scheduler.history({ job: "Slow" }), ({ items }) =>
        items.map((row) => (row._tag === "Run" ? row.outcome : row.kind))
      )
      yield* settled
      assert.sameMembers(yield* outcomes, ["succeeded", "cancelled"])
      yield* TestClock.adjust("90 minutes")
      assert.deepStrictEqual(yield* outcomes, ["cancelled"])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* outcomes, [])
    })
  )

  const wrong = [
    [{ maxRunning: "many" }, "maxRunning"],
    [{ policies: { overlap: "queue" } }, "overlap"],
    [{ policies: { missed: { limit: "0" } } }, "limit"],
    [{ policies: "strict" }, "policies"],
    [{ retention: { keys: "for ever" } }, "keys"],
    [{ recoveryDelays: ["soon"] }, "recoveryDelays"],
    [{ recoveryDelays: "0 millis, soon" }, "recoveryDelays"],
    [{ queues: { mail: { concurrency: "0.5" } } }, "concurrency"],
    [{ autoStart: "perhaps" }, "autoStart"]
  ] as const
  for (const [scheduler, key] of wrong) {
    it.effect(`a configuration value of the wrong type names its key: ${JSON.stringify(scheduler)}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(from(ConfigProvider.fromUnknown({ scheduler })))
        assert.strictEqual((error as { readonly _tag: string })._tag, "ConfigError")
        assert.include(String(error), key)
      })
    )
  }

  it.effect("an option out of range in code is a mistake in the program: a defect that names it", () =>
    Effect.gen(function* () {
      for (const [code, message] of [
        [{ maxRunning: 0 }, "Scheduler: maxRunning must be a whole number of at least 1, not 0"],
        [{ lease: 1 }, "Scheduler: lease must be at least 100 ms, not 1"],
        [{ queues: { mail: { concurrency: 0 } } }, "queues.mail.concurrency must be a whole number"]
      ] as const) {
        const defect = yield* Effect.catchDefect(Effect.asVoid(build(Scheduler.layer(code))), Effect.succeed)
        assert.include(String(defect), message)
      }
    })
  )
})
