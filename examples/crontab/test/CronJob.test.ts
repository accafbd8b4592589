import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, type Schema } from "effect"
import { type Job, JobRegistry, JobRun } from "effect-scheduler"
import type { CommandFailed } from "../src/Command.ts"
import { CronJob, CronJobLive, payloadOf } from "../src/CronJob.ts"
import * as Crontab from "../src/Crontab.ts"
import * as ProcessGroup from "../src/ProcessGroup.ts"
import { type Message, Report } from "../src/Report.ts"

/** Handlers without a scheduler, and what they report. */
const make = Effect.gen(function* () {
  const told: Array<Message> = []
  const report = Layer.succeed(Report, (message) => Effect.sync(() => void told.push(message)))
  const context = yield* Layer.build(CronJobLive.pipe(Layer.provideMerge(JobRegistry.layer), Layer.provide(report)))
  const registry = yield* Effect.provideContext(Effect.service(JobRegistry), context)
  const { handler } = registry.entries.get(CronJob.jobName)!

  /** Executes a line as the run `id`, which has come so far. */
  const execute = (
    text: string,
    id: string,
    progress: Schema.Json,
    stored: (progress: Schema.Json) => void = () => {}
  ) =>
    Effect.provideService(handler(payloadOf(Crontab.parse(text).entries[0]!) as never), JobRun.JobRun, {
      id,
      job: CronJob.jobName,
      store: "default",
      scheduleId: null,
      nominal: null,
      cause: "enqueue",
      attempt: 1,
      execution: 1,
      startedAt: 0,
      progress: () => progress,
      setProgress: (value) => Effect.sync(() => stored(value)),
      lastSuccess: () => Effect.succeedNone
    }) as Effect.Effect<Job.Success<typeof CronJob>, CommandFailed>
  return { execute, told }
})

const tags = (told: ReadonlyArray<Message>) => told.map(({ _tag }) => _tag)

describe("the job of a line", () => {
  it.live("stores its process group before the command begins, and reports what it writes", () =>
    Effect.gen(function* () {
      const { execute, told } = yield* make
      const stored: Array<unknown> = []
      const result = yield* execute("A=b\n@daily echo $A $$; cat%c", "run", null, (progress) => stored.push(progress))
      const [progress] = stored as [{ readonly entry: string; readonly group: ProcessGroup.ProcessGroup }]
      assert.strictEqual(result.output, `b ${progress.group.id}\nc`)
      assert.strictEqual(progress.entry, Crontab.parse("@daily echo $A $$; cat%c").entries[0]!.id)
      assert.deepStrictEqual(tags(told), ["CommandStarted", "Output", "Output"])
    })
  )

  it.live("runs in the folder and with the environment that cron gives", () =>
    Effect.gen(function* () {
      const { execute } = yield* make
      const { output } = yield* execute(`HOME=/tmp\nA="b  "\n@daily pwd; echo "$HOME $PATH $SHELL [$A]"`, "run", null)
      assert.strictEqual(output, "/tmp\n/tmp /usr/bin:/bin /bin/sh [b  ]")
    })
  )

  it.live("fails with the error of the command", () =>
    Effect.gen(function* () {
      const { execute } = yield* make
      const error = yield* Effect.flip(execute("CRON_TIMEOUT=0.2\n@daily echo a; sleep 9", "run", null))
      assert.deepStrictEqual(error.why, { _tag: "TimedOut", seconds: 0.2 })
      assert.strictEqual(error.output, "a")
    })
  )

  it.live("ends what an earlier execution of the run has left running, before it begins", () =>
    Effect.gen(function* () {
      const first = yield* make
      const progress = yield* Deferred.make<Schema.Json>()
      const earlier = yield* Effect.forkChild(
        Effect.exit(
          first.execute("@daily sleep 30 & sleep 30", "run", null, (value) =>
            Deferred.doneUnsafe(progress, Effect.succeed(value))
          )
        )
      )
      const stored = yield* Deferred.await(progress)
      const { group } = stored as { readonly group: ProcessGroup.ProcessGroup }

      const other = yield* make
      yield* other.execute("@daily true", "another run", null)
      assert.isTrue(yield* ProcessGroup.isRunning(group, "run"))

      const second = yield* make
      yield* second.execute(
        `@daily kill -0 -${group.id} 2>/dev/null && ps -o stat= -g ${group.id}; echo again`,
        "run",
        stored
      )
      assert.deepStrictEqual(tags(second.told).slice(0, 2), ["LeftoverEnded", "CommandStarted"])
      assert.isFalse(yield* ProcessGroup.isRunning(group, "run"))
      const exit = yield* Fiber.join(earlier)
      assert.strictEqual(exit._tag, "Failure")
    })
  )

  it.live("leaves a process alone that only has the number of the earlier one", () =>
    Effect.gen(function* () {
      const { execute, told } = yield* make
      yield* execute("@daily true", "run", { entry: "x", group: { id: process.pid, started: "long ago" } })
      assert.deepStrictEqual(tags(told), ["CommandStarted"])
    })
  )
})
