import { Effect } from "effect"
import { triggerVersion } from "./Resolver.ts"
import type { Runner } from "./Runner.ts"
import { jittered } from "./StoreCalls.ts"

/** How long the firer may sleep: until the next schedule is due, in milliseconds. */
export const untilSchedule = (runner: Runner): Effect.Effect<number | undefined> => ask(runner, true)

/** How long the claimer may sleep: until the next run that it could take is due, in milliseconds. */
export const untilRun = (runner: Runner): Effect.Effect<number | undefined> => ask(runner, false)

const ask = (runner: Runner, schedules: boolean): Effect.Effect<number | undefined> =>
  Effect.map(
    runner.calls.insist(
      "wake",
      runner.time.ask((now) =>
        runner.store.wake({
          now,
          version: triggerVersion,
          triggers: schedules ? runner.triggers() : [],
          jobs: schedules ? [] : runner.claimable(),
          queues: runner.settings.queues
        })
      ),
      schedules ? "wake for schedules" : "wake for runs"
    ),
    (wake) => until(runner, schedules ? wake.schedules : wake.runs, wake.now)
  )

/**
 * How long a loop may sleep that has nothing to do before an instant, in milliseconds. `now` is the store's time when it
 * answered: since then its answer has been on its way.
 */
export const until = (runner: Runner, instant: number | undefined, now: number): number | undefined => {
  // A shared store is changed by others too, and notifications are only a speed-up.
  const poll = runner.store.shared ? jittered(runner.random, runner.settings.pollInterval) : undefined
  if (instant === undefined) return poll
  // A timer of whole milliseconds from a whole one would be late by the fraction of the present one.
  const delay = instant <= now ? 0 : Math.max(1, instant - Math.max(now, runner.time.precise()))
  return poll === undefined ? delay : Math.min(delay, poll)
}
