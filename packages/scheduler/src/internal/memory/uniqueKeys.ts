/** The texts that callers chose so that an enqueue happens once: they outlive their runs. */
export class UniqueKeys {
  private readonly jobs = new Map<string, Map<string, { readonly run: string; readonly at: number }>>()

  get(job: string, key: string): string | undefined {
    return this.jobs.get(job)?.get(key)?.run
  }

  set(job: string, key: string, run: string, at: number): void {
    const keys = this.jobs.get(job)
    if (keys === undefined) this.jobs.set(job, new Map([[key, { run, at }]]))
    else keys.set(key, { run, at })
  }

  /** Forgets at most `limit` keys taken before `until` whose runs have ended; their number. */
  expire(until: number, limit: number, isUnfinished: (run: string) => boolean): number {
    let deleted = 0
    for (const keys of this.jobs.values()) {
      for (const [key, { at, run }] of keys) {
        if (deleted >= limit) return deleted
        if (at >= until || isUnfinished(run)) continue
        keys.delete(key)
        deleted++
      }
    }
    return deleted
  }
}
