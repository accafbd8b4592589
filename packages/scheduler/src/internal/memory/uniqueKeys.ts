import { Heap, type HeapEntry } from "../heap.ts"

interface Entry extends HeapEntry {
  readonly job: string
  readonly unique: string
  readonly run: string
  readonly at: number
}

/** The texts that callers chose so that an enqueue happens once: they outlive their runs. */
export class UniqueKeys {
  private readonly jobs = new Map<string, Map<string, Entry>>()
  private readonly byAge = new Heap<Entry>(
    (entry) => entry.at,
    (a, b) => a.run < b.run
  )

  get(job: string, unique: string): string | undefined {
    return this.jobs.get(job)?.get(unique)?.run
  }

  set(job: string, unique: string, run: string, at: number): void {
    const entry: Entry = { heapIndex: -1, job, unique, run, at }
    const entries = this.jobs.get(job)
    if (entries === undefined) this.jobs.set(job, new Map([[unique, entry]]))
    else entries.set(unique, entry)
    this.byAge.push(entry)
  }

  /** Forgets at most `limit` texts taken before `until` whose runs have ended, the oldest first; their number. */
  expire(until: number, limit: number, isUnfinished: (run: string) => boolean): number {
    const kept: Array<Entry> = []
    let deleted = 0
    for (let top = this.byAge.peek(); top !== undefined && top.at < until && deleted < limit; top = this.byAge.peek()) {
      this.byAge.remove(top)
      if (isUnfinished(top.run)) {
        kept.push(top)
      } else {
        this.jobs.get(top.job)!.delete(top.unique)
        deleted++
      }
    }
    for (const entry of kept) this.byAge.push(entry)
    return deleted
  }
}
