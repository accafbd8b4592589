import { Clock, Duration, Effect, Latch } from "effect"

/**
 * A sleep is never longer. What it was for is then computed again from the wall clock, which may have been slewed against
 * the one that timers go by.
 */
export const longestSleep = 300_000

/** How often the two clocks are compared. */
const watchInterval = 30_000

/** A timer of whole milliseconds is ended early by up to so much of one, and the rest waited for awake. */
const awake = 0.4

/** A wall clock that moved against the monotonic one by less is drift, not a jump. */
const jumpTolerance = 1_000

/**
 * What a loop sleeps on. `arm` before the loop reads its state and `ring` after anyone changed it: a ring between the two
 * is never lost. `arm` answers whether anyone rang since it was last called, or whether only time has passed.
 */
export interface Wakeup {
  readonly arm: () => boolean
  readonly ring: () => void
  /** Whether anyone rang since `arm`. */
  readonly isRung: () => boolean
  /** Sleeps for so many milliseconds (at most five minutes), or until the bell rang since `arm`; undefined: only until then. */
  readonly sleep: (delay: number | undefined) => Effect.Effect<void>
}

export const make = (): Wakeup => {
  const latch = Latch.makeUnsafe(true)
  let rung = false
  return {
    arm: () => {
      const before = rung
      rung = false
      latch.closeUnsafe()
      return before
    },
    ring: () => {
      rung = true
      latch.openUnsafe()
    },
    isRung: () => rung,
    sleep: (delay) =>
      Effect.withFiber((fiber) => {
        if (latch.isOpen() || (delay !== undefined && delay <= 0)) return Effect.void
        if (delay === undefined) return latch.await
        // The timer opens the latch too: a race would cost a fiber more, each time that a loop has nothing to do.
        const timer = Effect.runForkWith(fiber.context)(
          Effect.andThen(pass(fiber.getRef(Clock.Clock), Math.min(delay, longestSleep)), latch.open)
        )
        return Effect.ensuring(
          latch.await,
          Effect.sync(() => timer.interruptUnsafe())
        )
      })
  }
}

/**
 * So many milliseconds, and hardly more: timers count whole ones, so that what is left of one passes in turns of the event
 * loop, in which all else goes on. A clock that stands still meanwhile, as that of a test, has a timer end the wait.
 */
const pass = (clock: Clock.Clock, millis: number): Effect.Effect<void> => {
  const end = clock.monotonicTimeNanosUnsafe() + BigInt(Math.ceil(millis * 1e6))
  const whole = Math.ceil(millis - awake)
  let seen = -1n
  const rest = Effect.suspend(() =>
    Effect.whileLoop({
      while: () => {
        const before = seen
        seen = clock.monotonicTimeNanosUnsafe()
        return seen < end && seen !== before
      },
      body: () => Effect.yieldNow,
      step: () => undefined
    })
  )
  const standing = Effect.suspend(() => (seen < end ? Effect.sleep(Duration.millis(1)) : Effect.void))
  const asleep = whole > 0 ? Effect.sleep(Duration.millis(whole)) : Effect.void
  return Effect.andThen(asleep, Effect.andThen(rest, standing))
}

/** Compares the wall clock with the monotonic one twice a minute, and tells once of each jump. */
export interface ClockWatch {
  readonly watch: Effect.Effect<void>
  /** Milliseconds of the monotonic clock. */
  readonly monotonic: () => number
  readonly now: () => number
  /** The same with its fraction, as far as it is known: for how long to sleep, not for what is stored. */
  readonly precise: () => number
}

export const makeClockWatch = (clock: Clock.Clock, onJump: (by: number) => void): ClockWatch => {
  const monotonic = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const now = () => Math.floor(clock.currentTimeMillisUnsafe())
  let offset = now() - monotonic()
  /** The most that the wall clock, which shows whole milliseconds, was seen ahead: that was when it had just moved on. */
  let ahead = offset
  const precise = () => {
    const elapsed = monotonic()
    const seen = now() - elapsed
    // A hundredth more than the whole millisecond, for what is lost in such great numbers.
    if (seen > ahead || seen < ahead - 1.01) ahead = seen
    return elapsed + ahead
  }
  const check = () => {
    const moved = now() - monotonic() - offset
    // Drift is followed, so that it does not add up to a jump.
    offset += moved
    if (Math.abs(moved) >= jumpTolerance) onJump(Math.round(moved))
  }
  return {
    monotonic,
    now,
    precise,
    watch: Effect.forever(Effect.andThen(Effect.sleep(Duration.millis(watchInterval)), Effect.sync(check)))
  }
}
