import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import { Signal } from "effect-scheduler/JobStore"
import { type Group, type Knowledge, isKnown } from "../../knowledge.ts"
import { listSchedulesText, page } from "../../lists.ts"
import type { Answer, Params } from "../../port.ts"
import { decodeSchedule } from "../../rows.ts"
import { type Program, each, query } from "../program.ts"
import { type Subject, decodeView, readSubjects, transact } from "./change.ts"
import type { Transaction } from "./transaction.ts"

/** Walks an index group by group, each found by one look-up, and keeps those that a node may decide for. */
export function* knownGroups(text: string, knowledge: Knowledge): Program<Array<Group & { readonly nextAt: number }>> {
  const groups: Array<Group & { readonly nextAt: number }> = []
  // No version is less than 0 and no text less than the empty one.
  let [version, needs] = [-1, ""]
  for (;;) {
    const [row] = yield* query(text, [version, needs, version])
    if (row === undefined || (row[0] as number) > knowledge.version) return groups
    version = row[0] as number
    needs = row[1] as string
    if (isKnown({ version, needs }, knowledge)) groups.push({ version, needs, nextAt: row[2] as number })
  }
}

/** Whether there is anything to fire: asked before a transaction that writes is opened. */
export function* isDue(tx: Transaction, params: Params<"fire">): Program<boolean> {
  const groups = yield* knownGroups(tx.sql.dueGroup, params)
  return groups.some((group) => group.nextAt <= params.now)
}

export function* fire(tx: Transaction, params: Params<"fire">): Program<Answer<"fire">> {
  const { limit, now, transition } = params
  const groups = yield* knownGroups(tx.sql.dueGroup, params)
  const due: Array<Subject> = []
  for (const { needs, nextAt, version } of groups) {
    if (nextAt > now) continue
    for (const row of yield* query(tx.sql.due, [version, needs, now, limit])) due.push(decodeView(row))
  }
  const subjects = groups.length > 1 ? due.toSorted(byNextAt).slice(0, limit) : due
  const applied = yield* transact(tx, subjects, now, transition)
  // Whoever fires looks at the next times anyway; a signal would only send it round once more.
  tx.signal &= ~Signal.schedules
  return { applied, full: subjects.length >= limit, now }
}

const byNextAt = (a: Subject, b: Subject): number =>
  a.view!.schedule.nextAt! - b.view!.schedule.nextAt! || (a.id < b.id ? -1 : 1)

export function* modify(tx: Transaction, params: Params<"modify">): Program<Answer<"modify">> {
  const subjects = yield* readSubjects(tx, params.ids)
  return yield* transact(tx, subjects, params.now, params.transition)
}

export function* getSchedules(tx: Transaction, params: Params<"getSchedules">): Program<Answer<"getSchedules">> {
  const rows = yield* each(
    tx.sql.schedule,
    params.ids.map((id) => [id])
  )
  return rows.map(decodeSchedule)
}

export function* listSchedules(
  tx: Transaction,
  { cursor, filter, limit }: Params<"listSchedules">
): Program<Answer<"listSchedules">> {
  const [text, values] = listSchedulesText(tx.tables, filter, limit + 1, cursor)
  const rows = yield* query(text, values)
  return page(rows.map(decodeSchedule), limit, (row: ScheduleRecord) => row.id)
}
