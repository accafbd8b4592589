import { Effect, Option, Result } from "effect"
import type * as Job from "../../Job.ts"
import type { EndedRun, RunRecord } from "../../JobRun.ts"
import type { JobStoreError } from "../../JobStore.ts"
import type { EnqueueOptions, InStore, SchedulerService } from "../../Scheduler.ts"
import {
  InsideTransaction,
  InvalidOption,
  InvalidPayload,
  RunNotFound,
  RunNotRepeatable,
  RunNotSucceeded,
  type SchedulerError
} from "../../SchedulerError.ts"
import { byteLength, codecOf } from "../codec.ts"
import { readInstant } from "../trigger/instant.ts"
import { announce, announceCancel } from "./announce.ts"
import { type Core, defaultAlias, keyIssue, missing, priorityIssue, refuse, requireId, storeOf } from "./Core.ts"
import { failuresOf } from "./Finisher.ts"
import type { StoreRunner } from "./StoreRunner.ts"

type Verbs = Pick<SchedulerService, "enqueue" | "enqueueAll" | "execute" | "awaitEnd" | "runNow" | "rerun" | "cancel">

const batch = 1_000

/** So many calls of a great many are under way at once: while one is stored the next is written. */
const calls = 4

/** The verbs that make, await and end runs. */
export const make = (core: Core): Verbs => {
  /** `now` is the instant that the runs were made with: a store that keeps its own time knows by it which are due now. */
  const insert = Effect.fnUntraced(function* (
    store: StoreRunner,
    now: number,
    runs: ReadonlyArray<{ readonly run: RunRecord; readonly unique: string | null }>
  ) {
    const { runner } = store
    for (const { run } of runs) runner.foretold.created(runner.alias, run)
    const { ids } = yield* runner.calls.verb("enqueue", runner.store.enqueue({ now, runs }))
    if (runner.hub.active()) {
      yield* afterCommit(store, () => {
        runs.forEach(({ run }, i) => {
          if (ids[i] === run.id) runner.foretold.tell(run.id)
          else runner.foretold.drop(run.id)
        })
      })
    }
    return ids
  })

  const enqueueAll: Verbs["enqueueAll"] = Effect.fnUntraced(function* (job, payloads, options) {
    const store = yield* storeOf(core, options?.store)
    const now = store.runner.time.now()
    const at = yield* instantOf(now, `job "${job.jobName}"`, options)
    // All of them are checked and encoded before any of them is stored.
    const runs: Array<{ readonly run: RunRecord; readonly unique: null }> = []
    for (let from = 0; from < payloads.length; from += batch) {
      if (from > 0) yield* Effect.yieldNow
      for (const payload of payloads.slice(from, from + batch)) {
        const run = newRun(core, job, payload, now, at, options)
        if (Result.isFailure(run)) return yield* refuse(run.failure)
        runs.push({ run: run.success, unique: null })
      }
    }
    const batches: Array<typeof runs> = []
    for (let from = 0; from < runs.length; from += batch) batches.push(runs.slice(from, from + batch))
    // Runs of one key go in the order in which they are stored, and an application's transaction has one connection.
    const isOrdered = runs.some(({ run }) => run.key !== null) || (yield* insideTransaction(store))
    const concurrency = isOrdered ? 1 : calls
    return (yield* Effect.forEach(batches, (each) => insert(store, now, each), { concurrency })).flat()
  })

  const enqueueOne = Effect.fnUntraced(function* <J extends Job.Any>(
    job: J,
    payload: Job.Payload<J>,
    options: EnqueueOptions | undefined
  ) {
    const store = yield* storeOf(core, options?.store)
    const subject = `job "${job.jobName}"`
    const now = store.runner.time.now()
    const at = yield* instantOf(now, subject, options)
    const unique = options?.idempotencyKey
    if (unique !== undefined) yield* requireId(subject, "idempotencyKey", unique, 255)
    const run = newRun(core, job, payload, now, at, options)
    if (Result.isFailure(run)) return yield* refuse(run.failure)
    const [id] = yield* insert(store, now, [{ run: run.success, unique: unique ?? null }])
    return id!
  })

  const enqueue: Verbs["enqueue"] = (job, ...[payload, options]) => enqueueOne(job, payload, options)

  const awaitEnd: Verbs["awaitEnd"] = Effect.fnUntraced(function* (runId, options) {
    const store = yield* storeOf(core, options?.store)
    yield* outsideTransaction(store, "awaitEnd")
    const ended = yield* store.awaitEnd(runId)
    return ended ?? (yield* runNotFound(runId, options))
  })

  const executeOne = Effect.fnUntraced(function* <J extends Job.Any>(
    job: J,
    payload: Job.Payload<J>,
    options: (EnqueueOptions & { readonly cancelOnInterrupt?: boolean | undefined }) | undefined
  ) {
    const store = yield* storeOf(core, options?.store)
    yield* outsideTransaction(store, "execute")
    const enqueued = enqueueOne(job, payload, options)
    const ended = yield* options?.cancelOnInterrupt === true
      ? // From the storing on: a run that was stored while its answer was awaited is cancelled too.
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(enqueued, (id) =>
            Effect.onInterrupt(restore(awaitEnd(id, options)), () => Effect.ignore(cancel(id, options)))
          )
        )
      : Effect.flatMap(enqueued, (id) => awaitEnd(id, options))
    return yield* resultOf(job, ended)
  })

  const execute: Verbs["execute"] = (job, ...[payload, options]) => executeOne(job, payload, options)

  const cancel: Verbs["cancel"] = Effect.fnUntraced(function* (runId, options) {
    const store = yield* storeOf(core, options?.store)
    const { runner } = store
    const answered = yield* runner.calls.verb(
      "cancel",
      Effect.suspend(() => runner.store.cancel({ now: runner.time.now(), id: runId, transition: runner.advance }))
    )
    if (answered.answer === "unknown") return yield* runNotFound(runId, options)
    yield* afterCommit(store, () => announceCancel(runner, runId, answered))
    return answered.answer
  })

  const runNow: Verbs["runNow"] = Effect.fnUntraced(function* (id, options) {
    const store = yield* storeOf(core, options?.store)
    const { runner } = store
    let run: RunRecord | undefined
    let found = false
    const applied = yield* runner.calls.verb(
      "modify",
      Effect.suspend(() =>
        runner.store.modify({
          now: runner.time.now(),
          ids: [id],
          transition: runner.foretold.of(runner.alias, (_, view, now) => {
            found = view !== undefined
            run = undefined
            if (view === undefined || (options?.overlap === true && view.active + view.deferred > 0)) return undefined
            const { schedule } = view
            run = {
              ...blank(core, now),
              job: schedule.job,
              queue: schedule.queue,
              priority: schedule.priority,
              payload: schedule.payload,
              key: schedule.key,
              delivery: schedule.delivery,
              scheduleId: id,
              generation: schedule.generation,
              cause: "runNow"
            }
            return { schedule, runs: [run], ranges: [], replaceDeferred: false, cancelActive: false }
          })
        })
      )
    )
    if (!found) return yield* missing(core, options, id, "runNow")
    yield* afterCommit(store, () => announce(runner, applied))
    return Option.map(Option.fromUndefinedOr(run as RunRecord | undefined), (made) => made.id)
  })

  const rerun: Verbs["rerun"] = Effect.fnUntraced(function* (runId, options) {
    const store = yield* storeOf(core, options?.store)
    const { runner } = store
    const { ended, unfinished } = yield* runner.calls.verb("getRuns", runner.store.getRuns({ ids: [runId] }))
    const old = ended[0]
    if (unfinished.length > 0) return yield* refuse(new RunNotRepeatable({ runId, why: "it has not ended yet" }))
    if (old === undefined) return yield* runNotFound(runId, options)
    if (old.payload === null) {
      return yield* refuse(
        new RunNotRepeatable({ runId, why: "it succeeded, and the payload of a success is not kept" })
      )
    }
    const now = runner.time.now()
    const run: RunRecord = {
      ...blank(core, now),
      job: old.job,
      queue: old.queue,
      priority: old.priority,
      payload: old.payload,
      key: old.key,
      delivery: old.delivery,
      scheduleId: old.scheduleId,
      generation: old.generation,
      nominal: old.nominal,
      cause: `rerun:${runId}`
    }
    // Asked for twice, the run that is unfinished is the one. A store knows that of a run of a nominal time; another one
    // takes a key that each of its reruns in turn hands on to the next.
    for (let previous = runId; ;) {
      const unique = old.scheduleId === null || old.nominal === null ? `rerun:${previous}` : null
      const [id] = yield* insert(store, now, [{ run, unique }])
      if (unique === null || id === run.id) return id!
      const { unfinished } = yield* runner.calls.verb("getRuns", runner.store.getRuns({ ids: [id!] }))
      if (unfinished.length > 0) return id!
      previous = id!
    }
  })

  return { enqueue, enqueueAll, execute, awaitEnd, runNow, rerun, cancel }
}

/** Runs a step when what it tells of has been committed: at once, or at the end of the application's transaction. */
export const afterCommit = (store: StoreRunner, step: () => void): Effect.Effect<void> => {
  const { transaction } = store.runner.store
  const run = Effect.sync(step)
  return transaction === undefined ? run : transaction.afterCommit(run)
}

/** Whether the calling fiber is in a transaction that the application has opened on the store's client. */
const insideTransaction = (store: StoreRunner): Effect.Effect<boolean> =>
  store.runner.store.transaction?.active ?? Effect.succeed(false)

const outsideTransaction = (store: StoreRunner, verb: string): Effect.Effect<void, SchedulerError> =>
  Effect.flatMap(insideTransaction(store), (inside) => (inside ? refuse(new InsideTransaction({ verb })) : Effect.void))

const runNotFound = (runId: string, options: InStore | undefined) =>
  refuse(new RunNotFound({ runId, store: options?.store ?? defaultAlias }))

const instantOf = (
  now: number,
  subject: string,
  options: Pick<EnqueueOptions, "at"> | undefined
): Effect.Effect<number, SchedulerError> => {
  if (options?.at === undefined) return Effect.succeed(now)
  const at = readInstant(options.at)
  return at !== undefined
    ? Effect.succeed(at)
    : refuse(new InvalidOption({ subject, option: "at", expected: "an instant", actual: String(options.at) }))
}

/** A run that was never claimed, without what says whose it is. */
const blank = (core: Core, now: number) =>
  ({
    id: core.newId(),
    nominal: null,
    settles: false,
    state: "pending",
    waitsFor: null,
    runAt: now,
    startBy: null,
    attempt: 0,
    failures: 0,
    recoveries: 0,
    errors: "[]",
    node: null,
    startedAt: null,
    cancelAt: null,
    progress: null,
    createdAt: now
  }) as const

const newRun = <J extends Job.Any>(
  core: Core,
  job: J,
  payload: Job.Payload<J>,
  now: number,
  at: number,
  options: Pick<EnqueueOptions, "priority"> | undefined
): Result.Result<RunRecord, InvalidOption | InvalidPayload> => {
  const wrong = priorityIssue(`job "${job.jobName}"`, options?.priority)
  if (wrong !== undefined) return Result.fail(wrong)
  const encoded = encodePayload(core, job, payload, undefined)
  if (Result.isFailure(encoded)) return Result.fail(encoded.failure)
  return Result.succeed({
    ...blank(core, now),
    payload: encoded.success.payload,
    key: encoded.success.key,
    job: job.jobName,
    queue: job.settings.queue,
    priority: options?.priority ?? job.settings.priority,
    delivery: job.settings.delivery,
    scheduleId: null,
    generation: null,
    cause: "enqueue",
    runAt: at
  })
}

/** The payload as it is stored, and the key that the job makes of it. `scheduleId` is for the error. */
export const encodePayload = (
  core: Core,
  job: Job.Any,
  payload: unknown,
  scheduleId: string | undefined
): Result.Result<{ readonly payload: string; readonly key: string | null }, InvalidPayload> => {
  const refused = (why: string) => {
    const subject = scheduleId === undefined ? "enqueue" : `schedule "${scheduleId}"`
    return Result.fail(new InvalidPayload({ subject, job: job.jobName, why }))
  }
  const encoded = codecOf(job).encodePayload(payload)
  if (Result.isFailure(encoded)) return refused(encoded.failure)
  const key = job.settings.key === undefined ? null : job.settings.key(payload as never)
  const issue = tooLarge(encoded.success, core.settings.payloadLimit) ?? (key === null ? undefined : keyIssue(key))
  return issue === undefined ? Result.succeed({ payload: encoded.success, key }) : refused(issue)
}

const tooLarge = (text: string, limit: number): string | undefined => {
  const bytes = byteLength(text, limit)
  return bytes > limit
    ? `it takes ${bytes} bytes, and payloadLimit is ${limit}. Store it elsewhere and schedule a reference`
    : undefined
}

const resultOf = <J extends Job.Any>(
  job: J,
  ended: EndedRun
): Effect.Effect<Job.Success<J>, Job.Error<J> | RunNotSucceeded | JobStoreError> => {
  const not = (reason: RunNotSucceeded["reason"], detail: string) =>
    Effect.fail(new RunNotSucceeded({ runId: ended.id, job: job.jobName, reason, detail }))
  const codec = codecOf(job)
  if (ended.outcome === "succeeded") {
    if (!ended.resultStored) return not("resultNotStored", "it is above resultLimit and was not kept")
    const value = codec.decodeSuccess(ended.result)
    return Result.isSuccess(value) ? Effect.succeed(value.success) : not("resultNotStored", value.failure)
  }
  const failure = failuresOf(ended.errors).at(-1)
  if (ended.outcome === "failed" && failure?.kind === "failed" && failure.error !== undefined) {
    const error = codec.decodeError(failure.error)
    if (Result.isSuccess(error)) return Effect.fail(error.success as Job.Error<J>)
  }
  return not(ended.outcome, failure?.message ?? "")
}
