import { describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import type { JobStore } from "../../src/JobStore.ts"
import * as MemoryJobStore from "../../src/MemoryJobStore.ts"
import { NaiveJobStore, StoreSuite } from "../../src/testing/index.ts"

const stores: ReadonlyArray<readonly [string, Layer.Layer<JobStore>]> = [
  ["memory", MemoryJobStore.layer],
  ["naive", NaiveJobStore.layer]
]

for (const [store, layer] of stores) {
  describe(store, () => {
    for (const [group, cases] of StoreSuite.groups) {
      describe(group, () => {
        for (const { name, run } of cases) it.effect(name, () => run.pipe(Effect.provide(layer)), 60_000)
      })
    }
  })
}
