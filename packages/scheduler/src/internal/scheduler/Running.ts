import { Cause, Context, Effect, Exit, type Fiber, Option, References, Result, type Schema } from "effect"
import type * as Job from "../../Job.ts"
import type { BusyRun, Entry } from "../../JobRegistry.ts"
import { type Current, type Failure, JobRun, type RunRecord } from "../../JobRun.ts"
import { byteLength, codecOf, type JobCodec, parseJson } from "../codec.ts"
import type { HeapEntry } from "../heap.ts"
import { pretty, printed } from "../printed.ts"
import { enter, leave } from "../registry.ts"
import { runFields } from "./announce.ts"
import * as metrics from "./metrics.ts"
import type { Runner } from "./Runner.ts"
import { isTraced } from "./StoreCalls.ts"

/** Why a handler was interrupted. A later reason replaces an earlier one only if it is stronger. */
export type Interruption = "timeout" | "cancel" | "release" | "fence"

const strength: Record<Interruption, number> = { timeout: 0, release: 1, cancel: 2, fence: 3 }

/** How an execution ended, before the finisher has decided on a retry. */
export type Ending =
  | { readonly _tag: "Succeeded"; readonly result: string | null; readonly stored: boolean }
  | { readonly _tag: "Failed"; readonly failure: Failure; readonly input: Job.JobFailure<unknown> | undefined }
  | { readonly _tag: "Cancelled" | "Expired" | "Released" | "Lost" }

/** One claimed run, from its claim to the storing of its report. */
export class Running implements BusyRun, HeapEntry {
  heapIndex = -1
  busyIndex = -1
  /** Monotonic milliseconds at which the deadline loop looks at it. */
  deadline = Infinity
  /** Until the handler has ended: what it leaves need not be kept until the end is stored. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  started = false
  interruption: Interruption | undefined
  interruptedAt = 0
  ending: Ending | undefined
  progress: string | null
  /** Monotonic milliseconds, as `endedAt`. */
  readonly begunAt: number
  endedAt = 0
  readonly record: RunRecord
  readonly entry: Entry | undefined
  readonly node: string
  /** By the store's time. */
  readonly startedAt: number
  private readonly deadlines: Runner["deadlines"]

  constructor(
    record: RunRecord,
    entry: Entry | undefined,
    node: string,
    startedAt: number,
    begunAt: number,
    deadlines: Runner["deadlines"]
  ) {
    this.deadlines = deadlines
    this.begunAt = begunAt
    this.record = record
    this.entry = entry
    this.node = node
    this.startedAt = startedAt
    this.progress = record.progress
  }

  get execution(): number {
    return this.record.failures + this.record.recoveries + 1
  }

  interrupt(why: Interruption): void {
    if (this.ending !== undefined) return
    if (this.interruption !== undefined && strength[this.interruption] >= strength[why]) return
    const first = this.interruption === undefined
    this.interruption = why
    if (first) this.deadlines.interrupted(this)
    this.fiber?.interruptUnsafe()
  }

  release(): void {
    this.interrupt("release")
  }
}

/** Starts claimed runs in slots that the claimer holds for them. `now` is the store's time. */
export const startAll = (runner: Runner, records: ReadonlyArray<RunRecord>, now: number): void => {
  // Where a handler has ended already the next one begins at its end: the clock is read once, not twice.
  let begunAt: number | undefined
  for (const record of records) begunAt = start(runner, record, now, begunAt ?? runner.clock.monotonic())
  if (records.length > 0) metrics.running.updateUnsafe(runner.slots.running, runner.context)
}

/**
 * Starts one of them, and answers when it ended if it has ended already. Whatever happens, the slot is given back when the
 * handler has ended, and a report reaches the finisher.
 */
const start = (runner: Runner, record: RunRecord, now: number, begunAt: number): number | undefined => {
  const entry = runner.registry.entries.get(record.job)
  const run = new Running(record, entry, runner.state.node, now, begunAt, runner.deadlines)
  runner.running.set(record.id, run)
  runner.foretold.seen(record)
  // Asked for while nobody ran it, after its last node had let go of it.
  if (record.cancelAt !== null) return end(runner, run, { _tag: "Cancelled" })
  if (record.startBy !== null && now > record.startBy) return end(runner, run, { _tag: "Expired" })
  if (entry === undefined || runner.state.closing) return end(runner, run, { _tag: "Released" })
  const prepared = preparedOf(entry)
  const payload = prepared.codec.decodePayload(record.payload)
  if (Result.isFailure(payload)) {
    const failure: Failure = {
      at: now,
      kind: "undecodable",
      message: `The payload does not fit the job's schema: ${payload.failure}`
    }
    return end(runner, run, { _tag: "Failed", failure, input: undefined })
  }
  if (runner.hub.active()) {
    runner.hub.publish({ _tag: "RunStarted", store: runner.alias, ...runFields(record), lateness: now - record.runAt })
  }
  metrics.lateness.updateUnsafe(now - record.runAt, runner.context)
  enter(entry, run)
  runner.slots.running++
  const handler = Effect.suspend(() => entry.handler(payload.success as never))
  const fiber = Effect.runForkWith(contextOf(runner, run, prepared))(
    prepared.traced ? Effect.withSpan(handler, `Job.${record.job}`, { attributes: spanAttributes(run) }) : handler
  )
  run.fiber = fiber
  run.started = true
  const exit = fiber.pollUnsafe()
  // One that ends in its first turn needs no deadline, and nobody is told.
  if (exit !== undefined) return ended(runner, run, entry, exit)
  if (run.interruption === undefined) runner.deadlines.started(run, entry.job.settings.timeout)
  // Whoever asked for an interruption while the handler ran its first steps found no fiber yet.
  else fiber.interruptUnsafe()
  fiber.addObserver((exit) => {
    ended(runner, run, entry, exit)
    metrics.running.updateUnsafe(runner.slots.running, runner.context)
  })
  return undefined
}

const ended = (runner: Runner, run: Running, entry: Entry, exit: Exit.Exit<unknown, unknown>): number => {
  if (run.heapIndex >= 0) runner.deadlines.ended(run)
  leave(entry, run)
  runner.slots.running--
  const endedAt = end(runner, run, classify(runner, run, entry, exit))
  if (run.interruption !== "fence") metrics.duration.updateUnsafe(endedAt - run.begunAt, runner.context)
  return endedAt
}

const end = (runner: Runner, run: Running, ending: Ending): number => {
  const endedAt = runner.clock.monotonic()
  run.ending = ending
  run.fiber = undefined
  run.endedAt = endedAt
  runner.slots.give(1)
  if (run.interruption === "fence") {
    // The run is another node's by now, and nothing of this execution may be stored.
    if (runner.running.get(run.record.id) === run) runner.running.delete(run.record.id)
    if (runner.running.size === 0) runner.bells.idle.ring()
    return endedAt
  }
  // While some wait the finisher is at work, or the claimer rings: a ring for each would cost it a turn for each.
  if (runner.reports.push(run) === 1) runner.bells.finish.ring()
  return endedAt
}

const classify = (runner: Runner, run: Running, entry: Entry, exit: Exit.Exit<unknown, unknown>): Ending => {
  if (Exit.isSuccess(exit)) {
    const encoded = preparedOf(entry).codec.encodeSuccess(exit.value)
    if (Result.isFailure(encoded)) {
      const at = runner.time.now()
      const message = `The handler's result does not fit the job's success schema: ${encoded.failure}`
      return { _tag: "Failed", failure: { at, kind: "died", message }, input: { _tag: "Died", message } }
    }
    const text = encoded.success
    const stored = text === null || byteLength(text, runner.settings.resultLimit) <= runner.settings.resultLimit
    return { _tag: "Succeeded", result: stored ? text : null, stored }
  }
  const at = runner.time.now()
  // What its finalizers did while it was interrupted does not change why it ended.
  if (run.interruption === "timeout") return timedOut(run, entry, at)
  if (run.interruption !== undefined && Cause.hasInterrupts(exit.cause)) {
    if (run.interruption === "cancel") return { _tag: "Cancelled" }
    return { _tag: entry.job.settings.delivery === "atMostOnce" ? "Lost" : "Released" }
  }
  const [failure, input] = failed(entry, exit.cause, at)
  // Nobody wants it to be run again.
  return { _tag: "Failed", failure, input: run.interruption === "cancel" ? undefined : input }
}

const failed = (entry: Entry, cause: Cause.Cause<unknown>, at: number): [Failure, Job.JobFailure<unknown>] => {
  const error = Cause.findErrorOption(cause)
  if (Option.isSome(error)) {
    const failure: Failure = {
      at,
      kind: "failed",
      message: messageOf(error.value),
      error: codecOf(entry.job).encodeError(error.value)
    }
    return [failure, { _tag: "Failed", error: error.value }]
  }
  const message = limited(pretty(cause))
  return [
    { at, kind: "died", message },
    { _tag: "Died", message }
  ]
}

const timedOut = (run: Running, entry: Entry, at: number): Ending => ({
  _tag: "Failed",
  failure: {
    at,
    kind: "timedOut",
    message: `Execution ${run.execution} took longer than ${entry.job.settings.timeout} ms`
  },
  input: { _tag: "TimedOut" }
})

const longestMessage = 8_192

const limited = (text: string): string =>
  text.length <= longestMessage ? text : `${text.slice(0, longestMessage)}… (${text.length} characters in all)`

const messageOf = (error: unknown): string =>
  limited(
    printed(() =>
      typeof error === "object" &&
      error !== null &&
      "message" in error &&
      typeof error.message === "string" &&
      error.message !== ""
        ? error.message
        : typeof error === "object" && error !== null && "_tag" in error
          ? String(error._tag)
          : String(error)
    )
  )

const spanAttributes = (run: Running) => ({
  job: run.record.job,
  "run.id": run.record.id,
  "schedule.id": run.record.scheduleId ?? "",
  "run.nominal": run.record.nominal ?? 0,
  "run.execution": run.execution,
  "run.lateness": run.startedAt - run.record.runAt
})

/** What is the same for every run of a handler. */
interface Prepared {
  readonly codec: JobCodec
  readonly traced: boolean
  readonly context: Context.Context<never>
  readonly annotations: Readonly<Record<string, unknown>>
}

const prepared = new WeakMap<Entry, Prepared>()

const preparedOf = (entry: Entry): Prepared => {
  const before = prepared.get(entry)
  if (before !== undefined) return before
  const { context, job } = entry
  const annotations = { ...Context.get(context, References.CurrentLogAnnotations), job: job.jobName }
  const made: Prepared = { codec: codecOf(job), traced: isTraced(context), context, annotations }
  prepared.set(entry, made)
  return made
}

/** The context that the handler's layer was built in, with the run itself and its id on every log line. */
const contextOf = (runner: Runner, run: Running, { annotations, context }: Prepared): Context.Context<never> =>
  Context.add(Context.add(context, JobRun, new CurrentRun(runner, run)), References.CurrentLogAnnotations, {
    ...annotations,
    runId: run.record.id
  }) as Context.Context<never>

/** What the handler reads of its run: a class, so that a run costs one object and not one for each function of it. */
class CurrentRun implements Current {
  readonly #runner: Runner
  readonly #run: Running

  constructor(runner: Runner, run: Running) {
    this.#runner = runner
    this.#run = run
  }

  get id(): string {
    return this.#run.record.id
  }

  get job(): string {
    return this.#run.record.job
  }

  get store(): string {
    return this.#runner.alias
  }

  get scheduleId(): string | null {
    return this.#run.record.scheduleId
  }

  get nominal(): number | null {
    return this.#run.record.nominal
  }

  get cause(): string {
    return this.#run.record.cause
  }

  get attempt(): number {
    return this.#run.record.attempt
  }

  get execution(): number {
    return this.#run.execution
  }

  get startedAt(): number {
    return this.#run.startedAt
  }

  // Functions that can be taken off their object, made when they are asked for.

  get progress(): Current["progress"] {
    const run = this.#run
    return () => (run.progress === null ? null : (Result.getOrElse(parseJson(run.progress), () => null) as Schema.Json))
  }

  get setProgress(): Current["setProgress"] {
    const run = this.#run
    const { calls, store } = this.#runner
    return (progress) =>
      Effect.suspend(() => {
        const text = JSON.stringify(progress)
        const entries = [{ id: run.record.id, attempt: run.record.attempt, progress: text }]
        return Effect.andThen(
          calls.verb("progress", store.progress({ node: run.node, entries })),
          Effect.sync(() => void (run.progress = text))
        )
      })
  }

  get lastSuccess(): Current["lastSuccess"] {
    const { generation, scheduleId } = this.#run.record
    const { calls, store } = this.#runner
    return <J extends Job.Any>(job: J) => {
      if (scheduleId === null) return Effect.succeedNone
      return Effect.map(
        calls.verb("getSchedules", store.getSchedules({ ids: [scheduleId] })),
        ([schedule]): Option.Option<Job.Success<J>> =>
          schedule === undefined || schedule.lastSuccess === null || schedule.generation !== generation
            ? Option.none()
            : Result.getSuccess(codecOf(job).decodeSuccess(schedule.lastSuccess.value))
      )
    }
  }
}
