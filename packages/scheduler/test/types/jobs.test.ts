// What must not compile is meant here.
// @effect-diagnostics missingEffectError:off missingLayerContext:off
/**
 * What the types promise of jobs and schedulers: for each promise a line that must compile and one that must not. The
 * compiler is the test; nothing here is run.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Schedule, Schema } from "effect"
import { Job, type JobRegistry, JobRun, type JobStore, MemoryJobStore, Scheduler, Trigger } from "../../src/index.ts"
import type { SchedulerError } from "../../src/SchedulerError.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}
class Other extends Schema.TaggedError<Other>()("Other", {}) {}
class Database extends Context.Service<Database, { readonly read: Effect.Effect<number> }>()("test/Database") {}

class Plain extends Job.make("Plain") {}
class Work extends Job.make("Work", { payload: { n: Schema.Finite }, success: Schema.String, error: Refused }) {}

const trigger = Trigger.every("1 minute")

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(equal: Equals<A, B>): boolean => equal

/** Never called. */
export const promises = Effect.gen(function* () {
  const scheduler = yield* Scheduler

  // An effect cannot be stored: `schedule` takes named jobs only.
  yield* scheduler.schedule(Plain, { id: "a", trigger })
  // @ts-expect-error
  yield* scheduler.schedule(Effect.void, { id: "a", trigger })
  // @ts-expect-error
  yield* scheduler.enqueue(Effect.void)

  // What `scheduleEffect` runs is in no store.
  yield* scheduler.scheduleEffect(Effect.void, { id: "a", trigger })
  // @ts-expect-error
  yield* scheduler.scheduleEffect(Effect.void, { id: "a", trigger, store: "default" })

  // The payload is the job's.
  yield* scheduler.schedule(Work, { id: "a", trigger, payload: { n: 1 } })
  // @ts-expect-error
  yield* scheduler.schedule(Work, { id: "a", trigger, payload: { n: "1" } })
  // @ts-expect-error
  yield* scheduler.schedule(Work, { id: "a", trigger })
  // @ts-expect-error
  yield* scheduler.schedule(Work, { id: "a", trigger, payload: { n: 1, more: 2 } })
  // @ts-expect-error
  yield* scheduler.schedule(Plain, { id: "a", trigger, payload: { n: 1 } })
  yield* scheduler.enqueue(Work, { n: 1 })
  // @ts-expect-error
  yield* scheduler.enqueue(Work)
  // @ts-expect-error
  yield* scheduler.enqueue(Work, { n: "1" })
  yield* scheduler.enqueue(Plain)
  yield* scheduler.update(Work, "a", { payload: { n: 2 } })
  // @ts-expect-error
  yield* scheduler.update(Work, "a", { payload: { n: "2" } })

  // `execute` answers with the job's success and fails with its error, or says why not.
  same<string, Effect.Success<ReturnType<typeof executed>>>(true)
  // @ts-expect-error
  same<number, Effect.Success<ReturnType<typeof executed>>>(true)
  yield* scheduler.execute(Work, { n: 1 }).pipe(Effect.catchTag("Refused", () => Effect.succeed("")))
  // @ts-expect-error
  yield* scheduler.execute(Plain).pipe(Effect.catchTag("Refused", () => Effect.succeed("")))

  // Options are spelled right.
  yield* scheduler.schedule(Plain, { id: "a", trigger, maxInstances: 2 })
  // @ts-expect-error
  yield* scheduler.schedule(Plain, { id: "a", trigger, max_instances: 2 })
  // @ts-expect-error
  yield* scheduler.schedule(Plain, { id: "a", trigger, overlap: "queue" })
  // @ts-expect-error
  yield* scheduler.schedule(Plain, { id: "a", trigger, missed: { mode: "latest" } })
  // @ts-expect-error
  yield* scheduler.schedule(Plain, { trigger })
  // @ts-expect-error
  yield* scheduler.backfill("a", { from: 0, to: 1 })

  // A handler of events gets the event of its name.
  yield* scheduler.on("RunFailed", (event) => Effect.succeed(event.nextAttemptAt))
  // @ts-expect-error
  yield* scheduler.on("RunStarted", (event) => Effect.succeed(event.nextAttemptAt))
  // @ts-expect-error
  yield* scheduler.on("RunFinished", () => Effect.void)
  yield* scheduler.on(["RunFailed", "RunSucceeded"], (event) => Effect.succeed(event.duration))
  // @ts-expect-error
  yield* scheduler.on(["RunFailed", "RunStarted"], (event) => Effect.succeed(event.duration))
})

const executed = (scheduler: Scheduler["Service"]) => scheduler.execute(Work, { n: 1 })

/** Handlers. */
export const handlers = [
  // Success and error are the job's.
  Work.toLayer(({ n }) => Effect.succeed(String(n))),
  // @ts-expect-error
  Work.toLayer(({ n }) => Effect.succeed(n)),
  Work.toLayer(() => Effect.fail(new Refused())),
  // @ts-expect-error
  Work.toLayer(() => Effect.fail(new Other())),
  // @ts-expect-error
  Plain.toLayer(() => Effect.fail(new Refused())),
  // @ts-expect-error
  Work.toLayer(({ m }) => Effect.succeed(String(m)))
]

// A handler's requirements are its layer's, but for the run itself, and there must be a registry.
const needing = Work.toLayer(() =>
  Effect.gen(function* () {
    const database = yield* Database
    const run = yield* JobRun.current
    return `${run.id} ${yield* database.read}`
  })
)
same<Layer.Layer<never, never, Database | JobRegistry>, typeof needing>(true)
// @ts-expect-error
same<Layer.Layer<never, never, Database | JobRegistry | JobRun.JobRun>, typeof needing>(true)
const provided: Layer.Layer<Scheduler | JobRegistry, SchedulerError> = Layer.provideMerge(
  needing.pipe(Layer.provide(Layer.succeed(Database, { read: Effect.succeed(1) }))),
  Scheduler.layer()
)
// @ts-expect-error
const unprovided: Layer.Layer<Scheduler | JobRegistry, SchedulerError> = Layer.provideMerge(needing, Scheduler.layer())
// @ts-expect-error
const unregistered: Layer.Layer<never> = Plain.toLayer(() => Effect.void)

/** Definitions. */
export const definitions = () => [
  // A job that runs at most once has no retry.
  Job.make("J", { delivery: "atMostOnce" }),
  Job.make("J", { delivery: "atLeastOnce", retry: Schedule.recurs(1) }),
  // @ts-expect-error
  Job.make("J", { delivery: "atMostOnce", retry: Schedule.recurs(1) }),
  // The key is of the payload, and a text.
  Job.make("J", { payload: { n: Schema.Finite }, key: ({ n }) => String(n) }),
  // @ts-expect-error
  Job.make("J", { payload: { n: Schema.Finite }, key: ({ m }) => String(m) }),
  // @ts-expect-error
  Job.make("J", { payload: { n: Schema.Finite }, key: ({ n }) => n }),
  // Priorities are 0 to 3, durations are durations, options are spelled right.
  Job.make("J", { priority: 3 }),
  // @ts-expect-error
  Job.make("J", { priority: 4 }),
  // @ts-expect-error
  Job.make("J", { timeout: "soon" }),
  // @ts-expect-error
  Job.make("J", { timeOut: "1 minute" }),
  // @ts-expect-error
  Job.make("J", { payload: { n: Number } })
]

/** Layers. */
export const layers = () => [
  Scheduler.layer({ maxRunning: 3, stores: { default: MemoryJobStore.layer } }),
  // @ts-expect-error
  Scheduler.layer({ maxrunning: 3 }),
  // @ts-expect-error
  Scheduler.layer({ stores: { default: Layer.succeed(Database, { read: Effect.succeed(1) }) } }),
  Scheduler.cron("nightly", "0 3 * * *", Effect.void),
  // @ts-expect-error
  Scheduler.cron("nightly", "0 25 * * *", Effect.void),
  // @ts-expect-error
  Scheduler.cron("nightly", "0 3 * *" as string, Effect.void),
  Scheduler.every("often", "5 seconds", Effect.void),
  // @ts-expect-error
  Scheduler.every("often", "5 moons", Effect.void)
]

// What stores may fail with and need is in the layer's type.
class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {}
declare const fragile: Layer.Layer<JobStore.JobStore, Broken, Database>
const onFragile = () => Scheduler.layer({ stores: { default: fragile } })
same<Layer.Layer<Scheduler | JobRegistry, SchedulerError | Broken, Database>, ReturnType<typeof onFragile>>(true)

/** Combinations of triggers. */
export const combinations = () => [
  Trigger.or(Trigger.every("1 minute"), Trigger.cron("0 3 * * *")),
  // @ts-expect-error
  Trigger.or(Trigger.every("1 minute"), Trigger.spaced("1 minute")),
  // @ts-expect-error
  Trigger.except(Trigger.spaced("1 minute"), Trigger.every("1 hour")),
  Trigger.cron("0 3 * * *"),
  // @ts-expect-error
  Trigger.cron("61 3 * * *"),
  // @ts-expect-error
  Trigger.cron("0 3 * * *" as string)
]

it("each promise that the types make is kept where the types are checked", () => {
  assert.isDefined(provided)
  assert.isDefined(unprovided)
  assert.isDefined(unregistered)
})
