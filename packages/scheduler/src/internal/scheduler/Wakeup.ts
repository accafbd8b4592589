import { type Clock, Duration, Effect, Latch } from "effect"

/**
 * A sleep is never longer. What it was for is then computed again from the wall clock, which may have been slewed against
 * the one that timers go by.
 */
export const longestSleep = 300_000

/** How often the two clocks are compared. */
const watchInterval = 30_000

/** By so much a timer of whole milliseconds ends late in 19 of 20 cases. After one that ends early the loop sleeps again. */
const slack = 0.15

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
        // Whole milliseconds, at least one: what is left of one would be slept again and again.
        const millis = Math.max(1, Math.ceil(Math.min(delay, longestSleep) - slack))
        // The timer opens the latch too: a race would cost a fiber more, each time that a loop has nothing to do.
        const timer = Effect.runForkWith(fiber.context)(
          Effect.andThen(Effect.sleep(Duration.millis(millis)), latch.open)
        )
        return Effect.ensuring(
          latch.await,
          Effect.sync(() => timer.interruptUnsafe())
        )
      })
  }
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
