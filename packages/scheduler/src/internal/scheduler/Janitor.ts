import { Effect } from "effect"
import { zoneDataVersion } from "../zone/version.ts"
import { announce } from "./announce.ts"
import { triggerVersion } from "./Resolver.ts"
import type { Runner } from "./Runner.ts"

const batch = 1_000

/** Retention, promotions that were left, schedules of other zone data, and jobs that nobody has. */
export const loop = (runner: Runner): Effect.Effect<void> => {
  const told = new Set<string>()
  return Effect.forever(
    Effect.gen(function* () {
      const { full } = yield* maintain(runner)
      if (full) return yield* Effect.yieldNow
      yield* unresolved(runner, told)
      yield* Effect.sleep(runner.settings.janitorInterval)
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

/** Tells once of each job whose runs have waited for a handler longer than they should. */
const unresolved = Effect.fnUntraced(function* (runner: Runner, told: Set<string>) {
  for (const job of told) if (runner.registry.entries.has(job)) told.delete(job)
  const { items } = yield* runner.calls.insist(
    "listRuns",
    runner.store.listRuns({ filter: { state: "pending" }, limit: batch })
  )
  const late = runner.time.now() - runner.settings.unresolvedAfter
  const waiting = new Set(items.filter((run) => run.runAt <= late).map((run) => run.job))
  for (const job of runner.registry.entries.keys()) waiting.delete(job)
  for (const job of told) waiting.delete(job)
  if (waiting.size === 0) return
  for (const node of runner.store.shared ? yield* runner.calls.insist("nodes", runner.store.nodes) : []) {
    if (node.deadAt === null) for (const job of node.jobs) waiting.delete(job)
  }
  for (const job of waiting) {
    told.add(job)
    runner.hub.publish({ _tag: "JobUnresolved", store: runner.alias, job })
    yield* Effect.logWarning(`Runs of job "${job}" wait: no live node has a handler for it`)
  }
})
