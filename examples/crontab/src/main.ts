/**
 * `crontab FILE`: runs a crontab for good.
 */
import { resolve } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Duration, Effect, Exit, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { daemon } from "./daemon.ts"
import { Report } from "./Report.ts"
import { painter, wantsColour } from "./text.ts"

const crontab = Command.make(
  "crontab",
  {
    file: Argument.String("file").pipe(Argument.withDescription("The crontab to run")),
    database: Flag.String("database").pipe(
      Flag.withDescription(
        "The SQLite file that keeps its jobs (default: beside the crontab, with .sqlite at its end)"
      ),
      Flag.withDefault("")
    ),
    lease: Flag.Finite("lease").pipe(
      Flag.withDescription("Seconds of silence after which a scheduler is taken for dead"),
      Flag.withDefault(15)
    ),
    drain: Flag.Finite("drain").pipe(
      Flag.withDescription("Seconds that commands have to end when the program is stopped"),
      Flag.withDefault(30)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Tell everything as JSON, one text a line")
    ),
    attached: Flag.Boolean("attached").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Stop when standard input ends")
    )
  },
  Effect.fnUntraced(function* ({ attached, database, drain, file, json, lease }) {
    const path = fromCaller(file)
    const run = daemon({
      file: path,
      database: database === "" ? `${path}.sqlite` : fromCaller(database),
      lease: Duration.seconds(lease),
      drain: Duration.seconds(drain)
    }).pipe(
      Effect.catch((error) =>
        Effect.andThen(
          Console.error(`crontab: ${error.message}`),
          Effect.sync(() => void (process.exitCode = 1))
        )
      ),
      Effect.provide(json ? Report.layerJson : Report.layerText(painter(wantsColour(process.stdout, process.env))))
    )
    const { stdin } = yield* Stdio.Stdio
    yield* attached ? Effect.raceFirst(run, Stream.runDrain(stdin)) : run
  })
).pipe(Command.withDescription("Runs a crontab: its jobs are kept in SQLite and survive the program"))

/** pnpm runs scripts in the root of the workspace and says where it was called. */
const fromCaller = (path: string): string => resolve(process.env["INIT_CWD"] ?? ".", path)

crontab.pipe(
  Command.run({ version: "0.0.0" }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    // To be stopped is how this program ends well.
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
  })
)
