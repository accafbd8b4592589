import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"

/** The rows that statements answer, the last one's, over a connection that is closed after it. */
export const query = (url: string, statement: string) =>
  PgClient.make({ url: Redacted.make(url), maxConnections: 1 }).pipe(
    Effect.flatMap((sql) => sql.unsafe<Readonly<Record<string, unknown>>>(statement)),
    Effect.scoped,
    Effect.provide(Reactivity.layer),
    Effect.orDie
  )

/** The same for code without Effect. */
export const ask = (url: string, statement: string) => Effect.runPromise(query(url, statement))
