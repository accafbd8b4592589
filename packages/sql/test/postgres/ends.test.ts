import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Signal } from "effect-scheduler/JobStore"
import { enqueued, jobs, run, success, t0 } from "../support.ts"
import { storeOn } from "./between.ts"
import { newPrefix } from "./database.ts"

it.live("The end of a run sends nobody to claim, unless it had a key", () =>
  Effect.gen(function* () {
    const { store } = yield* storeOn(yield* newPrefix)
    let heard = 0
    yield* store.subscribe((signal) => void (heard |= signal))
    const heardOf = Effect.fnUntraced(function* (key: string | null) {
      yield* store.enqueue(enqueued(run({ id: `run ${key}`, key })))
      const { runs } = yield* store.claim({ now: t0, node: "n", limit: 1, jobs, queues: {} })
      heard = 0
      yield* store.finish({ now: t0, node: "n", reports: [success(runs[0]!)], transition: () => undefined })
      return heard
    })
    assert.strictEqual(yield* heardOf(null), Signal.ended)
    assert.strictEqual(yield* heardOf("k"), Signal.ended | Signal.runs)
  }).pipe(Effect.scoped)
)
