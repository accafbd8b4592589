/**
 * A cron daemon: the lines of a file as schedules in SQLite, for as long as it runs.
 */
import { randomUUID } from "node:crypto"
import { SqlJobStore } from "@effect-scheduler/sql"
import { Duration, Effect, Fiber, FileSystem, Layer, Option, Schedule, Stream } from "effect"
import { Scheduler } from "effect-scheduler"
import { CronJobLive, titleOf } from "./CronJob.ts"
import * as Crontab from "./Crontab.ts"
import { Report } from "./Report.ts"
import { enqueueReboot, sync } from "./sync.ts"

export interface Options {
  /** An absolute path. */
  readonly file: string
  readonly database: string
  readonly lease: Duration.Duration
  /** How long commands may go on when it is interrupted. */
  readonly drain: Duration.Duration
}

/** Runs until it is interrupted, and then until the commands that run have ended or the drain deadline has passed. */
export const daemon = (options: Options) =>
  Effect.service(FileSystem.FileSystem).pipe(
    Effect.flatMap((fs) => fs.access(options.file, { readable: true })),
    Effect.andThen(keeping(options))
  )

const keeping = (options: Options) =>
  Effect.scoped(run(options)).pipe(
    Effect.provide(
      CronJobLive.pipe(
        Layer.provideMerge(
          Scheduler.layer({
            stores: { default: SqlJobStore.layerSqlite({ filename: options.database }) },
            lease: options.lease,
            drainDeadline: options.drain,
            autoStart: false
          })
        )
      )
    )
  )

const run = Effect.fnUntraced(function* ({ database, drain, file, lease }: Options) {
  const scheduler = yield* Scheduler
  const fs = yield* FileSystem.FileSystem
  const report = yield* Report
  const titles = yield* tellEvents
  yield* Effect.addFinalizer(() =>
    report({ _tag: "Note", text: `Stopping: commands that run have ${Duration.format(drain)} to end.` })
  )

  const origin = `crontab:${file}`
  const load = Effect.gen(function* () {
    const crontab = Crontab.parse(yield* fs.readFileString(file))
    for (const entry of crontab.entries) titles.set(entry.id, titleOf(entry))
    for (const problem of crontab.problems) {
      yield* report({ _tag: "Problem", text: Crontab.showProblem(file, problem) })
    }
    const removed = yield* sync(crontab, origin)
    yield* report({
      _tag: "Synced",
      lines: crontab.entries.length,
      removed: removed.length,
      problems: crontab.problems.length
    })
    return crontab
  })

  for (const text of [
    `crontab   ${file}`,
    `database  ${database}`,
    `lease     ${Duration.format(lease)}`,
    "Times are UTC, and lines are read in UTC unless a CRON_TZ stands above them."
  ]) {
    yield* report({ _tag: "Note", text })
  }

  const version = yield* versionOf(file)
  const crontab = yield* load
  yield* scheduler.start
  yield* enqueueReboot(crontab.entries, randomUUID(), titles)
  yield* watch(file, version, load)
})

/** Tells all events until the scheduler has stopped; answers the titles by schedule or run that it tells them with. */
const tellEvents = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  const report = yield* Report
  const titles = new Map<string, string>()
  const title = (id: string | null) => titles.get(id ?? "") ?? id ?? ""
  const telling = yield* scheduler.events.pipe(
    Stream.takeUntil(({ _tag }) => _tag === "SchedulerStopped"),
    Stream.runForEach((event) =>
      report({
        _tag: "Event",
        title: title(
          "runId" in event && event.scheduleId === null ? event.runId : "scheduleId" in event ? event.scheduleId : ""
        ),
        event
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* Effect.addFinalizer(() =>
    Effect.andThen(scheduler.drain(), Effect.timeoutOption(Fiber.await(telling), "1 second"))
  )
  return titles
})

/** Reads the file again whenever it has changed. A file that cannot be read changes nothing. */
const watch = <E, R>(file: string, version: string, load: Effect.Effect<unknown, E, R>) => {
  let known = version
  return Effect.gen(function* () {
    const version = yield* versionOf(file)
    if (version === known) return
    known = version
    const report = yield* Report
    yield* Effect.catch(Effect.asVoid(load), (error) =>
      report({ _tag: "Problem", text: `${file}: everything stays as it is: ${messageOf(error)}` })
    )
  }).pipe(Effect.repeat(Schedule.spaced("1 second")))
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Changes when the file does. */
const versionOf = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(file))
  if (Option.isNone(info)) return "none"
  const { ino, mtime, size } = info.value
  return [Option.getOrUndefined(mtime)?.getTime(), size, Option.getOrUndefined(ino)].join(" ")
})
