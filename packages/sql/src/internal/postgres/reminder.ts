import { Effect, Latch, type Scope } from "effect"
import type { StoreSignal } from "effect-scheduler/JobStore"
import { wholeEvery } from "./horizon.ts"

/** Has those who fire or claim look again, once all is searched that a short search may have passed over. */
export type Remind = (signal: StoreSignal) => void

/**
 * Tells of a change some time after a search that was not one of all. What has become free or was changed since may lie before
 * everything that it saw, and whoever has asked may sleep for as long as it likes.
 */
export const makeReminder = Effect.fnUntraced(function* (
  tell: (signal: StoreSignal) => void
): Effect.fn.Return<Remind, never, Scope.Scope> {
  let asked: StoreSignal = 0
  const waiting = yield* Latch.make(false)
  const remind = Effect.sync(() => {
    waiting.closeUnsafe()
    const signal = asked
    asked = 0
    tell(signal)
  })
  yield* Effect.forkScoped(
    Effect.forever(Effect.andThen(waiting.await, Effect.andThen(Effect.sleep(wholeEvery), remind)))
  )
  return (signal) => {
    asked |= signal
    waiting.openUnsafe()
  }
})
