import type { EndedRun, RunRecord } from "../../JobRun.ts"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import { type Applied, type ScheduleChange, type ScheduleView, Signal, type Transition } from "../../JobStore.ts"
import { activeIn, deferredIn, type Group, membersOf, type RunEntry } from "./runs.ts"
import { archive, promoteAfter, type State, unreported } from "./state.ts"

const groupOf = (state: State, row: ScheduleRecord): Group | undefined =>
  state.runs.group(row.id, row.generation, row.cause)

const viewOf = (state: State, row: ScheduleRecord | undefined): ScheduleView | undefined => {
  if (row === undefined) return undefined
  const group = groupOf(state, row)
  return { schedule: row, active: activeIn(group), deferred: deferredIn(group) }
}

/** Runs a transition on schedules: first every decision, then every change, so that one that throws changes nothing. */
export const transact = (
  state: State,
  ids: Iterable<string>,
  now: number,
  transition: Transition
): ReadonlyArray<Applied> => {
  const decided: Array<readonly [string, ScheduleRecord | undefined, ScheduleChange]> = []
  for (const id of ids) {
    const row = state.schedules.get(id)?.row
    const change = transition(id, viewOf(state, row), now)
    if (change !== undefined) decided.push([id, row, change])
  }
  return decided.map(([id, before, change]) => apply(state, id, before, change, now))
}

/** Runs the transition on the schedules that wait for one of these runs, which have ended. */
export const settle = (
  state: State,
  ended: ReadonlyArray<RunRecord>,
  now: number,
  transition: Transition
): ReadonlyArray<Applied> => {
  const ids = new Set<string>()
  for (const run of ended) {
    if (!run.settles || run.scheduleId === null) continue
    const schedule = state.schedules.get(run.scheduleId)?.row
    if (schedule?.state === "waiting" && schedule.generation === run.generation) ids.add(run.scheduleId)
  }
  return ids.size === 0 ? [] : transact(state, ids, now, transition)
}

const apply = (
  state: State,
  id: string,
  before: ScheduleRecord | undefined,
  change: ScheduleChange,
  now: number
): Applied => {
  const group = before && groupOf(state, before)
  const replaced =
    group !== undefined && change.replaceDeferred
      ? membersOf(group, (row) => row.waitsFor === "overlap").map((entry) =>
          archive(state, entry, now, unreported(entry.row, "skipped"))
        )
      : []
  const left: Array<RunEntry> = []
  const cancelled: Array<EndedRun> = []
  const cancelRequested: Array<string> = []
  if (group !== undefined && change.cancelActive) {
    for (const entry of membersOf(group, (row) => row.waitsFor !== "overlap")) {
      const { row } = entry
      if (row.state !== "running") {
        left.push(entry)
        cancelled.push(archive(state, entry, now, unreported(row, "cancelled")))
      } else {
        if (row.cancelAt === null) state.runs.change(entry, { ...row, cancelAt: now })
        cancelRequested.push(row.id)
        state.signal |= Signal.cancel
      }
    }
  }
  const after = store(state, id, before, change.schedule)
  for (const run of change.runs) {
    if (state.runs.twin(run) !== undefined || state.runs.get(run.id) !== undefined) {
      // Compare-and-set makes this impossible: a transition saw a view that was not the stored one.
      throw new Error(`schedule ${id} was fired twice for ${run.nominal}`)
    }
    state.runs.insert(run)
    state.signal |= Signal.runs
  }
  for (const range of change.ranges) state.history.add(range)
  // After the insertion: a run that takes the place of those cancelled may be the one to go on.
  for (const entry of left) promoteAfter(state, entry)
  return { id, before, after, change, replaced, cancelled, cancelRequested }
}

const store = (
  state: State,
  id: string,
  before: ScheduleRecord | undefined,
  row: ScheduleRecord | null
): ScheduleRecord | undefined => {
  state.signal |= Signal.schedules
  if (row === null) {
    const entry = state.schedules.get(id)
    if (entry !== undefined) state.schedules.delete(entry)
    return undefined
  }
  const after = { ...row, revision: before === undefined ? 0 : before.revision + 1 }
  state.schedules.set(after)
  return after
}
