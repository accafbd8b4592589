import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import { type Page, Signal } from "effect-scheduler/JobStore"
import { listSchedulesText } from "../lists.ts"
import { each, type Program, query } from "../program.ts"
import { decodeSchedule } from "../rows.ts"
import { decodeView, readSubjects, type Subject, transact } from "./change.ts"
import type { Answer, Params, Transaction } from "./transaction.ts"

/** What a node knows: rows of newer versions or with other custom rules are none of its business. */
export interface Knowledge {
  readonly version: number
  readonly triggers: ReadonlyArray<string>
}

/** The rows that the same nodes may fire. */
export interface Group {
  readonly version: number
  readonly needs: string
}

/** Whether a node with this knowledge may decide for rows of the group. */
export const isKnown = ({ needs, version }: Group, knowledge: Knowledge): boolean =>
  version <= knowledge.version && (needs === "" || needs.split(",").every((name) => knowledge.triggers.includes(name)))

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

/** Rows were asked for with one more than the page holds, which says whether there is another page. */
export const page = <A>(rows: ReadonlyArray<A>, limit: number, cursor: (row: A) => string): Page<A> =>
  rows.length <= limit
    ? { items: rows, cursor: undefined }
    : { items: rows.slice(0, limit), cursor: cursor(rows[limit - 1]!) }
