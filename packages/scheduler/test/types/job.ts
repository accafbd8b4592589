/** What the types promise of jobs and their handlers. */
import { Effect, Layer, type Option, Schedule, Schema } from "effect"
import { Job, type JobRegistry, JobRun, type JobStore, Scheduler } from "../../src/index.ts"
import type { SchedulerError } from "../../src/SchedulerError.ts"
import { Database, Other, Plain, Refused, same, Work } from "./given.ts"

export const definitions = () => [
  Job.make("J", { delivery: "atMostOnce" }),
  Job.make("J", { delivery: "atLeastOnce", retry: Schedule.recurs(1) }),
  // @ts-expect-error what runs at most once is not tried again
  Job.make("J", { delivery: "atMostOnce", retry: Schedule.recurs(1) }),
  // @ts-expect-error there is no such delivery
  Job.make("J", { delivery: "exactlyOnce" }),

  Job.make("J", { payload: { n: Schema.Number }, key: ({ n }) => String(n) }),
  // @ts-expect-error the key is made of the payload, which has no m
  Job.make("J", { payload: { n: Schema.Number }, key: ({ m }) => String(m) }),
  // @ts-expect-error a key is a text
  Job.make("J", { payload: { n: Schema.Number }, key: ({ n }) => n }),

  Job.make("J", { payload: Schema.Struct({ n: Schema.Number }), queue: "mail", priority: 3, timeout: Infinity }),
  // @ts-expect-error priorities are 0 to 3
  Job.make("J", { priority: 4 }),
  // @ts-expect-error a queue is a name
  Job.make("J", { queue: 1 }),
  // @ts-expect-error a duration is a number and a unit
  Job.make("J", { timeout: "soon" }),
  // @ts-expect-error the option is spelled timeout
  Job.make("J", { timeOut: "1 minute" }),
  // @ts-expect-error the option is spelled concurrency
  Job.make("J", { payload: { n: Schema.Number }, concurency: 1 }),
  // @ts-expect-error with atMostOnce too, options are spelled right
  Job.make("J", { delivery: "atMostOnce", retries: 3 }),
  // @ts-expect-error a payload is made of schemas
  Job.make("J", { payload: { n: Number } }),
  // @ts-expect-error what is stored is readable anywhere: a schema that needs a service is refused
  Job.make("J", { payload: needing })
]

declare const needing: Schema.Codec<string, string, Database>

export const retries = () => [
  Job.make("J", {
    error: Refused,
    retry: Schedule.recurs(3).pipe(
      Schedule.while(({ input }: Schedule.Metadata<unknown, Job.JobFailure<Refused>>) =>
        Effect.succeed(input._tag === "Failed" && input.error._tag === "Refused")
      )
    )
  }),
  Job.make("J", {
    error: Refused,
    // @ts-expect-error a retry schedule is stepped with the job's failures, of which none is an Other
    retry: Schedule.recurs(3).pipe(
      Schedule.while(({ input }: Schedule.Metadata<unknown, Job.JobFailure<Other>>) => Effect.succeed(!!input))
    )
  })
]

export const handlers = [
  Work.toLayer(({ n }) => Effect.succeed(String(n))),
  Work.toLayer(Effect.succeed(({ n }) => Effect.succeed(String(n)))),
  // @ts-expect-error the job's success is a text
  Work.toLayer(({ n }) => Effect.succeed(n)),
  Work.toLayer(() => Effect.fail(new Refused())),
  // @ts-expect-error the job fails with Refused only
  Work.toLayer(() => Effect.fail(new Other())),
  // @ts-expect-error the job cannot fail
  Plain.toLayer(() => Effect.fail(new Refused())),
  // @ts-expect-error the payload has no m
  Work.toLayer(({ m }) => Effect.succeed(String(m)))
]

// What a handler requires its layer requires, but for the run itself, which the scheduler provides.
const reading = Work.toLayer(() =>
  Effect.gen(function* () {
    const database = yield* Database
    const run = yield* JobRun.current
    return `${run.id} ${yield* database.read}`
  })
)
same<Layer.Layer<never, never, Database | JobRegistry>, typeof reading>(true)
// @ts-expect-error the run is not among the requirements
same<Layer.Layer<never, never, Database | JobRegistry | JobRun.JobRun>, typeof reading>(true)

// What making a handler may fail with is its layer's error.
const making = Work.toLayer(Effect.map(Effect.fail(new Other()), () => () => Effect.succeed("")))
same<Layer.Layer<never, Other, JobRegistry>, typeof making>(true)

export const provided: Layer.Layer<Scheduler | JobRegistry, SchedulerError> = Layer.provideMerge(
  reading.pipe(Layer.provide(Layer.succeed(Database, { read: Effect.succeed(1) }))),
  Scheduler.layer()
)
// @ts-expect-error the database that the handler reads is missing
export const unread: Layer.Layer<Scheduler | JobRegistry, SchedulerError> = Layer.provideMerge(
  reading,
  Scheduler.layer()
)
// @ts-expect-error a handler registers in a JobRegistry
export const unregistered: Layer.Layer<never> = Plain.toLayer(() => Effect.void)

// The state from one run to the next is the success value of the job that is named.
export const last = JobRun.lastSuccess(Work)
same<Effect.Effect<Option.Option<string>, JobStore.JobStoreError, JobRun.JobRun>, typeof last>(true)
// @ts-expect-error it is no number
same<Effect.Effect<Option.Option<number>, JobStore.JobStoreError, JobRun.JobRun>, typeof last>(true)
// @ts-expect-error it is asked by the job, not by its name
export const byName = () => JobRun.lastSuccess("Work")
