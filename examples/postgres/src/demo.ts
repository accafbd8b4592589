import { startServer } from "@effect-scheduler/postgres-server"
import { SqlJobStore } from "@effect-scheduler/sql"
/**
 * The demo: three schedulers share one Postgres, one of them is killed in the middle of its work, the others take over,
 * and at the end every run and every execution is counted again.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import { Console, Effect, Layer, Redacted } from "effect"
import { Scheduler } from "effect-scheduler"
import { Command, Flag } from "effect/cli"
import { audit } from "./audit.ts"
import { play } from "./play.ts"
import * as Screen from "./screen.ts"
import { isGood, summary, verdict } from "./summary.ts"
import { painter } from "./text.ts"

const live = Screen.isLive(process.stdout, process.env)
const paint = painter(live)

const server = Effect.acquireRelease(
  Effect.promise(() => startServer()),
  ({ destroy }) => Effect.promise(destroy)
)

/** This process only writes and looks: it is no node, and runs nothing. */
const Client = (url: string) =>
  Scheduler.layerClient({ default: SqlJobStore.layer() }).pipe(
    Layer.provideMerge(PgClient.layer({ url: Redacted.make(url), maxConnections: 5 }))
  )

const demo = Command.make(
  "demo",
  {
    work: Flag.Int("work").pipe(
      Flag.withDefault(560),
      Flag.withDescription("Invoices to send; an eighth as many images are resized")
    ),
    killAfter: Flag.Finite("kill-after").pipe(
      Flag.withDefault(4),
      Flag.withDescription("Seconds of work after which a scheduler is killed")
    )
  },
  Effect.fnUntraced(function* ({ killAfter, work }) {
    yield* Console.log("Three schedulers on one Postgres, each in a process of its own. The lease is")
    yield* Console.log("2 s here and 15 s by default: after so long a silence one is taken for dead.")
    const { url } = yield* server
    const screen = yield* Screen.make(live)
    const played = yield* play({ url, work, killAfter: killAfter * 1_000 }, screen, paint).pipe(
      Effect.provide(Client(url))
    )
    const result = audit(played.facts, played.enqueued)
    for (const line of [...summary(played.facts, played.processes, paint), "", ...verdict(result, paint)]) {
      yield* Console.log(line)
    }
    if (!isGood(result)) process.exitCode = 1
  }, Effect.scoped)
).pipe(Command.withDescription("Runs three schedulers on one Postgres, kills one, and counts everything again"))

demo.pipe(Command.run({ version: "0.0.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
