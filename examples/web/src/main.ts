/**
 * A web application that reminds: PORT (3000), and the SQLite file DATABASE (`:memory:`).
 */
import { createServer } from "node:http"
import { SqlJobStore } from "@effect-scheduler/sql"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer } from "effect"
import { Scheduler } from "effect-scheduler"
import { HttpRouter } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "./Api.ts"
import { RemindersHttp } from "./http.ts"
import { Mailer } from "./Mailer.ts"
import { Reminders, SendReminderLive } from "./Reminders.ts"

const Jobs = Layer.unwrap(
  Effect.map(Config.String("DATABASE").pipe(Config.withDefault(":memory:")), (filename) =>
    Scheduler.layer({ stores: { default: SqlJobStore.layerSqlite({ filename }) } })
  )
)

const Server = NodeHttpServer.layerConfig(createServer, {
  port: Config.Port("PORT").pipe(Config.withDefault(3000))
})

// The scheduler is one layer among others. Handlers of jobs and of requests stand above it, so that when the program is
// stopped no request comes any more, what runs ends, and only then their services close.
const Main = HttpRouter.serve(
  Layer.provide(HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }), RemindersHttp)
).pipe(
  Layer.provide(Server),
  Layer.provide([Reminders.layer, SendReminderLive]),
  Layer.provide(Jobs),
  Layer.provide(Mailer.layerConsole)
)

Layer.launch(Main).pipe(NodeRuntime.runMain)
