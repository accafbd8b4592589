/**
 * What happens in the demo, in its order.
 */
import { Clock, Console, DateTime, Effect, FileSystem, Option, Schema } from "effect"
import { account, type Window } from "./accounting.ts"
import * as Child from "./Child.ts"
import { titleOf } from "./CronJob.ts"
import * as Crontab from "./Crontab.ts"
import { readHistory } from "./history.ts"
import * as ProcessGroup from "./ProcessGroup.ts"
import type { Paint } from "./text.ts"

/** Seconds. */
const LEASE = 2

/** In the command of the line that is killed. */
const LONG = "report is done"

/** Answers the window in which every nominal time must be found. */
export const play = Effect.fnUntraced(function* (files: Child.Files, paint: Paint) {
  const say = (text: string) => Console.log(paint("cyan", `== ${text}`))
  const fs = yield* FileSystem.FileSystem
  const { entries } = Crontab.parse(yield* fs.readFileString(files.crontab))
  const long = entries.find(({ command }) => command.includes(LONG))!

  yield* say("A crontab out of SQLite, in a process of its own. The lease is 2 s here and")
  yield* say("15 s by default: after so long a silence a scheduler is taken for dead.")
  const first = yield* Child.start(files, LEASE, paint)
  const from = yield* stored(first, entries)
  const begun = yield* first.heard("the long command", "CommandStarted", ({ title }) => title === titleOf(long))
  const { runId } = begun.message
  yield* Effect.sleep("1 second")
  const group = yield* storedGroup(files.database, runId)

  yield* Effect.addFinalizer(() => ProcessGroup.end(group, runId, "1 second"))
  yield* first.kill
  yield* say(`Killed the scheduler (SIGKILL) in the middle of run #${runId.slice(-5)}.`)
  const orphan = yield* ProcessGroup.isRunning(group, runId)
  yield* say(`Its command ${orphan ? "goes on without it" : "has ended with it"}: process group ${group.id}.`)
  yield* Effect.sleep("2 seconds")

  yield* say("Started again: the lease of the dead one passes, and its runs are taken back.")
  const second = yield* Child.start(files, LEASE, paint)
  yield* second.heard(
    "the killed run to be recovered",
    "Event",
    ({ event }) => event._tag === "RunRecovered" && event.runId === runId
  )
  const again = yield* second.heard("the repeat", "CommandStarted", (message) => message.runId === runId)
  const leftover = yield* ProcessGroup.isRunning(group, runId)
  yield* second.heard(
    "the repeat to end well",
    "Event",
    ({ event }) => event._tag === "RunSucceeded" && event.runId === runId
  )
  if (!orphan || leftover) {
    return yield* new Child.DemoFailed({ message: "The command of the killed run was not ended before its repeat" })
  }
  const ended = yield* second.heard("the orphan's end", "LeftoverEnded", (message) => message.runId === runId)
  yield* say(
    `Process group ${group.id} was ended ${again.at - ended.at} ms before the repeat began in ${again.message.group}.`
  )

  const window: Window = { from, to: yield* Clock.currentTimeMillis }
  yield* settled(files, entries, window)
  yield* stopQuietly(second)
  yield* finishRest(files, paint)
  yield* say(`Stopped. From the text of the crontab and plain SQL, until ${iso(window.to)}:`)
  return window
})

/** The instant at which all lines were stored. */
const stored = Effect.fnUntraced(function* (child: Child.Child, entries: ReadonlyArray<Crontab.Entry>) {
  const ids = entries.filter(({ trigger }) => trigger !== "reboot").map(({ id }) => id)
  const added = yield* Effect.forEach(ids, (id) =>
    child.heard(
      "a line to be stored",
      "Event",
      ({ event }) => event._tag === "ScheduleAdded" && event.scheduleId === id
    )
  )
  return Math.max(...added.map(({ at }) => at))
})

const iso = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at)).slice(11, 19)

const decodeGroup = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Struct({ group: ProcessGroup.ProcessGroup }))
)

/** What the scheduler stored of a run before its command began. */
const storedGroup = Effect.fnUntraced(function* (database: string, runId: string) {
  const { open } = yield* readHistory(database)
  const run = open.find(({ id }) => id === runId)
  return (yield* decodeGroup(run?.progress)).group
})

/** Waits until all that was due in the window has been decided and has ended. What is wrong then, stays wrong. */
const settled = Effect.fnUntraced(function* (
  files: Child.Files,
  entries: ReadonlyArray<Crontab.Entry>,
  window: Window
) {
  for (let tries = 0; tries < 150; tries++) {
    if (account(entries, yield* readHistory(files.database), window).faults.length === 0) return
    yield* Effect.sleep("100 millis")
  }
})

/** Stops a scheduler between two seconds, when every run that it made has begun. */
const stopQuietly = Effect.fnUntraced(function* (child: Child.Child) {
  yield* Child.until("a quiet moment", () => {
    const started = new Set(runsWith(child, "RunStarted"))
    const millis = Date.now() % 1_000
    return runsWith(child, "RunCreated").every((id) => started.has(id)) && millis > 300 && millis < 700
      ? Option.some(true)
      : Option.none()
  })
  yield* child.stop
})

const runsWith = ({ told }: Child.Child, tag: "RunCreated" | "RunStarted"): ReadonlyArray<string> =>
  told.flatMap(({ message }) => (message._tag === "Event" && message.event._tag === tag ? [message.event.runId] : []))

/** A run that was made as the scheduler stopped waits for the next start. */
const finishRest = Effect.fnUntraced(function* (files: Child.Files, paint: Paint) {
  const { open } = yield* readHistory(files.database)
  if (open.length === 0) return
  const child = yield* Child.start(files, LEASE, paint)
  yield* Effect.forEach(open, ({ id }) =>
    child.heard("a run that was left to end", "Event", ({ event }) => {
      return (event._tag === "RunSucceeded" || event._tag === "RunFailed") && event.runId === id
    })
  )
  yield* stopQuietly(child)
})
