/**
 * The handlers of a program: a service below the scheduler, in which `Job.toLayer` registers and from which schedulers
 * learn what they can run.
 *
 * @module
 * @since 0.1.0
 */
import { Context, type Effect, type Latch, Layer, type Scope } from "effect"
import { makeRegistry } from "./internal/registry.ts"
import type * as Job from "./Job.ts"

/**
 * A run that a handler is busy with, as the registry needs it for draining.
 *
 * @category models
 * @since 0.1.0
 */
export interface BusyRun {
  /** Its place in `busy` of its entry, -1 while it is in none. */
  busyIndex: number
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
  /** What it was given: the effect that one run is. */
  readonly handler: (payload: never) => Effect.Effect<unknown, unknown>
  /** What the handler may require: the context in which its layer was built. */
  readonly context: Context.Context<never>
  /** The runs in which it is busy, of every scheduler of the program. */
  readonly busy: Array<BusyRun>
  /** Opens whenever `busy` becomes empty. */
  readonly idle: Latch.Latch
}

/**
 * What job layers register in and schedulers read.
 *
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
  /** Adds a handler for as long as the scope is open. A second one for the same name is a defect. */
  readonly register: (
    job: Job.Any,
    handler: (payload: never) => Effect.Effect<unknown, unknown>,
    context: Context.Context<never>
  ) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * The handlers of a program. `Scheduler.layer` brings one; provide `JobRegistry.layer` where job layers are composed
 * below or beside the scheduler: it is one and the same within a program.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, JobRegistry, Scheduler } from "effect-scheduler"
 *
 * class Backup extends Job.make("Backup") {}
 *
 * // The scheduler comes first, the handler beside it: both use one registry.
 * const Main = Layer.mergeAll(Scheduler.layer(), Backup.toLayer(() => Effect.void)).pipe(Layer.provide(JobRegistry.layer))
 *
 * await Effect.runPromise(Effect.as(Effect.scoped(Layer.build(Main)), "built")) // => "built"
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class JobRegistry extends Context.Service<JobRegistry, JobRegistryService>()("effect-scheduler/JobRegistry") {
  /**
   * An empty registry.
   *
   * @example
   * ```ts
   * import { Effect, Layer } from "effect"
   * import { Job, JobRegistry } from "effect-scheduler"
   *
   * class Backup extends Job.make("Backup") {}
   *
   * const names = Effect.gen(function* () {
   *   const registry = yield* JobRegistry
   *   return [...registry.entries.keys()]
   * })
   *
   * const Handlers = Layer.provideMerge(Backup.toLayer(() => Effect.void), JobRegistry.layer)
   *
   * await Effect.runPromise(Effect.provide(names, Handlers)) // => ["Backup"]
   * ```
   */
  static readonly layer: Layer.Layer<JobRegistry> = Layer.sync(JobRegistry, makeRegistry)
}
