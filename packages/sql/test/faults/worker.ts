// One node as a process of its own: a whole scheduler on a database, which can stop dead at a point that the test names.
// Its argument is a `Spec`. It prints a line for each `Message`, at once, and is drained by SIGTERM.
import { existsSync, writeSync } from "node:fs"
import { flushCompileCache } from "node:module"
import { Cause, Context, Effect, Exit, Fiber, Layer, Logger } from "effect"
import { JobRun, JobStore, Scheduler, type SchedulerEvent } from "effect-scheduler"
import type { SchedulerOptions } from "effect-scheduler/SchedulerOptions"
import type { FaultyStore } from "effect-scheduler/testing"
import { type Deed, Keyed, Once, Tick, Work } from "./jobs.ts"
import { open, type Place } from "./layers.ts"

/** Where the process stops dead: before a store call is sent, after its answer came, or `within` its transition, which
 * runs in the transaction. It goes on when the file exists. */
export interface Point {
  readonly method: FaultyStore.Method
  readonly when: "before" | "within" | "after"
  readonly until: string
}

export interface Spec {
  readonly place: Place
  readonly options: Omit<SchedulerOptions, "stores" | "triggers">
  readonly jobs: ReadonlyArray<"Work" | "Keyed" | "Once" | "Tick">
  readonly park?: Point
}

export type Message =
  | { readonly _tag: "Ready"; readonly node: string }
  | { readonly _tag: "Parked"; readonly method: string }
  | { readonly _tag: "Began"; readonly run: string; readonly attempt: number; readonly at: number }
  | { readonly _tag: "Ended"; readonly run: string; readonly attempt: number; readonly at: number }
  | { readonly _tag: "Event"; readonly event: SchedulerEvent.SchedulerEvent }
  | { readonly _tag: "Left"; readonly how: string }

const spec = JSON.parse(process.argv[2] ?? "") as Spec

const say = (message: Message): void => {
  writeSync(1, `${JSON.stringify(message)}\n`)
}

const never = new Int32Array(new SharedArrayBuffer(4))

/** Stops the whole process: no timer, no socket, no heartbeat. */
const block = (millis: number): void => void Atomics.wait(never, 0, 0, millis)

const stand = (point: Point): void => {
  if (existsSync(point.until)) return
  say({ _tag: "Parked", method: point.method })
  while (!existsSync(point.until)) block(10)
}

/** An answer of a claim or a fire that brought nothing is no point in a run's life. */
const isEmpty = (answer: unknown): boolean => {
  const { applied, runs } = (answer ?? {}) as { readonly applied?: []; readonly runs?: [] }
  return (runs ?? applied)?.length === 0
}

const parking = (store: JobStore.JobStoreService, point: Point): JobStore.JobStoreService => {
  type Call = (params: object) => Effect.Effect<unknown, JobStore.JobStoreError>
  const call = store[point.method] as Call
  const parked: Call = (params) => {
    switch (point.when) {
      case "before":
        return Effect.andThen(
          Effect.sync(() => stand(point)),
          call(params)
        )
      case "after":
        return Effect.tap(call(params), (answer) => Effect.sync(() => isEmpty(answer) || stand(point)))
      case "within": {
        const { transition } = params as { readonly transition: JobStore.Transition }
        const parking: JobStore.Transition = (...args) => {
          const change = transition(...args)
          stand(point)
          return change
        }
        return call({ ...params, transition: parking })
      }
    }
  }
  return { ...store, [point.method]: parked }
}

const perform = (deed: typeof Deed.Type): Effect.Effect<void> => {
  switch (deed._tag) {
    case "End":
      return Effect.void
    case "Sleep":
      return Effect.sleep(deed.millis)
    case "Block":
      return Effect.sync(() => block(deed.millis))
    case "Exit":
      return Effect.sync(() => process.exit(7))
    case "Never":
      return Effect.never
  }
}

const handle = Effect.fnUntraced(function* (deed: typeof Deed.Type) {
  const { attempt, id } = yield* JobRun.current
  say({ _tag: "Began", run: id, attempt, at: Date.now() })
  yield* perform(deed)
  say({ _tag: "Ended", run: id, attempt, at: Date.now() })
})

const handlers = {
  Work: Work.toLayer(({ deed }) => handle(deed)),
  Keyed: Keyed.toLayer(({ deed }) => handle(deed)),
  Once: Once.toLayer(({ deed }) => handle(deed)),
  Tick: Tick.toLayer(() => handle({ _tag: "End" }))
}

const store = Layer.effect(
  JobStore.JobStore,
  Effect.map(Layer.build(open(spec.place)), (context) => {
    const below = Context.get(context, JobStore.JobStore)
    return spec.park === undefined ? below : parking(below, spec.park)
  })
)

const [first, ...rest] = spec.jobs.map((job) => handlers[job])

const program = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  yield* scheduler.on(
    ["NodeFenced", "NodeReaped", "RunRecovered", "RunLost", "RunReleased", "StoreDegraded", "StoreRecovered"],
    (event) => Effect.sync(() => say({ _tag: "Event", event }))
  )
  say({ _tag: "Ready", node: yield* scheduler.node })
  // Those who are killed would never write it.
  flushCompileCache()
  return yield* Effect.never
}).pipe(
  Effect.provide(
    Layer.mergeAll(first ?? Layer.empty, ...rest).pipe(
      Layer.provideMerge(Scheduler.layer({ ...spec.options, stores: { default: store } })),
      Layer.provideMerge(Logger.layer([]))
    )
  )
)

const main = Effect.runFork(Effect.scoped(program))
process.on("SIGTERM", () => main.interruptUnsafe())
const exit = await Effect.runPromise(Fiber.await(main))
const failed = Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)
say({ _tag: "Left", how: failed ? Cause.pretty(exit.cause) : "drained" })
process.exitCode = failed ? 1 : 0
