import { Duration, type Layer } from "effect"
import type { PolicyOptions } from "../../JobSchedule.ts"
import type { Retention } from "../../JobStore.ts"
import type { SchedulerOptions, Stores } from "../../SchedulerOptions.ts"
import type * as Trigger from "../../Trigger.ts"

/** The options with their defaults, durations in milliseconds. */
export interface Settings {
  readonly maxRunning: number
  readonly queues: Readonly<Record<string, number>>
  readonly policies: PolicyOptions
  readonly triggers: ReadonlyArray<Trigger.CustomDefinition>
  readonly lease: number
  readonly pollInterval: number
  readonly storeTimeout: number
  readonly drainDeadline: number
  readonly stuckAfter: number
  readonly unresolvedAfter: number
  readonly janitorInterval: number
  readonly recoveryDelays: ReadonlyArray<number>
  readonly retention: Retention
  readonly payloadLimit: number
  readonly resultLimit: number
  readonly eventsBuffer: number
  readonly autoStart: boolean
  readonly origin: string | null
}

const day = 86_400_000

const millis = (option: string, input: Duration.Input | undefined, otherwise: number, least = 1): number => {
  if (input === undefined) return otherwise
  const value = Duration.toMillis(Duration.fromInputUnsafe(input))
  if (!(value >= least)) throw new RangeError(`Scheduler: ${option} must be at least ${least} ms, not ${value}`)
  return value
}

const whole = (option: string, value: number | undefined, otherwise: number): number => {
  if (value === undefined) return otherwise
  if (!(value === Infinity || (Number.isInteger(value) && value >= 1))) {
    throw new RangeError(`Scheduler: ${option} must be a whole number of at least 1, not ${value}`)
  }
  return value
}

/** Fills in the defaults. A value out of range is thrown: it is a mistake in the program. */
export const resolve = (options: SchedulerOptions<Stores>): Settings => ({
  maxRunning: whole("maxRunning", options.maxRunning, 100),
  queues: Object.fromEntries(
    Object.entries(options.queues ?? {}).map(([name, queue]) => [
      name,
      whole(`queues.${name}.concurrency`, queue.concurrency, Infinity)
    ])
  ),
  policies: options.policies ?? {},
  triggers: options.triggers ?? [],
  lease: millis("lease", options.lease, 15_000, 100),
  pollInterval: millis("pollInterval", options.pollInterval, 1_000),
  storeTimeout: millis("storeTimeout", options.storeTimeout, 5_000),
  drainDeadline: millis("drainDeadline", options.drainDeadline, 30_000, 0),
  stuckAfter: millis("stuckAfter", options.stuckAfter, 30_000, 0),
  unresolvedAfter: millis("unresolvedAfter", options.unresolvedAfter, 60_000, 0),
  janitorInterval: millis("janitorInterval", options.janitorInterval, 60_000),
  recoveryDelays: options.recoveryDelays?.map((delay) => millis("recoveryDelays", delay, 0, 0)) ?? [
    0, 1_000, 10_000, 60_000, 300_000
  ],
  retention: {
    succeeded: millis("retention.succeeded", options.retention?.succeeded, 7 * day, 0),
    others: millis("retention.others", options.retention?.others, 30 * day, 0),
    exhausted: millis("retention.exhausted", options.retention?.exhausted, 30 * day, 0),
    keys: millis("retention.keys", options.retention?.keys, 7 * day, 0)
  },
  payloadLimit: whole("payloadLimit", options.payloadLimit, 1 << 20),
  resultLimit: whole("resultLimit", options.resultLimit, 256 << 10),
  eventsBuffer: whole("eventsBuffer", options.eventsBuffer, 4_096),
  autoStart: options.autoStart ?? true,
  origin: options.origin ?? null
})

/** The errors and requirements of a record of store layers. */
export type StoresError<S extends Stores> = { [K in keyof S]: Layer.Error<S[K]> }[keyof S]
export type StoresServices<S extends Stores> = { [K in keyof S]: Layer.Services<S[K]> }[keyof S]
