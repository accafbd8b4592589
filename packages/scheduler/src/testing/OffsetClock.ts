/**
 * A clock whose wall time can be set off from the clock below it, for tests of what a scheduler does when the system's
 * time jumps.
 *
 * Only the wall time moves. Monotonic time and sleeps are those of the clock below, as on a machine whose administrator
 * corrects the date: a sleeper wakes after the time that it asked for, whatever the wall says by then.
 *
 * It takes the current `Clock` when it is built, so over a `TestClock` both can be moved: `TestClock.adjust` lets time
 * pass, `jump` changes the date.
 *
 * @module
 * @since 0.1.0
 */
import { Clock, Context, Effect, Layer } from "effect"

/**
 * The switch of the clock that `layer` installs.
 *
 * **Example** (Setting the date)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { OffsetClock } from "effect-scheduler/testing"
 *
 * const program = Effect.gen(function* () {
 *   const clock = yield* OffsetClock.OffsetClock
 *   yield* clock.setOffset(60_000)
 *   yield* clock.jump(-1_000)
 *   return yield* clock.offset
 * }).pipe(Effect.provide(OffsetClock.layer))
 *
 * await Effect.runPromise(program) // => 59000
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class OffsetClock extends Context.Service<
  OffsetClock,
  {
    /** Milliseconds by which the wall time is ahead. */
    readonly offset: Effect.Effect<number>
    /** Sets the offset, in milliseconds. */
    readonly setOffset: (millis: number) => Effect.Effect<void>
    /** Moves the wall time on by so many milliseconds, or back. */
    readonly jump: (millis: number) => Effect.Effect<void>
  }
>()("effect-scheduler/testing/OffsetClock") {}

/**
 * Installs a clock with an offset over the current one.
 *
 * **Example** (Setting the date back by an hour)
 *
 * ```ts
 * import { Clock, Effect } from "effect"
 * import { OffsetClock } from "effect-scheduler/testing"
 *
 * const program = Effect.gen(function* () {
 *   const clock = yield* OffsetClock.OffsetClock
 *   const before = yield* Clock.currentTimeMillis
 *   yield* clock.jump(-3_600_000)
 *   const after = yield* Clock.currentTimeMillis
 *   return after < before
 * }).pipe(Effect.provide(OffsetClock.layer))
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<OffsetClock> = Layer.effectContext(
  Effect.map(Clock.Clock, (below) => {
    let offset = 0
    const millis = () => below.currentTimeMillisUnsafe() + offset
    const nanos = () => below.currentTimeNanosUnsafe() + BigInt(Math.round(offset * 1e6))
    // What is not overridden is the clock's below: sleeps, monotonic time, and what a `TestClock` can do besides.
    const clock: Clock.Clock = Object.assign(Object.create(below), {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos)
    })
    const setOffset = (value: number) =>
      Effect.sync(() => {
        offset = value
      })
    const service = OffsetClock.of({
      offset: Effect.sync(() => offset),
      setOffset,
      jump: (by) => Effect.suspend(() => setOffset(offset + by))
    })
    return Context.make(Clock.Clock, clock).pipe(Context.add(OffsetClock, service))
  })
)
