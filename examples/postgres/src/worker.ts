import { SqlJobStore } from "@effect-scheduler/sql"
/**
 * A scheduler in a process of its own: all it is told is where the database is. It runs jobs until it is asked to stop
 * (SIGTERM), or until its standard input ends, and tells on its standard output what it sees of other processes.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import { Cause, Config, Console, Effect, Exit, Layer, Random, Stdio, Stream } from "effect"
import { Scheduler } from "effect-scheduler"
import { recorded } from "./executions.ts"
import { NightlyReport, ResizeImage, SendInvoice } from "./jobs.ts"
import { encodeTold, tags } from "./told.ts"

/** What a handler does here: nothing, for a while. */
const takes = (least: number, most: number, customer: string | null = null) =>
  recorded(
    Effect.flatMap(Random.nextIntBetween(least, most), (millis) => Effect.sleep(millis)),
    customer
  )

const Handlers = Layer.mergeAll(
  SendInvoice.toLayer(({ customer }) => takes(100, 400, customer)),
  ResizeImage.toLayer(() => takes(200, 800)),
  NightlyReport.toLayer(() => takes(300, 700))
)

const Database = PgClient.layerConfig({
  url: Config.Redacted("DATABASE_URL"),
  maxConnections: Config.succeed(10)
})

const Main = Handlers.pipe(
  Layer.provideMerge(
    Scheduler.layer({
      stores: { default: SqlJobStore.layer() },
      lease: "2 seconds",
      maxRunning: 8,
      drainDeadline: "10 seconds",
      autoStart: false
    })
  ),
  Layer.provide(Database)
)

const program = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  yield* scheduler.on(tags, (event) => Console.log(encodeTold(event)))
  yield* scheduler.start
  return yield* Effect.never
}).pipe(Effect.scoped, Effect.provide(Main))

Effect.gen(function* () {
  const { stdin } = yield* Stdio.Stdio
  yield* Effect.raceFirst(program, Stream.runDrain(stdin))
}).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    // To be stopped is how this program ends well.
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
  })
)
