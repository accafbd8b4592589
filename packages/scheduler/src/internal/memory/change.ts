import type { EndedRun, RunRecord } from "../../JobRun.ts"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import { type Applied, type ScheduleChange, Signal, type Transition } from "../../JobStore.ts"
import { activeIn, deferredIn, type Group, groupIn } from "./groups.ts"
import type { RunEntry } from "./runs.ts"
import type { ScheduleEntry } from "./schedules.ts"
import { archive, promoteInsteadOf, type State, unreported } from "./state.ts"

/** A change that was decided, with what it was decided by. */
interface Decided {
  readonly id: string
  readonly entry: ScheduleEntry | undefined
  readonly group: Group | undefined
  readonly change: ScheduleChange
}

/** Runs a transition on schedules: first every decision, then every change, so that one that throws changes nothing. */
export const transact = (
  state: State,
  ids: Iterable<string>,
  now: number,
  transition: Transition
): ReadonlyArray<Applied> => {
  const decided: Array<Decided> = []
  for (const id of ids) decide(decided, id, state.schedules.get(id), now, transition)
  return decided.map((each) => apply(state, each, now))
}

/** The same on rows that are at hand. */
export const transactOn = (
  state: State,
  entries: ReadonlyArray<ScheduleEntry>,
  now: number,
  transition: Transition
): ReadonlyArray<Applied> => {
  const decided: Array<Decided> = []
  for (let i = 0; i < entries.length; i++) decide(decided, entries[i]!.id, entries[i], now, transition)
  return decided.map((each) => apply(state, each, now))
}

const decide = (
  decided: Array<Decided>,
  id: string,
  entry: ScheduleEntry | undefined,
  now: number,
  transition: Transition
): void => {
  const row = entry?.row
  const group = row && groupIn(entry, row.generation, row.cause)
  const view = row && { schedule: row, active: activeIn(group), deferred: deferredIn(group) }
  const change = transition(id, view, now)
  if (change !== undefined) decided.push({ id, entry, group, change })
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

const none: Array<never> = []

const apply = (state: State, { change, entry, group, id }: Decided, now: number): Applied => {
  const before = entry?.row
  const replaced =
    group !== undefined && change.replaceDeferred
      ? group
          .matching((row) => row.waitsFor === "overlap")
          .map((run) => archive(state, run, now, unreported(run.row, "skipped")))
      : none
  let left: Array<RunEntry> = none
  let cancelled: Array<EndedRun> = none
  let cancelRequested: Array<string> = none
  if (group !== undefined && change.cancelActive) {
    left = []
    cancelled = []
    cancelRequested = []
    for (const run of group.matching((row) => row.waitsFor !== "overlap")) {
      const { row } = run
      if (row.state !== "running") {
        left.push(run)
        cancelled.push(archive(state, run, now, unreported(row, "cancelled")))
      } else {
        if (row.cancelAt === null) state.runs.change(run, { ...row, cancelAt: now })
        cancelRequested.push(row.id)
        state.signal |= Signal.cancel
      }
    }
  }
  const after = store(state, entry, change.schedule)
  const home = after === undefined || entry === undefined ? undefined : entry
  for (const run of change.runs) {
    if (state.runs.twin(run, home) !== undefined || state.runs.has(run.id)) {
      // Compare-and-set makes this impossible: a transition saw a view that was not the stored one.
      throw new Error(`schedule ${id} was fired twice for ${run.nominal}`)
    }
    state.runs.insert(run, home)
    state.signal |= Signal.runs
  }
  for (const range of change.ranges) state.history.add(range)
  // After the insertion: a run that takes the place of those cancelled may be the one to go on.
  for (const run of left) promoteInsteadOf(state, run)
  return { id, before, after, change, replaced, cancelled, cancelRequested }
}

const store = (
  state: State,
  entry: ScheduleEntry | undefined,
  row: ScheduleRecord | null
): ScheduleRecord | undefined => {
  state.signal |= Signal.schedules
  if (row === null) {
    if (entry !== undefined) state.schedules.delete(entry)
    return undefined
  }
  const revision = entry === undefined ? 0 : entry.row.revision + 1
  // A transition that has made a row of its own may have raised it already.
  const after = row.revision === revision && row !== entry?.row ? row : { ...row, revision }
  if (entry === undefined) state.schedules.add(after)
  else state.schedules.change(entry, after)
  return after
}
