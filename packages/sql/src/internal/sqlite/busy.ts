import { Duration, Effect, Schedule } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { isBusy } from "./errors.ts"

/** How long, in all, a statement waits for a file that another process has locked, unless the options say otherwise. */
export const defaultBusyWait = Duration.seconds(2)

const delays = (wait: Duration.Duration) =>
  Schedule.exponential("2 millis", 1.5).pipe(
    Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.millis(50)))),
    Schedule.jittered,
    Schedule.upTo({ duration: wait })
  )

/** Sends an effect again while another process holds the file's lock. It sleeps between: the event loop goes on. */
export const retryWhileBusy = (wait: Duration.Duration) => {
  const schedule = delays(wait)
  return <A, R>(effect: Effect.Effect<A, SqlError, R>): Effect.Effect<A, SqlError, R> =>
    // The first attempt is without a schedule: nearly all succeed.
    Effect.catchIf(effect, isBusy, () => Effect.retry(effect, { schedule, while: isBusy }))
}
