import { Effect } from "effect"
import * as metrics from "./metrics.ts"
import { claimable, type Runner } from "./Runner.ts"
import { start } from "./Running.ts"
import { untilRun } from "./wake.ts"

/** More ended runs than this wait to be stored: nothing new is claimed before they are fewer. */
const longestBacklog = 10_000

/** Due runs → job fibers, only as many as there are free slots. */
export const loop = (runner: Runner): Effect.Effect<void> => Effect.forever(turn(runner), { disableYield: true })

const turn = Effect.fnUntraced(function* (runner: Runner) {
  const { bells, settings, slots, state } = runner
  bells.claim.arm()
  if (state.uncertain) yield* reconcile(runner)
  const jobs = claimable(runner)
  if (jobs.length === 0 || state.paused || state.closing || !mayClaim(runner))
    return yield* bells.claim.sleep(undefined)
  const wanted = slots.take(settings.maxRunning)
  if (wanted === 0) return yield* bells.claim.sleep(undefined)
  const got = yield* claim(runner, jobs, wanted)
  if (got === wanted) return yield* Effect.yieldNow
  if (got < 0) return yield* bells.claim.sleep(settings.pollInterval)
  yield* bells.claim.sleep(yield* untilRun(runner))
})

/** Past its lease's end a node claims nothing; behind with storing what ended, it claims later. */
const mayClaim = (runner: Runner) =>
  runner.clock.monotonic() < runner.state.leaseUntil && runner.reports.length < longestBacklog

/**
 * Claims into slots already taken and answers how many, or -1 if the call failed. It cannot be interrupted between the
 * sending and the registration of what came back: a claimed run that nobody knows of would be nobody's until the lease
 * ends.
 */
const claim = (runner: Runner, jobs: ReturnType<typeof claimable>, wanted: number): Effect.Effect<number> =>
  Effect.uninterruptible(
    Effect.matchCause(
      runner.calls.once(
        "claim",
        runner.store.claim({
          now: runner.clock.now(),
          node: runner.state.node,
          limit: wanted,
          jobs,
          queues: runner.settings.queues
        })
      ),
      {
        onFailure: () => {
          runner.slots.give(wanted)
          runner.state.uncertain = true
          return -1
        },
        onSuccess: ({ now, runs }) => {
          runner.slots.give(wanted - runs.length)
          metrics.claimSize.updateUnsafe(runs.length, runner.context)
          for (const run of runs) start(runner, run, now)
          return runs.length
        }
      }
    )
  )

/** After a claim that failed or timed out: takes over the runs that the store has under this node's id all the same. */
const reconcile = Effect.fnUntraced(function* (runner: Runner) {
  const node = runner.state.node
  const held = yield* runner.calls.insist("held", runner.store.held({ node }))
  if (node !== runner.state.node) return
  runner.state.uncertain = false
  for (const run of held) {
    if (runner.running.has(run.id)) continue
    // The bound may be passed by what was claimed unseen; these slots are paid back as runs end.
    runner.slots.take(1)
    start(runner, run, runner.clock.now())
  }
})
