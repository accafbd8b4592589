/** A key that no option has would have no effect: `layerConfig` refuses it, and names the one that was meant. */
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer } from "effect"
import { Scheduler } from "../../../src/index.ts"

/** What `layerConfig` says of what this provider has; empty if it is content. */
const said = (provider: ConfigProvider.ConfigProvider) =>
  Layer.build(Scheduler.layerConfig({ autoStart: false })).pipe(
    Effect.scoped,
    Effect.provide(ConfigProvider.layer(provider)),
    Effect.as(""),
    Effect.catchTag("ConfigError", (error: Config.ConfigError) => Effect.succeed(error.message))
  )

const env = (keys: Record<string, string>) => ConfigProvider.fromEnv({ env: keys })
const document = (scheduler: unknown) => ConfigProvider.fromUnknown({ scheduler })
const loud = (keys: Record<string, string>) => ConfigProvider.constantCase(env(keys))

const forbidden = new ConfigProvider.SourceError({ message: "forbidden" })

const meant = (name: string, option: string) => `"${name}" is no option of the scheduler: did you mean "${option}"?`

describe("a key that no option has", () => {
  const misspelled: ReadonlyArray<readonly [what: string, ConfigProvider.ConfigProvider, message: string]> = [
    ["of a document", document({ maxRuning: 3 }), meant("scheduler.maxRuning", "scheduler.maxRunning")],
    [
      "within a group",
      document({ policies: { missed: { graces: "1 minute" } } }),
      meant("scheduler.policies.missed.graces", "scheduler.policies.missed.grace")
    ],
    [
      "that stands outside its group",
      document({ missed: { grace: "1 minute" } }),
      meant("scheduler.missed.grace", "scheduler.policies.missed.grace")
    ],
    [
      "with a list",
      document({ recoveryDelay: ["1 second"] }),
      meant("scheduler.recoveryDelay.0", "scheduler.recoveryDelays")
    ],
    [
      "of a queue",
      document({ queues: { mail: { concurency: 3 } } }),
      meant("scheduler.queues.mail.concurency", "scheduler.queues.mail.concurrency")
    ],
    [
      "of a group of queues",
      document({ queus: { mail: { concurrency: 3 } } }),
      meant("scheduler.queus.mail.concurrency", "scheduler.queues.NAME.concurrency")
    ],
    [
      "as an environment names it",
      document({ policies_overlap: "skip" }),
      meant("scheduler.policies_overlap", "scheduler.policies.overlap")
    ],
    ["of the environment", env({ scheduler_maxRuning: "3" }), meant("scheduler_maxRuning", "scheduler_maxRunning")],
    [
      "that has an underscore too many",
      env({ scheduler_max_running: "3" }),
      meant("scheduler_max_running", "scheduler_maxRunning")
    ],
    ["in capitals", loud({ SCHEDULER_MAX_RUNING: "3" }), meant("SCHEDULER_MAX_RUNING", "SCHEDULER_MAX_RUNNING")],
    [
      "below an application's own prefix",
      ConfigProvider.nested(env({ app_scheduler_leese: "9 seconds" }), "app"),
      meant("app_scheduler_leese", "app_scheduler_lease")
    ],
    [
      "of the second of two sources",
      ConfigProvider.orElse(env({ scheduler_lease: "9 seconds" }), document({ leese: "9 seconds" })),
      meant("scheduler.leese", "scheduler.lease")
    ]
  ]
  for (const [what, provider, message] of misspelled) {
    it.effect(`${what} is refused with the one that was meant`, () =>
      Effect.gen(function* () {
        assert.include(yield* said(provider), message)
      })
    )
  }

  it.effect("and is like none is refused with the options that there are", () =>
    Effect.gen(function* () {
      const message = yield* said(document({ color: "red" }))
      assert.include(message, `"scheduler.color" is no option of the scheduler; there is scheduler.maxRunning, `)
      assert.include(message, "scheduler.origin")
    })
  )

  it.effect("is refused together with the others", () =>
    Effect.gen(function* () {
      const message = yield* said(document({ maxRuning: 3, overlap: "skip" }))
      assert.include(message, "scheduler.maxRuning")
      assert.include(message, meant("scheduler.overlap", "scheduler.policies.overlap"))
    })
  )

  it.effect("in capitals is refused where options are not read in capitals", () =>
    Effect.gen(function* () {
      for (const name of ["SCHEDULER_MAX_RUNNING", "SCHEDULER_MAX_RUNING"]) {
        assert.include(
          yield* said(env({ [name]: "3" })),
          `"${name}" is not read: did you mean "scheduler_maxRunning", or ConfigProvider.constantCase?`
        )
      }
    })
  )
})

describe("what is not refused", () => {
  const kept: ReadonlyArray<readonly [what: string, ConfigProvider.ConfigProvider]> = [
    ["what is not below the scheduler's key", env({ schedulers_maxRuning: "3", maxRuning: "3" })],
    ["a variable that is the scheduler's key", env({ scheduler: "ours", scheduler_maxRunning: "3" })],
    ["other applications' variables in capitals", env({ SCHEDULER_URL: "http://scheduler", SCHEDULER_TIMEOUT: "3" })],
    [
      "variables that Kubernetes sets for a service of this name",
      loud({
        SCHEDULER_MAX_RUNNING: "3",
        SCHEDULER_SERVICE_HOST: "10.0.0.1",
        SCHEDULER_SERVICE_PORT_HTTP: "80",
        SCHEDULER_PORT: "tcp://10.0.0.1:80",
        SCHEDULER_PORT_80_TCP_PROTO: "tcp",
        SCHEDULER_API_SERVICE_HOST: "10.0.0.2"
      })
    ],
    ["hidden files of a folder", document({ "..data": { maxRunning: "3" }, maxRunning: "3" })],
    [
      "an option that only the first of two sources has",
      ConfigProvider.orElse(env({ scheduler_lease: "9 seconds" }), document({ origin: "shop" }))
    ],
    [
      "what an environment has for others, which is like no option",
      loud({ SCHEDULER_MAX_RUNNING: "3", SCHEDULER_IMAGE_TAG: "v3", SCHEDULER_DATABASE_URL: "postgres://scheduler" })
    ],
    [
      "what lies beside options that have no key above them",
      ConfigProvider.mapInput(ConfigProvider.fromUnknown({ lease: "9 seconds", port: 80 }), (path) => path.slice(1))
    ],
    ["a list in one text", loud({ SCHEDULER_RECOVERY_DELAYS: "0 millis, 1 second" })],
    [
      "what a source does not let be read",
      ConfigProvider.make((path) => {
        if (path.length === 1) return Effect.succeed(ConfigProvider.makeRecord(new Set(["secret"])))
        return path.at(-1) === "secret" ? Effect.fail(forbidden) : Effect.succeed(undefined)
      })
    ],
    [
      "a source that throws at a path that it does not know",
      ConfigProvider.make((path) => {
        if (!/^[a-zA-Z.]*$/.test(path.join("."))) throw new Error("no such path")
        return Effect.succeed(path.at(-1) === "lease" ? ConfigProvider.makeValue("9 seconds") : undefined)
      })
    ]
  ]
  for (const [what, provider] of kept) {
    it.effect(what, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* said(provider), "")
      })
    )
  }
})
