import { describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { JobStore } from "effect-scheduler/JobStore"
import { keepsInvariants } from "../../scheduler/test/store/cluster.ts"
import { SqlJobStore } from "../src/index.ts"
import { Emptied, emptied } from "./postgres/emptied.ts"
import { newFile } from "./support.ts"

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))

const title = "keeps every invariant under callers that send again what failed"

describe("a store on a SQLite file whose calls go wrong one time in five", () => {
  it.live(
    title,
    () =>
      Effect.gen(function* () {
        const filename = yield* newFile
        yield* Effect.flatMap(JobStore, (inner) => keepsInvariants({ inner, seed, steps: 80, patience: 40 })).pipe(
          Effect.provide(SqlJobStore.layerSqlite({ filename, synchronous: "normal" }))
        )
      }),
    120_000
  )
})

layer(emptied(1), { excludeTestServices: true })("a store on Postgres whose calls go wrong one time in five", (it) => {
  it.effect(
    title,
    () =>
      Effect.gen(function* () {
        const { dump, empty, stores } = yield* Emptied
        yield* empty
        yield* keepsInvariants({ inner: stores[0]!, seed, steps: 70, patience: 60, read: dump })
      }),
    { timeout: 120_000 }
  )
})
