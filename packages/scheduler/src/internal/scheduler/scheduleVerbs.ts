import { Effect, Result } from "effect"
import type * as Job from "../../Job.ts"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { Applied, JobStoreError, Transition } from "../../JobStore.ts"
import type { InStore, OnConflict, ScheduleOptions, SchedulerService } from "../../Scheduler.ts"
import { type InvalidOption, ScheduleExists, ScheduleNotFound, type SchedulerError } from "../../SchedulerError.ts"
import * as transitions from "../transitions/index.ts"
import { announce } from "./announce.ts"
import { backfillOf } from "./backfill.ts"
import { type Core, defaultAlias, keptKey, keptOf, priorityIssue, refuse, storeOf, type Tentative } from "./Core.ts"
import { contextOf, draftOf, patchedPolicy } from "./drafts.ts"
import { readable, stored } from "./rows.ts"
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
      Effect.suspend(() => runner.store.modify({ now: runner.time.now(), ids, transition: telling }))
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

  /** All of them checked and encoded, before any of them is stored. */
  const draftAll = Effect.fnUntraced(function* <J extends Job.Any>(
    store: StoreRunner,
    job: J,
    schedules: ReadonlyArray<ScheduleOptions<J>>
  ) {
    const drafts: Array<transitions.Draft> = []
    for (let from = 0; from < schedules.length; from += batch) {
      if (from > 0) yield* Effect.yieldNow
      for (const options of schedules.slice(from, from + batch)) {
        const draft = draftOf(core, job, options)
        if (Result.isFailure(draft)) return yield* refuse(draft.failure)
        drafts.push(draft.success)
      }
    }
    for (const { id, origin } of drafts) if (origin !== null) declare(core, store.runner.alias, id)
    return drafts
  })

  const upsertAll = Effect.fnUntraced(function* (
    store: StoreRunner,
    all: ReadonlyArray<transitions.Draft>,
    onConflict: OnConflict,
    paused = false
  ) {
    const applied: Array<Applied> = []
    for (let from = 0; from < all.length; from += batch) {
      const drafts = new Map<string, transitions.Draft>()
      const found = new Set<string>()
      for (const draft of all.slice(from, from + batch)) drafts.set(draft.id, draft)
      const stored = yield* modify(store, [...drafts.keys()], (id, view, now) => {
        const draft = drafts.get(id)!
        // A call that is sent again after its commit was not heard of finds its own row.
        if (view !== undefined && view.schedule.generation !== draft.generation) found.add(id)
        else if (found.size > 0) found.delete(id)
        const upsert = transitions.upsert(context, draft, { onConflict })
        return (paused ? pausing(upsert) : upsert)(id, view, now)
      })
      // Of a great many nobody asks what became of each, and they would be kept for nothing.
      if (onConflict === "fail" || all.length === 1) applied.push(...stored)
      if (onConflict === "fail" && found.size > 0) {
        // Another one stored it since this call has looked.
        yield* takeBack(store, applied)
        const [scheduleId] = found
        return yield* exists(store, scheduleId!)
      }
    }
    return applied
  })

  /** Removes what was just inserted, unless it is another one's by now. */
  const takeBack = Effect.fnUntraced(function* (store: StoreRunner, inserted: ReadonlyArray<Applied>) {
    const own = new Map(inserted.map(({ after, id }) => [id, after?.generation]))
    const ids = [...own.keys()]
    for (let from = 0; from < ids.length; from += batch) {
      yield* modify(store, ids.slice(from, from + batch), (id, view) =>
        view === undefined || view.schedule.generation !== own.get(id)
          ? undefined
          : { schedule: null, runs: [], ranges: [], replaceDeferred: false, cancelActive: false }
      )
    }
  })

  /** Fails if one of them is there already, stored or kept for `start`, or is given twice. */
  const mustBeNew = Effect.fnUntraced(function* (store: StoreRunner, drafts: ReadonlyArray<transitions.Draft>) {
    const { alias, calls, store: jobStore } = store.runner
    const seen = new Set<string>()
    for (const { id } of drafts) {
      if (seen.has(id) || keptOf(core, alias, id) !== undefined) return yield* exists(store, id)
      seen.add(id)
    }
    for (let from = 0; from < drafts.length; from += batch) {
      const ids = drafts.slice(from, from + batch).map(({ id }) => id)
      const [row] = yield* calls.verb("getSchedules", jobStore.getSchedules({ ids }))
      if (row !== undefined) return yield* exists(store, row.id)
    }
  })

  /** Keeps a schedule for `start`, or answers what it would find in the store. */
  const keep = Effect.fnUntraced(function* (store: StoreRunner, draft: transitions.Draft, given: OnConflict) {
    const { alias } = store.runner
    if (given === "fail" || given === "keep") {
      const kept = keptOf(core, alias, draft.id)
      const row = kept === undefined ? yield* stored(store, draft.id) : undefined
      if (given === "fail" && (kept ?? row) !== undefined) return yield* exists(store, draft.id)
      if (kept !== undefined) return tentativeView(core, kept)
      if (row !== undefined) return viewOf(core, store, row)
    }
    // It may have started while the store was asked.
    if (core.state.tentative === undefined) return yield* put(store, draft, given)
    const before = keptOf(core, alias, draft.id)
    return keepAs(core.state.tentative, {
      alias,
      draft,
      onConflict: given === "update" && before?.onConflict === "replace" ? "replace" : given,
      paused: given === "update" && before?.paused === true
    })
  })

  const keepAs = (all: Map<string, Tentative>, one: Omit<Tentative, "store">) => {
    const { alias, draft, onConflict, paused } = one
    const kept: Tentative = {
      ...one,
      // The store may be another one by then, removed and added again under its alias.
      store: Effect.suspend(() =>
        Effect.flatMap(storeOf(core, alias), (store) => upsertAll(store, [draft], onConflict, paused))
      )
    }
    all.set(keptKey(alias, draft.id), kept)
    return tentativeView(core, kept)
  }

  /** What is kept for `start` is changed where it is kept; `undefined` where nothing is. */
  const changeKept = Effect.fnUntraced(function* (
    id: string,
    options: InStore | undefined,
    patch: (kept: Tentative) => Result.Result<Partial<Tentative>, InvalidOption>
  ) {
    yield* storeOf(core, options?.store)
    const kept = keptOf(core, options?.store, id)
    if (core.state.tentative === undefined || kept === undefined) return undefined
    const changed = patch(kept)
    if (Result.isFailure(changed)) return yield* refuse(changed.failure)
    const one = { ...kept, ...changed.success }
    return keepAs(core.state.tentative, {
      ...one,
      // It may be on its way into the store as it was: then it is found there, and changed.
      draft: { ...one.draft, generation: core.newId() },
      onConflict: one.onConflict === "replace" ? "replace" : "update"
    })
  })

  /** Stores one, and answers it as it is then. */
  const put = Effect.fnUntraced(function* (store: StoreRunner, draft: transitions.Draft, onConflict: OnConflict) {
    const [applied] = yield* upsertAll(store, [draft], onConflict)
    const row = applied?.after ?? (yield* stored(store, draft.id))
    return row === undefined
      ? yield* refuse(new ScheduleNotFound({ scheduleId: draft.id, store: store.runner.alias }))
      : viewOf(core, store, row)
  })

  const schedule: Verbs["schedule"] = Effect.fnUntraced(function* (job, options) {
    const store = yield* storeOf(core, options.store)
    const [draft] = yield* draftAll(store, job, [options])
    const onConflict = options.onConflict ?? "update"
    return yield* core.state.tentative === undefined ? put(store, draft!, onConflict) : keep(store, draft!, onConflict)
  })

  const scheduleAll: Verbs["scheduleAll"] = Effect.fnUntraced(function* (job, schedules, options) {
    const store = yield* storeOf(core, options?.store)
    const drafts = yield* draftAll(store, job, schedules)
    const onConflict = options?.onConflict ?? "update"
    if (onConflict === "fail") yield* mustBeNew(store, drafts)
    if (core.state.tentative === undefined) yield* upsertAll(store, drafts, onConflict)
    else for (const draft of drafts) yield* keep(store, draft, onConflict)
  })

  const unschedule: Verbs["unschedule"] = Effect.fnUntraced(function* (id, options) {
    const kept = core.state.tentative?.delete(keptKey(options?.store ?? defaultAlias, id)) === true
    yield* toBoth(kept, change(id, options, transitions.remove(context)))
  })

  const reschedule: Verbs["reschedule"] = Effect.fnUntraced(function* (id, trigger, options) {
    const kept = yield* changeKept(id, options, ({ draft }) =>
      Result.succeed({ draft: { ...draft, ...core.resolver.define(trigger) } })
    )
    if (kept !== undefined) return kept
    const { after, before, store } = yield* change(
      id,
      options,
      transitions.reschedule(context, core.resolver.define(trigger))
    )
    if (after === before) yield* readable(core, before)
    return viewOf(core, store, after ?? before)
  })

  const update: Verbs["update"] = Effect.fnUntraced(function* (job, id, patch, options) {
    const subject = `schedule "${id}"`
    const encoded = patch.payload === undefined ? Result.succeed({}) : encodePayload(core, job, patch.payload, id)
    if (Result.isFailure(encoded)) return yield* refuse(encoded.failure)
    const wrongPriority = priorityIssue(subject, patch.priority)
    if (wrongPriority !== undefined) return yield* refuse(wrongPriority)
    const kept = yield* changeKept(id, options, ({ draft }) =>
      Result.map(patchedPolicy(job, draft, patch), ({ policy }) => ({
        draft: { ...draft, ...encoded.success, policy, priority: patch.priority ?? draft.priority }
      }))
    )
    if (kept !== undefined) return kept
    // The patch is laid over what the row has, so it has to be checked inside the transition.
    let invalid: InvalidOption | undefined
    const { after, before, store } = yield* change(id, options, (_, view, now) => {
      invalid = undefined
      if (view === undefined) return undefined
      const policy = patchedPolicy(job, view.schedule, patch)
      if (Result.isFailure(policy)) {
        invalid = policy.failure
        return undefined
      }
      const fields = { ...policy.success, ...encoded.success, priority: patch.priority }
      return transitions.update(context, fields)(id, view, now)
    })
    if (invalid !== undefined) return yield* refuse(invalid)
    if (after === before) yield* readable(core, before)
    return viewOf(core, store, after ?? before)
  })

  const pause: Verbs["pause"] = Effect.fnUntraced(function* (id, options) {
    const kept = yield* changeKept(id, options, () => Result.succeed({ paused: true }))
    yield* toBoth(kept !== undefined, change(id, options, transitions.pause(context)))
  })

  const resumeStored = Effect.fnUntraced(function* (id: string, options: Parameters<Verbs["resume"]>[1]) {
    const { after, before } = yield* change(id, options, transitions.resume(context, options?.from ?? "now"))
    if (after === before && before.state === "paused") yield* readable(core, before)
  })

  const resume: Verbs["resume"] = Effect.fnUntraced(function* (id, options) {
    const kept = yield* changeKept(id, options, () => Result.succeed({ paused: false }))
    yield* toBoth(kept !== undefined, resumeStored(id, options))
  })

  const backfill: Verbs["backfill"] = Effect.fnUntraced(function* (id, options) {
    const store = yield* storeOf(core, options.store)
    const draft = yield* backfillOf(core, store, id, options)
    yield* modify(store, [draft.id], transitions.upsert(context, draft, { onConflict: "keep" }))
    return draft.id
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

const declare = (core: Core, alias: string, id: string): void => {
  const ids = core.declared.get(alias)
  if (ids === undefined) core.declared.set(alias, new Set([id]))
  else ids.add(id)
}

const exists = (store: StoreRunner, scheduleId: string) =>
  refuse(new ScheduleExists({ scheduleId, store: store.runner.alias }))

/** What is done to a schedule is done to the one that is kept for `start` and to the one that is stored. */
const toBoth = (kept: boolean, change: Effect.Effect<unknown, SchedulerError | JobStoreError>) =>
  Effect.asVoid(kept ? Effect.catchReason(change, "SchedulerError", "ScheduleNotFound", () => Effect.void) : change)

/** What the transition stores is paused, in the same step. */
const pausing =
  (transition: Transition): Transition =>
  (id, view, now) => {
    const change = transition(id, view, now)
    const row = change?.schedule
    if (change === undefined || row === undefined || row === null || row.state === "exhausted") return change
    return { ...change, schedule: { ...row, state: "paused", nextAt: null } }
  }
