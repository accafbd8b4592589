import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryJobStore from "../../src/MemoryJobStore.ts"
import { keepsInvariants } from "./cluster.ts"

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))

describe("a store whose calls go wrong one time in five", () => {
  it.live(
    "keeps every invariant under callers that send again what failed",
    () =>
      Effect.gen(function* () {
        const inner = yield* MemoryJobStore.make()
        yield* keepsInvariants({ inner, seed, steps: 200, patience: 10 })
      }),
    120_000
  )
})
