import type { RunRecord } from "../../JobRun.ts"
import type { RunFilter } from "../../JobStore.ts"
import { Heap, type HeapEntry } from "../heap.ts"

/**
 * An unfinished run. It lies in one place by its state: the lane of its job and priority while it is pending, its node's
 * set while it runs, the queue of its key or of its group while it is deferred.
 */
export interface RunEntry extends HeapEntry {
  row: RunRecord
  readonly job: JobRuns
  readonly group: Group | null
}

/** The unfinished runs of one job. `keys` has the keys that are taken or waited for, and no others. */
export interface JobRuns {
  readonly name: string
  readonly lanes: ReadonlyArray<Heap<RunEntry>>
  readonly keys: Map<string, Key>
  running: number
}

interface Key {
  running: RunEntry | undefined
  readonly waiting: Heap<RunEntry>
}

/** The unfinished runs of one generation of a schedule that have one cause: those that its overlap policy counts. */
export interface Group {
  readonly scheduleId: string
  readonly generation: string | null
  readonly cause: string
  /** By nominal time; a run without one by itself. */
  readonly members: Map<number | RunEntry, RunEntry>
  /** Made when the first is deferred: most schedules never have one. */
  deferred: Heap<RunEntry> | undefined
}

/** Oldest first: the order within a lane. */
export const runBefore = (a: RunEntry, b: RunEntry): boolean =>
  a.row.runAt < b.row.runAt || (a.row.runAt === b.row.runAt && a.row.id < b.row.id)

const idBefore = (a: RunEntry, b: RunEntry): boolean => a.row.id < b.row.id

/** Pending runs of one job and priority. */
const makeLane = () => new Heap<RunEntry>((entry) => entry.row.runAt, idBefore)

/** Runs that wait for one key. */
const makeKeyQueue = () => new Heap<RunEntry>((entry) => entry.row.priority, runBefore)

/** Runs that wait for others of their schedule. */
const makeOverlapQueue = () => new Heap<RunEntry>((entry) => entry.row.nominal ?? entry.row.runAt, idBefore)

/** The table of unfinished runs, with an index for each question that is asked of it. */
export class Runs {
  readonly entries = new Map<string, RunEntry>()
  readonly jobs = new Map<string, JobRuns>()
  private readonly groups = new Map<string, Array<Group>>()
  private readonly nodes = new Map<string, Set<RunEntry>>()
  private readonly queues = new Map<string, number>()

  get(id: string): RunEntry | undefined {
    return this.entries.get(id)
  }

  insert(row: RunRecord): RunEntry {
    const group = row.scheduleId === null ? null : this.groupOf(row.scheduleId, row.generation, row.cause)
    const entry: RunEntry = { heapIndex: -1, row, job: this.jobOf(row.job), group }
    this.entries.set(row.id, entry)
    group?.members.set(row.nominal ?? entry, entry)
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
    group.members.delete(row.nominal ?? entry)
    if (group.members.size === 0) this.forget(group)
  }

  group(scheduleId: string, generation: string | null, cause: string): Group | undefined {
    return this.groups.get(scheduleId)?.find((group) => group.generation === generation && group.cause === cause)
  }

  /** The unfinished run of the same nominal time, which there must not be twice. */
  twin(row: RunRecord): RunEntry | undefined {
    if (row.scheduleId === null || row.nominal === null) return undefined
    return this.group(row.scheduleId, row.generation, row.cause)?.members.get(row.nominal)
  }

  /** Runs that wait for a key which nobody holds: the next of each. */
  *freeOfKeys(): Iterable<RunEntry> {
    for (const { keys } of this.jobs.values()) {
      for (const { running, waiting } of keys.values()) if (running === undefined) yield waiting.peek()!
    }
  }

  /** Runs that wait for others of their schedule, where none of these is left: the next of each. */
  *freeOfOverlap(): Iterable<RunEntry> {
    for (const groups of this.groups.values()) {
      for (const group of groups) if (activeIn(group) === 0) yield group.deferred!.peek()!
    }
  }

  /** The runs that run on a node, by id. */
  on(node: string): ReadonlyArray<RunEntry> {
    return [...(this.nodes.get(node) ?? [])].toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1))
  }

  busyNodes(): Iterable<string> {
    return this.nodes.keys()
  }

  runningIn(queue: string): number {
    return this.queues.get(queue) ?? 0
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
      if (node === undefined) this.nodes.set(row.node!, new Set([entry]))
      else node.add(entry)
      entry.job.running++
      this.queues.set(row.queue, (this.queues.get(row.queue) ?? 0) + 1)
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
      node.delete(entry)
      if (node.size === 0) this.nodes.delete(row.node!)
      entry.job.running--
      this.queues.set(row.queue, this.queues.get(row.queue)! - 1)
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

  private groupOf(scheduleId: string, generation: string | null, cause: string): Group {
    const found = this.group(scheduleId, generation, cause)
    if (found !== undefined) return found
    const added: Group = { scheduleId, generation, cause, members: new Map(), deferred: undefined }
    const groups = this.groups.get(scheduleId)
    if (groups === undefined) this.groups.set(scheduleId, [added])
    else groups.push(added)
    return added
  }

  private forget(group: Group): void {
    const groups = this.groups.get(group.scheduleId)!
    if (groups.length === 1) this.groups.delete(group.scheduleId)
    else groups.splice(groups.indexOf(group), 1)
  }
}

/** The runs of a group that its overlap policy counts as active. */
export const activeIn = (group: Group | undefined): number =>
  group === undefined ? 0 : group.members.size - deferredIn(group)

/** Those of them that wait for another to end. */
export const deferredIn = (group: Group | undefined): number => group?.deferred?.size ?? 0

/** The runs of a group that match, by id. */
export const membersOf = (group: Group, accept: (row: RunRecord) => boolean): Array<RunEntry> =>
  [...group.members.values()].filter((entry) => accept(entry.row)).toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1))
