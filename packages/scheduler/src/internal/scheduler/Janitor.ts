import { Effect } from "effect"
import { zoneDataVersion } from "../zone/version.ts"
import { announce } from "./announce.ts"
import { triggerVersion } from "./Resolver.ts"
import type { Runner } from "./Runner.ts"
import { make as makeUnresolved } from "./Unresolved.ts"

const batch = 1_000

/** Retention, promotions that were left, schedules of other zone data, and what nobody can take. */
export const loop = (runner: Runner): Effect.Effect<void> => {
  const unresolved = makeUnresolved(runner)
  return Effect.forever(
    Effect.gen(function* () {
      const { full } = yield* maintain(runner)
      if (full) return yield* Effect.yieldNow
      yield* unresolved
      yield* Effect.sleep(Math.min(runner.settings.janitorInterval, runner.settings.unresolvedAfter))
    })
  )
}

const maintain = (runner: Runner) =>
  Effect.tap(
    runner.calls.insist(
      "maintain",
      Effect.suspend(() =>
        runner.store.maintain({
          now: runner.time.now(),
          retention: runner.settings.retention,
          limit: batch,
          version: triggerVersion,
          triggers: runner.triggers(),
          zoneData: zoneDataVersion,
          transition: runner.advance
        })
      )
    ),
    ({ applied }) => Effect.sync(() => announce(runner, applied))
  )
