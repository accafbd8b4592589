/**
 * The job behind every line of a crontab: its payload is the line, its handler runs the command.
 */
import { homedir, userInfo } from "node:os"
import { Duration, Effect, Option, Schema } from "effect"
import { Job, JobRun } from "effect-scheduler"
import * as Command from "./Command.ts"
import type { Entry } from "./Crontab.ts"
import * as ProcessGroup from "./ProcessGroup.ts"
import { Report } from "./Report.ts"

/** What a run needs to know of its line, so that it can be run after the file has changed. */
const Payload = Schema.Struct({
  entry: Schema.String,
  /** As a person names it. */
  title: Schema.String,
  command: Schema.String,
  stdin: Schema.NullOr(Schema.String),
  shell: Schema.String,
  env: Schema.Record(Schema.String, Schema.String),
  /** Seconds. */
  timeout: Schema.Finite
})

/** The command has a timeout of its own, so that its output is kept with the failure. */
export class CronJob extends Job.make("crontab", {
  payload: Payload,
  success: Command.CommandResult,
  error: Command.CommandFailed,
  timeout: Infinity
}) {}

export const payloadOf = (entry: Entry): Job.Payload<typeof CronJob> => ({
  entry: entry.id,
  title: titleOf(entry),
  command: entry.command,
  stdin: entry.stdin ?? null,
  shell: entry.shell,
  env: entry.env,
  timeout: entry.timeout
})

export const titleOf = (entry: Pick<Entry, "schedule" | "command">): string => `${entry.schedule} ${entry.command}`

/** Stored before the command begins, so that the next execution of the run finds what this one left running. */
const Progress = Schema.Struct({ entry: Schema.String, group: ProcessGroup.ProcessGroup })

const decodeProgress = Schema.decodeUnknownOption(Progress)

export const CronJobLive = CronJob.toLayer(
  Effect.gen(function* () {
    const report = yield* Report
    return Effect.fnUntraced(function* (payload) {
      const run = yield* JobRun.current
      const about = { runId: run.id, title: payload.title }

      const earlier = decodeProgress(run.progress())
      if (Option.isSome(earlier) && (yield* ProcessGroup.end(earlier.value.group, run.id, Command.GRACE))) {
        yield* report({ _tag: "LeftoverEnded", ...about, group: earlier.value.group.id })
      }

      const env = environment(payload)
      return yield* Command.run({
        runId: run.id,
        shell: payload.shell,
        command: payload.command,
        stdin: payload.stdin ?? undefined,
        env,
        cwd: env["HOME"]!,
        timeout: Duration.seconds(payload.timeout),
        beforeStart: (group) =>
          run
            .setProgress({ entry: payload.entry, group })
            .pipe(Effect.orDie, Effect.andThen(report({ _tag: "CommandStarted", ...about, group: group.id }))),
        onLine: (line) => report({ _tag: "Output", ...about, line })
      })
    })
  })
)

/** As cron's: small, and nothing of the scheduler's own. */
const environment = (payload: Job.Payload<typeof CronJob>): Record<string, string> => {
  const user = userInfo().username
  return {
    HOME: homedir(),
    PATH: "/usr/bin:/bin",
    SHELL: payload.shell,
    USER: user,
    ...payload.env,
    LOGNAME: user
  }
}
