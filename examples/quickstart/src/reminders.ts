/**
 * What the program does, on whichever store.
 */
import { Console, Effect, Layer, Schema } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"

class Remind extends Job.make("Remind", { payload: { who: Schema.String, of: Schema.String } }) {}

const RemindLive = Remind.toLayer(({ of, who }) => Console.log(`${who}: ${of}`))

/** An upsert each, so that a program that starts again finds its schedules as they were. */
const schedules = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  yield* scheduler.schedule(Remind, {
    id: "stand-up",
    payload: { who: "everybody", of: "the stand-up in ten minutes" },
    trigger: Trigger.cron("50 8 * * MON-FRI", { timeZone: "Europe/Berlin" })
  })
  yield* scheduler.schedule(Remind, {
    id: "stretch",
    payload: { who: "you", of: "stretching" },
    trigger: Trigger.every("2 seconds")
  })
  yield* scheduler.schedule(Remind, {
    id: "rent",
    payload: { who: "Ada", of: "the rent" },
    trigger: Trigger.cron("0 9 LW * *")
  })
  yield* Console.log(yield* scheduler.render())
})

/** Needs a scheduler, and is all of the program but for its store. */
export const Reminders = Layer.effectDiscard(schedules).pipe(Layer.provide(RemindLive))
