import { Effect } from "effect"
import type { ClockWatch } from "./Wakeup.ts"

/**
 * The time of a store, as this process knows it.
 *
 * A shared store may keep its own time, and this process's clock may be minutes off. So what is compared with stored
 * instants, or becomes one, is taken from here: from this clock, corrected by what the store's answers say. A store that
 * believes its callers answers the instant that it was given, and nothing is corrected.
 */
export interface StoreTime {
  readonly now: () => number
  /** The same with its fraction, as far as it is known: for how long to sleep. */
  readonly precise: () => number
  /** Whether an answer has told the store's time. */
  readonly isKnown: () => boolean
  /** Sends a call with the present instant, and learns from its answer. */
  readonly ask: <A extends { readonly now: number }, E>(
    call: (now: number) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E>
}

export const make = (clock: Pick<ClockWatch, "monotonic" | "now" | "precise">): StoreTime => {
  let ahead = 0
  let known = false
  const now = () => clock.now() + ahead
  /** The store said its time at some moment of the call: what is known is corrected by no more than that it must be. */
  const learn = (given: number, said: number, elapsed: number): void => {
    known = true
    if (said === given) return
    const least = said - clock.now()
    ahead = Math.min(Math.max(ahead, least), least + Math.ceil(elapsed))
  }
  return {
    now,
    precise: () => clock.precise() + ahead,
    isKnown: () => known,
    ask: (call) =>
      Effect.suspend(() => {
        const begin = clock.monotonic()
        const given = now()
        return Effect.map(call(given), (answer) => {
          learn(given, answer.now, clock.monotonic() - begin)
          return answer
        })
      })
  }
}
