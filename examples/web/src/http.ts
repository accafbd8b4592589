/**
 * The requests, each a call of the application.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "./Api.ts"
import { Reminders } from "./Reminders.ts"

/** A store that is away, and nothing that the client could do about it: status 500, and the cause in the log. */
const unexpected = { SchedulerError: Effect.die, JobStoreError: Effect.die }

export const RemindersHttp = HttpApiBuilder.group(
  Api,
  "reminders",
  Effect.fn(function* (handlers) {
    const reminders = yield* Reminders
    return handlers.handleAll({
      schedule: ({ payload: { text, to, when } }) =>
        reminders.schedule(to, text, when).pipe(Effect.catchTags(unexpected)),
      list: () => reminders.list.pipe(Effect.catchTags(unexpected)),
      cancel: ({ params: { id } }) => reminders.cancel(id).pipe(Effect.catchTags(unexpected))
    })
  })
)
