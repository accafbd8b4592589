import { Effect } from "effect"
import { announce } from "./announce.ts"
import { make as makePatience, type Patience } from "./patience.ts"
import { triggerVersion } from "./Resolver.ts"
import type { Runner } from "./Runner.ts"
import { isTaken, nextSchedule } from "./wake.ts"

const batch = 1_000

/** Due schedules → decisions → runs. Sleeps until the next nominal time, a change, or the poll of a shared store. */
export const loop = (runner: Runner): Effect.Effect<void> =>
  Effect.forever(Effect.andThen(turn(runner, makePatience(runner)), afterRing(runner)), { disableYield: true })

/** Whoever rang tells what was changed before anything comes of it. What is due now waits for no turn of the event loop. */
const afterRing = ({ bells }: Runner): Effect.Effect<void> =>
  Effect.suspend(() => (bells.fire.isRung() ? Effect.yieldNow : Effect.void))

const turn = Effect.fnUntraced(function* (runner: Runner, patience: Patience) {
  const { bells, calls, state, store } = runner
  if (bells.fire.arm()) patience.reset()
  if (state.paused) return yield* bells.fire.sleep(undefined)
  const { applied, full, now } = yield* calls.insist(
    "fire",
    runner.time.ask((now) =>
      store.fire({
        now,
        limit: batch,
        version: triggerVersion,
        triggers: runner.triggers(),
        transition: runner.advance
      })
    )
  )
  announce(runner, applied)
  if (applied.length > 0) {
    patience.reset()
    // A batch of a million due schedules must not keep the handlers from running.
    if (full) return yield* Effect.yieldNow
  }
  const next = yield* nextSchedule(runner)
  yield* bells.fire.sleep(applied.length === 0 && isTaken(next, now) ? patience.next() : next.wait)
})
