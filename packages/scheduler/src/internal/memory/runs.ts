import type { RunRecord } from "../../JobRun.ts"
import type { RunFilter } from "../../JobStore.ts"
import { Heap, type HeapEntry } from "../heap.ts"
import { Ordered } from "../ordered.ts"
import { activeIn, Group, groupIn, type Home } from "./groups.ts"
import type { Schedules } from "./schedules.ts"

/**
 * An unfinished run. It lies in one place by its state: the lane of its job and priority while it is pending, its node's
 * list while it runs, the queue of its key or of its group while it is deferred.
 */
export interface RunEntry extends HeapEntry {
  row: RunRecord
  readonly job: JobRuns
  readonly group: Group | null
}

/** The unfinished runs of one job. `keys` has the keys that are taken or waited for, and no others. */
export interface JobRuns {
  readonly name: string
  readonly lanes: ReadonlyArray<Ordered<RunEntry>>
  readonly keys: Map<string, Key>
  running: number
}

interface Key {
  running: RunEntry | undefined
  readonly waiting: Heap<RunEntry>
}

/** Oldest first: the order within a lane. */
export const runBefore = (a: RunEntry, b: RunEntry): boolean =>
  a.row.runAt < b.row.runAt || (a.row.runAt === b.row.runAt && a.row.id < b.row.id)

const idBefore = (a: RunEntry, b: RunEntry): boolean => a.row.id < b.row.id

/** Pending runs of one job and priority. */
const makeLane = () => new Ordered<RunEntry>((entry) => entry.row.runAt, idBefore)

/** Runs that wait for one key. */
const makeKeyQueue = () => new Heap<RunEntry>((entry) => entry.row.priority, runBefore)

/** Runs that wait for others of their schedule. */
const makeOverlapQueue = () => new Ordered<RunEntry>((entry) => entry.row.nominal ?? entry.row.runAt, idBefore)

/** The table of unfinished runs, with an index for each question that is asked of it. */
export class Runs {
  readonly entries = new Map<string, RunEntry>()
  readonly jobs = new Map<string, JobRuns>()
  /** The greatest id that was ever inserted. */
  private newest = ""
  /** A run's place among those of its node is its `heapIndex`: while it runs it is in no heap. */
  private readonly nodes = new Map<string, Array<RunEntry>>()
  private readonly queues = new Map<string, { running: number }>()
  private readonly schedules: Schedules

  constructor(schedules: Schedules) {
    this.schedules = schedules
  }

  get(id: string): RunEntry | undefined {
    return this.entries.get(id)
  }

  /** Ids rise with time: a new one is known to be new without a look into the table. */
  has(id: string): boolean {
    return id <= this.newest && this.entries.has(id)
  }

  /** `home` is that of its schedule where it is at hand. */
  insert(row: RunRecord, home?: Home): RunEntry {
    const group = row.scheduleId === null ? null : groupOf(home ?? this.schedules.homeOf(row.scheduleId), row)
    const entry: RunEntry = { heapIndex: -1, row, job: this.jobOf(row.job), group }
    this.entries.set(row.id, entry)
    if (row.id > this.newest) this.newest = row.id
    group?.add(entry)
    this.enter(entry)
    return entry
  }

  change(entry: RunEntry, row: RunRecord): void {
    this.leave(entry)
    entry.row = row
    this.enter(entry)
  }

  delete(entry: RunEntry): void {
    const { group, row } = entry
    this.leave(entry)
    this.entries.delete(row.id)
    if (group === null) return
    group.delete(entry)
    if (group.size === 0) this.forget(group)
  }

  group(scheduleId: string, generation: string | null, cause: string): Group | undefined {
    return groupIn(this.schedules.home(scheduleId), generation, cause)
  }

  /** The unfinished run of the same nominal time, which there must not be twice. */
  twin(row: RunRecord, home?: Home): RunEntry | undefined {
    if (row.scheduleId === null || row.nominal === null) return undefined
    return groupIn(home ?? this.schedules.home(row.scheduleId), row.generation, row.cause)?.at(row.nominal)
  }

  /** Runs that wait for a key which nobody holds: the next of each. */
  *freeOfKeys(): Iterable<RunEntry> {
    for (const { keys } of this.jobs.values()) {
      for (const { running, waiting } of keys.values()) if (running === undefined) yield waiting.peek()!
    }
  }

  /** Runs that wait for others of their schedule, where none of these is left: the next of each. */
  *freeOfOverlap(): Iterable<RunEntry> {
    const groups = new Set<Group>()
    for (const { group, row } of this.entries.values()) {
      if (row.waitsFor === "overlap" && activeIn(group!) === 0) groups.add(group!)
    }
    for (const group of groups) yield group.deferred!.peek()!
  }

  /** The runs that run on a node, by id. */
  on(node: string): ReadonlyArray<RunEntry> {
    return [...(this.nodes.get(node) ?? [])].toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1))
  }

  busyNodes(): Iterable<string> {
    return this.nodes.keys()
  }

  runningIn(queue: string): number {
    return this.queues.get(queue)?.running ?? 0
  }

  isKeyTaken(entry: RunEntry): boolean {
    const { key } = entry.row
    return key !== null && entry.job.keys.get(key)?.running !== undefined
  }

  /** Makes the first run that waits for a key pending, unless the key is taken. */
  promoteKey(job: JobRuns, key: string): void {
    const state = job.keys.get(key)
    if (state !== undefined && state.running === undefined) this.promote(state.waiting.peek())
  }

  /** Makes the oldest run that waits for another of its schedule pending. */
  promoteOverlap(group: Group | undefined): void {
    this.promote(group?.deferred?.peek())
  }

  promote(entry: RunEntry | undefined): void {
    if (entry !== undefined) this.change(entry, { ...entry.row, state: "pending", waitsFor: null })
  }

  list(filter: RunFilter, limit: number, cursor: string | undefined): Array<RunRecord> {
    const rows: Array<RunRecord> = []
    for (const { row } of this.entries.values()) {
      if (
        (cursor === undefined || row.id > cursor) &&
        (filter.job === undefined || row.job === filter.job) &&
        (filter.scheduleId === undefined || row.scheduleId === filter.scheduleId) &&
        (filter.state === undefined || row.state === filter.state)
      ) {
        rows.push(row)
      }
    }
    // Rows are kept as inserted, which is nearly the order of their ids: this sort is nearly linear.
    return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit)
  }

  private enter(entry: RunEntry): void {
    const { row } = entry
    if (row.state === "pending") {
      entry.job.lanes[row.priority]!.push(entry)
    } else if (row.state === "running") {
      const node = this.nodes.get(row.node!)
      if (node === undefined) this.nodes.set(row.node!, [entry])
      else node.push(entry)
      entry.heapIndex = node === undefined ? 0 : node.length - 1
      entry.job.running++
      const queue = this.queues.get(row.queue)
      if (queue === undefined) this.queues.set(row.queue, { running: 1 })
      else queue.running++
      if (row.key !== null) this.keyOf(entry.job, row.key).running = entry
    } else if (row.waitsFor === "key") {
      this.keyOf(entry.job, row.key!).waiting.push(entry)
    } else {
      const group = entry.group!
      group.deferred ??= makeOverlapQueue()
      group.deferred.push(entry)
    }
  }

  private leave(entry: RunEntry): void {
    const { row } = entry
    if (row.state === "pending") {
      entry.job.lanes[row.priority]!.remove(entry)
    } else if (row.state === "running") {
      const node = this.nodes.get(row.node!)!
      const last = node.pop()!
      if (last !== entry) {
        node[entry.heapIndex] = last
        last.heapIndex = entry.heapIndex
      }
      entry.heapIndex = -1
      if (node.length === 0) this.nodes.delete(row.node!)
      entry.job.running--
      this.queues.get(row.queue)!.running--
      if (row.key !== null) {
        const key = entry.job.keys.get(row.key)!
        key.running = undefined
        if (key.waiting.size === 0) entry.job.keys.delete(row.key)
      }
    } else if (row.waitsFor === "key") {
      const key = entry.job.keys.get(row.key!)!
      key.waiting.remove(entry)
      if (key.waiting.size === 0 && key.running === undefined) entry.job.keys.delete(row.key!)
    } else {
      entry.group!.deferred!.remove(entry)
    }
  }

  private jobOf(name: string): JobRuns {
    let job = this.jobs.get(name)
    if (job === undefined) {
      job = { name, lanes: [makeLane(), makeLane(), makeLane(), makeLane()], keys: new Map(), running: 0 }
      this.jobs.set(name, job)
    }
    return job
  }

  private keyOf(job: JobRuns, name: string): Key {
    let key = job.keys.get(name)
    if (key === undefined) {
      key = { running: undefined, waiting: makeKeyQueue() }
      job.keys.set(name, key)
    }
    return key
  }

  private forget(group: Group): void {
    const { home } = group
    if (home.groups === group) {
      home.groups = group.next
      if (home.groups === undefined && !("row" in home)) this.schedules.left(home)
    } else {
      let before = home.groups!
      while (before.next !== group) before = before.next!
      before.next = group.next
    }
  }
}

const groupOf = (home: Home, { cause, generation }: RunRecord): Group =>
  groupIn(home, generation, cause) ?? new Group(home, generation, cause)
