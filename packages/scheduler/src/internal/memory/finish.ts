import type { EndedRun, RunRecord } from "../../JobRun.ts"
import { type Applied, type RunReport, Signal } from "../../JobStore.ts"
import { settle } from "./change.ts"
import type { Answer, Params } from "./params.ts"
import type { RunEntry } from "./runs.ts"
import { archive, promoteAfter, type State, unreported } from "./state.ts"

/** Applies what a node reports, each report fenced by (run, attempt, node). */
export const finish = (state: State, params: Params<"finish">): Answer<"finish"> => {
  const fenced: Array<string> = []
  const ended: Array<RunRecord> = []
  for (const report of params.reports) {
    const entry = state.runs.get(report.id)
    if (entry === undefined || !isHeld(entry.row, report.attempt, params.node)) {
      if (!wasApplied(state, entry?.row, report, params.node)) fenced.push(report.id)
    } else if (report._tag === "End") {
      end(state, entry, report, params.now)
      ended.push(entry.row)
    } else {
      giveBack(state, entry, report._tag === "Retry" ? retried(entry.row, report, params.now) : entry.row)
    }
  }
  return { fenced, applied: settle(state, ended, params.now, params.transition), now: params.now }
}

/** Whether the node still runs this attempt. */
export const isHeld = (row: RunRecord, attempt: number, node: string): boolean =>
  row.state === "running" && row.attempt === attempt && row.node === node

/** Whether a report that does not find its run running was carried out before: its answer was lost. */
const wasApplied = (state: State, row: RunRecord | undefined, report: RunReport, node: string): boolean => {
  switch (report._tag) {
    case "End": {
      const ended = state.history.get(report.id)
      return ended?.attempt === report.attempt && ended.node === node && ended.outcome === report.outcome
    }
    case "Retry": {
      // Claimed again meanwhile, or not: the failure that it added is there.
      const isNext = row !== undefined && (row.attempt > report.attempt || row.state !== "running")
      return isNext && row.attempt >= report.attempt && row.failures === report.failures && row.errors === report.errors
    }
    case "Release":
      return row !== undefined && row.attempt === report.attempt && row.state !== "running"
  }
}

const end = (state: State, entry: RunEntry, report: Extract<RunReport, { _tag: "End" }>, now: number): void => {
  archive(state, entry, now, report)
  if (report.remember && report.outcome === "succeeded" && report.result !== null) {
    remember(state, entry.row, report.result)
  }
  promoteAfter(state, entry)
}

/** Keeps the value of the schedule's newest success. */
const remember = (state: State, run: RunRecord, value: string): void => {
  const entry = run.scheduleId === null ? undefined : state.schedules.get(run.scheduleId)
  const schedule = entry?.row
  if (entry === undefined || schedule === undefined || schedule.generation !== run.generation || run.nominal === null)
    return
  if (run.cause !== "nominal" || schedule.cause !== "nominal") return
  if (schedule.lastSuccess !== null && schedule.lastSuccess.nominal >= run.nominal) return
  const lastSuccess = { nominal: run.nominal, value }
  state.schedules.change(entry, { ...schedule, revision: schedule.revision + 1, lastSuccess })
}

const retried = (row: RunRecord, report: Extract<RunReport, { _tag: "Retry" }>, now: number): RunRecord => ({
  ...row,
  failures: report.failures,
  errors: report.errors,
  runAt: notLaterThanCancel(row, report.runAt, now)
})

/** A run that was asked to cancel is claimed at once, so that the one who claims it can end it. */
const notLaterThanCancel = (row: RunRecord, runAt: number, now: number): number =>
  row.cancelAt === null ? runAt : Math.min(runAt, now)

/** Makes a running run pending; the next of its key may go. */
const giveBack = (state: State, entry: RunEntry, row: RunRecord): RunRecord => {
  const pending: RunRecord = { ...row, state: "pending", node: null }
  state.runs.change(entry, pending)
  if (row.key !== null) state.runs.promoteKey(entry.job, row.key)
  state.signal |= Signal.runs
  return pending
}

/** Marks nodes whose lease has passed, and takes back what dead and vanished nodes ran. */
export const reap = (state: State, params: Params<"reap">): Answer<"reap"> => {
  const { limit, now, recovery } = params
  const dead: Array<string> = []
  for (const node of state.nodes.values()) {
    if (node.deadAt === null && node.leaseUntil < now && node.id !== params.node) {
      state.nodes.set(node.id, { ...node, deadAt: now })
      dead.push(node.id)
    }
  }
  const orphans = orphaned(state)
  const recovered: Array<RunRecord> = []
  const lost: Array<EndedRun> = []
  const ended: Array<RunRecord> = []
  for (const entry of orphans.slice(0, limit)) {
    const { row } = entry
    const due = recovery(row, now)
    if (due === undefined) {
      lost.push(archive(state, entry, now, unreported(row, "lost")))
      promoteAfter(state, entry)
      ended.push(row)
    } else {
      const runAt = notLaterThanCancel(row, due, now)
      recovered.push(giveBack(state, entry, { ...row, recoveries: row.recoveries + 1, runAt }))
    }
  }
  const applied: ReadonlyArray<Applied> = settle(state, ended, now, params.transition)
  let nextLease: number | undefined
  for (const { deadAt, leaseUntil } of state.nodes.values()) {
    if (deadAt === null && (nextLease === undefined || leaseUntil < nextLease)) nextLease = leaseUntil
  }
  return { dead: dead.toSorted(), recovered, lost, applied, full: orphans.length > limit, nextLease, now }
}

/** Runs whose node is dead or has no row, by id. */
const orphaned = (state: State): ReadonlyArray<RunEntry> => {
  const orphans: Array<RunEntry> = []
  for (const node of state.runs.busyNodes()) {
    if (state.nodes.get(node)?.deadAt === null) continue
    orphans.push(...state.runs.on(node))
  }
  return orphans.toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1))
}
