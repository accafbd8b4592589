import { PgClient } from "@effect/sql-pg"
import { SqliteClient as OfficialClient } from "@effect/sql-sqlite-node"
import { describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { JobStore } from "effect-scheduler/JobStore"
import { StoreSuite } from "effect-scheduler/testing"
import { SqlClient } from "effect/sql"
import { SqlJobStore } from "../src/index.ts"
import { newPrefix, sharedUrl } from "./postgres/database.ts"
import { newFile } from "./support.ts"

/** Each case has a store of its own. What a power cut could lose is not what the cases are about. */
const stores = {
  "the embedded client with a file": Layer.unwrap(
    Effect.map(newFile, (filename) => SqlJobStore.layerSqlite({ filename, synchronous: "normal" }))
  ),
  "the embedded client in memory": SqlJobStore.layerSqlite({ filename: ":memory:" }),
  "@effect/sql-sqlite-node": SqlJobStore.layer().pipe(Layer.provide(OfficialClient.layer({ filename: ":memory:" })))
}

for (const [client, store] of Object.entries(stores)) {
  describe(`SqlJobStore on ${client}`, () => {
    for (const [group, cases] of StoreSuite.groups) {
      describe(group, () => {
        for (const { name, run } of cases) it.effect(name, () => Effect.provide(run, Layer.fresh(store)))
      })
    }
  })
}

/** One store for all cases, empty at the beginning of each. */
const emptied = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const prefix = yield* newPrefix
  const store = yield* SqlJobStore.make({ prefix, clock: "caller" })
  const tables = ["schedules", "runs", "history", "keys", "nodes", "limits"]
  const deletions = tables.map((table, index) => `d${index} as (delete from ${prefix}${table})`)
  return { store, empty: sql.unsafe(`with ${deletions.join(", ")} select 1`) }
})

class Emptied extends Context.Service<Emptied, Effect.Success<typeof emptied>>()("test/Emptied") {}

const postgres = Layer.effect(Emptied, emptied).pipe(
  Layer.provide(PgClient.layer({ url: Redacted.make(sharedUrl), maxConnections: 4 }))
)

layer(postgres, { excludeTestServices: true })("SqlJobStore on Postgres", (it) => {
  for (const [group, cases] of StoreSuite.groups) {
    describe(group, () => {
      for (const { name, run } of cases) {
        it.effect(name, () =>
          Effect.gen(function* () {
            const { empty, store } = yield* Emptied
            yield* empty
            yield* Effect.provideService(run, JobStore, store)
          })
        )
      }
    })
  }
})
