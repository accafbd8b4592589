/** What the tests of this folder share. */
import { DateTime, type Duration, Effect, Layer, Schema, type Scope } from "effect"
import { Job, JobRun, Scheduler, type SchedulerEvent } from "effect-scheduler"
import type { SchedulerOptions } from "effect-scheduler/SchedulerOptions"
import { TestClock } from "effect/testing"

/** Sets the test's clock, builds the layer at that instant, and runs the program on it. */
export const on =
  <ROut, E2, RIn>(layer: Layer.Layer<ROut, E2, RIn>, start = "2026-03-02T12:00:00Z") =>
  <A, E, R>(program: Effect.Effect<A, E, R>) =>
    Effect.andThen(TestClock.setTime(Date.parse(start)), Effect.provide(program, layer))

/** Lets every fiber go on for as long as none of them waits for time to pass. */
export const settle = Effect.repeat(Effect.yieldNow, { times: 20 })

/** Lets time pass. What was asked for before is seen to first, and what is due at the end too. */
export const pass = (duration: Duration.Input) =>
  settle.pipe(Effect.andThen(TestClock.adjust(duration)), Effect.andThen(settle))

/** The time of day of an instant, in UTC; with tenths where there are any. */
export const time = (instant: number | null): string =>
  instant === null ? "never" : new Date(instant).toISOString().slice(11, 23).replace(".000", "")

/** An instant as text. */
export const iso = (instant: number | DateTime.DateTime | null): string =>
  instant === null ? "never" : DateTime.formatIso(DateTime.makeUnsafe(instant)).replace(".000Z", "Z")

/** A job without a payload. */
export class Tick extends Job.make("Tick") {}

/** A job that takes so many milliseconds. */
export class Slow extends Job.make("Slow", { payload: Schema.Struct({ millis: Schema.Finite }) }) {}

/** A job that fails. */
export class Crash extends Job.make("Crash", { error: Schema.String }) {}

/** Which run began or ended, and when. */
export interface Seen {
  readonly job: string
  readonly scheduleId: string | null
  readonly nominal: string
  readonly at: string
}

/** A scheduler with handlers for these jobs that write down what they did. */
export const worker = (options: SchedulerOptions = {}) => {
  const began: Array<Seen> = []
  const ended: Array<Seen> = []
  const seen = Effect.gen(function* () {
    const run = yield* JobRun.current
    const now = yield* DateTime.now
    const { job, scheduleId } = run
    return { job, scheduleId, nominal: time(run.nominal), at: time(now.epochMilliseconds) }
  })
  const write = (list: Array<Seen>) => Effect.map(seen, (one) => void list.push(one))
  const handlers = Layer.mergeAll(
    Tick.toLayer(() => Effect.andThen(write(began), write(ended))),
    Slow.toLayer(({ millis }) => write(began).pipe(Effect.andThen(Effect.sleep(millis)), Effect.andThen(write(ended)))),
    Crash.toLayer(() => Effect.andThen(write(began), Effect.fail("no luck")))
  )
  const layer = Layer.provideMerge(handlers, Scheduler.layer(options))
  return { layer, began, ended, nominals: () => ended.map((one) => one.nominal) }
}

/** Collects the events of these names from now on. */
export const record = <T extends SchedulerEvent.Tag>(
  ...tags: ReadonlyArray<T>
): Effect.Effect<Array<SchedulerEvent.Of<T>>, never, Scheduler | Scope.Scope> =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const events: Array<SchedulerEvent.Of<T>> = []
    yield* scheduler.on(tags, (event) => Effect.sync(() => void events.push(event)))
    return events
  })

/** The names of events in the order in which they came. */
export const tags = (events: ReadonlyArray<SchedulerEvent.SchedulerEvent>): ReadonlyArray<string> =>
  events.map((event) => event._tag)

/** Nobody fires for so long: the scheduler was down, or its machine slept. */
export const away = (duration: Duration.Input) =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler
    yield* scheduler.drain(0)
    yield* pass(duration)
    yield* scheduler.start
    yield* settle
  })
