/** What the types refuse, they refuse as installed. It is compiled and never run. */
import { Effect, Schedule, Schema } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"

class Work extends Job.make("Work", { payload: { n: Schema.Finite } }) {}

// @ts-expect-error hour field: "25" is not valid
export const late = () => Trigger.cron("0 25 * * *")

// @ts-expect-error what runs at most once is not tried again
export const twice = () => Job.make("J", { delivery: "atMostOnce", retry: Schedule.recurs(1) })

// @ts-expect-error the option is spelled maxRunning
export const misspelled = () => Scheduler.layer({ maxrunning: 3 })

export const verbs = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  // @ts-expect-error n is a number
  yield* scheduler.enqueue(Work, { n: "1" })
  // @ts-expect-error an effect cannot be stored
  yield* scheduler.schedule(Effect.void, { id: "a", trigger: Trigger.every("1 minute") })
})
