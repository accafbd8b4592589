import { Clock, Duration, Effect } from "effect"
import { logFailure, pretty } from "../printed.ts"

const shortestDelay = 100
const longestDelay = 30_000

/**
 * Runs a loop for ever: one that dies is started again, after a delay that doubles up to 30 s while it keeps dying. A
 * forked fiber that dies is silent in Effect, so nothing here is forked without this. What interrupts the supervised fiber
 * itself ends it; an interruption that comes out of the loop is a death like any other.
 */
export const supervise = <R>(
  loop: Effect.Effect<void, never, R>,
  onRestart: (message: string) => void
): Effect.Effect<void, never, R> => {
  const from = (delay: number): Effect.Effect<void, never, R> =>
    Effect.flatMap(Clock.monotonicTimeNanos, (begin) =>
      Effect.catchCause(loop, (cause) => {
        onRestart(pretty(cause))
        return Effect.gen(function* () {
          yield* logFailure("A fiber of the scheduler died and is started again", cause)
          const lived = Number((yield* Clock.monotonicTimeNanos) - begin) / 1e6
          const next = lived > longestDelay ? shortestDelay : delay
          yield* Effect.sleep(Duration.millis(next))
          return yield* from(Math.min(next * 2, longestDelay))
        })
      })
    )
  return from(shortestDelay)
}
