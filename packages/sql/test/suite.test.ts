import { SqliteClient as OfficialClient } from "@effect/sql-sqlite-node"
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { StoreSuite } from "effect-scheduler/testing"
import { SqlJobStore } from "../src/index.ts"
import { newFile } from "./support.ts"

/** Each case has a store of its own. What a power cut could lose is not what the cases are about. */
const stores = {
  "the embedded client with a file": Layer.unwrap(
    Effect.map(newFile, (filename) => SqlJobStore.layerSqlite({ filename, synchronous: "normal" }))
  ),
  "the embedded client in memory": SqlJobStore.layerSqlite({ filename: ":memory:" }),
  "@effect/sql-sqlite-node": SqlJobStore.layer().pipe(Layer.provide(OfficialClient.layer({ filename: ":memory:" })))
}

for (const [client, layer] of Object.entries(stores)) {
  describe(`SqlJobStore on ${client}`, () => {
    for (const [group, cases] of StoreSuite.groups) {
      describe(group, () => {
        for (const { name, run } of cases) it.effect(name, () => Effect.provide(run, Layer.fresh(layer)))
      })
    }
  })
}
