import { DateTime, Effect, Result } from "effect"
import type * as Job from "../../Job.ts"
import type { PolicyOptions, ScheduleRecord } from "../../JobSchedule.ts"
import type { Applied, Transition } from "../../JobStore.ts"
import type { InStore, OnConflict, ScheduleOptions, SchedulerService, ScheduleView } from "../../Scheduler.ts"
import {
  InvalidOption,
  type InvalidPayload,
  ScheduleExists,
  ScheduleNotFound,
  type SchedulerError,
  Unreadable
} from "../../SchedulerError.ts"
import * as Trigger from "../../Trigger.ts"
import * as policies from "../policy.ts"
import * as transitions from "../transitions/index.ts"
import { readInstant } from "../trigger/instant.ts"
import { zoneDataVersion } from "../zone/version.ts"
import { announce } from "./announce.ts"
import { type Core, defaultAlias, refuse, storeOf, type Tentative } from "./Core.ts"
import { afterCommit, encodePayload } from "./runVerbs.ts"
import type { StoreRunner } from "./StoreRunner.ts"
import { tentativeView, viewOf } from "./views.ts"

type Verbs = Pick<
  SchedulerService,
  "schedule" | "scheduleAll" | "unschedule" | "reschedule" | "update" | "pause" | "resume" | "backfill" | "prune"
>

const batch = 1_000

/** The verbs that make, change and remove schedules. Each is one transition in one transaction of the store. */
export const make = (core: Core): Verbs => {
  const context = contextOf(core)

  /** Runs a transition for each id, and tells what came of it. */
  const modify = Effect.fnUntraced(function* (store: StoreRunner, ids: ReadonlyArray<string>, transition: Transition) {
    const { runner } = store
    const telling = runner.foretold.of(runner.alias, transition)
    const applied = yield* runner.calls.verb(
      "modify",
      Effect.suspend(() => runner.store.modify({ now: core.clock.now(), ids, transition: telling }))
    )
    if (applied.length > 0) yield* afterCommit(store, () => announce(runner, applied))
    return applied
  })

  /** For one schedule that must be there; answers it as it is then. */
  const change = Effect.fnUntraced(function* (id: string, options: InStore | undefined, transition: Transition) {
    const store = yield* storeOf(core, options?.store)
    let before: ScheduleRecord | undefined
    const [applied] = yield* modify(store, [id], (_, view, now) => {
      before = view?.schedule
      return transition(id, view, now)
    })
    if (before === undefined) {
      return yield* refuse(new ScheduleNotFound({ scheduleId: id, store: options?.store ?? defaultAlias }))
    }
    return { before: before as ScheduleRecord, after: applied === undefined ? before : applied.after, store }
  })

  /** A verb whose transition needs to read the row fails where this node cannot. */
  const readable = (record: ScheduleRecord): Effect.Effect<void, SchedulerError> => {
    const trigger = core.resolver.read(record)
    return typeof trigger === "string" ? refuse(new Unreadable({ scheduleId: record.id, why: trigger })) : Effect.void
  }

  const upsertAll = Effect.fnUntraced(function* <J extends Job.Any>(
    store: StoreRunner,
    job: J,
    schedules: ReadonlyArray<ScheduleOptions<J>>,
    onConflict: OnConflict,
    anchor: number | undefined
  ) {
    const applied: Array<Applied> = []
    for (let from = 0; from < schedules.length; from += batch) {
      const part = schedules.slice(from, from + batch)
      const drafts = new Map<string, { readonly generation: string | undefined; readonly upsert: Transition }>()
      const found = new Set<string>()
      for (const options of part) {
        const draft = draftOf(core, job, options, anchor)
        if (Result.isFailure(draft)) return yield* refuse(draft.failure)
        const { generation } = draft.success
        drafts.set(options.id, { generation, upsert: transitions.upsert(context, draft.success, { onConflict }) })
        if (draft.success.origin !== null) declare(core, store.runner.alias, options.id)
      }
      applied.push(
        ...(yield* modify(store, [...drafts.keys()], (id, view, now) => {
          const { generation, upsert } = drafts.get(id)!
          // A call that is sent again after its commit was not heard of finds its own row.
          if (view === undefined || view.schedule.generation === generation) found.delete(id)
          else found.add(id)
          return upsert(id, view, now)
        }))
      )
      if (onConflict === "fail" && found.size > 0) {
        const [scheduleId] = found
        return yield* refuse(new ScheduleExists({ scheduleId: scheduleId!, store: store.runner.alias }))
      }
    }
    return applied
  })

  /** Keeps a schedule for `start`. What is done to it until then is done to what is kept. */
  const keep = <J extends Job.Any>(
    kept: Map<string, Tentative>,
    store: StoreRunner,
    job: J,
    options: Parameters<typeof schedule<J>>[1],
    paused: boolean
  ): Effect.Effect<ScheduleView, SchedulerError> =>
    Effect.suspend(() => {
      const { id } = options
      const { alias } = store.runner
      const draft = draftOf(core, job, options, undefined)
      if (Result.isFailure(draft)) return refuse(draft.failure)
      if (draft.success.origin !== null) declare(core, alias, id)
      const view = (): ScheduleView => {
        const shown = tentativeView(core, alias, draft.success)
        return paused ? { ...shown, nextAt: null } : shown
      }
      const upserted = Effect.suspend(() =>
        upsertAll(store, job, [options], options.onConflict ?? "update", core.clock.now())
      )
      kept.set(`${alias}\n${id}`, {
        alias,
        id,
        view,
        store: paused ? Effect.andThen(upserted, change(id, { store: alias }, transitions.pause(context))) : upserted,
        change: (patch) => {
          const missed = { ...options.missed, ...patch.missed }
          return keep(kept, store, job, { ...options, ...patch, missed }, patch.paused ?? paused)
        }
      })
      return Effect.succeed(view())
    })

  const keptFor = (id: string, options: InStore | undefined) =>
    core.state.tentative?.get(`${options?.store ?? defaultAlias}\n${id}`)

  const schedule: Verbs["schedule"] = Effect.fnUntraced(function* (job, options) {
    const store = yield* storeOf(core, options.store)
    if (core.state.tentative !== undefined) return yield* keep(core.state.tentative, store, job, options, false)
    const [applied] = yield* upsertAll(store, job, [options], options.onConflict ?? "update", undefined)
    if (applied?.after !== undefined) return viewOf(core, store, applied.after)
    const [row] = yield* store.runner.calls.verb("getSchedules", store.runner.store.getSchedules({ ids: [options.id] }))
    return row === undefined
      ? yield* refuse(new ScheduleNotFound({ scheduleId: options.id, store: store.runner.alias }))
      : viewOf(core, store, row)
  })

  const scheduleAll: Verbs["scheduleAll"] = Effect.fnUntraced(function* (job, schedules, options) {
    const store = yield* storeOf(core, options?.store)
    if (core.state.tentative !== undefined) {
      for (const one of schedules) yield* schedule(job, { ...one, ...options })
      return
    }
    yield* upsertAll(store, job, schedules, options?.onConflict ?? "update", undefined)
  })

  const unschedule: Verbs["unschedule"] = Effect.fnUntraced(function* (id, options) {
    const kept = core.state.tentative?.delete(`${options?.store ?? defaultAlias}\n${id}`) === true
    const removed = Effect.asVoid(change(id, options, transitions.remove(context)))
    yield* kept ? Effect.catchReason(removed, "SchedulerError", "ScheduleNotFound", () => Effect.void) : removed
  })

  const reschedule: Verbs["reschedule"] = Effect.fnUntraced(function* (id, trigger, options) {
    const kept = keptFor(id, options)
    if (kept !== undefined) return yield* kept.change({ trigger })
    const { after, before, store } = yield* change(
      id,
      options,
      transitions.reschedule(context, core.resolver.define(trigger))
    )
    if (after === before) yield* readable(before)
    return viewOf(core, store, after ?? before)
  })

  const update: Verbs["update"] = Effect.fnUntraced(function* (job, id, patch, options) {
    const kept = keptFor(id, options)
    if (kept !== undefined) return yield* kept.change(patch)
    const subject = `schedule "${id}"`
    const encoded = patch.payload === undefined ? Result.succeed({}) : encodePayload(core, job, patch.payload, id)
    if (Result.isFailure(encoded)) return yield* refuse(encoded.failure)
    // The patch is laid over the policy that the row has, so it has to be checked inside the transition.
    let invalid: InvalidOption | undefined
    const { after, before, store } = yield* change(id, options, (_, view, now) => {
      if (view === undefined) return undefined
      const old = policies.decode(view.schedule.policy)
      const policy = old === undefined ? undefined : policies.patch(old, patch, subject)
      if (policy !== undefined && Result.isFailure(policy)) {
        invalid = policy.failure
        return undefined
      }
      const given = policy !== undefined && hasPolicy(patch) ? { policy: policies.encode(policy.success) } : {}
      return transitions.update(context, { ...given, ...encoded.success, priority: patch.priority })(id, view, now)
    })
    if (invalid !== undefined) return yield* refuse(invalid)
    if (after === before) yield* readable(before)
    return viewOf(core, store, after ?? before)
  })

  const pause: Verbs["pause"] = Effect.fnUntraced(function* (id, options) {
    const kept = keptFor(id, options)
    if (kept !== undefined) return yield* Effect.asVoid(kept.change({ paused: true }))
    yield* change(id, options, transitions.pause(context))
  })

  const resume: Verbs["resume"] = Effect.fnUntraced(function* (id, options) {
    const kept = keptFor(id, options)
    if (kept !== undefined) return yield* Effect.asVoid(kept.change({ paused: false }))
    const { after, before } = yield* change(id, options, transitions.resume(context, options?.from ?? "now"))
    if (after === before && before.state === "paused") yield* readable(before)
  })

  const backfill: Verbs["backfill"] = Effect.fnUntraced(function* (id, options) {
    const store = yield* storeOf(core, options.store)
    const subject = `backfill of "${id}"`
    const start = yield* instantOf(subject, "from", options.from)
    const end = yield* instantOf(subject, "to", options.to)
    if (end < start) {
      return yield* invalid(subject, "to", "an instant not before from", DateTime.formatIso(DateTime.makeUnsafe(end)))
    }
    yield* requireId(subject, "request", options.request, 200)
    const concurrency = options.concurrency ?? 1
    if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
      return yield* invalid(subject, "concurrency", "a whole number of at least 1", String(concurrency))
    }
    const [row] = yield* store.runner.calls.verb("getSchedules", store.runner.store.getSchedules({ ids: [id] }))
    if (row === undefined) {
      return yield* refuse(new ScheduleNotFound({ scheduleId: id, store: options.store ?? defaultAlias }))
    }
    yield* readable(row)
    const given = core.resolver.read(row) as Trigger.Trigger
    if (!Trigger.isRule(given)) {
      return yield* invalid(subject, "trigger", "a set of instants", "a spaced rhythm, which has no past times")
    }
    const trigger = Trigger.bounded(Trigger.anchor(given, row.anchor), { start, end })
    const backfillId = `${id}/backfill/${options.request}`
    yield* requireId(subject, "id and request", backfillId, 255)
    const draft: transitions.Draft = {
      ...core.resolver.define(trigger),
      id: backfillId,
      job: row.job,
      queue: row.queue,
      priority: 3,
      payload: row.payload,
      key: row.key,
      delivery: row.delivery,
      policy: policies.encode(policies.backfill(concurrency)),
      origin: row.origin,
      cause: `backfill:${options.request}`,
      watermark: start - 1,
      generation: core.newId()
    }
    yield* modify(store, [backfillId], transitions.upsert(context, draft, { onConflict: "keep" }))
    return backfillId
  })

  const prune: Verbs["prune"] = Effect.fnUntraced(function* (origin, options) {
    const store = yield* storeOf(core, options?.store)
    const stale: Array<string> = []
    let cursor: string | undefined
    do {
      const page = yield* store.runner.calls.verb(
        "listSchedules",
        store.runner.store.listSchedules({ filter: { origin }, limit: batch, cursor })
      )
      for (const row of page.items) {
        // A backfill was not declared, and goes when it is done.
        if (row.cause === "nominal" && core.declared.get(store.runner.alias)?.has(row.id) !== true) stale.push(row.id)
      }
      cursor = page.cursor
    } while (cursor !== undefined)
    for (let from = 0; from < stale.length; from += batch) {
      yield* modify(store, stale.slice(from, from + batch), transitions.remove(context))
    }
    return stale
  })

  return { schedule, scheduleAll, unschedule, reschedule, update, pause, resume, backfill, prune }
}

/** What transitions need of this scheduler. */
export const contextOf = (core: Pick<Core, "resolver" | "newId">): transitions.TransitionContext => ({
  resolve: core.resolver.resolve,
  newId: core.newId,
  zoneData: zoneDataVersion
})

const declare = (core: Core, alias: string, id: string): void => {
  const ids = core.declared.get(alias)
  if (ids === undefined) core.declared.set(alias, new Set([id]))
  else ids.add(id)
}

const policyFields = ["missed", "overlap", "maxInstances", "buffer", "jitter", "maxRuns"] as const

/** A schedule's own policies over the scheduler's, checked and as a row keeps them. */
export const encodedPolicy = (core: Pick<Core, "settings">, options: PolicyOptions, subject: string) =>
  Result.map(policies.make(policies.merge(core.settings.policies, options), subject), policies.encode)

const hasPolicy = (options: PolicyOptions): boolean => policyFields.some((field) => options[field] !== undefined)

const invalid = (subject: string, option: string, expected: string, actual: string) =>
  refuse(new InvalidOption({ subject, option, expected, actual }))

const idIssue = (subject: string, option: string, id: string, longest: number): InvalidOption | undefined =>
  typeof id === "string" && id.length >= 1 && id.length <= longest
    ? undefined
    : new InvalidOption({
        subject,
        option,
        expected: `a text of 1 to ${longest} characters`,
        actual: typeof id === "string" ? `${id.length} characters` : typeof id
      })

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

const instantOf = (
  subject: string,
  option: string,
  input: DateTime.DateTime.Input
): Effect.Effect<number, SchedulerError> => {
  const instant = readInstant(input)
  return instant !== undefined ? Effect.succeed(instant) : invalid(subject, option, "an instant", String(input))
}

/** A schedule as a user writes it, checked and encoded. */
const draftOf = <J extends Job.Any>(
  core: Core,
  job: J,
  options: ScheduleOptions<J>,
  anchor: number | undefined
): Result.Result<transitions.Draft, InvalidOption | InvalidPayload> => {
  const { id } = options
  const wrongId = idIssue("schedule", "id", id, 255)
  if (wrongId !== undefined) return Result.fail(wrongId)
  const policy = hasPolicy(options) ? encodedPolicy(core, options, `schedule "${id}"`) : core.usualPolicy
  if (Result.isFailure(policy)) return Result.fail(policy.failure)
  const encoded = encodePayload(core, job, options.payload, id)
  if (Result.isFailure(encoded)) return Result.fail(encoded.failure)
  const { needs, trigger, version } = core.resolver.define(options.trigger)
  return Result.succeed({
    trigger,
    version,
    needs,
    id,
    job: job.jobName,
    queue: job.settings.queue,
    priority: options.priority ?? job.settings.priority,
    payload: encoded.success.payload,
    key: encoded.success.key,
    delivery: job.settings.delivery,
    policy: policy.success,
    origin: options.origin ?? core.settings.origin,
    cause: "nominal",
    anchor,
    generation: core.newId()
  })
}
