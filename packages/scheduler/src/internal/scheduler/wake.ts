import { Effect } from "effect"
import { triggerVersion } from "./Resolver.ts"
import type { Runner } from "./Runner.ts"
import { jittered } from "./StoreCalls.ts"

/** When a loop has something to do next, and for how long it may sleep until then, in milliseconds. */
export interface Next {
  readonly instant: number | undefined
  readonly wait: number | undefined
}

/** When the next schedule is due. */
export const nextSchedule = (runner: Runner): Effect.Effect<Next> => ask(runner, true)

/** When the next run is due that the claimer could take. */
export const nextRun = (runner: Runner): Effect.Effect<Next> => ask(runner, false)

/** What was due before a look that found nothing is another's at this moment; what became due since was not seen. */
export const isTaken = ({ instant }: Next, looked: number): boolean => instant !== undefined && instant <= looked

const ask = (runner: Runner, schedules: boolean): Effect.Effect<Next> =>
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

/** `now` is the store's time when it answered: since then its answer has been on its way. */
export const until = (runner: Runner, instant: number | undefined, now: number): Next => ({
  instant,
  wait: waitFor(runner, instant, now)
})

const waitFor = (runner: Runner, instant: number | undefined, now: number): number | undefined => {
  // A shared store is changed by others too, and notifications are only a speed-up.
  const poll = runner.store.shared ? jittered(runner.random, runner.settings.pollInterval) : undefined
  if (instant === undefined) return poll
  // A timer of whole milliseconds from a whole one would be late by the fraction of the present one.
  const delay = instant <= now ? 0 : Math.max(1, instant - Math.max(now, runner.time.precise()))
  return poll === undefined ? delay : Math.min(delay, poll)
}
