import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { TestClock } from "effect/testing"
import { makeUuidV7 } from "../src/internal/uuid.ts"

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe("UUID v7", () => {
  it.effect("has the version, the variant and the milliseconds of RFC 9562", () =>
    Effect.gen(function* () {
      const now = 1_900_000_000_123
      yield* TestClock.setTime(now)
      const makeId = yield* makeUuidV7
      for (let i = 0; i < 100; i++) {
        const id = makeId()
        assert.match(id, shape)
        assert.strictEqual(parseInt(id.slice(0, 8) + id.slice(9, 13), 16), now)
      }
    })
  )

  it.effect("is never given twice and rises, within a millisecond and when the clock goes back", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_000_000)
      const makeId = yield* makeUuidV7
      const ids = Array.from({ length: 10_000 }, makeId)
      yield* TestClock.setTime(500_000)
      ids.push(makeId())
      assert.strictEqual(new Set(ids).size, ids.length)
      assert.deepStrictEqual(ids.toSorted(), ids)
    })
  )

  it.effect("is the same again for the same seed and time", () =>
    Effect.gen(function* () {
      const some = Effect.map(makeUuidV7, (makeId) => [makeId(), makeId()])
      assert.deepStrictEqual(yield* Random.withSeed(some, "a"), yield* Random.withSeed(some, "a"))
      assert.notDeepEqual(yield* Random.withSeed(some, "a"), yield* Random.withSeed(some, "b"))
    })
  )
})
