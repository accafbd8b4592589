import { type Config, Effect, Layer, type Option, type Scope, type Stream } from "effect"
import {
  JobRun,
  type JobRegistry,
  type JobStore,
  MemoryJobStore,
  Scheduler,
  type SchedulerError,
  type SchedulerEvent
} from "effect-scheduler"
import { describe, expect, it } from "tstyche"
import { Database, Other, Plain, Refused, trigger, Work } from "./given.ts"

type Failure = SchedulerError.SchedulerError | JobStore.JobStoreError

declare const scheduler: Scheduler["Service"]
declare const fragile: Layer.Layer<JobStore.JobStore, Other, Database>

describe("a handler", () => {
  it("fails with the error of its job and with nothing else", () => {
    expect(Work.toLayer(() => Effect.fail(new Refused()))).type.toBe<Layer.Layer<never, never, JobRegistry>>()
    // @ts-expect-error 'Other' is not assignable to type 'Refused'
    Work.toLayer(() => Effect.fail(new Other()))
    // @ts-expect-error 'Refused' is not assignable to type 'never'
    Plain.toLayer(() => Effect.fail(new Refused()))
  })

  it("succeeds with the success of its job", () => {
    // @ts-expect-error Type 'number' is not assignable to type 'string'
    Work.toLayer(({ n }) => Effect.succeed(n))
  })

  it("has requirements that its layer has, but for the run itself", () => {
    const live = Work.toLayer(() =>
      Effect.gen(function* () {
        const { id } = yield* JobRun.current
        return `${id} ${yield* (yield* Database).read}`
      })
    )
    expect(live).type.toBe<Layer.Layer<never, never, Database | JobRegistry>>()
  })

  it("may fail to be made, which is its layer's error", () => {
    const making = Work.toLayer(Effect.map(Effect.fail(new Other()), () => () => Effect.succeed("")))
    expect(making).type.toBe<Layer.Layer<never, Other, JobRegistry>>()
  })

  it("reads the last success of its schedule in the type of the job's success", () => {
    expect(JobRun.lastSuccess(Work)).type.toBe<
      Effect.Effect<Option.Option<string>, JobStore.JobStoreError, JobRun.JobRun>
    >()
  })
})

describe("what a scheduler's verbs fail with", () => {
  it("is a scheduler's or a store's error", () => {
    expect(scheduler.schedule(Plain, { id: "a", trigger })).type.toBe<
      Effect.Effect<import("effect-scheduler/Scheduler").ScheduleView, Failure>
    >()
    expect(scheduler.enqueue(Work, { n: 1 })).type.toBe<Effect.Effect<string, Failure>>()
    expect(scheduler.unschedule("a")).type.toBe<Effect.Effect<void, Failure>>()
  })

  it("is the job's error too where its result is awaited", () => {
    expect(scheduler.execute(Work, { n: 1 })).type.toBe<
      Effect.Effect<string, Refused | SchedulerError.RunNotSucceeded | Failure>
    >()
    expect(scheduler.execute(Plain)).type.toBe<Effect.Effect<void, SchedulerError.RunNotSucceeded | Failure>>()
  })
})

describe("the layer of a scheduler", () => {
  it("provides the scheduler and the registry of handlers", () => {
    expect(Scheduler.layer()).type.toBe<Layer.Layer<Scheduler | JobRegistry, SchedulerError.SchedulerError>>()
  })

  it("fails with, and needs, what any of its stores does", () => {
    expect(Scheduler.layer({ stores: { default: MemoryJobStore.layer, archive: fragile } })).type.toBe<
      Layer.Layer<Scheduler | JobRegistry, SchedulerError.SchedulerError | Other, Database>
    >()
    expect(Scheduler.layerClient({ default: fragile })).type.toBe<
      Layer.Layer<Scheduler, SchedulerError.SchedulerError | Other, Database>
    >()
    expect(Scheduler.layerConfig({ stores: { default: fragile } })).type.toBe<
      Layer.Layer<Scheduler | JobRegistry, SchedulerError.SchedulerError | Other | Config.ConfigError, Database>
    >()
  })

  it("is needed, with the registry, by a schedule that is declared as a layer", () => {
    expect(
      Scheduler.cron(
        "nightly",
        "0 3 * * *",
        Effect.flatMap(Database, ({ read }) => read)
      )
    ).type.toBe<Layer.Layer<never, Failure, Scheduler | JobRegistry | Database>>()
  })
})

describe("an event", () => {
  it("has the fields of those that are asked for", () => {
    expect(scheduler.events).type.toBe<Stream.Stream<SchedulerEvent.SchedulerEvent>>()
    expect(scheduler.on("RunFailed", ({ nextAttemptAt }) => Effect.succeed(nextAttemptAt))).type.toBe<
      Effect.Effect<void, never, Scope.Scope>
    >()
    // @ts-expect-error Property 'nextAttemptAt' does not exist
    scheduler.on("RunStarted", ({ nextAttemptAt }) => Effect.succeed(nextAttemptAt))
    // @ts-expect-error "RunFinished"
    scheduler.on("RunFinished", () => Effect.void)
  })
})
