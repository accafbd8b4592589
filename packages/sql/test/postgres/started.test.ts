import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { enqueued, jobs, run, success, t0 } from "../support.ts"
import { storeOn } from "./between.ts"
import { newPrefix, sharedUrl } from "./database.ts"
import { query } from "./query.ts"

it.live("A run starts after the end of the one that had its key, which ended while the claim was looking", () =>
  Effect.gen(function* () {
    const prefix = yield* newPrefix
    const { store: other } = yield* storeOn(prefix)
    const claimOf = (store: typeof other, node: string) => store.claim({ now: t0, node, limit: 1, jobs, queues: {} })
    yield* other.enqueue(enqueued(run({ id: "first", key: "k" }), run({ id: "second", key: "k" })))
    const [first] = (yield* claimOf(other, "m")).runs
    assert.strictEqual(first?.id, "first")
    let ended = 0
    const { store } = yield* storeOn(prefix, {
      between: (text, params, send) => {
        // It asks who has the key.
        if (!text.includes("for share skip locked") || ended++ > 0) return send(text, params)
        const end = other.finish({ now: t0, node: "m", reports: [success(first!)], transition: () => undefined })
        return Effect.sleep("20 millis").pipe(Effect.andThen(Effect.orDie(end)), Effect.andThen(send(text, params)))
      }
    })
    const claimed = yield* claimOf(store, "n")
    assert.strictEqual(ended, 1)
    assert.deepStrictEqual(
      claimed.runs.map((each) => each.id),
      ["second"]
    )
    const [row] = yield* query(
      sharedUrl,
      `select h.ended_at, r.started_at from ${prefix}history h, ${prefix}runs r where h.id = 'first' and r.id = 'second'`
    )
    const [endedAt, startedAt] = [Number(row!["ended_at"]), Number(row!["started_at"])]
    assert.isAtMost(endedAt, startedAt)
    assert.deepStrictEqual([claimed.runs[0]!.startedAt, claimed.now], [startedAt, startedAt])
  }).pipe(Effect.scoped)
)
