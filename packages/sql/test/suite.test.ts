import { SqliteClient as OfficialClient } from "@effect/sql-sqlite-node"
import { describe, it, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { JobStore } from "effect-scheduler/JobStore"
import { StoreSuite } from "effect-scheduler/testing"
import { SqlJobStore } from "../src/index.ts"
import { Emptied, emptied } from "./postgres/emptied.ts"
import { newFile } from "./support.ts"

/** Each case has a store of its own; the model of random commands has the embedded client in memory. What a power cut could lose is not what the cases are about. */
const stores = {
  "the embedded client with a file": Layer.unwrap(
    Effect.map(newFile, (filename) => SqlJobStore.layerSqlite({ filename, synchronous: "normal" }))
  ),
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

layer(emptied(1), { excludeTestServices: true })("SqlJobStore on Postgres", (it) => {
  for (const [group, cases] of StoreSuite.groups) {
    describe(group, () => {
      for (const { name, run } of cases) {
        const test = Effect.gen(function* () {
          const { empty, stores } = yield* Emptied
          yield* empty
          yield* Effect.provideService(run, JobStore, stores[0]!)
        })
        it.effect(name, () => test, { timeout: 30_000 })
      }
    })
  }
})
