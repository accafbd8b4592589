import type { RunRecord } from "../../../JobRun.ts"
import { type Applied, type ScheduleChange, type ScheduleView, Signal, type Transition } from "../../../JobStore.ts"
import { byId, endRun, ownRuns, promoteAfter, putRun, type Tables } from "./tables.ts"

const viewOf = (tables: Tables, id: string): ScheduleView | undefined => {
  const schedule = tables.schedules.find((row) => row.id === id)
  if (schedule === undefined) return undefined
  const runs = ownRuns(tables, schedule)
  const deferred = runs.filter((run) => run.waitsFor === "overlap").length
  return { schedule, active: runs.length - deferred, deferred }
}

/** Takes all decisions, then carries them out in order. */
export const decide = (
  tables: Tables,
  ids: ReadonlyArray<string>,
  now: number,
  transition: Transition
): ReadonlyArray<Applied> => {
  const decisions = [...new Set(ids)].map((id) => ({ id, change: transition(id, viewOf(tables, id), now) }))
  return decisions.flatMap(({ change, id }) => (change === undefined ? [] : [carryOut(tables, id, change, now)]))
}

const carryOut = (tables: Tables, id: string, change: ScheduleChange, now: number): Applied => {
  const before = tables.schedules.find((row) => row.id === id)
  const own = before === undefined ? [] : ownRuns(tables, before).toSorted(byId)
  const deferred = own.filter((run) => run.waitsFor === "overlap")
  const active = own.filter((run) => run.waitsFor !== "overlap")

  const replaced = change.replaceDeferred ? deferred.map((run) => endRun(tables, run, now, "skipped")) : []

  const started = change.cancelActive ? active.filter((run) => run.state === "running") : []
  const unstarted = change.cancelActive ? active.filter((run) => run.state !== "running") : []
  const cancelled = unstarted.map((run) => endRun(tables, run, now, "cancelled"))
  for (const run of started) {
    putRun(tables, { ...run, cancelAt: run.cancelAt ?? now })
    tables.signal |= Signal.cancel
  }

  const after =
    change.schedule === null
      ? undefined
      : { ...change.schedule, revision: before === undefined ? 0 : before.revision + 1 }
  tables.schedules = [...tables.schedules.filter((row) => row.id !== id), ...(after === undefined ? [] : [after])]
  tables.signal |= Signal.schedules

  for (const run of change.runs) {
    putRun(tables, run)
    tables.signal |= Signal.runs
  }
  tables.history.push(...change.ranges)
  for (const run of unstarted) promoteAfter(tables, run)
  return { id, before, after, change, replaced, cancelled, cancelRequested: started.map((run) => run.id) }
}

/** Decides the schedules that wait for one of these runs, which have ended. */
export const settle = (
  tables: Tables,
  ended: ReadonlyArray<RunRecord>,
  now: number,
  transition: Transition
): ReadonlyArray<Applied> => {
  const ids = ended.flatMap((run) => {
    const waiting = tables.schedules.find((row) => row.id === run.scheduleId && row.generation === run.generation)
    return run.settles && waiting?.state === "waiting" ? [waiting.id] : []
  })
  return decide(tables, ids, now, transition)
}
