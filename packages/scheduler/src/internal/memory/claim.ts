import type { RunRecord } from "../../JobRun.ts"
import type { Priority } from "../../JobSchedule.ts"
import type { ClaimableJob } from "../../JobStore.ts"
import type { Params } from "./params.ts"
import { type JobRuns, runBefore, type RunEntry } from "./runs.ts"
import type { State } from "./state.ts"

const priorities: ReadonlyArray<Priority> = [0, 1, 2, 3]

/** The job's runs, unless its limit or that of its queue is reached. */
const open = (state: State, job: ClaimableJob, queues: Readonly<Record<string, number>>): JobRuns | undefined => {
  const runs = state.runs.jobs.get(job.name)
  if (runs === undefined || runs.running >= (job.concurrency ?? Infinity)) return undefined
  return state.runs.runningIn(job.queue) < (queues[job.queue] ?? Infinity) ? runs : undefined
}

/**
 * Walks the due runs of all jobs below their limits in the order of priority, `runAt`, id. Each is claimed, or deferred
 * where its key is taken; a job or a queue is left at the moment it reaches its limit.
 */
export const claim = (state: State, params: Params<"claim">): ReadonlyArray<RunRecord> => {
  const taken: Array<RunRecord> = []
  for (const priority of priorities) {
    const dueOf = (job: ClaimableJob): RunEntry | undefined => {
      const top = open(state, job, params.queues)?.lanes[priority]!.peek()
      return top !== undefined && top.row.runAt <= params.now ? top : undefined
    }
    let jobs = params.jobs.filter((job) => dueOf(job) !== undefined)
    while (jobs.length > 0 && taken.length < params.limit) {
      let job: ClaimableJob | undefined
      let first: RunEntry | undefined
      let stale = false
      for (let i = 0; i < jobs.length; i++) {
        const candidate = jobs[i]!
        const top = dueOf(candidate)
        if (top === undefined) stale = true
        else if (first === undefined || runBefore(top, first)) {
          job = candidate
          first = top
        }
      }
      if (stale) jobs = jobs.filter((candidate) => dueOf(candidate) !== undefined)
      if (job === undefined || first === undefined) break
      if (state.runs.isKeyTaken(first)) {
        state.runs.change(first, { ...first.row, state: "deferred", waitsFor: "key" })
        continue
      }
      const row = claimed(first.row, job.queue, params.node, params.now)
      state.runs.change(first, row)
      taken.push(row)
    }
  }
  return taken
}

/** Written out: a copy by spreading takes twice as long. */
const claimed = (row: RunRecord, queue: string, node: string, now: number): RunRecord => ({
  id: row.id,
  job: row.job,
  queue,
  priority: row.priority,
  payload: row.payload,
  key: row.key,
  delivery: row.delivery,
  scheduleId: row.scheduleId,
  generation: row.generation,
  nominal: row.nominal,
  cause: row.cause,
  settles: row.settles,
  state: "running",
  waitsFor: row.waitsFor,
  runAt: row.runAt,
  startBy: row.startBy,
  attempt: row.attempt + 1,
  failures: row.failures,
  recoveries: row.recoveries,
  errors: row.errors,
  node,
  startedAt: now,
  cancelAt: row.cancelAt,
  progress: row.progress,
  createdAt: row.createdAt
})

/** The earliest pending run that neither a limit nor a key holds back. */
export const nextRunAt = (state: State, params: Pick<Params<"wake">, "jobs" | "queues">): number | undefined => {
  let earliest: number | undefined
  for (const job of params.jobs) {
    const lanes = open(state, job, params.queues)?.lanes ?? []
    for (const lane of lanes) {
      const runAt = lane.least((entry) => !state.runs.isKeyTaken(entry))?.row.runAt
      if (runAt !== undefined && (earliest === undefined || runAt < earliest)) earliest = runAt
    }
  }
  return earliest
}
