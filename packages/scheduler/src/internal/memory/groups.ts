import type { RunRecord } from "../../JobRun.ts"
import type { Ordered } from "../ordered.ts"
import type { RunEntry } from "./runs.ts"

/** Where the groups of a schedule hang: at its row, or by themselves where it has gone. */
export interface Home {
  readonly id: string
  groups: Group | undefined
}

/**
 * The unfinished runs of one generation of a schedule that have one cause: those that its overlap policy counts. Most
 * schedules have one at a time, which needs no table.
 */
export class Group {
  home: Home
  readonly generation: string | null
  readonly cause: string
  /** Another group of the same schedule: runs of an older generation, or of another cause. */
  next: Group | undefined
  /** Made when the first is deferred: most schedules never have one. */
  deferred: Ordered<RunEntry> | undefined
  private only: RunEntry | undefined
  /** By nominal time, a run without one by itself; once there are several. */
  private several: Map<number | RunEntry, RunEntry> | undefined

  constructor(home: Home, generation: string | null, cause: string) {
    this.home = home
    this.generation = generation
    this.cause = cause
    this.next = home.groups
    home.groups = this
    this.deferred = undefined
    this.only = undefined
    this.several = undefined
  }

  get size(): number {
    return this.several === undefined ? (this.only === undefined ? 0 : 1) : this.several.size
  }

  add(entry: RunEntry): void {
    if (this.several !== undefined) {
      this.several.set(keyOf(entry), entry)
    } else if (this.only === undefined) {
      this.only = entry
    } else {
      this.several = new Map([
        [keyOf(this.only), this.only],
        [keyOf(entry), entry]
      ])
      this.only = undefined
    }
  }

  delete(entry: RunEntry): void {
    if (this.several !== undefined) this.several.delete(keyOf(entry))
    else if (this.only === entry) this.only = undefined
  }

  /** The run of a nominal time. */
  at(nominal: number): RunEntry | undefined {
    if (this.several !== undefined) return this.several.get(nominal)
    return this.only?.row.nominal === nominal ? this.only : undefined
  }

  /** The runs that match, by id. */
  matching(accept: (row: RunRecord) => boolean): Array<RunEntry> {
    const all = this.several === undefined ? (this.only === undefined ? [] : [this.only]) : [...this.several.values()]
    return all.filter((entry) => accept(entry.row)).toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1))
  }
}

/** The group of a generation and a cause. */
export const groupIn = (home: Home | undefined, generation: string | null, cause: string): Group | undefined => {
  let group = home?.groups
  while (group !== undefined && (group.generation !== generation || group.cause !== cause)) group = group.next
  return group
}

/** Moves every group of a schedule, which has come or gone. */
export const rehome = (from: Home, to: Home): void => {
  for (let group = from.groups; group !== undefined; group = group.next) group.home = to
  to.groups = from.groups
  from.groups = undefined
}

const keyOf = (entry: RunEntry): number | RunEntry => entry.row.nominal ?? entry

/** The runs of a group that its overlap policy counts as active. */
export const activeIn = (group: Group | undefined): number => (group === undefined ? 0 : group.size - deferredIn(group))

/** Those of them that wait for another to end. */
export const deferredIn = (group: Group | undefined): number => group?.deferred?.size ?? 0
