import { type Clock, Duration, Effect, Latch } from "effect"

/** A sleep is never longer, so that a loop notices a wall clock that was moved. */
export const longestSleep = 30_000

/** A wall clock that moved against the monotonic one by less is drift, not a jump. */
const jumpTolerance = 1_000

/**
 * What a loop sleeps on. `arm` before the loop reads its state and `ring` after anyone changed it: a ring between the two
 * is never lost.
 */
export interface Wakeup {
  readonly arm: () => void
  readonly ring: () => void
  /** Sleeps for so many milliseconds (at most 30 s; undefined: until then), or until the bell rang since `arm`. */
  readonly sleep: (delay: number | undefined) => Effect.Effect<void>
}

export const make = (clock: ClockWatch): Wakeup => {
  const latch = Latch.makeUnsafe(true)
  return {
    arm: () => void latch.closeUnsafe(),
    ring: () => void latch.openUnsafe(),
    sleep: (delay) =>
      Effect.suspend(() => {
        if (latch.isOpen() || (delay !== undefined && delay <= 0)) return Effect.void
        // Whole milliseconds, at least one: what is left of one would be slept again and again.
        const millis = Math.ceil(Math.min(delay ?? longestSleep, longestSleep))
        return Effect.andThen(Effect.raceFirst(Effect.sleep(Duration.millis(millis)), latch.await), clock.check)
      })
  }
}

/** Compares the wall clock with the monotonic one whenever a loop wakes, and tells once of each jump. */
export interface ClockWatch {
  readonly check: Effect.Effect<void>
  /** Milliseconds of the monotonic clock. */
  readonly monotonic: () => number
  readonly now: () => number
}

export const makeClockWatch = (clock: Clock.Clock, onJump: (by: number) => void): ClockWatch => {
  const monotonic = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const now = () => Math.floor(clock.currentTimeMillisUnsafe())
  let offset = now() - monotonic()
  return {
    monotonic,
    now,
    check: Effect.sync(() => {
      const moved = now() - monotonic() - offset
      if (Math.abs(moved) < jumpTolerance) return
      offset += moved
      onJump(Math.round(moved))
    })
  }
}
