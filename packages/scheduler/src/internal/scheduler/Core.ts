import { Effect, type Result } from "effect"
import type { JobRegistryService } from "../../JobRegistry.ts"
import type { JobStoreError } from "../../JobStore.ts"
import type { InStore, OnConflict } from "../../Scheduler.ts"
import { InvalidOption, NotStarted, ScheduleNotFound, SchedulerError, UnknownStore } from "../../SchedulerError.ts"
import type { Draft } from "../transitions/index.ts"
import type { MakeId } from "../uuid.ts"
import type { EventHub } from "./EventHub.ts"
import type { Resolver } from "./Resolver.ts"
import type { Settings } from "./settings.ts"
import type { StoreRunner } from "./StoreRunner.ts"
import type { ClockWatch } from "./Wakeup.ts"

/** What the verbs of a scheduler share. */
export interface Core {
  readonly settings: Settings
  readonly hub: EventHub
  readonly registry: JobRegistryService
  readonly clock: ClockWatch
  readonly newId: MakeId
  readonly resolver: Resolver
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
  readonly draft: Draft
  readonly onConflict: OnConflict
  readonly paused: boolean
  /** Stores it, anchored now. */
  readonly store: Effect.Effect<unknown, SchedulerError | JobStoreError>
}

export const defaultAlias = "default"

export const keptKey = (alias: string, id: string): string => `${alias}\n${id}`

/** What is kept for `start` under this id. */
export const keptOf = (core: Pick<Core, "state">, alias: string = defaultAlias, id: string): Tentative | undefined =>
  core.state.tentative?.get(keptKey(alias, id))

/** The store of an alias. */
export const storeOf = (core: Core, alias: string = defaultAlias): Effect.Effect<StoreRunner, SchedulerError> => {
  const store = core.stores.get(alias)
  if (store !== undefined) return Effect.succeed(store)
  if (alias === effectsAlias) {
    const expected = "one that runs"
    return refuse(
      new InvalidOption({ subject: "scheduleEffect", option: "the scheduler", expected, actual: "a client" })
    )
  }
  return refuse(
    new UnknownStore({ store: alias, known: [...core.stores.keys()].filter((name) => name !== effectsAlias) })
  )
}

/** A verb that needs a stored schedule found none: there is none, or it waits for `start`. */
export const missing = (
  core: Core,
  options: InStore | undefined,
  scheduleId: string,
  verb: string
): Effect.Effect<never, SchedulerError> => {
  const store = options?.store ?? defaultAlias
  return refuse(
    keptOf(core, store, scheduleId) === undefined
      ? new ScheduleNotFound({ scheduleId, store })
      : new NotStarted({ scheduleId, verb })
  )
}

/** An id that is empty or too long, or that not every store keeps as it is. */
export const idIssue = (subject: string, option: string, id: string, longest: number): InvalidOption | undefined => {
  const isText = typeof id === "string" && id.length >= 1 && id.length <= longest
  if (isText && isStorable(id)) return undefined
  return new InvalidOption({
    subject,
    option,
    expected: isText ? storable : `a text of 1 to ${longest} characters`,
    actual: isText ? JSON.stringify(id) : typeof id === "string" ? `${id.length} characters` : typeof id
  })
}

/** Postgres has neither of them in a text. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes("\u0000")

const storable = "a text without NUL and without half a surrogate pair"

/**
 * What is wrong with the key of a run. Keys are in an index that a run enters only when it starts: one that does not fit
 * would stop every claim that comes upon it, of other jobs too.
 */
export const keyIssue = (key: string): string | undefined => {
  if (key.length > 255) return `its key has ${key.length} characters, and at most 255 are allowed`
  return isStorable(key) ? undefined : `its key must be ${storable}, not ${JSON.stringify(key)}`
}

/** Refuses an id that is empty or too long. */
export const requireId = (
  subject: string,
  option: string,
  id: string,
  longest: number
): Effect.Effect<void, SchedulerError> => {
  const issue = idIssue(subject, option, id, longest)
  return issue === undefined ? Effect.void : refuse(issue)
}

/** A priority that is none: what comes from JSON is not checked by types. */
export const priorityIssue = (subject: string, priority: unknown): InvalidOption | undefined =>
  priority === undefined || priority === 0 || priority === 1 || priority === 2 || priority === 3
    ? undefined
    : new InvalidOption({ subject, option: "priority", expected: "0, 1, 2 or 3", actual: String(priority) })

/** The alias of the private store in memory that keeps what `scheduleEffect` runs. */
export const effectsAlias = "(effects)"

export const refuse = (reason: SchedulerError["reason"]): Effect.Effect<never, SchedulerError> =>
  Effect.fail(new SchedulerError({ reason }))
