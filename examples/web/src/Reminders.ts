/**
 * Reminders as the application has them: a service like any other, which knows of the scheduler what it needs.
 */
import { randomUUID } from "node:crypto"
import { Context, DateTime, Effect, Layer, Option, Result, Schema, Stream } from "effect"
import { Job, type JobStore, Scheduler, type SchedulerError, Trigger } from "effect-scheduler"
import type { ScheduleView } from "effect-scheduler/Scheduler"
import { NoSuchReminder, type Reminder, type When, WrongTime } from "./Api.ts"
import { Mailer } from "./Mailer.ts"

class SendReminder extends Job.make("SendReminder", { payload: { to: Schema.String, text: Schema.String } }) {}

/** What runs when a reminder is due. It may be in this process or in another one on the same store. */
export const SendReminderLive = SendReminder.toLayer(
  Effect.gen(function* () {
    const mailer = yield* Mailer
    return (mail) => mailer.send(mail)
  })
)

type Failure = SchedulerError.SchedulerError | JobStore.JobStoreError

export class Reminders extends Context.Service<
  Reminders,
  {
    readonly schedule: (
      to: string,
      text: string,
      when: typeof When.Type
    ) => Effect.Effect<Reminder, WrongTime | Failure>
    readonly list: Effect.Effect<ReadonlyArray<Reminder>, Failure>
    readonly cancel: (id: string) => Effect.Effect<void, NoSuchReminder | Failure>
  }
>()("web/Reminders") {
  static readonly layer = Layer.effect(
    Reminders,
    Effect.gen(function* () {
      const scheduler = yield* Scheduler

      return {
        schedule: Effect.fn("Reminders.schedule")(function* (to, text, when) {
          const trigger = yield* triggerOf(when)
          const id = yield* Effect.sync(() => randomUUID())
          return reminderOf(yield* scheduler.schedule(SendReminder, { id, payload: { to, text }, trigger }))
        }),

        list: Stream.runCollect(scheduler.listAll({ job: SendReminder.jobName })).pipe(
          Effect.map((views) => views.map(reminderOf))
        ),

        cancel: Effect.fn("Reminders.cancel")(function* (id) {
          yield* scheduler
            .unschedule(id)
            .pipe(
              Effect.catchReason("SchedulerError", "ScheduleNotFound", () => Effect.fail(new NoSuchReminder({ id })))
            )
          // What was due already and has not been sent.
          const { items } = yield* scheduler.runs({ scheduleId: id })
          yield* Effect.forEach(items, (run) => scheduler.cancel(run.id), { discard: true })
        })
      }
    })
  )
}

/** A text from outside is parsed, with a failure that can be told; one in the program is checked as it is compiled. */
const triggerOf = (when: typeof When.Type): Effect.Effect<Trigger.Trigger, WrongTime> =>
  "at" in when
    ? Effect.succeed(Trigger.at(when.at))
    : Effect.fromResult(
        Result.mapError(
          Trigger.parseCron(when.cron, { timeZone: when.timeZone }),
          ({ message }) => new WrongTime({ message })
        )
      )

const reminderOf = ({ description, id, nextAt, state }: ScheduleView): Reminder => ({
  id,
  description,
  state,
  next: Option.getOrNull(Option.flatMap(Option.fromNullishOr(nextAt), DateTime.make))
})
