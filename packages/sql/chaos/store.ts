/** The store of a run by its place: a URL of Postgres, or the path of a SQLite file. */
import { DatabaseSync } from "node:sqlite"
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Redacted, type Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlJobStore } from "../src/index.ts"

const isPostgres = (place: string): boolean => place.startsWith("postgres")

const clientOptions = (place: string, maxConnections: number) => ({ url: Redacted.make(place), maxConnections })

export const layerOf = (place: string) =>
  isPostgres(place)
    ? SqlJobStore.layer().pipe(Layer.provide(Layer.orDie(PgClient.layer(clientOptions(place, 10)))), Layer.orDie)
    : Layer.orDie(SqlJobStore.layerSqlite({ filename: place, synchronous: "normal" }))

export type Row = Readonly<Record<string, unknown>>

/** Plain SQL beside the library, to look at what is stored. */
export type Ask = (statement: string) => Effect.Effect<ReadonlyArray<Row>>

export const ask = (place: string): Effect.Effect<Ask, never, Scope.Scope> =>
  isPostgres(place)
    ? PgClient.make(clientOptions(place, 2)).pipe(
        Effect.map(
          (sql): Ask =>
            (statement) =>
              Effect.orDie(sql.unsafe<Row>(statement))
        ),
        Effect.provide(Reactivity.layer),
        Effect.orDie
      )
    : Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => new DatabaseSync(place, { readOnly: true, timeout: 5_000 })),
          (db) => Effect.sync(() => db.close())
        ),
        (db): Ask =>
          (statement) =>
            Effect.sync(() => db.prepare(statement).all())
      )
