import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import {
  type Applied,
  type ScheduleChange,
  type ScheduleView,
  Signal,
  type Transition
} from "effect-scheduler/JobStore"
import { decodeSchedule, scheduleColumns } from "../../rows.ts"
import type { Left } from "../../runs.ts"
import type { Row, Value } from "../../values.ts"
import { type Program, each, query } from "../program.ts"
import { type Placed, archive, decodePlaced, promote } from "./ending.ts"
import type { Transaction } from "./transaction.ts"
import { Writes } from "./writes.ts"

/** A schedule, present or not, that a transition decides on. */
export interface Subject {
  readonly id: string
  readonly view: ScheduleView | undefined
  readonly place: Value
}

/** Where what follows the schedule begins. */
const viewColumn = scheduleColumns.length

/** A row of the statements `due` and `view`. */
export const decodeView = (row: Row): Subject => {
  const schedule = decodeSchedule(row)
  const unfinished = row[viewColumn + 1] as number
  const deferred = row[viewColumn + 2] as number
  return { id: schedule.id, view: { schedule, active: unfinished - deferred, deferred }, place: row[viewColumn]! }
}

export function* readSubjects(tx: Transaction, ids: Iterable<string>): Program<ReadonlyArray<Subject>> {
  const distinct = [...new Set(ids)]
  const subjects = new Map<string, Subject>()
  const rows = yield* each(
    tx.sql.view,
    distinct.map((id) => [id])
  )
  for (const row of rows) {
    const subject = decodeView(row)
    subjects.set(subject.id, subject)
  }
  return distinct.map((id) => subjects.get(id) ?? { id, view: undefined, place: null })
}

/** Runs a transition on schedules: first every decision, then every change, so that one that throws changes nothing. */
export function* transact(
  tx: Transaction,
  subjects: ReadonlyArray<Subject>,
  now: number,
  transition: Transition
): Program<ReadonlyArray<Applied>> {
  const changes: Array<ScheduleChange | undefined> = []
  for (const subject of subjects) changes.push(transition(subject.id, subject.view, now))
  const applied: Array<Applied> = []
  const writes = new Writes(tx)
  for (let i = 0; i < subjects.length; i++) {
    const subject = subjects[i]!
    const change = changes[i]
    if (change === undefined) continue
    tx.signal |= change.runs.length > 0 ? Signal.schedules | Signal.runs : Signal.schedules
    const before = subject.view?.schedule
    applied.push(
      before === undefined || !(change.replaceDeferred || change.cancelActive)
        ? appliedOf(subject.id, before, writes.add(subject, change), change)
        : yield* intervene(tx, writes, subject, before, change, now)
    )
  }
  yield* writes.flush()
  return applied
}

/** Runs the transition on the schedules that wait for one of these runs, which have ended. */
export function* settle(
  tx: Transaction,
  ended: ReadonlyArray<Left>,
  now: number,
  transition: Transition
): Program<ReadonlyArray<Applied>> {
  const waited = ended.filter((run) => run.settles && run.scheduleId !== null)
  if (waited.length === 0) return []
  const rows = yield* each(
    tx.sql.isWaiting,
    waited.map((run) => [run.scheduleId, run.generation])
  )
  const subjects = yield* readSubjects(
    tx,
    rows.map((row) => row[0] as string)
  )
  return yield* transact(tx, subjects, now, transition)
}

const none: ReadonlyArray<never> = []

const appliedOf = (
  id: string,
  before: ScheduleRecord | undefined,
  after: ScheduleRecord | undefined,
  change: ScheduleChange
): Applied => ({ id, before, after, change, replaced: none, cancelled: none, cancelRequested: none })

/** A change that ends runs of the schedule, or asks them to. */
function* intervene(
  tx: Transaction,
  writes: Writes,
  subject: Subject,
  before: ScheduleRecord,
  change: ScheduleChange,
  now: number
): Program<Applied> {
  // It reads and ends runs, so that it cannot be gathered with others.
  yield* writes.flush()
  const group = [before.id, before.generation, before.cause]
  const replaced = change.replaceDeferred
    ? yield* archive(tx, (yield* query(tx.sql.overlapMembers, group)).map(decodePlaced), now, "skipped")
    : []
  const left: Array<Placed> = []
  const cancelRequested: Array<string> = []
  if (change.cancelActive) {
    for (const row of yield* query(tx.sql.activeMembers, group)) {
      const member = decodePlaced(row)
      if (member.run.state === "running") cancelRequested.push(member.run.id)
      else left.push(member)
    }
    if (cancelRequested.length > 0) tx.signal |= Signal.cancel
    yield* each(
      tx.sql.askToCancel,
      cancelRequested.map((run) => [now, run])
    )
  }
  const cancelled = yield* archive(tx, left, now, "cancelled")
  const after = writes.add(subject, change)
  yield* writes.flush()
  // After the insertion: a run that takes the place of those cancelled may be the one to go on.
  yield* promote(
    tx,
    left.map(({ run }) => run)
  )
  return { id: subject.id, before, after, change, replaced, cancelled, cancelRequested }
}
