import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { OffsetClock } from "../../src/testing/index.ts"

describe("a clock with an offset", () => {
  it.effect("over a TestClock moves the date and neither the monotonic time nor a sleeper", () =>
    Effect.gen(function* () {
      const clock = yield* OffsetClock.OffsetClock
      yield* TestClock.setTime(1_000_000)
      let woken: number | undefined
      const sleeper = yield* Effect.forkChild(
        Effect.andThen(
          Effect.sleep("1 minute"),
          Effect.map(Clock.currentTimeMillis, (now) => {
            woken = now
          })
        ),
        { startImmediately: true }
      )
      const before = yield* Clock.monotonicTimeNanos
      yield* clock.jump(86_400_000)
      assert.strictEqual(yield* Clock.currentTimeMillis, 87_400_000)
      assert.strictEqual(yield* Clock.currentTimeNanos, 87_400_000_000_000n)
      assert.strictEqual(yield* Clock.monotonicTimeNanos, before)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(woken, undefined)
      yield* clock.jump(-2 * 86_400_000)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(sleeper)
      assert.strictEqual(woken, 1_060_000 - 86_400_000)
      assert.strictEqual(yield* Clock.monotonicTimeNanos, before + 60_000_000_000n)
      assert.strictEqual(yield* clock.offset, -86_400_000)
    }).pipe(Effect.provide(OffsetClock.layer))
  )

  it.effect("can be set to an offset, also to none", () =>
    Effect.gen(function* () {
      const clock = yield* OffsetClock.OffsetClock
      yield* clock.setOffset(-5)
      assert.strictEqual(yield* Clock.currentTimeMillis, -5)
      yield* clock.setOffset(0)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      yield* TestClock.adjust(3)
      assert.strictEqual(yield* Clock.currentTimeMillis, 3)
    }).pipe(Effect.provide(OffsetClock.layer))
  )

  it.live("over the real clock goes on with it", () =>
    Effect.gen(function* () {
      const below = yield* Clock.Clock
      const elapsed = yield* Effect.gen(function* () {
        const clock = yield* OffsetClock.OffsetClock
        yield* clock.setOffset(3_600_000)
        const before = yield* Clock.currentTimeMillis
        assert.closeTo(before - below.currentTimeMillisUnsafe(), 3_600_000, 1000)
        yield* Effect.sleep("5 millis")
        return (yield* Clock.currentTimeMillis) - before
      }).pipe(Effect.provide(OffsetClock.layer))
      assert.isAtLeast(elapsed, 4)
    })
  )

  it.effect("ends with its scope: what is outside keeps its clock", () =>
    Effect.gen(function* () {
      const jump = Effect.flatMap(OffsetClock.OffsetClock, (clock) => clock.jump(99))
      yield* Effect.provide(jump, OffsetClock.layer)
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    })
  )
})
