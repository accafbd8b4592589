import { SqliteClient as OfficialClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { JobStore } from "effect-scheduler/JobStore"
import { NaiveJobStore, StoreModel } from "effect-scheduler/testing"
import { SqlJobStore } from "../src/index.ts"

/** More with `MODEL_SEQUENCES=2000`, others with `MODEL_SEED=12345`. */
const sequences = Number(process.env["MODEL_SEQUENCES"] ?? 120)
const firstSeed = Number(process.env["MODEL_SEED"] ?? 1)
const length = 60

const stores = {
  "the embedded client": [SqlJobStore.layerSqlite({ filename: ":memory:" }), 1],
  "@effect/sql-sqlite-node": [
    SqlJobStore.layer().pipe(Layer.provide(OfficialClient.layer({ filename: ":memory:" }))),
    4
  ]
} as const

for (const [client, [layer, share]] of Object.entries(stores)) {
  const count = Math.ceil(sequences / share)
  describe(`SqlJobStore on ${client}, beside the specification`, () => {
    it.effect(
      `answers the same to ${count} random sequences of ${length} commands, seeds ${firstSeed} to ${firstSeed + count - 1}`,
      () =>
        Effect.gen(function* () {
          const seen = new Map<string, number>()
          for (let seed = firstSeed; seed < firstSeed + count; seed++) {
            const { commands } = yield* Effect.gen(function* () {
              const model = yield* NaiveJobStore.make
              return yield* StoreModel.compare({ model, subject: yield* JobStore, seed, length })
            }).pipe(Effect.provide(Layer.fresh(layer)))
            for (const [name, times] of Object.entries(commands)) seen.set(name, (seen.get(name) ?? 0) + times)
          }
          assert.isAbove(seen.size, 15)
        }),
      { timeout: 60_000 + sequences * 1_000 }
    )
  })
}
