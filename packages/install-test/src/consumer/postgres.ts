import { SqlJobStore } from "@effect-scheduler/sql"
import { PgClient } from "@effect/sql-pg"
import { Layer, Redacted } from "effect"
import { Scheduler } from "effect-scheduler"
import { runOn } from "./program.ts"

const Database = PgClient.layer({ url: Redacted.make(process.env["DATABASE_URL"] ?? "") })

await runOn(Scheduler.layer({ stores: { default: SqlJobStore.layer().pipe(Layer.provide(Database)) } }))
