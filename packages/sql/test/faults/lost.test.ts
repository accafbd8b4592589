/** What the faults have to rely on: a connection that is lost within a transaction is a failure of the call, no defect. */
import { PgClient } from "@effect/sql-pg"
import { assert, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Redacted, Schedule } from "effect"
import { JobStore } from "effect-scheduler/JobStore"
import { Reactivity } from "effect/reactivity"
import { newPrefix, sharedUrl } from "../postgres/database.ts"
import { query } from "../postgres/query.ts"
import { enqueued, reasonOf, run } from "../support.ts"
import { open } from "./layers.ts"

it.live("a call whose connection is ended within its transaction fails as unavailable", () =>
  Effect.gen(function* () {
    const prefix = yield* newPrefix
    const store = Context.get(yield* Layer.build(open({ kind: "postgres", url: sharedUrl, prefix })), JobStore)
    const sql = yield* PgClient.make({ url: Redacted.make(sharedUrl), maxConnections: 1 })
    const isHeld = yield* Deferred.make<void>()
    const lock = sql.unsafe(`lock table ${prefix}runs in access exclusive mode`)
    yield* Effect.forkScoped(
      sql.withTransaction(Effect.andThen(lock, Effect.andThen(Deferred.succeed(isHeld, undefined), Effect.never)))
    )
    yield* Deferred.await(isHeld)
    const call = yield* Effect.forkChild(reasonOf(store.enqueue(enqueued(run()))))
    // The server shows the beginning of a statement, which need not name the table that is waited for.
    const waits = `wait_event_type = 'Lock' and query like '%${prefix}%'`
    yield* query(sharedUrl, `select pg_terminate_backend(pid) from pg_stat_activity where ${waits}`).pipe(
      Effect.repeat({ until: (rows) => rows.length > 0, schedule: Schedule.spaced("10 millis") })
    )
    assert.strictEqual((yield* Fiber.join(call)).reason, "Unavailable")
  }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))
)
