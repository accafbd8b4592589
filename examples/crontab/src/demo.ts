/**
 * The demo: a real crontab is scheduled out of a SQLite file, its scheduler is killed in the middle of a run, started
 * again, and at the end every nominal time is accounted for.
 *
 * `--keep` leaves the folder with the crontab and the database, and `--check FOLDER` does the accounting of such a folder
 * again.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, FileSystem, Option, Path, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { account, Window } from "./accounting.ts"
import * as Crontab from "./Crontab.ts"
import { readHistory } from "./history.ts"
import { play } from "./play.ts"
import { isGood, table, verdict } from "./table.ts"
import { painter, wantsColour } from "./text.ts"

const paint = painter(wantsColour(process.stdout, process.env))

const filesOf = Effect.fnUntraced(function* (folder: string) {
  const path = yield* Path.Path
  return {
    home: folder,
    window: path.join(folder, "window.json"),
    crontab: path.join(folder, "crontab"),
    database: path.join(folder, "crontab.sqlite")
  }
})

const decodeWindow = Schema.decodeEffect(Schema.fromJsonString(Window))

/** Prints the table and the verdict; fails unless it is good. */
const check = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const files = yield* filesOf(folder)
  const { entries } = Crontab.parse(yield* fs.readFileString(files.crontab))
  const window = yield* decodeWindow(yield* fs.readFileString(files.window))
  const accounting = account(entries, yield* readHistory(files.database), window)
  for (const line of [...table(accounting, paint), "", ...verdict(accounting, paint)]) yield* Console.log(line)
  if (!isGood(accounting)) process.exitCode = 1
})

const demo = Command.make(
  "demo",
  {
    keep: Flag.Boolean("keep").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Leave the folder with the crontab and the database")
    ),
    check: Flag.String("check").pipe(
      Flag.withDescription("Only do the accounting of a folder that was kept"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* (flags) {
    if (Option.isSome(flags.check)) return yield* check(flags.check.value)
    const fs = yield* FileSystem.FileSystem
    const prefix = { prefix: "effect-scheduler-demo-" }
    const folder = yield* flags.keep ? fs.makeTempDirectory(prefix) : fs.makeTempDirectoryScoped(prefix)
    const files = yield* filesOf(folder)
    yield* fs.copyFile(new URL("../demo.crontab", import.meta.url).pathname, files.crontab)
    const window = yield* play(files, paint)
    yield* fs.writeFileString(files.window, JSON.stringify(window))
    if (flags.keep) yield* Console.log(`Kept: ${folder}`)
    yield* check(folder)
  }, Effect.scoped)
).pipe(
  Command.withDescription("Runs a crontab, kills its scheduler in the middle of a run, and accounts for everything")
)

demo.pipe(Command.run({ version: "0.0.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
