import { Effect } from "effect"
import type { RunRecord } from "../../JobRun.ts"
import type { ClaimableJob } from "../../JobStore.ts"
import { longestBacklog } from "./Finisher.ts"
import * as metrics from "./metrics.ts"
import { make as makePatience, type Patience } from "./patience.ts"
import type { Runner } from "./Runner.ts"
import { startAll } from "./Running.ts"
import { isTaken, nextRun, until } from "./wake.ts"

/** The most that one call claims. */
const batch = 1_000

/** So many milliseconds, and claims, it goes on before others have their turn. */
const slice = 5
const claims = 10

/** Due runs → job fibers, only as many as there are free slots. */
export const loop = (runner: Runner): Effect.Effect<void> =>
  Effect.forever(turn(runner, makePatience(runner)), { disableYield: true })

const turn = Effect.fnUntraced(function* (runner: Runner, patience: Patience) {
  const { bells, settings, state } = runner
  if (bells.claim.arm()) patience.reset()
  if (state.uncertain) yield* reconcile(runner, runner.calls.insist("held", held(runner)))
  const jobs = runner.claimable()
  if (jobs.length === 0 || state.paused || state.closing || !mayClaim(runner)) {
    setBehind(runner, false)
    return yield* bells.claim.sleep(undefined)
  }
  const begun = runner.clock.monotonic()
  let claimed = yield* claim(runner, jobs)
  // Handlers that end at once leave their slots free for the next ones.
  for (let i = 1; i < claims && claimed.found === "full" && goesOn(runner, jobs, begun + slice); i++) {
    claimed = yield* claim(runner, jobs)
  }
  const { found } = claimed
  setBehind(runner, found === "full")
  switch (found) {
    case "noSlot":
      return yield* bells.claim.sleep(undefined)
    case "full":
      patience.reset()
      return yield* Effect.yieldNow
    case "failed":
      return yield* bells.claim.sleep(settings.pollInterval)
    case "all":
    case "nothing": {
      if (found === "all") patience.reset()
      const { now } = claimed
      const next = claimed.next === undefined ? yield* nextRun(runner) : until(runner, claimed.next ?? undefined, now)
      return yield* bells.claim.sleep(found === "nothing" && isTaken(next, now) ? patience.next() : next.wait)
    }
  }
})

/** Past its lease's end a node claims nothing; behind with storing what ended, it claims later. */
const mayClaim = (runner: Runner) =>
  runner.clock.monotonic() < runner.state.leaseUntil && runner.reports.length < longestBacklog

/** Says whether more is due than was claimed, and lets the finisher look whether ends go on to wait for it. */
const setBehind = (runner: Runner, behind: boolean): void => {
  runner.state.behind = behind
  if (runner.reports.length > 0) runner.bells.finish.ring()
}

/** There is time, and nothing has happened that the next turn has to look at first. */
const goesOn = (runner: Runner, jobs: ReadonlyArray<ClaimableJob>, until: number): boolean => {
  const { closing, paused, uncertain } = runner.state
  const isSame = jobs === runner.claimable() && !paused && !closing && !uncertain
  return isSame && mayClaim(runner) && runner.clock.monotonic() < until
}

type Claimed =
  | { readonly found: "noSlot" | "full" | "failed" }
  | { readonly found: "all" | "nothing"; readonly now: number; readonly next: number | null | undefined }

/**
 * Claims as many runs as there are free slots. It cannot be interrupted between the sending and the registration of what
 * came back: a claimed run that nobody knows of would be nobody's until the lease ends.
 */
const claim = (runner: Runner, jobs: ReadonlyArray<ClaimableJob>): Effect.Effect<Claimed> =>
  Effect.uninterruptible(
    Effect.suspend(() => {
      const { bells, settings, slots, state } = runner
      const { node } = state
      const wanted = slots.take(Math.min(settings.maxRunning, batch), bells.claim.ring)
      if (wanted === 0) return Effect.succeed({ found: "noSlot" })
      const call = runner.calls.once(
        "claim",
        runner.time.ask((now) => runner.store.claim({ now, node, limit: wanted, jobs, queues: settings.queues })),
        { onLate: () => doubt(runner) }
      )
      return Effect.matchCause(
        // No longer than a store call may take: what was claimed is run, whatever becomes of the reaper's call.
        Effect.tap(call, () =>
          state.reaping.isOpen() ? Effect.void : Effect.timeoutOption(state.reaping.await, settings.storeTimeout)
        ),
        {
          onFailure: (): Claimed => {
            slots.give(wanted)
            state.uncertain = true
            return { found: "failed" }
          },
          onSuccess: ({ next, now, runs }): Claimed => {
            if (state.node !== node) {
              // Fenced while the call was under way: what it claimed is taken back from the dead node.
              slots.give(wanted)
              return { found: "full" }
            }
            slots.give(wanted - runs.length)
            metrics.claimSize.updateUnsafe(runs.length, runner.context)
            startAll(runner, runs, now)
            if (runs.length === wanted) return { found: "full" }
            return { found: runs.length === 0 ? "nothing" : "all", now, next }
          }
        }
      )
    })
  )

/** A claim that had timed out has ended after all, and may have taken runs. */
const doubt = (runner: Runner): void => {
  runner.state.uncertain = true
  runner.bells.claim.ring()
}

const held = (runner: Runner) => Effect.suspend(() => runner.store.held({ node: runner.state.node }))

/** After a claim that failed or timed out: takes over the runs that the store has under this node's id all the same. */
const reconcile = <E>(runner: Runner, ask: Effect.Effect<ReadonlyArray<RunRecord>, E>): Effect.Effect<void, E> =>
  Effect.suspend(() => {
    const { node } = runner.state
    // Of these some may end, and be stored as ended, before the answer comes.
    const known = new Map(Array.from(runner.running.values(), ({ record }) => [record.id, record.attempt]))
    return Effect.map(ask, (runs) => {
      if (node !== runner.state.node) return
      runner.state.uncertain = false
      for (const run of runs) {
        if (known.get(run.id) === run.attempt) continue
        // The bound may be passed by what was claimed unseen.
        runner.slots.occupy()
        startAll(runner, [run], runner.time.now())
      }
    })
  })

/** At the end: what an uncertain claim left under this node's id goes back, since nothing is started any more. */
export const settle = (runner: Runner): Effect.Effect<void> =>
  runner.state.uncertain ? Effect.ignore(reconcile(runner, runner.calls.verb("held", held(runner)))) : Effect.void
