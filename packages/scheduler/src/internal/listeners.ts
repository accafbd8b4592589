import { Cause, Effect, Result, type Scope } from "effect"
import type { StoreSignal } from "../JobStore.ts"
import { logFailure } from "./printed.ts"

/** Those who want to hear of changes. */
export interface Listeners {
  readonly subscribe: (listener: (change: StoreSignal) => void) => Effect.Effect<void, never, Scope.Scope>
  /** Calls each of them. What one throws is logged: it ends nothing, and the others still hear. */
  readonly tell: (change: StoreSignal) => void
}

export const makeListeners: Effect.Effect<Listeners> = Effect.map(Effect.context<never>(), (context) => {
  const subscriptions = new Set<{ readonly listener: (change: StoreSignal) => void }>()
  const log = Effect.runForkWith(context)
  return {
    subscribe: (listener) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          // An object of its own for each subscription, so that one function can subscribe twice.
          const subscription = { listener }
          subscriptions.add(subscription)
          return subscription
        }),
        (subscription) => Effect.sync(() => subscriptions.delete(subscription))
      ).pipe(Effect.asVoid),
    tell: (change) => {
      for (const { listener } of subscriptions) {
        const called = Result.try({ try: () => listener(change), catch: Cause.die })
        if (Result.isFailure(called)) log(logFailure("A listener to the changes of a job store failed", called.failure))
      }
    }
  }
})
