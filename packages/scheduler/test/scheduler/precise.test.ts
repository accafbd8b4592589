import { assert, describe, it } from "@effect/vitest"
import { type Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { make, makeClockWatch } from "../../src/internal/scheduler/Wakeup.ts"
import { Seeded } from "../../src/testing/internal/random.ts"

/** A wall clock that shows whole milliseconds of a true time, beside a monotonic clock that shows all of it. */
const clocks = (start: number) => {
  const state = { wall: start, elapsed: 0 }
  const clock = {
    currentTimeMillisUnsafe: () => Math.floor(state.wall),
    monotonicTimeNanosUnsafe: () => BigInt(Math.round(state.elapsed * 1e6))
  } as Clock.Clock
  return {
    watch: makeClockWatch(clock, () => undefined),
    state,
    pass: (millis: number) => {
      state.wall += millis
      state.elapsed += millis
    }
  }
}

describe("the present instant with its fraction", () => {
  it("is found by looking at a clock of whole milliseconds again and again", () => {
    // With the first, two looks were more than a millisecond apart by rounding alone.
    for (const seed of [538098500, Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))]) {
      const random = new Seeded(seed)
      const { pass, state, watch } = clocks(1_700_000_000_000.123)
      for (let look = 0; look < 1_000; look++) {
        pass(random.int(1, 5_000) / 1_000)
        const off = watch.precise() - state.wall
        // Not ahead (but for rounding), never more than a millisecond behind, and after some looks hardly at all.
        assert.isAtMost(off, 0.01, `seed ${seed}`)
        assert.isAbove(off, look < 200 ? -1.01 : -0.1, `seed ${seed}`)
      }
    }
  })

  it("is as far as it was after a clock was put forward or back", () => {
    const { pass, state, watch } = clocks(1_700_000_000_000.9)
    for (const moved of [3_600_000, -3_600_000, 1.5, -1.5]) {
      for (let look = 0; look < 100; look++) {
        pass(0.37)
        watch.precise()
      }
      state.wall += moved
      pass(0.37)
      assert.isAtMost(Math.abs(watch.precise() - state.wall), 1)
    }
  })
})

/** A sleep that nobody rings. */
const slept = (millis: number) =>
  Effect.suspend(() => {
    const bell = make()
    bell.arm()
    return bell.sleep(millis)
  })

describe("a sleep of milliseconds and a part of one", () => {
  it.live("does not end before them, though timers count whole ones", () =>
    Effect.gen(function* () {
      for (let tenths = 1; tenths <= 40; tenths++) {
        const begun = performance.now()
        yield* slept(tenths / 10)
        assert.isAtLeast(performance.now() - begun, tenths / 10)
      }
    })
  )

  it.effect("ends with the next whole one where a clock has no parts", () =>
    Effect.gen(function* () {
      for (const millis of [0.3, 0.6, 10.3, 10.6]) {
        const sleep = yield* Effect.forkChild(slept(millis))
        yield* TestClock.adjust(Math.floor(millis))
        assert.isUndefined(sleep.pollUnsafe())
        yield* TestClock.adjust(1)
        yield* Fiber.join(sleep)
      }
    })
  )
})
