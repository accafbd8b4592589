import { Cause, Context, Effect, Exit, Fiber, Option, type Random, Schedule, Tracer } from "effect"
import { type JobStoreService, JobStoreError } from "../../JobStore.ts"
import { pretty } from "../printed.ts"
import * as metrics from "./metrics.ts"
import type { ClockWatch } from "./Wakeup.ts"

/**
 * The one way to a store: each call gets a timeout, what may be sent again is, and how the store feels is told by events.
 */
export interface StoreCalls {
  /** For a verb of the user: retried shortly where another process was in the way, and failed typed. Inside an open
   * transaction of the store's client it is sent once as it is, since it commits or rolls back with it. */
  readonly verb: <A>(method: string, effect: Effect.Effect<A, JobStoreError>) => Effect.Effect<A, JobStoreError>
  /** For a loop: sent once. `onLate` is called when a call that had timed out, and would not be interrupted, ends. */
  readonly once: <A>(
    method: string,
    effect: Effect.Effect<A, JobStoreError>,
    options?: { readonly timeout?: number; readonly onLate?: () => void }
  ) => Effect.Effect<A, JobStoreError>
  /** For a loop: sent until it succeeds, with a delay that grows to 5 s. `health` tells two uses of a method apart. */
  readonly insist: <A>(method: string, effect: Effect.Effect<A, JobStoreError>, health?: string) => Effect.Effect<A>
}

const insistence = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

const contention = Schedule.exponential("10 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 6 }))

export const make = (options: {
  readonly alias: string
  readonly store: JobStoreService
  readonly timeout: number
  readonly clock: ClockWatch
  readonly context: Context.Context<never>
  readonly onDegraded: (error: JobStoreError) => void
  readonly onRecovered: (after: number) => void
}): StoreCalls => {
  const { clock, context, store } = options
  const traced = isTraced(context)

  const send = <A>(
    health: string,
    method: string,
    effect: Effect.Effect<A, JobStoreError>,
    timeout: number,
    onLate?: () => void
  ): Effect.Effect<A, JobStoreError> =>
    Effect.suspend(() => {
      const begin = clock.monotonic()
      const late = () =>
        new JobStoreError({
          reason: "Timeout",
          method,
          message: `${method} of store "${options.alias}" (${store.description}) did not answer within ${Math.round(timeout)} ms`
        })
      const call = bounded(effect, timeout, late, onLate)
      return Effect.onExit(
        traced ? Effect.withSpan(call, `JobStore.${method}`, { attributes: { store: options.alias } }) : call,
        (exit) => {
          metrics.storeLatency.updateUnsafe(clock.monotonic() - begin, context)
          heard(health, method, exit)
          return Effect.void
        }
      )
    })

  /** What failed when it was last called. A loop's method is well when it succeeds again, a verb when anything does. */
  const failing = new Set<string>()
  let degradedSince = 0
  /** Since when all that a loop asked of a method met with others in the way. */
  const contended = new Map<string, number>()

  const heard = (health: string, method: string, exit: Exit.Exit<unknown, JobStoreError>): void => {
    if (Exit.isSuccess(exit)) {
      if (contended.size > 0) contended.delete(health)
      if (failing.size === 0) return
      failing.delete(health)
      failing.delete(verbs)
      if (failing.size === 0) options.onRecovered(Math.round(clock.monotonic() - degradedSince))
    } else if (!Cause.hasInterruptsOnly(exit.cause)) {
      const error = Option.getOrElse(
        Cause.findErrorOption(exit.cause),
        () => new JobStoreError({ reason: "Unknown", method, message: pretty(exit.cause) })
      )
      // A conflict with another process says nothing about the store's health, unless it lasts longer than any call may.
      if (isContention(error) && !lasts(health)) return
      const well = failing.size === 0
      failing.add(health)
      if (!well) return
      degradedSince = clock.monotonic()
      options.onDegraded(error)
    }
  }

  /** Whoever asked by a verb has been told, and knows better whether it matters. */
  const lasts = (health: string): boolean => {
    if (health === verbs) return false
    const since = contended.get(health) ?? clock.monotonic()
    contended.set(health, since)
    return clock.monotonic() - since >= options.timeout
  }

  const once: StoreCalls["once"] = (method, effect, sent) =>
    send(method, method, effect, sent?.timeout ?? options.timeout, sent?.onLate)

  return {
    once,
    insist: (method, effect, health = method) =>
      again(send(health, method, effect, options.timeout), insistence) as Effect.Effect<never>,
    verb: (method, effect) => {
      const sent = again(send(verbs, method, effect, options.timeout), contention, isContention)
      return store.transaction === undefined
        ? sent
        : Effect.flatMap(store.transaction.active, (active) => (active ? effect : sent))
    }
  }
}

const verbs = "verbs"

/** Sends a call again by a schedule. Nearly all succeed at once, and pay for no schedule. */
const again = <A>(
  call: Effect.Effect<A, JobStoreError>,
  schedule: Schedule.Schedule<unknown>,
  condition: (error: JobStoreError) => boolean = () => true
): Effect.Effect<A, JobStoreError> =>
  Effect.catch(call, (error) => {
    let isFirst = true
    const next = Effect.suspend(() => {
      if (!isFirst) return call
      isFirst = false
      return Effect.fail(error)
    })
    return Effect.retry(next, { schedule, while: condition })
  })

/**
 * The answer of a call, or a timeout. One that does not answer is interrupted and not waited for: it may be a transaction
 * on a dead connection, which nothing can interrupt. A call that answers at once costs no timer.
 */
const bounded = <A>(
  effect: Effect.Effect<A, JobStoreError>,
  millis: number,
  late: () => JobStoreError,
  onLate: (() => void) | undefined
): Effect.Effect<A, JobStoreError> =>
  Effect.withFiber((parent) => {
    const call = Effect.runForkWith(parent.context)(effect)
    const exit = call.pollUnsafe()
    if (exit !== undefined) return exit
    const timeout = Effect.flatMap(Effect.sleep(millis), () => Effect.fail(late()))
    const first = Effect.raceFirst(Effect.interruptible(Fiber.join(call)), Effect.interruptible(timeout))
    return Effect.onExit(first, (answer) => {
      if (call.pollUnsafe() !== undefined) return Effect.void
      call.interruptUnsafe()
      // Whoever is interrupted goes on to close what the call still uses.
      if (Exit.hasInterrupts(answer)) return Effect.asVoid(Effect.timeoutOption(Fiber.await(call), millis))
      if (onLate !== undefined) call.addObserver(onLate)
      return Effect.void
    })
  })

const isContention = (error: JobStoreError) => error.reason === "Busy" || error.reason === "Conflict"

/** A span costs more than a short run: none is opened unless the application installed a tracer. */
export const isTraced = (context: Context.Context<never>): boolean =>
  Context.get(context, Tracer.Tracer) !== Context.get(Context.empty(), Tracer.Tracer)

/** ± 10 %, so that processes that started together do not poll together. */
export const jittered = (random: Random.Random, millis: number): number =>
  millis * (0.9 + 0.2 * random.nextDoubleUnsafe())
