import { SqlJobStore } from "@effect-scheduler/sql"
import { Scheduler } from "effect-scheduler"
import { runOn } from "./program.ts"

await runOn(Scheduler.layer({ stores: { default: SqlJobStore.layerSqlite({ filename: "jobs.sqlite" }) } }))
