import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryJobStore from "../../src/MemoryJobStore.ts"
import { NaiveJobStore, StoreModel } from "../../src/testing/index.ts"

const sequences = Number(process.env["SEQUENCES"] ?? 300)
const firstSeed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
const length = 75

describe("random commands", () => {
  it.live(
    `leave memory and the specification the same rows (${sequences} sequences from SEED=${firstSeed})`,
    () =>
      Effect.gen(function* () {
        const commands: Record<string, number> = {}
        let rows = 0
        for (let seed = firstSeed; seed < firstSeed + sequences; seed++) {
          const model = yield* NaiveJobStore.make
          const subject = yield* MemoryJobStore.make()
          const summary = yield* StoreModel.compare({ model, subject, seed, length })
          for (const [kind, count] of Object.entries(summary.commands)) commands[kind] = (commands[kind] ?? 0) + count
          rows += summary.end.history.length
        }
        yield* Effect.log(`seeds ${firstSeed} to ${firstSeed + sequences - 1}, ${rows} rows of history`, commands)
        assert.isAbove(rows, sequences * 10)
        assert.strictEqual(Object.keys(commands).length, 19)
      }),
    { timeout: 120_000 + sequences * 500 }
  )
})
