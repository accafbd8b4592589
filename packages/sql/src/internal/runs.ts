import type { EndedRun, Outcome, RunRecord } from "effect-scheduler/JobRun"
import type { RunReport } from "effect-scheduler/JobStore"

/** History of a run that ended without having said anything. */
export const endedRun = (run: RunRecord, endedAt: number, outcome: Outcome): EndedRun => ({
  _tag: "Run",
  id: run.id,
  outcome,
  job: run.job,
  queue: run.queue,
  priority: run.priority,
  delivery: run.delivery,
  scheduleId: run.scheduleId,
  generation: run.generation,
  nominal: run.nominal,
  cause: run.cause,
  attempt: run.attempt,
  failures: run.failures,
  recoveries: run.recoveries,
  node: run.node,
  createdAt: run.createdAt,
  runAt: run.runAt,
  startedAt: run.startedAt,
  endedAt,
  result: null,
  resultStored: false,
  errors: run.errors,
  progress: run.progress,
  payload: run.payload,
  key: run.key
})

/** What is needed to know of a run that ended, or was given back, as it was before. */
export type Left = Pick<RunRecord, "scheduleId" | "generation" | "cause" | "job" | "key" | "waitsFor" | "settles">

/** A run that was asked to cancel is claimed at once, so that the one who claims it can end it. */
export const notLaterThanCancel = (run: { readonly cancelAt: number | null }, runAt: number, now: number): number =>
  run.cancelAt === null ? runAt : Math.min(runAt, now)

/** Whether a report that does not find its run running was carried out before: its answer was lost. */
export const wasApplied = (
  report: RunReport,
  node: string,
  ended: EndedRun | undefined,
  run: RunRecord | undefined
): boolean => {
  if (report._tag === "End") {
    return ended?.attempt === report.attempt && ended.node === node && ended.outcome === report.outcome
  }
  if (run === undefined) return false
  if (report._tag === "Release") return run.attempt === report.attempt && run.state !== "running"
  // Claimed again meanwhile, or not: the failure that it added is there.
  const isNext = run.attempt > report.attempt || run.state !== "running"
  return isNext && run.attempt >= report.attempt && run.failures === report.failures && run.errors === report.errors
}
