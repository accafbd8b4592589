/**
 * A digest of what is new since the last one. Its state, the number of the newest note that was mailed, is the result of the
 * last run of the same schedule that succeeded: typed by the job's schema, stored with the run, and in no table of its own.
 */
import { Effect, Option, Schedule, Schema } from "effect"
import { Job, JobRun, Scheduler, Trigger } from "effect-scheduler"
import { Mailer, MailFailed } from "./Mailer.ts"
import { Notes } from "./Notes.ts"

export class SendDigest extends Job.make("SendDigest", {
  payload: { user: Schema.String },
  success: Schema.Struct({ upTo: Schema.Int, mailed: Schema.Int }),
  error: MailFailed,
  retry: Schedule.exponential("1 minute").pipe(Schedule.upTo({ times: 5 }))
}) {}

export const SendDigestLive = SendDigest.toLayer(
  Effect.gen(function* () {
    const notes = yield* Notes
    const mailer = yield* Mailer
    return Effect.fnUntraced(function* ({ user }) {
      const run = yield* JobRun.current
      // A store that cannot be read is no failure of the mail, and is tried again as one.
      const last = yield* Effect.mapError(
        JobRun.lastSuccess(SendDigest),
        ({ message }) => new MailFailed({ why: message })
      )
      const upTo = Option.match(last, { onNone: () => 0, onSome: (state) => state.upTo })
      const fresh = yield* notes.after(user, upTo)
      if (fresh.length === 0) return { upTo, mailed: 0 }
      yield* mailer.send({ key: run.id, to: user, lines: fresh.map(({ text }) => text) })
      return { upTo: fresh.at(-1)!.number, mailed: fresh.length }
    })
  })
)

/** One schedule a user: each has a state of its own. */
export const subscribe = Effect.fnUntraced(function* (user: string, trigger: Trigger.Trigger) {
  const scheduler = yield* Scheduler
  // While one is tried again the next waits, and then mails what is left.
  yield* scheduler.schedule(SendDigest, { id: `digest:${user}`, payload: { user }, trigger, overlap: "bufferOne" })
})

/** Every morning at eight. */
export const mornings = (timeZone: string) => Trigger.cron("0 8 * * *", { timeZone })
