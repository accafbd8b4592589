import { SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Layer, type Scope } from "effect"
import { type JobStore, Scheduler } from "effect-scheduler"
import type { JobStoreError } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql/SqlClient"
import { describe, expect, it } from "tstyche"
import { Database, Plain, trigger } from "./given.ts"

declare const scheduler: Scheduler["Service"]
const reading = Effect.flatMap(Database, ({ read }) => read)

describe("scheduleEffect", () => {
  it("takes any effect, and needs its services and a scope", () => {
    const scheduled = scheduler.scheduleEffect(reading, { id: "a", trigger })
    expect<Effect.Services<typeof scheduled>>().type.toBe<Database | Scope.Scope>()
  })

  it("takes no store: what cannot be stored stays out of a durable one", () => {
    // @ts-expect-error 'store' does not exist
    scheduler.scheduleEffect(Effect.void, { id: "a", trigger, store: "default" })
    // @ts-expect-error 'payload' does not exist
    scheduler.scheduleEffect(Effect.void, { id: "a", trigger, payload: {} })
    // @ts-expect-error 'onConflict' does not exist
    scheduler.scheduleEffect(Effect.void, { id: "a", trigger, onConflict: "keep" })
  })
})

describe("what reaches a store", () => {
  it("has a name: an effect has none", () => {
    expect(scheduler.schedule).type.toBeCallableWith(Plain, { id: "a", trigger })
    // @ts-expect-error is not assignable to parameter of type 'Any'
    scheduler.schedule(Effect.void, { id: "a", trigger })
    // @ts-expect-error is not assignable to parameter of type 'Any'
    scheduler.scheduleAll(Effect.void, [{ id: "a", trigger }])
    // @ts-expect-error is not assignable to parameter of type 'Any'
    scheduler.enqueue(Effect.void)
    // @ts-expect-error is not assignable to parameter of type 'Any'
    scheduler.execute(Effect.void)
  })
})

describe("a durable store", () => {
  it("on SQLite needs nothing, and with the application's client that", () => {
    expect(SqlJobStore.layerSqlite({ filename: "jobs.sqlite" })).type.toBe<
      Layer.Layer<JobStore.JobStore, JobStoreError>
    >()
    expect(SqlJobStore.layer()).type.toBe<Layer.Layer<JobStore.JobStore, JobStoreError, SqlClient>>()
  })

  it("is a layer of a JobStore", () => {
    expect(Scheduler.layer).type.toBeCallableWith({
      stores: { default: SqlJobStore.layerSqlite({ filename: "jobs.sqlite" }) }
    })
    // @ts-expect-error is not assignable
    Scheduler.layer({ stores: { default: Layer.succeed(Database, { read: Effect.succeed(1) }) } })
  })
})
