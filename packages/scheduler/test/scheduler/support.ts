/**
 * What the tests of the scheduler share: a store in memory that does as it is told, a clock that can be moved, and what a
 * subscriber saw.
 */
import { Clock, type Context, Effect, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { JobStore, MemoryJobStore, type SchedulerEvent } from "../../src/index.ts"
import type { SchedulerService } from "../../src/Scheduler.ts"
import { SchedulerEvent as Event } from "../../src/SchedulerEvent.ts"
import { FaultyStore } from "../../src/testing/index.ts"

export type Method = FaultyStore.Method

/**
 * What a method does in place of its work: it fails, dies, never answers, or does its work and then fails or never answers;
 * a number of milliseconds has it answer late, and what is stubborn cannot be interrupted. What is locked by another node
 * is passed over: there is nothing to fire or to claim.
 */
export type Trouble =
  | "fail"
  | "full"
  | "die"
  | "interrupt"
  | "hang"
  | "doThenFail"
  | "doThenHang"
  | "stubborn"
  | "lateStubborn"
  | "locked"
  | "busy"
  | number

/** A store whose methods can be given trouble, and which counts its calls. */
export interface Steered {
  readonly store: JobStore.JobStoreService
  readonly layer: Layer.Layer<JobStore.JobStore>
  /** Until it is taken away, or for so many calls. */
  readonly trouble: (method: Method, trouble: Trouble, times?: number) => void
  readonly heal: () => void
  /** No call of this node is answered any more, until `heal`. */
  readonly cut: () => void
  readonly calls: (method: Method) => number
}

/** `shared: true` gives a store in memory the behaviour of one that several nodes use: leases, reaping, polling. */
export const steered = (
  options: {
    readonly shared?: boolean
    /** The store below, where several nodes have one. */ readonly over?: JobStore.JobStoreService
  } = {}
): Steered => {
  const inner = options.over ?? Effect.runSync(MemoryJobStore.make())
  const troubles = new Map<string, { readonly trouble: Trouble; left: number }>()
  const counts = new Map<string, number>()
  const wrap =
    (method: Method, work: Effect.Effect<unknown, JobStore.JobStoreError>) =>
    (): Effect.Effect<unknown, JobStore.JobStoreError> => {
      counts.set(method, (counts.get(method) ?? 0) + 1)
      const found = troubles.get(method)
      if (found === undefined || found.left <= 0) return work
      found.left--
      return troubled(method, found.trouble, work)
    }
  const store = new Proxy(inner, {
    get: (target, key) => {
      if (key === "shared") return options.shared ?? false
      const value = target[key as keyof typeof target]
      if (key === "nodes") return Effect.suspend(wrap("nodes", target.nodes))
      if (typeof value !== "function" || key === "subscribe") return value
      return (params: never) =>
        Effect.suspend(
          wrap(
            key as Method,
            Effect.suspend(() => (value as (_: never) => Effect.Effect<unknown, JobStore.JobStoreError>)(params))
          )
        )
    }
  })
  return {
    store,
    layer: Layer.succeed(JobStore.JobStore, store),
    trouble: (method, trouble, times = Infinity) => void troubles.set(method, { trouble, left: times }),
    heal: () => troubles.clear(),
    cut: () => {
      for (const method of FaultyStore.methods) troubles.set(method, { trouble: "hang", left: Infinity })
    },
    calls: (method) => counts.get(method) ?? 0
  }
}

const troubled = (
  method: Method,
  trouble: Trouble,
  work: Effect.Effect<unknown, JobStore.JobStoreError>
): Effect.Effect<unknown, JobStore.JobStoreError> => {
  const failure = (reason: "Unavailable" | "Full" | "Busy") =>
    new JobStore.JobStoreError({ reason, method, message: `${method} was told to fail` })
  switch (trouble) {
    case "fail":
      return Effect.fail(failure("Unavailable"))
    case "full":
      return Effect.fail(failure("Full"))
    case "busy":
      return Effect.fail(failure("Busy"))
    case "die":
      return Effect.die(new Error(`${method} was told to die`))
    case "interrupt":
      return Effect.interrupt
    case "hang":
      return Effect.never
    case "stubborn":
      return Effect.uninterruptible(Effect.never)
    case "lateStubborn":
      return Effect.uninterruptible(Effect.andThen(Effect.sleep("20 seconds"), work))
    case "doThenFail":
      return Effect.andThen(work, Effect.fail(failure("Unavailable")))
    case "doThenHang":
      return Effect.andThen(work, Effect.never)
    case "locked":
      return Effect.map(Clock.currentTimeMillis, (now) => ({ applied: [], full: false, runs: [], now }))
    default:
      return Effect.tap(work, () => Effect.sleep(trouble))
  }
}

export { settled } from "../../src/testing/index.ts"

export type AnyEvent = SchedulerEvent.SchedulerEvent

export const tags: ReadonlyArray<SchedulerEvent.Tag> = Event.members.map((member) => member.fields._tag.schema.literal)

/** Everything that this scheduler tells from now on. */
export const listen = (scheduler: SchedulerService): Effect.Effect<Array<AnyEvent>, never, Scope.Scope> => {
  const seen: Array<AnyEvent> = []
  return Effect.as(
    scheduler.on(tags, (event) => Effect.sync(() => void seen.push(event))),
    seen
  )
}

/** Those of one name. */
export const only = <T extends SchedulerEvent.Tag>(
  events: ReadonlyArray<AnyEvent>,
  tag: T
): ReadonlyArray<SchedulerEvent.Of<T>> => events.filter((event) => event._tag === tag) as never

/** The names of a run's events, in order. */
export const story = (events: ReadonlyArray<AnyEvent>, runId?: string): ReadonlyArray<string> =>
  events
    .filter((event) => ("runId" in event ? runId === undefined || event.runId === runId : false))
    .map((event) => event._tag)

/** A program of its own: its layers are built here and closed when the scope closes, apart from those of other nodes. */
export const build = <A, E, R>(layer: Layer.Layer<A, E, R>): Effect.Effect<Context.Context<A>, E, R | Scope.Scope> =>
  Layer.build(Layer.fresh(layer))

/** Lets time pass while the scope closes: calls that were cut off have to time out. */
export const patiently = <A, E, R>(test: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const exit = yield* Effect.exit(Scope.provide(test, scope))
    const closing = yield* Effect.forkChild(Scope.close(scope, exit))
    yield* TestClock.adjust("2 minutes")
    yield* Fiber.join(closing)
    return yield* exit
  })
