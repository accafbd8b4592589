import { Effect } from "effect"
import { TestClock } from "effect/testing"

/**
 * Lets a scheduler under `TestClock` come to rest without time passing: what was scheduled, enqueued or ended just now is
 * fired, claimed, run and stored, as far as it needs no sleep.
 *
 * `TestClock.adjust` waits for what its timers wake, and not for what a call of the test itself set going. So a test that
 * schedules, looks, and then lets time pass looks after this.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, Scheduler } from "effect-scheduler"
 * import { settled } from "effect-scheduler/testing"
 * import { TestClock } from "effect/testing"
 *
 * class Greet extends Job.make("Greet") {}
 *
 * const Main = Layer.provideMerge(Greet.toLayer(() => Effect.void), Scheduler.layer())
 *
 * const test = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   yield* scheduler.enqueue(Greet)
 *   yield* settled
 *   return (yield* scheduler.history()).items.length
 * }).pipe(Effect.provide(Main), Effect.provide(TestClock.layer()))
 *
 * await Effect.runPromise(test) // => 1
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const settled: Effect.Effect<void> = TestClock.adjust(0).pipe(Effect.repeat({ times: 40 }), Effect.asVoid)
