import { SqliteClient, SqlJobStore } from "@effect-scheduler/sql"
/** What a store on SQL says for each reason for which a call of it fails: `__snapshots__` has the list, as a person reads it. */
import { assert, describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { JobStore } from "effect-scheduler"
import { SqlClient, SqlError } from "effect/sql"
import { toOpenError, toStoreError } from "../src/internal/storeError.ts"

const database = "postgres jobs"
const file = "sqlite /var/lib/app/jobs.db"

/** An error as a driver has it: a server's by its code, SQLite's by its number. */
const driver = (message: string, code: { readonly code: string } | { readonly errcode: number }): SqlError.SqlError => {
  const cause = Object.assign(new Error(message), code)
  return new SqlError.SqlError({ reason: new SqlError.UnknownError({ cause, message: "Failed to execute statement" }) })
}

/** An error that a driver knows by its kind. */
const known = (Kind: typeof SqlError.DeadlockError | typeof SqlError.StatementTimeoutError, message: string) =>
  new SqlError.SqlError({ reason: new Kind({ cause: new Error(message), message }) })

const refused = <R>(store: Layer.Layer<JobStore.JobStore, JobStore.JobStoreError, R>) =>
  Effect.flip(Effect.scoped(Layer.build(store)))

const newer = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* Effect.scoped(Layer.build(SqlJobStore.layer()))
  yield* sql`insert into scheduler_migrations (migration_id, name) values (99, 'contract_all')`
  return yield* refused(SqlJobStore.layer())
})

const samples = Effect.gen(function* () {
  return [
    toOpenError(database, driver("connect ECONNREFUSED 127.0.0.1:5432", { code: "08001" })),
    toStoreError(
      "claim",
      database,
      known(SqlError.StatementTimeoutError, "canceling statement due to statement timeout")
    ),
    toStoreError("claim", file, driver("database is locked", { errcode: 5 })),
    toStoreError("fire", database, known(SqlError.DeadlockError, "deadlock detected")),
    toStoreError("enqueue", file, driver("attempt to write a readonly database", { errcode: 8 })),
    toStoreError("enqueue", file, driver("database or disk is full", { errcode: 13 })),
    toStoreError("claim", file, driver("database disk image is malformed", { errcode: 11 })),
    toOpenError(database, driver("permission denied for schema public", { code: "42501" })),
    yield* newer,
    yield* refused(SqlJobStore.layerStorage({ prefix: "other_" })),
    yield* refused(SqlJobStore.layer({ prefix: "my-app" })),
    toStoreError("claim", database, driver("invalid input syntax", { code: "22P02" }))
  ]
}).pipe(Effect.provide(SqliteClient.layer({ filename: ":memory:" })))

describe("the messages of stores on SQL", () => {
  it("say for each reason of a JobStoreError where it happened, what, and what to do", async () => {
    const errors = await Effect.runPromise(samples)
    assert.deepStrictEqual(
      errors.map(({ reason }) => reason),
      [...JobStore.JobStoreReason.literals]
    )
    expect(Object.fromEntries(errors.map(({ message, reason }) => [reason, message]))).toMatchSnapshot()
  })
})
