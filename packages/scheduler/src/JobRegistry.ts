/**
 * The handlers of a program: a service below the scheduler, in which `Job.toLayer` registers and from which schedulers
 * learn what they can run.
 *
 * @since 0.1.0
 */
import { Context, Duration, Effect, Layer, Latch, type Scope } from "effect"
import type * as Job from "./Job.ts"

/**
 * A run that a handler is busy with, as the registry needs it for draining.
 *
 * @category models
 * @since 0.1.0
 */
export interface BusyRun {
  /** Interrupts the handler; the run is given back, not failed. */
  readonly release: () => void
}

/**
 * One registered handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly job: Job.Any
  readonly handler: (payload: any) => Effect.Effect<unknown, unknown>
  /** What the handler may require: the context in which its layer was built. */
  readonly context: Context.Context<never>
  /** The runs in which it is busy, of every scheduler of the program. */
  readonly busy: Set<BusyRun>
  /** Opens whenever `busy` becomes empty. */
  readonly idle: Latch.Latch
}

/**
 * @category services
 * @since 0.1.0
 */
export interface JobRegistryService {
  /** The handlers that may be given runs. A draining one is not among them. */
  readonly entries: ReadonlyMap<string, Entry>
  /** How long a closing handler layer waits for its runs, in milliseconds. The last scheduler that was built sets it. */
  drainDeadline: number
  /** Called when a handler came or went. */
  readonly listeners: Set<() => void>
  readonly register: (
    job: Job.Any,
    handler: (payload: any) => Effect.Effect<unknown, unknown>,
    context: Context.Context<never>
  ) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * The handlers of a program. `Scheduler.layer` brings one; provide `JobRegistry.layer` where job layers are composed
 * below or beside the scheduler: it is one and the same within a program.
 *
 * @category services
 * @since 0.1.0
 */
export class JobRegistry extends Context.Service<JobRegistry, JobRegistryService>()("effect-scheduler/JobRegistry") {
  static readonly layer: Layer.Layer<JobRegistry> = Layer.sync(JobRegistry, () => make())
}

const make = (): JobRegistryService => {
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
      const entry: Entry = { job, handler, context, busy: new Set(), idle: Latch.makeUnsafe(true) }
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
    if (entry.busy.size === 0) return
    const drained = yield* Effect.timeoutOption(entry.idle.await, Duration.millis(service.drainDeadline))
    if (drained._tag === "Some") return
    for (const run of [...entry.busy]) run.release()
    // A handler that ignores interruption keeps its services; its run stays claimed until the lease ends.
    yield* Effect.timeoutOption(entry.idle.await, Duration.millis(5_000))
  })
  return service
}
