/** What the types promise of the scheduler's verbs and events. */
import { Effect, type Scope, Stream } from "effect"
import { type JobStore, Scheduler, SchedulerEvent, Trigger } from "../../src/index.ts"
import type { RunNotSucceeded, SchedulerError } from "../../src/SchedulerError.ts"
import { Database, Plain, type Refused, same, trigger, Work } from "./given.ts"

type Failure = SchedulerError | JobStore.JobStoreError

/** Never called. */
export const verbs = Effect.gen(function* () {
  const scheduler = yield* Scheduler

  // Only what has a name can be stored.
  yield* scheduler.schedule(Plain, { id: "a", trigger })
  // @ts-expect-error an effect cannot be stored
  yield* scheduler.schedule(Effect.void, { id: "a", trigger })
  // @ts-expect-error an effect cannot be stored
  yield* scheduler.scheduleAll(Effect.void, [{ id: "a", trigger }])
  // @ts-expect-error an effect cannot be stored
  yield* scheduler.enqueue(Effect.void)

  // What scheduleEffect runs is in no store of the user's.
  yield* scheduler.scheduleEffect(Effect.void, { id: "a", trigger, overlap: "allow", timeout: "1 minute" })
  // @ts-expect-error it takes no store
  yield* scheduler.scheduleEffect(Effect.void, { id: "a", trigger, store: "default" })
  // @ts-expect-error it takes an effect
  yield* scheduler.scheduleEffect(Plain, { id: "a", trigger })

  // Payloads.
  yield* scheduler.schedule(Work, { id: "a", trigger, payload: { n: 1 } })
  // @ts-expect-error n is a number
  yield* scheduler.schedule(Work, { id: "a", trigger, payload: { n: "1" } })
  // @ts-expect-error the payload is missing
  yield* scheduler.schedule(Work, { id: "a", trigger })
  // @ts-expect-error there is no more in it
  yield* scheduler.schedule(Work, { id: "a", trigger, payload: { n: 1, more: 2 } })
  // @ts-expect-error the job takes none
  yield* scheduler.schedule(Plain, { id: "a", trigger, payload: { n: 1 } })
  yield* scheduler.scheduleAll(Work, [{ id: "a", trigger, payload: { n: 1 } }])
  const unpaid = { id: "b", trigger }
  // @ts-expect-error the payload of one is missing
  yield* scheduler.scheduleAll(Work, [unpaid])
  yield* scheduler.enqueue(Plain)
  yield* scheduler.enqueue(Work, { n: 1 }, { at: "2030-01-01", idempotencyKey: "k", priority: 0 })
  // @ts-expect-error the payload is missing
  yield* scheduler.enqueue(Work)
  // @ts-expect-error n is a number
  yield* scheduler.enqueue(Work, { n: "1" })
  // @ts-expect-error the job takes none
  yield* scheduler.enqueue(Plain, { n: 1 })
  // @ts-expect-error the option is spelled idempotencyKey
  yield* scheduler.enqueue(Work, { n: 1 }, { idempotenceKey: "k" })
  // @ts-expect-error one key cannot be that of many runs
  yield* scheduler.enqueueAll(Work, [{ n: 1 }, { n: 2 }], { idempotencyKey: "k" })
  // @ts-expect-error n is a number
  yield* scheduler.enqueueAll(Work, [{ n: 1 }, { n: "2" }])
  yield* scheduler.update(Work, "a", { payload: { n: 2 }, maxRuns: 3 })
  // @ts-expect-error n is a number
  yield* scheduler.update(Work, "a", { payload: { n: "2" } })
  // @ts-expect-error a trigger is changed by reschedule
  yield* scheduler.update(Work, "a", { trigger })

  // Policies.
  yield* scheduler.schedule(Plain, { id: "a", trigger, maxInstances: 2, priority: 1, onConflict: "keep" })
  // @ts-expect-error the option is spelled maxInstances
  yield* scheduler.schedule(Plain, { id: "a", trigger, max_instances: 2 })
  // @ts-expect-error there is no such overlap
  yield* scheduler.schedule(Plain, { id: "a", trigger, overlap: "queue" })
  // @ts-expect-error wait is what backfills use
  yield* scheduler.schedule(Plain, { id: "a", trigger, overlap: "wait" })
  // @ts-expect-error the option is spelled run
  yield* scheduler.schedule(Plain, { id: "a", trigger, missed: { mode: "latest" } })
  // @ts-expect-error there is no such missed policy
  yield* scheduler.schedule(Plain, { id: "a", trigger, missed: { run: "coalesce" } })
  // @ts-expect-error priorities are 0 to 3
  yield* scheduler.schedule(Plain, { id: "a", trigger, priority: 4 })
  // @ts-expect-error there is no such answer to a conflict
  yield* scheduler.schedule(Plain, { id: "a", trigger, onConflict: "merge" })
  // @ts-expect-error an id is given by the user
  yield* scheduler.schedule(Plain, { trigger })
  // @ts-expect-error a trigger is no text
  yield* scheduler.schedule(Plain, { id: "a", trigger: "* * * * *" })
  yield* scheduler.backfill("a", { from: 0, to: 1, request: "r" })
  // @ts-expect-error a backfill is asked for under a name
  yield* scheduler.backfill("a", { from: 0, to: 1 })
  // @ts-expect-error a resume is from now, or from what was missed
  yield* scheduler.resume("a", { from: "then" })

  // Events.
  yield* scheduler.on("RunFailed", (event) => Effect.succeed(event.nextAttemptAt))
  // @ts-expect-error a run that starts has no next attempt
  yield* scheduler.on("RunStarted", (event) => Effect.succeed(event.nextAttemptAt))
  // @ts-expect-error there is no such event
  yield* scheduler.on("RunFinished", () => Effect.void)
  yield* scheduler.on(["RunFailed", "RunSucceeded"], (event) => Effect.succeed(event.duration))
  // @ts-expect-error of the two, a run that starts has no duration
  yield* scheduler.on(["RunFailed", "RunStarted"], (event) => Effect.succeed(event.duration))
  // @ts-expect-error a handler answers with an effect
  yield* scheduler.on("RunFailed", () => {})
  const some = Stream.filter(scheduler.events, SchedulerEvent.isOneOf("RunMissed", "RunSkipped"))
  yield* Stream.runForEach(some, (event) => Effect.succeed(event.first))
  // @ts-expect-error an event of any name has no first
  yield* Stream.runForEach(scheduler.events, (event) => Effect.succeed(event.first))
  // @ts-expect-error there is no such event
  SchedulerEvent.isOneOf("RunFinished")
})

declare const scheduler: Scheduler["Service"]

// `execute` answers with the job's success, and fails with its error or says why there is none.
const execute = () => scheduler.execute(Work, { n: 1 })
same<ReturnType<typeof execute>, Effect.Effect<string, Refused | RunNotSucceeded | Failure>>(true)
// @ts-expect-error the success is a text
same<Effect.Success<ReturnType<typeof execute>>, number>(true)
const executePlain = () => scheduler.execute(Plain)
same<ReturnType<typeof executePlain>, Effect.Effect<void, RunNotSucceeded | Failure>>(true)
export const caught = () => execute().pipe(Effect.catchTag("Refused", () => Effect.succeed("")))
// @ts-expect-error this job never fails with Refused
export const uncaught = () => executePlain().pipe(Effect.catchTag("Refused", () => Effect.void))
// @ts-expect-error the payload is missing
export const unpaid = () => scheduler.execute(Work)

// `scheduleEffect` takes what its effect requires from the caller, and ends with the caller's scope.
const scheduleEffect = () =>
  scheduler.scheduleEffect(
    Effect.flatMap(Database, ({ read }) => read),
    { id: "a", trigger }
  )
same<ReturnType<typeof scheduleEffect>, Effect.Effect<void, Failure, Database | Scope.Scope>>(true)
// @ts-expect-error there is no scope to end with
export const unscoped = (): Effect.Effect<void, Failure, Database> => scheduleEffect()

// A handler of events brings its requirements along.
const reading = () => scheduler.on("ClockJumped", () => Effect.flatMap(Database, ({ read }) => read))
same<ReturnType<typeof reading>, Effect.Effect<void, never, Database | Scope.Scope>>(true)

// A spaced rhythm is a schedule's trigger like any other.
export const rhythm = () => scheduler.schedule(Plain, { id: "a", trigger: Trigger.spaced("1 minute") })
