import type { Answer, Params } from "../../../internal/memory/params.ts"
import type { EndedRun, RunRecord } from "../../../JobRun.ts"
import { type RunReport, Signal } from "../../../JobStore.ts"
import { settle } from "./decide.ts"
import { by, byId, endRun, giveBack, isTaken, promoteAfter, putRun, type Tables } from "./tables.ts"

const isBelowLimits = (
  tables: Tables,
  job: Params<"claim">["jobs"][number],
  queues: Params<"claim">["queues"]
): boolean => {
  const running = tables.runs.filter((run) => run.state === "running")
  return (
    running.filter((run) => run.job === job.name).length < (job.concurrency ?? Infinity) &&
    running.filter((run) => run.queue === job.queue).length < (queues[job.queue] ?? Infinity)
  )
}

export const claim = (tables: Tables, params: Params<"claim">): Answer<"claim"> => {
  const { jobs, limit, node, now, queues } = params
  const claimed: Array<RunRecord> = []
  const due = tables.runs
    .filter((run) => run.state === "pending" && run.runAt <= now && jobs.some((job) => job.name === run.job))
    .toSorted(
      by(
        (run) => run.priority,
        (run) => run.runAt,
        (run) => run.id
      )
    )
  for (const run of due) {
    const job = jobs.find((each) => each.name === run.job)!
    if (claimed.length >= limit) break
    if (!isBelowLimits(tables, job, queues)) continue
    if (run.key !== null && isTaken(tables, run.job, run.key)) {
      putRun(tables, { ...run, state: "deferred", waitsFor: "key" })
      continue
    }
    const running: RunRecord = {
      ...run,
      state: "running",
      node,
      queue: job.queue,
      attempt: run.attempt + 1,
      startedAt: now
    }
    putRun(tables, running)
    claimed.push(running)
  }
  return { runs: claimed, now }
}

export const earliestRun = (tables: Tables, params: Pick<Params<"wake">, "jobs" | "queues">): number | undefined => {
  const free = tables.runs.filter((run) => {
    const job = params.jobs.find((each) => each.name === run.job)
    if (run.state !== "pending" || job === undefined || !isBelowLimits(tables, job, params.queues)) return false
    return run.key === null || !isTaken(tables, run.job, run.key)
  })
  return free.length === 0 ? undefined : Math.min(...free.map((run) => run.runAt))
}

const holds = (run: RunRecord | undefined, attempt: number, node: string): run is RunRecord =>
  run?.state === "running" && run.attempt === attempt && run.node === node

const wasApplied = (tables: Tables, report: RunReport, node: string): boolean => {
  const run = tables.runs.find((each) => each.id === report.id)
  const isLater = run !== undefined && (run.attempt > report.attempt || run.state !== "running")
  switch (report._tag) {
    case "End":
      return tables.history.some(
        (row) =>
          row._tag === "Run" &&
          row.id === report.id &&
          row.attempt === report.attempt &&
          row.node === node &&
          row.outcome === report.outcome
      )
    case "Retry":
      return (
        isLater && run.attempt >= report.attempt && run.failures === report.failures && run.errors === report.errors
      )
    case "Release":
      return isLater && run.attempt === report.attempt
  }
}

export const finish = (tables: Tables, params: Params<"finish">): Answer<"finish"> => {
  const { node, now, reports, transition } = params
  const fenced: Array<string> = []
  const ended: Array<RunRecord> = []
  for (const report of reports) {
    const run = tables.runs.find((each) => each.id === report.id)
    if (!holds(run, report.attempt, node)) {
      if (!wasApplied(tables, report, node)) fenced.push(report.id)
      continue
    }
    switch (report._tag) {
      case "End": {
        const { errors, failures, outcome, result, resultStored } = report
        endRun(tables, run, now, outcome, { failures, errors, result, resultStored })
        if (report.remember && outcome === "succeeded" && result !== null) remember(tables, run, result)
        promoteAfter(tables, run)
        ended.push(run)
        break
      }
      case "Retry": {
        const { errors, failures, runAt } = report
        giveBack(tables, { ...run, failures, errors, runAt }, now)
        break
      }
      case "Release":
        // Not even its runAt changes, which has passed anyway.
        giveBack(tables, run, run.runAt)
        break
    }
  }
  return { fenced, applied: settle(tables, ended, now, transition), now }
}

const remember = (tables: Tables, run: RunRecord, value: string): void => {
  const { nominal } = run
  tables.schedules = tables.schedules.map((row) => {
    const isItsOwn = row.id === run.scheduleId && row.generation === run.generation
    if (!isItsOwn || row.cause !== "nominal" || run.cause !== "nominal" || nominal === null) return row
    if (row.lastSuccess !== null && row.lastSuccess.nominal >= nominal) return row
    return { ...row, revision: row.revision + 1, lastSuccess: { nominal, value } }
  })
}

export const progress = (tables: Tables, params: Params<"progress">): void => {
  for (const entry of params.entries) {
    const run = tables.runs.find((each) => each.id === entry.id)
    if (holds(run, entry.attempt, params.node)) putRun(tables, { ...run, progress: entry.progress })
  }
}

export const reap = (tables: Tables, params: Params<"reap">): Answer<"reap"> => {
  const { limit, now, recovery, transition } = params
  const expired = tables.nodes.filter(
    (node) => node.deadAt === null && node.leaseUntil < now && node.id !== params.node
  )
  tables.nodes = tables.nodes.map((node) => (expired.includes(node) ? { ...node, deadAt: now } : node))
  const living = tables.nodes.filter((node) => node.deadAt === null)
  const orphans = tables.runs
    .filter((run) => run.state === "running" && !living.some((node) => node.id === run.node))
    .toSorted(byId)
  const recovered: Array<RunRecord> = []
  const lost: Array<EndedRun> = []
  const ended: Array<RunRecord> = []
  for (const run of orphans.slice(0, limit)) {
    const runAt = recovery(run, now)
    if (runAt === undefined) {
      lost.push(endRun(tables, run, now, "lost"))
      promoteAfter(tables, run)
      ended.push(run)
    } else {
      recovered.push(giveBack(tables, { ...run, recoveries: run.recoveries + 1, runAt }, now))
    }
  }
  return {
    dead: expired.map((node) => node.id).toSorted(),
    recovered,
    lost,
    applied: settle(tables, ended, now, transition),
    full: orphans.length > limit,
    nextLease: living.length === 0 ? undefined : Math.min(...living.map((node) => node.leaseUntil)),
    now
  }
}

export const cancel = (tables: Tables, params: Params<"cancel">): Answer<"cancel"> => {
  const { id, now, transition } = params
  const nothing = { ended: undefined, node: undefined, applied: [] }
  const run = tables.runs.find((each) => each.id === id)
  if (run === undefined) {
    const hasEnded = tables.history.some((row) => row._tag === "Run" && row.id === id)
    return { answer: hasEnded ? "finished" : "unknown", ...nothing }
  }
  if (run.state === "running") {
    putRun(tables, { ...run, cancelAt: run.cancelAt ?? now })
    tables.signal |= Signal.cancel
    return { answer: "requested", ...nothing, node: run.node! }
  }
  const ended = endRun(tables, run, now, "cancelled")
  promoteAfter(tables, run)
  return { answer: "cancelled", ended, node: undefined, applied: settle(tables, [run], now, transition) }
}
