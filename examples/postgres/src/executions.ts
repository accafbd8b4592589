/**
 * A table of the application's own, in which handlers write down when they begin and when they end. Nothing in it is
 * unique: what was executed twice would be there twice.
 */
import { Effect, Schema } from "effect"
import { JobRun, Scheduler } from "effect-scheduler"
import { SqlClient } from "effect/sql"

const NOW = "(extract(epoch from clock_timestamp()) * 1000)::bigint"

export const createTable = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table executions (
    run text not null, attempt integer not null, node text not null, pid integer not null, customer text,
    began bigint not null, ended bigint
  )`
})

/** Writes down this execution of a handler, and for which customer it is. One whose process is killed has no end. */
export const recorded = <A, E, R>(handler: Effect.Effect<A, E, R>, customer: string | null) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { attempt, id } = yield* JobRun.current
    const node = yield* (yield* Scheduler).node
    yield* sql`insert into executions
      values (${id}, ${attempt}, ${node}, ${process.pid}, ${customer}, ${sql.literal(NOW)}, null)`.pipe(Effect.orDie)
    return yield* Effect.ensuring(
      handler,
      sql`update executions set ended = ${sql.literal(NOW)}
        where run = ${id} and attempt = ${attempt} and pid = ${process.pid} and ended is null`.pipe(Effect.orDie)
    )
  })

/** A (run, attempt) as a handler wrote it down. Instants are epoch milliseconds of the server's clock. */
export const Execution = Schema.Struct({
  run: Schema.String,
  attempt: Schema.Finite,
  node: Schema.String,
  pid: Schema.Finite,
  customer: Schema.NullOr(Schema.String),
  began: Schema.Finite,
  ended: Schema.NullOr(Schema.Finite)
})

export type Execution = typeof Execution.Type
