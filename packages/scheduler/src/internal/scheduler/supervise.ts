import { Cause, Duration, Effect } from "effect"

const shortestDelay = 100
const longestDelay = 30_000

/**
 * Runs a loop for ever: one that dies is started again, at once at first and then with a delay that doubles up to 30 s
 * while it keeps dying. A forked fiber that dies is silent in Effect, so nothing here is forked without this.
 */
export const supervise = <R>(
  loop: Effect.Effect<void, never, R>,
  onRestart: (message: string) => void
): Effect.Effect<void, never, R> => {
  const from = (delay: number): Effect.Effect<void, never, R> =>
    Effect.catchCause(loop, (cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
      onRestart(Cause.pretty(cause))
      return Effect.andThen(
        Effect.logError("A fiber of the scheduler died and is started again", cause),
        Effect.andThen(
          Effect.sleep(Duration.millis(delay)),
          Effect.suspend(() => from(Math.min(delay * 2, longestDelay)))
        )
      )
    })
  return from(shortestDelay)
}
