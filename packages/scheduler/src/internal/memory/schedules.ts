import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { ScheduleFilter } from "../../JobStore.ts"
import { Heap, type HeapEntry } from "../heap.ts"
import { Ordered } from "../ordered.ts"
import { type Home, rehome } from "./groups.ts"
import { SortedIds } from "./sortedIds.ts"

/** A stored schedule and the heap that it lies in: its bucket's while it has a next time, `exhausted` at its end. */
export interface ScheduleEntry extends HeapEntry, Home {
  row: ScheduleRecord
  heap: Heap<ScheduleEntry> | Ordered<ScheduleEntry> | null
}

/** The schedules that the same nodes may fire. A node never passes over a row that it may not take. */
interface Bucket {
  readonly version: number
  readonly needs: string
  readonly names: ReadonlyArray<string>
  readonly due: Ordered<ScheduleEntry>
}

/** What a node knows: rows of newer versions or with other custom rules are none of its business. */
export interface Knowledge {
  readonly version: number
  readonly triggers: ReadonlyArray<string>
}

const idBefore = (a: ScheduleEntry, b: ScheduleEntry): boolean => a.row.id < b.row.id

const dueBefore = (a: ScheduleEntry, b: ScheduleEntry): boolean =>
  a.row.nextAt! < b.row.nextAt! || (a.row.nextAt === b.row.nextAt && idBefore(a, b))

/** The table of schedules, with an index for each question that is asked of it. */
export class Schedules {
  readonly entries = new Map<string, ScheduleEntry>()
  /** By the time of the last change, for retention. */
  readonly exhausted = new Heap<ScheduleEntry>((entry) => entry.row.updatedAt, idBefore)
  readonly waiting = new Set<ScheduleEntry>()
  /** The homes of runs whose schedule has no row. */
  private readonly strays = new Map<string, Home>()
  private readonly buckets: Array<Bucket> = []
  private taken: Array<ScheduleEntry> = []
  private readonly ids = new SortedIds(this.entries)
  /** How many rows with a next time each version of the zone data computed. */
  private readonly zones = new Map<string, number>()

  get(id: string): ScheduleEntry | undefined {
    return this.entries.get(id)
  }

  add(row: ScheduleRecord): void {
    const entry: ScheduleEntry = { heapIndex: -1, row, heap: null, id: row.id, groups: undefined }
    this.entries.set(row.id, entry)
    const stray = this.strays.get(row.id)
    if (stray !== undefined) {
      rehome(stray, entry)
      this.strays.delete(row.id)
    }
    this.ids.add(row.id)
    this.enter(entry)
  }

  change(entry: ScheduleEntry, row: ScheduleRecord): void {
    if (entry.heap !== null && entry.heap === this.heapOf(row) && entry.row.zoneData === row.zoneData) {
      entry.row = row
      if (entry.heapIndex === -1) entry.heap.push(entry)
      else entry.heap.update(entry)
    } else {
      this.leave(entry)
      entry.row = row
      this.enter(entry)
    }
  }

  delete(entry: ScheduleEntry): void {
    this.leave(entry)
    this.entries.delete(entry.row.id)
    this.ids.remove()
    if (entry.groups !== undefined) rehome(entry, this.homeOf(entry.id))
  }

  /** Where the runs of a schedule hang, if it has a row or had any. */
  home(id: string): Home | undefined {
    return this.entries.get(id) ?? this.strays.get(id)
  }

  homeOf(id: string): Home {
    const found = this.home(id)
    if (found !== undefined) return found
    const stray: Home = { id, groups: undefined }
    this.strays.set(id, stray)
    return stray
  }

  /** A home that lost its last group. */
  left(home: Home): void {
    if (this.strays.get(home.id) === home) this.strays.delete(home.id)
  }

  /**
   * Takes the due rows that this node may fire out of their heaps, earliest first. `change` puts a row back at its new
   * time, which costs half of moving it from the top; those that nobody changed are back after `putBack`.
   */
  takeDue(now: number, limit: number, knowledge: Knowledge): ReadonlyArray<ScheduleEntry> {
    const buckets = this.open(knowledge)
    while (this.taken.length < limit) {
      let best: ScheduleEntry | undefined
      for (let i = 0; i < buckets.length; i++) {
        const top = buckets[i]!.due.peek()
        if (top !== undefined && (best === undefined || dueBefore(top, best))) best = top
      }
      if (best === undefined || best.row.nextAt! > now) break
      best.heap!.remove(best)
      this.taken.push(best)
    }
    return this.taken
  }

  /** Ends what `takeDue` began. After a transition that threw, the next question about due rows does it. */
  putBack(): void {
    for (const entry of this.taken) {
      if (entry.heapIndex === -1 && this.entries.get(entry.id) === entry) entry.heap?.push(entry)
    }
    this.taken = []
  }

  /** The earliest next time of a row that this node may fire. */
  nextAt(knowledge: Knowledge): number | undefined {
    let earliest: number | undefined
    for (const { due } of this.open(knowledge)) {
      const nextAt = due.peek()?.row.nextAt ?? undefined
      if (nextAt !== undefined && (earliest === undefined || nextAt < earliest)) earliest = nextAt
    }
    return earliest
  }

  /** Rows whose next time other zone data computed, by id. */
  ofOtherZoneData(zoneData: string, limit: number, knowledge: Knowledge): Array<ScheduleEntry> {
    if (this.zones.size === 0 || (this.zones.size === 1 && this.zones.has(zoneData))) return []
    const entries: Array<ScheduleEntry> = []
    for (const { due } of this.open(knowledge)) {
      for (const entry of due.values()) if (entry.row.zoneData !== zoneData) entries.push(entry)
    }
    return firstById(entries, limit)
  }

  list(filter: ScheduleFilter, limit: number, cursor: string | undefined): Array<ScheduleRecord> {
    const prefix = filter.prefix ?? ""
    const after = cursor !== undefined && cursor >= prefix
    const rows: Array<ScheduleRecord> = []
    for (const id of this.ids.from(after ? cursor : prefix, after)) {
      if (rows.length >= limit || !id.startsWith(prefix)) break
      const { row } = this.entries.get(id)!
      if (
        (filter.job === undefined || row.job === filter.job) &&
        (filter.origin === undefined || row.origin === filter.origin) &&
        (filter.state === undefined || row.state === filter.state)
      ) {
        rows.push(row)
      }
    }
    return rows
  }

  private heapOf(row: ScheduleRecord): ScheduleEntry["heap"] {
    if (row.nextAt !== null) return this.bucket(row).due
    return row.state === "exhausted" ? this.exhausted : null
  }

  private enter(entry: ScheduleEntry): void {
    const { row } = entry
    entry.heap = this.heapOf(row)
    entry.heap?.push(entry)
    if (row.state === "waiting") this.waiting.add(entry)
    if (row.nextAt !== null) this.zones.set(row.zoneData, (this.zones.get(row.zoneData) ?? 0) + 1)
  }

  private leave(entry: ScheduleEntry): void {
    const { row } = entry
    entry.heap?.remove(entry)
    if (row.state === "waiting") this.waiting.delete(entry)
    if (row.nextAt === null) return
    const count = this.zones.get(row.zoneData)! - 1
    if (count === 0) this.zones.delete(row.zoneData)
    else this.zones.set(row.zoneData, count)
  }

  private bucket(row: ScheduleRecord): Bucket {
    for (const bucket of this.buckets) {
      if (bucket.version === row.version && bucket.needs === row.needs) return bucket
    }
    const added: Bucket = {
      version: row.version,
      needs: row.needs,
      names: row.needs === "" ? [] : row.needs.split(","),
      due: new Ordered((entry: ScheduleEntry) => entry.row.nextAt!, idBefore)
    }
    this.buckets.push(added)
    return added
  }

  private open(knowledge: Knowledge): Array<Bucket> {
    if (this.taken.length > 0) this.putBack()
    return this.buckets.filter((bucket) => bucket.due.size > 0 && isKnown(bucket, knowledge))
  }
}

const isKnown = (bucket: Pick<Bucket, "version" | "names">, knowledge: Knowledge): boolean =>
  bucket.version <= knowledge.version && bucket.names.every((name) => knowledge.triggers.includes(name))

/** Whether a node with this knowledge may decide for the row. */
export const mayDecide = (row: ScheduleRecord, knowledge: Knowledge): boolean =>
  isKnown({ version: row.version, names: row.needs === "" ? [] : row.needs.split(",") }, knowledge)

/** The first `limit` entries by id. */
export const firstById = (entries: Array<ScheduleEntry>, limit: number): Array<ScheduleEntry> =>
  entries.toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1)).slice(0, limit)
