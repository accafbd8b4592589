import { Cause, Context, Duration, Effect, Exit, Random, Schedule, Tracer } from "effect"
import { type JobStoreService, JobStoreError } from "../../JobStore.ts"
import * as metrics from "./metrics.ts"
import type { ClockWatch } from "./Wakeup.ts"

/**
 * The one way to a store: each call gets a timeout, what may be sent again is, and how the store feels is told by events.
 */
export interface StoreCalls {
  /** For a verb of the user: retried shortly where another process was in the way, and failed typed. Inside an open
   * transaction of the store's client it is sent once as it is, since it commits or rolls back with it. */
  readonly verb: <A>(method: string, effect: Effect.Effect<A, JobStoreError>) => Effect.Effect<A, JobStoreError>
  /** Sent once, with a timeout. */
  readonly once: <A>(
    method: string,
    effect: Effect.Effect<A, JobStoreError>,
    timeout?: number
  ) => Effect.Effect<A, JobStoreError>
  /** For a loop: sent until it succeeds, with a delay that grows to 5 s. */
  readonly insist: <A>(method: string, effect: Effect.Effect<A, JobStoreError>) => Effect.Effect<A>
  readonly degraded: () => boolean
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
  let degradedSince: number | undefined

  const once: StoreCalls["once"] = (method, effect, timeout = options.timeout) =>
    Effect.suspend(() => {
      const begin = clock.monotonic()
      const call = Effect.raceFirst(
        Effect.interruptible(effect),
        Effect.interruptible(
          Effect.flatMap(Effect.sleep(Duration.millis(timeout)), () =>
            Effect.fail(
              new JobStoreError({
                reason: "Timeout",
                method,
                message: `${method} of store "${options.alias}" (${store.description}) did not answer within ${timeout} ms`
              })
            )
          )
        )
      )
      return Effect.onExit(
        traced ? Effect.withSpan(call, `JobStore.${method}`, { attributes: { store: options.alias } }) : call,
        (exit) =>
          Effect.sync(() => {
            metrics.storeLatency.updateUnsafe(clock.monotonic() - begin, context)
            heard(exit)
          })
      )
    })

  const heard = (exit: Exit.Exit<unknown, JobStoreError>): void => {
    if (Exit.isSuccess(exit)) {
      if (degradedSince === undefined) return
      const after = clock.monotonic() - degradedSince
      degradedSince = undefined
      options.onRecovered(Math.round(after))
    } else if (!Cause.hasInterruptsOnly(exit.cause)) {
      const error = Cause.findErrorOption(exit.cause)
      // A conflict with another process says nothing about the store's health.
      if (degradedSince !== undefined || error._tag === "None" || isContention(error.value)) return
      degradedSince = clock.monotonic()
      options.onDegraded(error.value)
    }
  }

  return {
    once,
    degraded: () => degradedSince !== undefined,
    insist: (method, effect) => Effect.retry(once(method, effect), { schedule: insistence }) as Effect.Effect<never>,
    verb: (method, effect) => {
      const send = Effect.retry(once(method, effect), { schedule: contention, while: isContention })
      return store.transaction === undefined
        ? send
        : Effect.flatMap(store.transaction.active, (active) => (active ? effect : send))
    }
  }
}

const isContention = (error: JobStoreError) => error.reason === "Busy" || error.reason === "Conflict"

/** A span costs more than a short run: none is opened unless the application installed a tracer. */
export const isTraced = (context: Context.Context<never>): boolean =>
  Context.get(context, Tracer.Tracer) !== Context.get(Context.empty(), Tracer.Tracer)

/** ± 10 %, so that processes that started together do not poll together. */
export const jittered = (random: Random.Random, millis: number): number =>
  millis * (0.9 + 0.2 * random.nextDoubleUnsafe())
