import type { EndedRun, HistoryRecord } from "../../JobRun.ts"
import type { RunFilter } from "../../JobStore.ts"

const chunkSize = 512

const before = (a: HistoryRecord, endedAt: number, id: string): boolean =>
  a.endedAt < endedAt || (a.endedAt === endedAt && a.id < id)

/** Rows in the order of (`endedAt`, id), in chunks: a row that comes out of order (a clock that went back) moves few. */
class Log {
  size = 0
  private readonly chunks: Array<Array<HistoryRecord>> = []

  add(row: HistoryRecord): void {
    this.size++
    const { chunks } = this
    const at = this.chunkBefore(row.endedAt, row.id)
    const chunk = chunks[at]
    if (chunk === undefined) {
      chunks.push([row])
    } else if (chunk.length < chunkSize) {
      insert(chunk, row)
    } else if (at === chunks.length - 1 && before(chunk[chunk.length - 1]!, row.endedAt, row.id)) {
      chunks.push([row])
    } else {
      const upper = chunk.splice(chunkSize / 2)
      chunks.splice(at + 1, 0, upper)
      insert(before(upper[0]!, row.endedAt, row.id) ? upper : chunk, row)
    }
  }

  oldest(): HistoryRecord | undefined {
    return this.chunks[0]?.[0]
  }

  removeOldest(): HistoryRecord | undefined {
    const chunk = this.chunks[0]
    if (chunk === undefined) return undefined
    const row = chunk.shift()
    if (chunk.length === 0) this.chunks.shift()
    this.size--
    return row
  }

  /** Rows before (`endedAt`, id), newest first. */
  *back(endedAt: number, id: string): Generator<HistoryRecord, undefined> {
    let at = this.chunkBefore(endedAt, id)
    let index = this.chunks.length === 0 ? -1 : rank(this.chunks[at]!, endedAt, id) - 1
    while (at >= 0 && this.chunks.length > 0) {
      if (index >= 0) yield this.chunks[at]![index--]!
      else if (--at >= 0) index = this.chunks[at]!.length - 1
    }
    return undefined
  }

  /** The last chunk that begins before the row, or the first. */
  private chunkBefore(endedAt: number, id: string): number {
    const { chunks } = this
    let low = 0
    let high = chunks.length
    if (high > 0 && before(chunks[high - 1]![0]!, endedAt, id)) return high - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (before(chunks[middle]![0]!, endedAt, id)) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

/** How many rows of a chunk come before (`endedAt`, id). */
const rank = (chunk: ReadonlyArray<HistoryRecord>, endedAt: number, id: string): number => {
  let low = 0
  let high = chunk.length
  if (high > 0 && before(chunk[high - 1]!, endedAt, id)) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (before(chunk[middle]!, endedAt, id)) low = middle + 1
    else high = middle
  }
  return low
}

const insert = (chunk: Array<HistoryRecord>, row: HistoryRecord): void => {
  const index = rank(chunk, row.endedAt, row.id)
  if (index === chunk.length) chunk.push(row)
  else chunk.splice(index, 0, row)
}

const isSuccess = (row: HistoryRecord): boolean => row._tag === "Run" && row.outcome === "succeeded"

/** What ended, in two logs because successes are forgotten earlier: the oldest row of each is the first to go. */
export class History {
  private readonly limit: number
  private readonly succeeded = new Log()
  private readonly others = new Log()
  /** By id, once somebody has asked: schedules that fire and end never do. */
  private runs: Map<string, EndedRun> | undefined

  constructor(limit: number) {
    this.limit = limit
  }

  get(runId: string): EndedRun | undefined {
    if (this.runs === undefined) {
      this.runs = new Map()
      for (const log of [this.succeeded, this.others]) {
        for (const row of log.back(Infinity, "")) if (row._tag === "Run") this.runs.set(row.id, row)
      }
    }
    return this.runs.get(runId)
  }

  add(row: HistoryRecord): void {
    const log = isSuccess(row) ? this.succeeded : this.others
    log.add(row)
    if (this.runs !== undefined && row._tag === "Run") this.runs.set(row.id, row)
    while (this.succeeded.size + this.others.size > this.limit) {
      const [success, other] = [this.succeeded.oldest(), this.others.oldest()]
      const isOlder = other === undefined || (success !== undefined && before(success, other.endedAt, other.id))
      this.forget(isOlder ? this.succeeded : this.others)
    }
  }

  /** Deletes at most `limit` rows that ended before `until`; their number. */
  expire(kind: "succeeded" | "others", until: number, limit: number): number {
    const log = this[kind]
    let deleted = 0
    for (let row = log.oldest(); row !== undefined && row.endedAt < until && deleted < limit; row = log.oldest()) {
      this.forget(log)
      deleted++
    }
    return deleted
  }

  /** Newest first, from before `cursor`. */
  list(filter: RunFilter, limit: number, cursor: string | undefined): Array<HistoryRecord> {
    const rows: Array<HistoryRecord> = []
    const [endedAt, id] = start(filter, cursor)
    const logs = [this.succeeded.back(endedAt, id), this.others.back(endedAt, id)] as const
    let success = logs[0].next().value
    let other = logs[1].next().value
    while (rows.length < limit) {
      const takeOther = success === undefined || (other !== undefined && before(success, other.endedAt, other.id))
      const row = takeOther ? other : success
      if (row === undefined || (filter.from !== undefined && row.endedAt < filter.from)) break
      if (matches(filter, row)) rows.push(row)
      if (takeOther) other = logs[1].next().value
      else success = logs[0].next().value
    }
    return rows
  }

  private forget(log: Log): void {
    const row = log.removeOldest()
    if (row?._tag === "Run") this.runs?.delete(row.id)
  }
}

/** A page's cursor: the place of its last row. */
export const cursorOf = (row: HistoryRecord): string => `${row.endedAt} ${row.id}`

/** Where a page begins: rows before this place. An id is never empty, so an instant alone excludes its own rows. */
const start = (filter: RunFilter, cursor: string | undefined): readonly [number, string] => {
  const to = filter.to ?? Infinity
  if (cursor === undefined) return [to, ""]
  const space = cursor.indexOf(" ")
  const endedAt = Number(cursor.slice(0, space))
  return to <= endedAt ? [to, ""] : [endedAt, cursor.slice(space + 1)]
}

const matches = (filter: RunFilter, row: HistoryRecord): boolean =>
  (filter.job === undefined || row.job === filter.job) &&
  (filter.scheduleId === undefined || row.scheduleId === filter.scheduleId) &&
  (filter.outcome === undefined || (row._tag === "Run" ? row.outcome : row.kind) === filter.outcome)
