import { Effect, Result } from "effect"
import type { Failure, Outcome } from "../../JobRun.ts"
import type { Applied, RunReport } from "../../JobStore.ts"
import { parseJson } from "../codec.ts"
import { announce, runFields } from "./announce.ts"
import type { EventBody } from "./EventHub.ts"
import * as metrics from "./metrics.ts"
import { make as makePatience } from "./patience.ts"
import { nextAttempt } from "./retry.ts"
import type { Runner } from "./Runner.ts"
import type { Ending, Running } from "./Running.ts"

const batch = 500

/** More ended runs than this wait to be stored: nothing new is claimed before they are fewer. */
export const longestBacklog = 10_000

/** So many characters of errors and results go into one call, or one report that is longer. */
const longestCall = 8 << 20

/** So many ends wait for starts, and so many milliseconds each. More would outlive a collection, which costs what it wins. */
const mostHeld = 1_000
const longestHold = 50

/** So many failures of a run are kept with message and error. */
const detailed = 100

/** Stores how runs ended, in batches: what ends while one batch is written makes the next. */
export const loop = (runner: Runner): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { bells, clock, reports } = runner
    /** Those whose rows somebody has locked are reported again a little later. */
    const busy: Array<Running> = []
    const patience = makePatience(runner)
    let againAt = 0
    const putBack = () => void reports.push(...busy.splice(0))
    const onStored = (left: ReadonlyArray<Running>): void => {
      if (busy.length === 0) {
        if (left.length === 0) return patience.reset()
        againAt = clock.monotonic() + patience.next()
      }
      busy.push(...left)
    }
    const turn = Effect.suspend(() => {
      bells.finish.arm()
      const wait = busy.length === 0 ? undefined : againAt - clock.monotonic()
      if (wait !== undefined && wait <= 0) putBack()
      if (reports.length === 0) return bells.finish.sleep(wait)
      if (isHeld(runner)) return bells.finish.sleep(longestHold)
      // Handlers that end in the same turn of the event loop share a commit.
      return Effect.andThen(Effect.yieldNow, flush(runner, onStored))
    })
    return Effect.ensuring(Effect.forever(turn, { disableYield: true }), Effect.sync(putBack))
  })

/**
 * Of a store in this process's memory nothing is won by storing an end at once, and what is due waits for its start: while
 * claims come back full, starts go first. The claimer rings after each of its turns, and where a claim has no answer the
 * longest hold ends it.
 */
const isHeld = ({ clock, reports, state, store }: Runner): boolean =>
  state.behind && !store.shared && reports.length < mostHeld && clock.monotonic() - reports[0]!.endedAt < longestHold

/** One batch. What ends it before its answer came puts it back: a report that is sent twice counts once. */
const flush = (runner: Runner, onStored: (left: ReadonlyArray<Running>) => void): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) => {
    const ended = runner.reports.splice(0, sendable(runner.reports))
    const sent = Effect.onError(restore(send(runner, ended)), () =>
      Effect.sync(() => void runner.reports.unshift(...ended))
    )
    return Effect.map(sent, (stored) => {
      tellAll(runner, ended, stored)
      onStored(stored.busy.size === 0 ? [] : stored.runs.filter((run) => stored.busy.has(run.record.id)))
    })
  })

/** How many are sent at once: of reports that are long, fewer, since one call has to be written in its time. */
const sendable = (reports: ReadonlyArray<Running>): number => {
  let count = 0
  for (let length = 0; count < Math.min(reports.length, batch); count++) {
    const { ending, record } = reports[count]!
    length += record.errors.length + (ending?._tag === "Succeeded" ? (ending.result?.length ?? 0) : 0)
    if (count > 0 && length > longestCall) break
  }
  return count
}

interface Stored {
  readonly reports: ReadonlyArray<RunReport>
  readonly runs: ReadonlyArray<Running>
  readonly fenced: ReadonlyArray<string>
  /** Those of which nothing was stored. */
  readonly busy: ReadonlySet<string>
  readonly applied: ReadonlyArray<Applied>
}

const send = Effect.fnUntraced(function* (runner: Runner, ended: ReadonlyArray<Running>): Effect.fn.Return<Stored> {
  const node = runner.state.node
  const runs = ended.filter((run) => run.node === node)
  const reports: Array<RunReport> = []
  for (const run of runs) {
    const report = plainReport(run) ?? (yield* failureReport(run))
    reports.push(report)
    if (runner.hub.active()) runner.foretold.reported(run.record, report, eventOf(runner, run, report))
  }
  const { applied, busy, fenced } = yield* runner.calls.insist(
    "finish",
    runner.time.ask((now) => runner.store.finish({ now, node, reports, transition: runner.advance }))
  )
  return { reports, runs, fenced, busy: new Set(busy), applied }
})

const tellAll = (runner: Runner, ended: ReadonlyArray<Running>, stored: Stored): void => {
  const { applied, busy, fenced, reports, runs } = stored
  const refused = new Set(fenced)
  if (refused.size > 0) metrics.fenced.updateUnsafe(refused.size, runner.context)
  for (const run of ended) {
    const { id } = run.record
    if (runner.running.get(id) === run && !busy.has(id)) runner.running.delete(id)
  }
  let succeeded = 0
  let failed = 0
  for (let i = 0; i < reports.length; i++) {
    const report = reports[i]!
    if (busy.has(report.id)) continue
    if (refused.has(report.id)) {
      runner.foretold.drop(report.id, report.attempt)
      continue
    }
    const { _tag } = runs[i]!.ending!
    if (_tag === "Succeeded") succeeded++
    if (_tag === "Failed") failed++
    runner.foretold.tell(report.id, report.attempt)
    if (report._tag === "End") runner.onEnd(report.id)
  }
  if (succeeded > 0) metrics.succeeded.updateUnsafe(succeeded, runner.context)
  if (failed > 0) metrics.failed.updateUnsafe(failed, runner.context)
  announce(runner, applied)
  if (ended.length === batch || runner.reports.length + ended.length >= longestBacklog) runner.bells.claim.ring()
  if (runner.running.size === 0) runner.bells.idle.ring()
}

const end = (
  { record }: Running,
  outcome: Outcome,
  failures = record.failures,
  errors = record.errors,
  result: string | null = null,
  resultStored = true
): RunReport => ({
  _tag: "End",
  id: record.id,
  attempt: record.attempt,
  outcome,
  failures,
  errors,
  result,
  resultStored,
  remember: result !== null && record.cause === "nominal"
})

/** The report of an execution that did not fail, for which nothing has to be decided. */
const plainReport = (run: Running): RunReport | undefined => {
  const ending = run.ending!
  switch (ending._tag) {
    case "Succeeded":
      return end(run, "succeeded", run.record.failures, run.record.errors, ending.result, ending.stored)
    case "Cancelled":
      return end(run, "cancelled")
    case "Expired":
      return end(run, "expired")
    case "Lost":
      return end(run, "lost")
    case "Released":
      return { _tag: "Release", id: run.record.id, attempt: run.record.attempt }
    case "Failed":
      return undefined
  }
}

const failureReport = Effect.fnUntraced(function* (run: Running): Effect.fn.Return<RunReport> {
  const { failure, input } = run.ending as Extract<Ending, { _tag: "Failed" }>
  const { attempt, errors: earlier, failures: count, id } = run.record
  const list = [...shortened(failuresOf(earlier)), failure]
  const errors = JSON.stringify(list)
  const failures = count + 1
  const runAt = input === undefined ? undefined : yield* nextAttempt(run, list, input)
  return runAt === undefined
    ? end(run, failure.kind === "timedOut" ? "timedOut" : "failed", failures, errors)
    : { _tag: "Retry", id, attempt, failures, errors, runAt }
})

/** Of a run that fails for ever the instants are kept, which its retry schedule is replayed from, and the newest details. */
const shortened = (failures: ReadonlyArray<Failure>): ReadonlyArray<Failure> =>
  failures.map((failure, i) =>
    i <= failures.length - detailed ? { at: failure.at, kind: failure.kind, message: "" } : failure
  )

/** The failures kept with a run. */
export const failuresOf = (errors: string): ReadonlyArray<Failure> =>
  errors === "[]" ? [] : (Result.getOrElse(parseJson(errors), () => []) as ReadonlyArray<Failure>)

const eventOf = (runner: Runner, run: Running, report: RunReport): EventBody => {
  const ending = run.ending!
  const fields = { store: runner.alias, ...runFields(run.record) }
  const duration = Math.round(run.endedAt - run.begunAt)
  switch (ending._tag) {
    case "Succeeded":
      return { _tag: "RunSucceeded", ...fields, duration, result: ending.result, resultStored: ending.stored }
    case "Failed": {
      const nextAttemptAt = report._tag === "Retry" ? report.runAt : null
      return { _tag: "RunFailed", ...fields, duration, message: ending.failure.message, nextAttemptAt }
    }
    case "Cancelled":
      return { _tag: "RunCancelled", ...fields, started: run.started }
    case "Expired":
      return { _tag: "RunExpired", ...fields }
    case "Lost":
      return { _tag: "RunLost", ...fields }
    case "Released":
      return { _tag: "RunReleased", ...fields }
  }
}
