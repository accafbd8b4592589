/**
 * How a scheduler is set up: every option with its default, from code or from configuration.
 *
 * @module
 * @since 0.1.0
 */
import type { Duration, Layer } from "effect"
import type { PolicyOptions } from "./JobSchedule.ts"
import type { JobStore, Retention } from "./JobStore.ts"
import type * as Trigger from "./Trigger.ts"

/**
 * The stores of a scheduler by alias. Without a `default` one is made in memory.
 *
 * @category models
 * @since 0.1.0
 */
export type Stores = { readonly [alias: string]: Layer.Layer<JobStore, unknown, unknown> }

/**
 * Options of a scheduler; all may be left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface SchedulerOptions<S extends Stores = {}> {
  readonly stores?: S | undefined
  /** Running handlers of this scheduler, over all its stores; default 100. */
  readonly maxRunning?: number | undefined
  /** Bounds of queues over all nodes; a queue that is not named has none. */
  readonly queues?:
    | {
        readonly [queue: string]: {
          /** Runs at once, at least 1. */
          readonly concurrency: number
        }
      }
    | undefined
  /** Policies of schedules that do not give their own. */
  readonly policies?: PolicyOptions | undefined
  /** The custom rules that this node can resolve. */
  readonly triggers?: ReadonlyArray<Trigger.CustomDefinition> | undefined
  /** A node that was silent for so long may be declared dead; default 15 seconds. It renews every third of it. */
  readonly lease?: Duration.Input | undefined
  /** How often a shared store is looked at when nothing was heard; default 1 second, ± 10 %. */
  readonly pollInterval?: Duration.Input | undefined
  /** How long a store call may take; default 5 seconds (a renewal: a sixth of the lease). */
  readonly storeTimeout?: Duration.Input | undefined
  /** How long running handlers may go on when the scheduler or their layer closes; default 30 seconds. */
  readonly drainDeadline?: Duration.Input | undefined
  /** After a timeout: how long a handler may take to end before `RunStuck`; default 30 seconds. */
  readonly stuckAfter?: Duration.Input | undefined
  /** How long a job without a handler is waited for before `JobUnresolved`, which is told at the janitor's next turn; default
   * 1 minute. */
  readonly unresolvedAfter?: Duration.Input | undefined
  /** How often retention, recounts and promotions are looked after; default 1 minute. */
  readonly janitorInterval?: Duration.Input | undefined
  /** Delays of a run's first, second … recovery; after the last it ends as lost. Default 0, 1, 10, 60, 300 seconds. From
   * the second on a run waits up to once more as long, by a hash of its id: so that runs which were recovered together
   * part from one that kills its process. */
  readonly recoveryDelays?: ReadonlyArray<Duration.Input> | undefined
  /** How long rows are kept: successes and idempotency keys by default 7 days, other ends and exhausted schedules 30 days. */
  readonly retention?: { readonly [K in keyof Retention]?: Duration.Input | undefined } | undefined
  /** Bytes of an encoded payload, above which scheduling is refused; default 1 MiB. */
  readonly payloadLimit?: number | undefined
  /** Bytes of an encoded result, above which it is not stored; default 256 KiB. */
  readonly resultLimit?: number | undefined
  /** Events kept for each subscriber; default 4,096. */
  readonly eventsBuffer?: number | undefined
  /** `false` keeps what is scheduled until `start`; default true. */
  readonly autoStart?: boolean | undefined
  /** The application's name, kept with what it declares, for `prune`. */
  readonly origin?: string | undefined
}
