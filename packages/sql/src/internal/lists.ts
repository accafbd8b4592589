import type { Page, RunFilter, ScheduleFilter } from "effect-scheduler/JobStore"
import { historyColumns, runColumns, scheduleColumns } from "./rows.ts"
import type { Tables } from "./tables.ts"
import type { Value } from "./values.ts"

export type Text = readonly [text: string, params: ReadonlyArray<Value>]

/** Collects the conditions of a list; what is undefined does not restrict. */
class Conditions {
  readonly texts: Array<string> = []
  readonly params: Array<Value> = []

  add(text: string, value: Value | undefined): this {
    if (value === undefined) return this
    this.texts.push(text)
    this.params.push(value)
    return this
  }

  where(): string {
    return this.texts.length === 0 ? "" : ` where ${this.texts.join(" and ")}`
  }
}

/** Sorts after every text that begins with the prefix. */
const afterPrefix = (prefix: string): string => `${prefix}\u{10FFFF}`

/** A page of schedules by id. */
export const listSchedulesText = (
  t: Tables,
  filter: ScheduleFilter,
  limit: number,
  cursor: string | undefined
): Text => {
  const prefix = filter.prefix === "" ? undefined : filter.prefix
  const conditions = new Conditions()
    .add("id > ?", cursor)
    .add("id >= ?", prefix)
    .add("id < ?", prefix === undefined ? undefined : afterPrefix(prefix))
    .add("job = ?", filter.job)
    .add("origin = ?", filter.origin)
    .add("state = ?", filter.state)
  return [
    `select ${scheduleColumns.join(", ")} from ${t.schedules}${conditions.where()} order by id limit ?`,
    [...conditions.params, limit]
  ]
}

/** A page of unfinished runs by id. */
export const listRunsText = (t: Tables, filter: RunFilter, limit: number, cursor: string | undefined): Text => {
  const conditions = new Conditions()
    .add("id > ?", cursor)
    .add("job = ?", filter.job)
    .add("schedule_id = ?", filter.scheduleId)
    .add("state = ?", filter.state)
  return [
    `select ${runColumns.join(", ")} from ${t.runs}${conditions.where()} order by id limit ?`,
    [...conditions.params, limit]
  ]
}

/** A page's cursor: the place of its last row. */
export const historyCursor = (row: { readonly endedAt: number; readonly id: string }): string =>
  `${row.endedAt} ${row.id}`

/** A page of history, newest first. Successes and all else lie apart in the order by time, and are merged here. */
export const historyText = (t: Tables, filter: RunFilter, limit: number, cursor: string | undefined): Text => {
  const columns = historyColumns.join(", ")
  const conditions = () => {
    const space = cursor?.indexOf(" ") ?? 0
    const added = new Conditions()
      .add("ended_at >= ?", filter.from)
      .add("ended_at < ?", filter.to)
      .add("schedule_id = ?", filter.scheduleId)
      .add("job = ?", filter.job)
      .add("outcome = ?", filter.outcome)
    if (cursor !== undefined) {
      added.texts.push("(ended_at, id) < (?, ?)")
      added.params.push(Number(cursor.slice(0, space)), cursor.slice(space + 1))
    }
    return added
  }
  const order = "order by ended_at desc, id desc limit ?"
  if (filter.scheduleId !== undefined) {
    const all = conditions()
    return [`select ${columns} from ${t.history}${all.where()} ${order}`, [...all.params, limit]]
  }
  const kinds = filter.outcome === undefined ? [0, 1] : [filter.outcome === "succeeded" ? 0 : 1]
  const parts = kinds.map((kept) => {
    const part = conditions()
    part.texts.push(`kept = ${kept}`)
    const text = `select * from (select ${columns} from ${t.history}${part.where()} ${order}) as h${kept}`
    return [text, [...part.params, limit]] as const
  })
  return [
    `${parts.map(([text]) => text).join(" union all ")} ${order}`,
    [...parts.flatMap(([, params]) => params), limit]
  ]
}

/** Rows were asked for with one more than the page holds, which says whether there is another page. */
export const page = <A>(rows: ReadonlyArray<A>, limit: number, cursor: (row: A) => string): Page<A> =>
  rows.length <= limit
    ? { items: rows, cursor: undefined }
    : { items: rows.slice(0, limit), cursor: cursor(rows[limit - 1]!) }
