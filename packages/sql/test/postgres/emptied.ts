/** A store that many tests use one after another, since making tables takes longer than most of them. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { JobStore, type JobStoreService } from "effect-scheduler/JobStore"
import { SqlJobStore } from "../../src/index.ts"
import { newPrefix, sharedUrl } from "./database.ts"
import { query } from "./query.ts"

const tables = ["schedules", "runs", "history", "keys", "nodes", "limits"]

/** Clients of the same tables, which go by their callers' time. */
export class Emptied extends Context.Service<
  Emptied,
  { readonly stores: ReadonlyArray<JobStoreService>; readonly empty: Effect.Effect<unknown> }
>()("test/Emptied") {}

export const emptied = (clients: number): Layer.Layer<Emptied> =>
  Layer.effect(
    Emptied,
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const stores: Array<JobStoreService> = []
      for (let n = 0; n < clients; n++) {
        const client = PgClient.layer({ url: Redacted.make(sharedUrl), maxConnections: 4 })
        const live = SqlJobStore.layer({ prefix, clock: "caller" }).pipe(Layer.provide(client))
        stores.push(Context.get(yield* Layer.build(Layer.fresh(live)), JobStore))
      }
      const deletions = tables.map((table, index) => `d${index} as (delete from ${prefix}${table})`)
      return { stores, empty: query(sharedUrl, `with ${deletions.join(", ")} select 1`) }
    })
  ).pipe(Layer.orDie)
