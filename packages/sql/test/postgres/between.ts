/** What a test puts between a store and the connections that it keeps for its calls. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import { JobStore, type JobStoreError, type JobStoreService } from "effect-scheduler/JobStore"
import { SqlClient, type SqlError } from "effect/sql"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlJobStore } from "../../src/index.ts"
import { sharedUrl } from "./database.ts"

type Send = (text: string, params: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>

/** A statement on its way to the server. */
export type Between = (text: string, params: ReadonlyArray<unknown>, send: Send) => ReturnType<Send>

/** A store on a client of its own, and the client as the application has it. */
export const storeOn = (
  prefix: string,
  options: { readonly between?: Between; readonly client?: Partial<PgClient.PgPoolConfig> } = {}
): Effect.Effect<
  { readonly store: JobStoreService; readonly sql: SqlClient.SqlClient },
  JobStoreError | SqlError.SqlError,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const database = PgClient.layer({ url: Redacted.make(sharedUrl), maxConnections: 8, ...options.client })
    const sql = Context.get(yield* Layer.build(Layer.fresh(database)), SqlClient.SqlClient)
    const { between } = options
    const seen = between === undefined ? sql : through(sql, between)
    const store = Layer.fresh(SqlJobStore.layer({ prefix })).pipe(
      Layer.provide(Layer.succeed(SqlClient.SqlClient, seen))
    )
    return { store: Context.get(yield* Layer.build(store), JobStore), sql }
  })

const through = (client: SqlClient.SqlClient, between: Between): SqlClient.SqlClient => {
  const reserved = (connection: Connection): Connection =>
    new Proxy(connection, {
      get: (target, key) =>
        key !== "executeValues"
          ? target[key as keyof typeof target]
          : (text: string, params: ReadonlyArray<unknown>) =>
              between(text, params, (sent, values) => target.executeValues(sent, values))
    })
  const self: SqlClient.SqlClient = new Proxy(client, {
    get: (target, key) => {
      if (key === "withoutTransforms") return () => self
      if (key === "reserve") return Effect.map(target.reserve, reserved)
      return target[key as keyof typeof target]
    }
  })
  return self
}
