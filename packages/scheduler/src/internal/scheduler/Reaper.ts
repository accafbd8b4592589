import { Effect } from "effect"
import { recoverAfter } from "../recovery.ts"
import { announce, runFields } from "./announce.ts"
import { untilSure } from "./Heart.ts"
import type { Runner } from "./Runner.ts"

const batch = 500

/** After a lease's end, before its node is marked: the time by which a late renewal may still save it. */
const grace = 1_000

/**
 * Marks nodes whose lease has passed, and takes back their runs. It does so only after its own renewals have all
 * succeeded for one whole lease: after an outage of the store every lease has passed, and nobody is dead.
 */
export const loop = (runner: Runner): Effect.Effect<void> => {
  const recovery = recoverAfter(runner.settings.recoveryDelays)
  return Effect.forever(
    Effect.gen(function* () {
      const { settings, state } = runner
      const wait = untilSure(runner)
      if (wait > 0) return yield* pause(wait)
      const reap = Effect.suspend(() => {
        // It is sent again until it succeeds, maybe only after an outage in which every lease passed.
        if (untilSure(runner) > 0) return Effect.undefined
        state.reaping.closeUnsafe()
        return runner.time.ask((now) =>
          runner.store.reap({ now, node: state.node, recovery, limit: batch, transition: runner.advance })
        )
      })
      // Only a call that answers may keep the claimer waiting.
      const reaped = yield* runner.calls.insist(
        "reap",
        Effect.onError(reap, () => state.reaping.open)
      )
      if (reaped === undefined) return state.reaping.openUnsafe()
      for (const dead of reaped.dead) runner.hub.publish({ _tag: "NodeReaped", store: runner.alias, dead })
      for (const run of reaped.recovered) {
        runner.foretold.seen(run)
        runner.hub.publish({ _tag: "RunRecovered", store: runner.alias, ...runFields(run), runAt: run.runAt })
      }
      for (const run of reaped.lost) {
        runner.foretold.seen(run)
        runner.hub.publish({ _tag: "RunLost", store: runner.alias, ...runFields(run) })
        runner.onEnd(run.id)
      }
      announce(runner, reaped.applied)
      state.reaping.openUnsafe()
      if (reaped.full) return yield* Effect.yieldNow
      const next = reaped.nextLease === undefined ? settings.lease : reaped.nextLease + grace - reaped.now
      yield* pause(Math.min(Math.max(next, 100), settings.lease))
    })
  )
}

const pause = (millis: number) => Effect.sleep(Math.max(1, millis))
