/** What the tests of the verbs share: two jobs, a scheduler on a store that can be looked into, and what ran. */
import { Effect, Layer, Schema } from "effect"
import { Job, JobRun, Scheduler, Trigger } from "../../../src/index.ts"
import type { ScheduleRecord } from "../../../src/JobSchedule.ts"
import type { SchedulerOptions } from "../../../src/SchedulerOptions.ts"
import { type Steered, steered } from "../support.ts"

/** Ends at once. */
export class Note extends Job.make("Note", { payload: { text: Schema.String } }) {}

/** Ends after so many seconds. */
export class Slow extends Job.make("Slow", { payload: { seconds: Schema.Finite } }) {}

const minute = 60_000

export const minutely = { id: "m", trigger: Trigger.every("1 minute"), payload: { text: "a" } } as const

/** What ran: its cause, its nominal time in minutes, and its payload. */
export const world = (options: Omit<SchedulerOptions, "stores"> = {}, store: Steered = steered()) => {
  const ran: Array<string> = []
  const tell = (what: string | number) =>
    Effect.map(JobRun.current, (run) => {
      const cause = run.cause.split(":")[0]!
      ran.push(`${cause} ${run.nominal === null ? "-" : run.nominal / minute} ${what}`)
    })
  const live = Layer.mergeAll(
    Note.toLayer(({ text }) => tell(text)),
    Slow.toLayer(({ seconds }) => Effect.andThen(tell(seconds), Effect.sleep(seconds * 1_000)))
  )
  const layer = Scheduler.layer({ drainDeadline: 0, ...options, stores: { default: store.layer } })
  return { ran, store, row: rowIn(store), layer: Layer.fresh(Layer.provideMerge(live, layer)) }
}

/** The row of a schedule as its store keeps it; undefined where there is none. */
const rowIn =
  ({ store }: Steered) =>
  (id: string): Effect.Effect<ScheduleRecord | undefined> =>
    Effect.orDie(Effect.map(store.getSchedules({ ids: [id] }), ([row]) => row))

/** What a refusal says. */
export const messageOf = <A, E extends { readonly message: string }, R>(
  call: Effect.Effect<A, E, R>
): Effect.Effect<string, A, R> => Effect.map(Effect.flip(call), (error) => error.message)
