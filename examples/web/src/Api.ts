/**
 * What the application answers to: shared by server and client, and without a word of how it does it.
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"

/** Once at an instant, or as a cron text in a time zone says. */
export const When = Schema.Union([
  Schema.Struct({ at: Schema.DateTimeUtcFromString }),
  Schema.Struct({ cron: Schema.String, timeZone: Schema.optionalKey(Schema.String) })
])

export const Reminder = Schema.Struct({
  id: Schema.String,
  description: Schema.String,
  state: Schema.String,
  next: Schema.NullOr(Schema.DateTimeUtcFromString)
})
export type Reminder = typeof Reminder.Type

export class NoSuchReminder extends Schema.TaggedError<NoSuchReminder>()(
  "NoSuchReminder",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {}

/** Its message says which field of the text is wrong, and why. */
export class WrongTime extends Schema.TaggedError<WrongTime>()(
  "WrongTime",
  { message: Schema.String },
  { httpApiStatus: 422 }
) {}

class RemindersGroup extends HttpApiGroup.make("reminders")
  .add(
    HttpApiEndpoint.post("schedule", "/", {
      payload: Schema.Struct({ to: Schema.String, text: Schema.String, when: When }),
      success: Reminder.pipe(HttpApiSchema.status(201)),
      error: WrongTime
    }),
    HttpApiEndpoint.get("list", "/", { success: Schema.Array(Reminder) }),
    HttpApiEndpoint.delete("cancel", "/:id", {
      params: { id: Schema.String },
      success: HttpApiSchema.NoContent,
      error: NoSuchReminder
    })
  )
  .prefix("/reminders") {}

export class Api extends HttpApi.make("reminders-api").add(RemindersGroup) {}
