/**
 * Reminders until it is stopped: in memory, or in the SQLite file that is named.
 */
import { SqlJobStore } from "@effect-scheduler/sql"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Layer } from "effect"
import { type JobStore, MemoryJobStore, Scheduler } from "effect-scheduler"
import { Reminders } from "./reminders.ts"

const [, , filename] = process.argv

// All that changes for reminders that survive the program.
const store: Layer.Layer<JobStore.JobStore, JobStore.JobStoreError> =
  filename === undefined ? MemoryJobStore.layer : SqlJobStore.layerSqlite({ filename })

Layer.launch(Reminders.pipe(Layer.provide(Scheduler.layer({ stores: { default: store } })))).pipe(NodeRuntime.runMain)
