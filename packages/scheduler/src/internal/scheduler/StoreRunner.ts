import { Context, Effect, Exit, Fiber, Latch, Random, Scope } from "effect"
import type { JobRegistryService } from "../../JobRegistry.ts"
import type { EndedRun } from "../../JobRun.ts"
import { type ClaimableJob, type JobStoreError, type JobStoreService, Signal, type Transition } from "../../JobStore.ts"
import type { MakeId } from "../uuid.ts"
import * as Claimer from "./Claimer.ts"
import * as Deadlines from "./Deadlines.ts"
import type { EventHub } from "./EventHub.ts"
import * as Finisher from "./Finisher.ts"
import * as Firer from "./Firer.ts"
import { Foretold } from "./Foretold.ts"
import * as Heart from "./Heart.ts"
import * as Janitor from "./Janitor.ts"
import * as Reaper from "./Reaper.ts"
import type { Runner } from "./Runner.ts"
import type { Settings } from "./settings.ts"
import type { Slots } from "./Slots.ts"
import * as StoreCalls from "./StoreCalls.ts"
import * as StoreTime from "./StoreTime.ts"
import { supervise } from "./supervise.ts"
import * as Waiters from "./Waiters.ts"
import { type ClockWatch, make as makeWakeup } from "./Wakeup.ts"

/** How long a handler that was interrupted at the end may still take. What it holds then is left to the lease. */
const lastGrace = 5_000

/** Runs one store: its loops in one scope, started and drained together. */
export interface StoreRunner {
  readonly runner: Runner
  readonly start: Effect.Effect<void>
  /** Stops, as `SchedulerService.drain` says. Can be started again. */
  readonly drain: (deadline: number) => Effect.Effect<void>
  /** Brings the deadline of a drain that is under way forward. */
  readonly hurry: (deadline: number) => void
  readonly setPaused: (paused: boolean) => void
  /** The run's end, or undefined if the store does not know the run. */
  readonly awaitEnd: (runId: string) => Effect.Effect<EndedRun | undefined, JobStoreError>
}

export const make = Effect.fnUntraced(function* (options: {
  readonly alias: string
  readonly store: JobStoreService
  readonly settings: Settings
  readonly hub: EventHub
  readonly registry: JobRegistryService
  readonly slots: Slots
  readonly clock: ClockWatch
  readonly newId: MakeId
  readonly advance: Transition
  /** The custom rules that are known here. */
  readonly triggers: () => ReadonlyArray<string>
}) {
  const { alias, clock, hub, settings, store } = options
  const context = yield* Effect.context<never>()
  /** For what is found out in the middle of something else. A logger that fails is its own affair. */
  const log = (line: Effect.Effect<void>) => void Effect.runForkWith(context)(Effect.ignoreCause(line))
  const bells = {
    fire: makeWakeup(),
    claim: makeWakeup(),
    finish: makeWakeup(),
    heart: makeWakeup(),
    idle: makeWakeup()
  }
  const foretold = new Foretold(hub, clock)
  let jobs: ReadonlyArray<ClaimableJob> | undefined
  const runner: Runner = {
    alias,
    store,
    settings,
    hub,
    registry: options.registry,
    slots: options.slots,
    clock,
    time: StoreTime.make(clock),
    newId: options.newId,
    foretold,
    advance: foretold.of(alias, options.advance),
    triggers: options.triggers,
    claimable: () => (jobs ??= jobsOf(options.registry)),
    context,
    random: Context.get(context, Random.Random),
    bells,
    running: new Map(),
    reports: [],
    onEnd: (runId) => waiters.ended(runId),
    deadlines: Deadlines.make(clock, makeWakeup(), settings.stuckAfter),
    state: {
      node: options.newId(),
      leaseUntil: store.shared ? -Infinity : Infinity,
      leaseUntilWall: Infinity,
      healthySince: undefined,
      paused: false,
      closing: false,
      uncertain: false,
      behind: false,
      reaping: Latch.makeUnsafe(true)
    },
    calls: StoreCalls.make({
      alias,
      store,
      timeout: settings.storeTimeout,
      clock,
      context,
      onDegraded: (error) => {
        hub.publish({
          _tag: "StoreDegraded",
          store: alias,
          method: error.method,
          reason: error.reason,
          message: error.message
        })
        log(
          Effect.logWarning(`Store "${alias}" is degraded: ${error.method} failed (${error.reason}): ${error.message}`)
        )
      },
      onRecovered: (after) => {
        hub.publish({ _tag: "StoreRecovered", store: alias, after })
        log(Effect.logInfo(`Store "${alias}" has recovered after ${after} ms`))
        // It may have come back as it was before, with runs under this node's id that have ended here.
        runner.state.uncertain = true
        bells.fire.ring()
        bells.claim.ring()
      }
    })
  }

  const waiters = Waiters.make(store, runner.calls, settings)
  yield* Effect.forkScoped(
    supervise(waiters.loop, (message) =>
      hub.publish({ _tag: "FiberRestarted", store: alias, fiber: "waiters", message })
    )
  )

  /** Whether the end of a run may make room for another one, beyond those that the store tells of. */
  const isLimited = () =>
    runner.claimable().some((job) => job.concurrency !== undefined || settings.queues[job.queue] !== undefined)
  const subscribing = store.subscribe((signal) => {
    if (signal & Signal.schedules) bells.fire.ring()
    if (signal & Signal.runs || (signal & Signal.ended && isLimited())) bells.claim.ring()
    if (signal & Signal.cancel) bells.heart.ring()
    if (signal & Signal.ended) waiters.changed()
  })
  const scope = yield* Effect.scope
  let subscription: Fiber.Fiber<void> | undefined
  /** From now on what changes is heard. Who only writes need not hear anything, and each who hears costs those who tell. */
  const subscribed: Effect.Effect<void> = Effect.suspend(() => {
    if (subscription !== undefined) return Effect.asVoid(Fiber.await(subscription))
    const fork = Effect.forkIn(Scope.provide(subscribing, scope), scope, { startImmediately: true })
    return Effect.flatMap(fork, (fiber) => Effect.asVoid(Fiber.await((subscription = fiber))))
  })
  yield* listening(options.registry.listeners, () => {
    jobs = undefined
    bells.claim.ring()
    bells.heart.ring()
  })

  let live: Live | undefined
  let stopping: Stopping | undefined
  /** What was asked for last: a drain holds also for a start that still waits. */
  let isWanted = false

  const start: Effect.Effect<void> = Effect.suspend(() => {
    if (stopping !== undefined) return Effect.andThen(stopping.done.await, start)
    if (live !== undefined) return Effect.void
    isWanted = true
    return Effect.andThen(subscribed, begin)
  })

  const begin: Effect.Effect<void> = Effect.suspend(() => {
    if (!isWanted || live !== undefined || stopping !== undefined) return Effect.void
    runner.state.closing = false
    return Effect.uninterruptible(Effect.map(startLoops(runner), (started) => void (live = started)))
  })

  const hurry = (deadline: number): void => {
    if (stopping === undefined) return
    stopping.until = Math.min(stopping.until, clock.monotonic() + deadline)
    bells.idle.ring()
  }

  const drain = (deadline: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      isWanted = false
      if (stopping !== undefined) {
        hurry(deadline)
        return stopping.done.await
      }
      if (live === undefined) return Effect.void
      const loops = live
      const end = { until: clock.monotonic() + deadline, done: Latch.makeUnsafe() }
      live = undefined
      stopping = end
      return Effect.uninterruptible(
        Effect.ensuring(
          stop(runner, loops, end),
          Effect.sync(() => {
            stopping = undefined
            end.done.openUnsafe()
          })
        )
      )
    })

  return {
    runner,
    start,
    drain,
    hurry,
    awaitEnd: (runId) => Effect.andThen(subscribed, waiters.await(runId)),
    setPaused: (paused) => {
      runner.state.paused = paused
      bells.fire.ring()
      bells.claim.ring()
    }
  } satisfies StoreRunner as StoreRunner
})

/** The fibers of a runner that works, in the order in which they are stopped. */
interface Live {
  readonly scope: Scope.Closeable
  readonly intake: ReadonlyArray<Fiber.Fiber<void>>
  readonly finisher: Fiber.Fiber<void>
  readonly rest: ReadonlyArray<Fiber.Fiber<void>>
  readonly heart: Fiber.Fiber<void>
}

/** A drain under way. `until` is on the monotonic clock, and can come nearer. */
interface Stopping {
  until: number
  readonly done: Latch.Latch
}

const startLoops = Effect.fnUntraced(function* (runner: Runner): Effect.fn.Return<Live> {
  const scope = yield* Scope.make()
  const fork = (fiber: string, loop: Effect.Effect<void>) =>
    Effect.forkIn(
      supervise(loop, (message) => runner.hub.publish({ _tag: "FiberRestarted", store: runner.alias, fiber, message })),
      scope
    )
  const heart = yield* fork("heart", Heart.loop(runner))
  const finisher = yield* fork("finisher", Finisher.loop(runner))
  const rest = [yield* fork("deadlines", Deadlines.loop(runner)), yield* fork("janitor", Janitor.loop(runner))]
  if (runner.store.shared) rest.push(yield* fork("reaper", Reaper.loop(runner)))
  const intake = [yield* fork("firer", Firer.loop(runner)), yield* fork("claimer", Claimer.loop(runner))]
  return { scope, heart, finisher, rest, intake }
})

/** Firer and claimer first, the heart last, so that nothing of what still runs is taken for dead. */
const stop = Effect.fnUntraced(function* (runner: Runner, live: Live, end: Stopping) {
  const { bells, clock, running, state, store } = runner
  state.closing = true
  yield* Fiber.interruptAll(live.intake)
  state.behind = false
  bells.finish.ring()
  yield* Claimer.settle(runner)
  yield* untilIdle(runner, end)
  for (const run of running.values()) run.interrupt("release")
  yield* untilIdle(runner, { until: clock.monotonic() + lastGrace })
  yield* Fiber.interrupt(live.finisher)
  yield* Fiber.interruptAll(live.rest)
  yield* Fiber.interrupt(live.heart)
  // With a run left that did not end, the row stays until its lease ends and a reaper takes the run back.
  if (store.shared && running.size === 0) {
    yield* Effect.ignore(runner.calls.verb("leave", store.leave({ node: state.node })))
    // Started again it is another node: the row is gone.
    state.node = runner.newId()
    state.leaseUntil = -Infinity
  }
  yield* Scope.close(live.scope, Exit.void)
})

/** Waits until every run has ended and is stored, at most until an instant of the monotonic clock. */
const untilIdle = (runner: Runner, end: Pick<Stopping, "until">): Effect.Effect<void> =>
  Effect.suspend(() => {
    runner.bells.idle.arm()
    const left = end.until - runner.clock.monotonic()
    if (runner.running.size === 0 || left <= 0) return Effect.void
    return Effect.andThen(
      runner.bells.idle.sleep(left),
      Effect.suspend(() => untilIdle(runner, end))
    )
  })

const jobsOf = (registry: JobRegistryService): ReadonlyArray<ClaimableJob> =>
  Array.from(registry.entries.values(), ({ job }) => ({
    name: job.jobName,
    queue: job.settings.queue,
    concurrency: job.settings.concurrency
  }))

const listening = (listeners: Set<() => void>, listener: () => void) =>
  Effect.acquireRelease(
    Effect.sync(() => void listeners.add(listener)),
    () => Effect.sync(() => void listeners.delete(listener))
  )
