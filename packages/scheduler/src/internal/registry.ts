import { Duration, Effect, Latch } from "effect"
import type { BusyRun, Entry, JobRegistryService } from "../JobRegistry.ts"

/** A handler that ignores its interruption keeps its services open no longer than this. */
const lastGrace = 5_000

/** A handler begins a run. Each run knows its place, since a set is built anew again and again as runs come and go. */
export const enter = ({ busy, idle }: Entry, run: BusyRun): void => {
  idle.closeUnsafe()
  run.busyIndex = busy.length
  busy.push(run)
}

/** It has ended it. */
export const leave = ({ busy, idle }: Entry, run: BusyRun): void => {
  const last = busy.pop()!
  if (last !== run) {
    busy[run.busyIndex] = last
    last.busyIndex = run.busyIndex
  }
  run.busyIndex = -1
  if (busy.length === 0) idle.openUnsafe()
}

/** A registry of its own. */
export const makeRegistry = (): JobRegistryService => {
  const entries = new Map<string, Entry>()
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const service: JobRegistryService = {
    entries,
    listeners,
    drainDeadline: 30_000,
    register: Effect.fnUntraced(function* (job, handler, context) {
      if (entries.has(job.jobName)) {
        return yield* Effect.die(new Error(`The job "${job.jobName}" has a handler already: provide its layer once`))
      }
      const entry: Entry = { job, handler, context, busy: [], idle: Latch.makeUnsafe(true) }
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          entries.set(job.jobName, entry)
          changed()
        }),
        () => drain(entry)
      )
    })
  }
  const drain = Effect.fnUntraced(function* (entry: Entry) {
    entries.delete(entry.job.jobName)
    changed()
    if (entry.busy.length === 0) return
    const drained = yield* Effect.timeoutOption(entry.idle.await, Duration.millis(service.drainDeadline))
    if (drained._tag === "Some") return
    // One that ends at once leaves the list meanwhile.
    for (const run of entry.busy.slice()) run.release()
    yield* Effect.timeoutOption(entry.idle.await, Duration.millis(lastGrace))
  })
  return service
}
