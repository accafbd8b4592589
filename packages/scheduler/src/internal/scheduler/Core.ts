import { Effect, type Result } from "effect"
import type { JobRegistryService } from "../../JobRegistry.ts"
import type { PolicyOptions, Priority } from "../../JobSchedule.ts"
import type { JobStoreError } from "../../JobStore.ts"
import type { ScheduleView } from "../../Scheduler.ts"
import { type InvalidOption, SchedulerError, UnknownStore } from "../../SchedulerError.ts"
import type { Trigger } from "../../Trigger.ts"
import type { MakeId } from "../uuid.ts"
import type { EventHub } from "./EventHub.ts"
import type { Resolver } from "./Resolver.ts"
import type { Settings } from "./settings.ts"
import type { StoreRunner } from "./StoreRunner.ts"
import type { Waiters } from "./Waiters.ts"
import type { ClockWatch } from "./Wakeup.ts"

/** What the verbs of a scheduler share. */
export interface Core {
  readonly settings: Settings
  readonly hub: EventHub
  readonly registry: JobRegistryService
  readonly clock: ClockWatch
  readonly newId: MakeId
  readonly resolver: Resolver
  readonly waiters: Waiters
  /** The encoded policy of a schedule that gives none of its own. */
  readonly usualPolicy: Result.Result<string, InvalidOption>
  readonly stores: Map<string, StoreRunner>
  /** The ids of the schedules that this scheduler declared with an origin, by store, for `prune`. */
  readonly declared: Map<string, Set<string>>
  readonly state: {
    started: boolean
    paused: boolean
    /** What was asked for before `start`; undefined once it has started. */
    tentative: Map<string, Tentative> | undefined
  }
}

/** A schedule that is kept for `start`, with all its options. */
export interface Tentative {
  readonly alias: string
  readonly id: string
  readonly view: () => ScheduleView
  readonly store: Effect.Effect<unknown, SchedulerError | JobStoreError>
  /** Keeps it with these options, paused or not. */
  readonly change: (
    patch: PolicyOptions & {
      readonly trigger?: Trigger
      readonly payload?: unknown
      readonly priority?: Priority | undefined
      readonly paused?: boolean
    }
  ) => Effect.Effect<ScheduleView, SchedulerError>
}

export const defaultAlias = "default"

/** The store of an alias. */
export const storeOf = (core: Core, alias: string = defaultAlias): Effect.Effect<StoreRunner, SchedulerError> => {
  const store = core.stores.get(alias)
  return store === undefined
    ? refuse(new UnknownStore({ store: alias, known: [...core.stores.keys()].filter((name) => name !== effectsAlias) }))
    : Effect.succeed(store)
}

/** The alias of the private store in memory that keeps what `scheduleEffect` runs. */
export const effectsAlias = "(effects)"

export const refuse = (reason: SchedulerError["reason"]): Effect.Effect<never, SchedulerError> =>
  Effect.fail(new SchedulerError({ reason }))
