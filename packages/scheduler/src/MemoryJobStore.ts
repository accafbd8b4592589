/**
 * A job store in this process's memory: nothing survives the process, and nothing is shared with another one.
 *
 * Every method is one synchronous step, so that a call is atomic whatever other fibers do. Firing, claiming and finishing
 * cost O(log n + batch), whatever the number of schedules and the length of history.
 *
 * @module
 * @since 0.1.0
 */
import { Effect, Layer } from "effect"
import { transact, transactOn } from "./internal/memory/change.ts"
import { claim, nextRunAt } from "./internal/memory/claim.ts"
import { finish, isHeld, reap } from "./internal/memory/finish.ts"
import { cursorOf } from "./internal/memory/history.ts"
import { maintain } from "./internal/memory/maintain.ts"
import type { Answer, Params } from "./internal/memory/params.ts"
import { cancel, enqueue, getRuns, heartbeat, register } from "./internal/memory/rows.ts"
import { makeState, type State } from "./internal/memory/state.ts"
import { JobStore, type JobStoreService, makeListeners, type Page, Signal } from "./JobStore.ts"

/**
 * How much a store in memory keeps.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The most rows of history, 100,000 unless given: beyond it the oldest are dropped before their retention ends. A row
   * takes about half a kilobyte beside its texts. `Infinity` leaves it to the retention alone. */
  readonly historyLimit?: number | undefined
}

/**
 * Makes an empty store.
 *
 * **Example** (Asking a store what it is)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { MemoryJobStore } from "effect-scheduler"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* MemoryJobStore.make()
 *   return [store.description, store.shared]
 * })
 *
 * Effect.runSync(program) // => ["memory", false]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<JobStoreService> =>
  Effect.map(makeListeners, ({ subscribe, tell }) => {
    const state = makeState(options.historyLimit ?? 100_000)
    /** A method of the port: one synchronous step, then one call to each listener. */
    const method =
      <P, A>(run: (state: State, params: P) => A) =>
      (params: P): Effect.Effect<A> =>
        Effect.sync(() => {
          const answer = run(state, params)
          const { signal } = state
          if (signal !== 0) {
            state.signal = 0
            tell(signal)
          }
          return answer
        })
    return JobStore.of({
      shared: false,
      description: "memory",
      subscribe,
      register: method(register),
      heartbeat: method(heartbeat),
      leave: method((state, { node }) => {
        state.nodes.delete(node)
      }),
      nodes: Effect.sync(() => [...state.nodes.values()]),
      reap: method(reap),
      fire: method(fire),
      modify: method((state, params) => transact(state, new Set(params.ids), params.now, params.transition)),
      getSchedules: method((state, { ids }) => ids.flatMap((id) => state.schedules.get(id)?.row ?? [])),
      listSchedules: method((state, { cursor, filter, limit }) =>
        page(state.schedules.list(filter, limit + 1, cursor), limit, (row) => row.id)
      ),
      enqueue: method(enqueue),
      claim: method((state, params) => ({ runs: claim(state, params), now: params.now })),
      finish: method(finish),
      held: method((state, { node }) => state.runs.on(node).map((entry) => entry.row)),
      progress: method(progress),
      cancel: method(cancel),
      getRuns: method(getRuns),
      listRuns: method((state, { cursor, filter, limit }) =>
        page(state.runs.list(filter, limit + 1, cursor), limit, (row) => row.id)
      ),
      history: method((state, { cursor, filter, limit }) =>
        page(state.history.list(filter, limit + 1, cursor), limit, cursorOf)
      ),
      wake: method((state, params) => ({
        schedules: state.schedules.nextAt(params),
        runs: nextRunAt(state, params),
        now: params.now
      })),
      maintain: method(maintain)
    })
  })

/**
 * A store in memory with the given limits.
 *
 * **Example** (Keeping two rows of history)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, MemoryJobStore, Scheduler } from "effect-scheduler"
 *
 * class Note extends Job.make("Note") {}
 *
 * const Main = Layer.provideMerge(
 *   Note.toLayer(() => Effect.void),
 *   Scheduler.layer({ stores: { default: MemoryJobStore.layerWith({ historyLimit: 2 }) } })
 * )
 *
 * const program = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   for (let run = 0; run < 5; run++) yield* scheduler.execute(Note)
 *   return (yield* scheduler.history()).items.length
 * }).pipe(Effect.provide(Main))
 *
 * await Effect.runPromise(program) // => 2
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (options: Options): Layer.Layer<JobStore> => Layer.effect(JobStore, make(options))

/**
 * A store in memory. Each build of the layer makes a new, empty one.
 *
 * **Example** (Counting the schedules of an empty store)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { JobStore, MemoryJobStore } from "effect-scheduler"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* JobStore.JobStore
 *   const page = yield* store.listSchedules({ filter: {}, limit: 10 })
 *   return page.items.length
 * }).pipe(Effect.provide(MemoryJobStore.layer))
 *
 * Effect.runSync(program) // => 0
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<JobStore> = Layer.effect(JobStore, make())

const fire = (state: State, params: Params<"fire">): Answer<"fire"> => {
  const due = state.schedules.takeDue(params.now, params.limit, params)
  const applied = transactOn(state, due, params.now, params.transition)
  state.schedules.putBack()
  // Whoever fires looks at the next times anyway; a signal would only send it round once more.
  state.signal &= ~Signal.schedules
  return { applied, full: due.length >= params.limit, now: params.now }
}

const progress = (state: State, params: Params<"progress">): void => {
  for (const { attempt, id, progress } of params.entries) {
    const entry = state.runs.get(id)
    // Nothing is indexed by it, so that the run can stay where it is.
    if (entry !== undefined && isHeld(entry.row, attempt, params.node)) entry.row = { ...entry.row, progress }
  }
}

/** Rows were asked for with one more than the page holds, which says whether there is another page. */
const page = <A>(rows: ReadonlyArray<A>, limit: number, cursor: (row: A) => string): Page<A> =>
  rows.length <= limit
    ? { items: rows, cursor: undefined }
    : { items: rows.slice(0, limit), cursor: cursor(rows[limit - 1]!) }
