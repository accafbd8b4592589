import { Effect, Exit } from "effect"
import * as metrics from "./metrics.ts"
import { triggerVersion } from "./Resolver.ts"
import type { Runner } from "./Runner.ts"

/**
 * Keeps this node's lease. A lease that has passed is not a death: late renewal succeeds as long as no reaper has marked
 * the row. Once it is marked, everything of this node is another's, and the node goes on under a new id.
 *
 * A store of this process alone has no leases: there the heart only hears of cancels.
 */
export const loop = (runner: Runner): Effect.Effect<void> =>
  runner.store.shared ? Effect.andThen(register(runner), Effect.forever(beat(runner))) : Effect.forever(listen(runner))

const register = Effect.fnUntraced(function* (runner: Runner): Effect.fn.Return<void> {
  const { bells, calls, clock, settings, state, store } = runner
  const begin = clock.monotonic()
  let sent = begin
  let now = clock.now()
  const params = () => {
    sent = clock.monotonic()
    now = clock.now()
    return { now: runner.time.now(), node: state.node, lease: settings.lease, ...abilities(runner) }
  }
  yield* calls.insist(
    "register",
    Effect.suspend(() => store.register({ ...params(), version: triggerVersion }))
  )
  // A row of this id may be there already, and dead: of a drain that left a run behind, or of a call whose answer was lost.
  if (state.leaseUntil > -Infinity || sent - begin > settings.lease) {
    const { fenced } = yield* calls.insist(
      "heartbeat",
      Effect.suspend(() => store.heartbeat(params()))
    )
    if (fenced) return yield* fence(runner)
  }
  renewed(runner, sent, now)
  state.healthySince = sent
  bells.claim.ring()
})

/** `sent` by the monotonic clock, `now` by this machine's wall clock: nobody else's has a say in it. */
const renewed = ({ settings, state }: Runner, sent: number, now: number): void => {
  state.leaseUntil = sent + settings.lease
  state.leaseUntilWall = now + settings.lease
}

/** Whether this node's lease has passed, by either clock. */
const lapsed = ({ clock, state }: Runner): boolean =>
  clock.monotonic() >= state.leaseUntil || clock.now() >= state.leaseUntilWall

/** Milliseconds until this node has kept its own lease for one whole lease, and may say of others that they did not. */
export const untilSure = (runner: Runner): number => {
  const { clock, settings, state } = runner
  if (state.healthySince === undefined || lapsed(runner)) return settings.lease
  return settings.lease - (clock.monotonic() - state.healthySince)
}

const abilities = (runner: Runner) => ({ jobs: [...runner.registry.entries.keys()], triggers: runner.triggers() })

const beat = Effect.fnUntraced(function* (runner: Runner) {
  const { bells, clock, settings, state } = runner
  bells.heart.arm()
  const due = state.leaseUntil - (settings.lease * 2) / 3
  // A renewal that failed is sent again sooner.
  const retry = state.healthySince === undefined ? settings.lease / 12 : due - clock.monotonic()
  yield* bells.heart.sleep(Math.max(1, Math.min(retry, settings.lease / 3, untilSurrender(runner))))
  metrics.leaseAge.updateUnsafe(clock.monotonic() - (state.leaseUntil - settings.lease), runner.context)
  const sent = clock.monotonic()
  const now = clock.now()
  const exit = yield* Effect.exit(
    runner.calls.once(
      "heartbeat",
      runner.store.heartbeat({
        now: runner.time.now(),
        node: state.node,
        lease: settings.lease,
        ...abilities(runner)
      }),
      { timeout: Math.max(1, Math.min(settings.lease / 6, untilSurrender(runner))) }
    )
  )
  if (Exit.isSuccess(exit)) {
    if (exit.value.fenced) return yield* fence(runner)
    // Where this lease had passed, those of nodes that live may have passed too: they get the time to renew.
    if (lapsed(runner)) state.healthySince = undefined
    renewed(runner, sent, now)
    state.healthySince ??= sent
    if (exit.value.cancel.length > 0) cancel(runner, exit.value.cancel)
    bells.claim.ring()
  } else {
    state.healthySince = undefined
    if (clock.monotonic() >= state.leaseUntil) surrender(runner)
  }
})

/** The lease's end must be noticed when it comes; once it has passed there is nothing more to notice. */
const untilSurrender = ({ clock, state }: Runner): number => {
  const left = state.leaseUntil - clock.monotonic()
  return left > 0 ? left : Infinity
}

const cancel = (runner: Runner, ids: ReadonlyArray<string>): void => {
  for (const id of ids) runner.running.get(id)?.interrupt("cancel")
}

/** Without a lease another node may soon run the same: what must not run twice at once is given back. */
const surrender = (runner: Runner): void => {
  for (const run of runner.running.values()) {
    if (run.record.key !== null || run.record.delivery === "atMostOnce") run.interrupt("release")
  }
}

const fence = Effect.fnUntraced(function* (runner: Runner): Effect.fn.Return<void> {
  const runs = [...runner.running.values()]
  const old = runner.state.node
  runner.state.leaseUntil = -Infinity
  runner.state.node = runner.newId()
  runner.state.uncertain = false
  runner.running.clear()
  for (const run of runs) run.interrupt("fence")
  runner.hub.publish({ _tag: "NodeFenced", store: runner.alias, newNode: runner.state.node, runs: runs.length })
  yield* Effect.logWarning(
    `Node ${old} was declared dead by another node (its lease had passed): its ${runs.length} runs were interrupted here`
  )
  yield* register(runner)
})

const listen = (runner: Runner): Effect.Effect<void> =>
  Effect.suspend(() => {
    runner.bells.heart.arm()
    if (runner.running.size === 0) return runner.bells.heart.sleep(undefined)
    return Effect.andThen(
      Effect.map(runner.calls.insist("held", runner.store.held({ node: runner.state.node })), (held) =>
        cancel(
          runner,
          held.filter((run) => run.cancelAt !== null).map((run) => run.id)
        )
      ),
      runner.bells.heart.sleep(undefined)
    )
  })
