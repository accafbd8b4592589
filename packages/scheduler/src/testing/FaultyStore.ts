/**
 * A job store whose calls go wrong, by a seed, over any other one.
 *
 * The fault that finds most is `failAfter`: the call is carried out and its answer is lost, as when a connection breaks
 * between commit and reply. Whoever calls must be able to send the same call again.
 *
 * @module
 * @since 0.1.0
 */
import { Context, type Duration, Effect, Layer } from "effect"
import { JobStore, JobStoreError, type JobStoreService } from "../JobStore.ts"
import { Seeded } from "./internal/random.ts"

/**
 * What can happen to a call.
 *
 * - `failBefore`: it fails as unavailable, and nothing was done; `conflict`: the same as a serialization failure.
 * - `failAfter`: it was carried out, and fails as timed out.
 * - `delay`: it is carried out later. `hang`: it never answers, and was carried out or not.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = "failBefore" | "failAfter" | "conflict" | "delay" | "hang"

/**
 * All faults, in the order in which `report` counts them.
 *
 * **Example** (Leaving one out)
 *
 * ```ts
 * import { FaultyStore } from "effect-scheduler/testing"
 *
 * // Everything but calls that never answer.
 * FaultyStore.faults.filter((fault) => fault !== "hang") // => ["failBefore", "failAfter", "conflict", "delay"]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const faults: ReadonlyArray<Fault> = ["failBefore", "failAfter", "conflict", "delay", "hang"]

/**
 * A method of the port that can fail.
 *
 * @category models
 * @since 0.1.0
 */
export type Method = Exclude<keyof JobStoreService, "shared" | "description" | "transaction" | "subscribe">

/**
 * Every method of the port that can fail.
 *
 * **Example** (The methods by name)
 *
 * ```ts
 * import { FaultyStore } from "effect-scheduler/testing"
 *
 * // Faults in all that a node does for its lease.
 * FaultyStore.methods.slice(0, 3) // => ["register", "heartbeat", "leave"]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const methods: ReadonlyArray<Method> = [
  "register",
  "heartbeat",
  "leave",
  "nodes",
  "reap",
  "fire",
  "modify",
  "getSchedules",
  "listSchedules",
  "enqueue",
  "claim",
  "finish",
  "held",
  "progress",
  "cancel",
  "getRuns",
  "listRuns",
  "history",
  "wake",
  "maintain"
]

/**
 * Which faults, how often, by which seed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** A whole number: the same one gives the same faults for the same calls. */
  readonly seed: number
  /** The share of calls that go wrong, 0 to 1; shared equally by the kinds. 0.2 unless given. */
  readonly probability?: number | undefined
  /** The kinds that happen, all unless given. Leave out `hang` where the caller has no timeout. */
  readonly faults?: ReadonlyArray<Fault> | undefined
  /** The methods that it happens to, all unless given. */
  readonly methods?: ReadonlyArray<Method> | undefined
  /** How long a delayed call waits, 10 ms unless given, on the caller's `Clock`. */
  readonly delay?: Duration.Input | undefined
}

/**
 * How often each fault happened to a method, and how often it was called.
 *
 * @category models
 * @since 0.1.0
 */
export type Counts = Readonly<Record<Fault | "calls", number>>

/**
 * The faults of a store: what happened, and the switch.
 *
 * **Example** (Healing a store)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { JobStore, MemoryJobStore } from "effect-scheduler"
 * import { FaultyStore } from "effect-scheduler/testing"
 *
 * const Faulty = FaultyStore.layer({ seed: 1, probability: 1, faults: ["failBefore"] })
 *
 * const program = Effect.gen(function* () {
 *   const faults = yield* FaultyStore.Faults
 *   const store = yield* JobStore.JobStore
 *   yield* Effect.ignore(store.nodes)
 *   yield* faults.enable(false)
 *   yield* store.nodes
 *   const { calls, failBefore } = (yield* faults.counts).nodes
 *   return [calls, failBefore]
 * }).pipe(Effect.provide(Layer.provide(Faulty, MemoryJobStore.layer)))
 *
 * await Effect.runPromise(program) // => [2, 1]
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Faults extends Context.Service<
  Faults,
  {
    /** How often each fault happened to each method. */
    readonly counts: Effect.Effect<Readonly<Record<Method, Counts>>>
    /** The counts as a text table, a method a line. */
    readonly report: Effect.Effect<string>
    /** Whether calls go wrong from now on. They do at first. */
    readonly enable: (enabled: boolean) => Effect.Effect<void>
  }
>()("effect-scheduler/testing/FaultyStore/Faults") {}

/**
 * Puts faults between a store and its callers.
 *
 * **Example** (Losing a fifth of all answers)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { MemoryJobStore } from "effect-scheduler"
 * import { FaultyStore } from "effect-scheduler/testing"
 *
 * const program = Effect.gen(function* () {
 *   const inner = yield* MemoryJobStore.make()
 *   const { faults, store } = FaultyStore.make(inner, { seed: 1, faults: ["failAfter"] })
 *   yield* Effect.ignore(store.listRuns({ filter: {}, limit: 1 }))
 *   return (yield* faults.counts).listRuns.calls
 * })
 *
 * Effect.runSync(program) // => 1
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  inner: JobStoreService,
  options: Options
): { readonly store: JobStoreService; readonly faults: Faults["Service"] } => {
  const random = new Seeded(options.seed)
  const kinds = options.faults ?? faults
  const affected = new Set(options.methods ?? methods)
  const probability = options.probability ?? 0.2
  const delay = options.delay ?? "10 millis"
  const counts = Object.fromEntries(
    methods.map((method) => [method, { calls: 0, failBefore: 0, failAfter: 0, conflict: 0, delay: 0, hang: 0 }])
  ) as Record<Method, Record<Fault | "calls", number>>
  const turns = Object.fromEntries(methods.map((method) => [method, random.int(0, 1000)])) as Record<Method, number>
  let enabled = true

  const call = <A>(method: Method, run: Effect.Effect<A, JobStoreError>): Effect.Effect<A, JobStoreError> =>
    Effect.suspend(() => {
      counts[method].calls++
      if (!enabled || !affected.has(method) || !random.chance(probability)) return run
      // In turn, so that a method which is called rarely still meets each of them.
      const fault = kinds[turns[method]++ % kinds.length]!
      counts[method][fault]++
      switch (fault) {
        case "failBefore":
          return Effect.fail(failure(method, "Unavailable", "the call did not reach the store"))
        case "conflict":
          return Effect.fail(failure(method, "Conflict", "the call was rolled back"))
        case "failAfter":
          return Effect.andThen(run, Effect.fail(failure(method, "Timeout", "the answer was lost")))
        case "delay":
          return Effect.andThen(Effect.sleep(delay), run)
        case "hang":
          return random.chance(0.5) ? Effect.never : Effect.andThen(run, Effect.never)
      }
    })
  const wrap =
    <P, A>(method: Method, run: (params: P) => Effect.Effect<A, JobStoreError>) =>
    (params: P): Effect.Effect<A, JobStoreError> =>
      call(
        method,
        Effect.suspend(() => run(params))
      )

  const store: JobStoreService = {
    ...inner,
    description: `faulty ${inner.description}`,
    register: wrap("register", inner.register),
    heartbeat: wrap("heartbeat", inner.heartbeat),
    leave: wrap("leave", inner.leave),
    nodes: call("nodes", inner.nodes),
    reap: wrap("reap", inner.reap),
    fire: wrap("fire", inner.fire),
    modify: wrap("modify", inner.modify),
    getSchedules: wrap("getSchedules", inner.getSchedules),
    listSchedules: wrap("listSchedules", inner.listSchedules),
    enqueue: wrap("enqueue", inner.enqueue),
    claim: wrap("claim", inner.claim),
    finish: wrap("finish", inner.finish),
    held: wrap("held", inner.held),
    progress: wrap("progress", inner.progress),
    cancel: wrap("cancel", inner.cancel),
    getRuns: wrap("getRuns", inner.getRuns),
    listRuns: wrap("listRuns", inner.listRuns),
    history: wrap("history", inner.history),
    wake: wrap("wake", inner.wake),
    maintain: wrap("maintain", inner.maintain)
  }
  return {
    store,
    faults: Faults.of({
      counts: Effect.sync(() => structuredClone(counts)),
      report: Effect.sync(() => report(counts)),
      enable: (value) =>
        Effect.sync(() => {
          enabled = value
        })
    })
  }
}

/**
 * Puts faults over the `JobStore` that is provided to it.
 *
 * **Example** (A scheduler on a store that conflicts)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, MemoryJobStore, Scheduler } from "effect-scheduler"
 * import { FaultyStore } from "effect-scheduler/testing"
 *
 * class Note extends Job.make("Note") {}
 *
 * const Faulty = FaultyStore.layer({ seed: 1, faults: ["conflict"], probability: 0.5, methods: ["enqueue"] })
 *
 * const Main = Layer.provideMerge(
 *   Note.toLayer(() => Effect.void),
 *   Scheduler.layer({ stores: { default: Layer.provide(Faulty, MemoryJobStore.layer) } })
 * )
 *
 * // A conflict is tried again.
 * const program = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   for (let run = 0; run < 5; run++) yield* scheduler.execute(Note)
 *   return (yield* scheduler.history()).items.length
 * }).pipe(Effect.provide(Main))
 *
 * await Effect.runPromise(program) // => 5
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<JobStore | Faults, never, JobStore> =>
  Layer.effectContext(
    Effect.map(JobStore, (inner) => {
      const made = make(inner, options)
      return Context.make(JobStore, made.store).pipe(Context.add(Faults, made.faults))
    })
  )

const failure = (method: Method, reason: "Unavailable" | "Conflict" | "Timeout", message: string): JobStoreError =>
  new JobStoreError({ method, reason, message: `injected: ${message}` })

const line = (name: string, cells: ReadonlyArray<string | number>): string =>
  name.padEnd(14) + cells.map((cell) => String(cell).padStart(11)).join("")

const report = (counts: Readonly<Record<Method, Counts>>): string => {
  const columns = ["calls", ...faults] as const
  const rows = methods.map((method) =>
    line(
      method,
      columns.map((column) => counts[method][column])
    )
  )
  return [line("method", columns), ...rows].join("\n")
}
