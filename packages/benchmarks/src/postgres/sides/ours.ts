/** This library with the README's layer, unchanged. */
import { SqlJobStore } from "@effect-scheduler/sql"
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, ManagedRuntime, Redacted, Schema } from "effect"
import { Job, Scheduler } from "effect-scheduler"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Handler, Side } from "./side.ts"

class Note extends Job.make("Note", { payload: { text: Schema.String } }) {}

export const databaseOf = (url: string) => PgClient.layer({ url: Redacted.make(url) })

const layerOf = (handler: Handler, form: string, database: Layer.Layer<SqlClient, SqlError>) =>
  Note.toLayer(({ text }) => {
    const run = Effect.sync(() => handler.run(text))
    return handler.waits > 0 ? Effect.andThen(run, Effect.sleep(handler.waits)) : run
  }).pipe(
    Layer.provideMerge(
      Scheduler.layer({
        stores: { default: SqlJobStore.layer().pipe(Layer.provide(database)) },
        // Only for a look at whether the benchmark of recovery runs.
        ...(form === "shortLease" ? { lease: "1 second" } : {})
      })
    )
  )

export const make = async (
  url: string,
  form: string,
  database: Layer.Layer<SqlClient, SqlError> = databaseOf(url)
): Promise<Side> => {
  const writer = ManagedRuntime.make(
    Scheduler.layerClient({ default: SqlJobStore.layer().pipe(Layer.provide(databaseOf(url))) })
  )
  const scheduler = await writer.runPromise(Effect.service(Scheduler))
  return {
    enqueue: (text) => writer.runPromise(scheduler.enqueue(Note, { text })),
    enqueueAll: (texts) =>
      writer.runPromise(
        scheduler.enqueueAll(
          Note,
          texts.map((text) => ({ text }))
        )
      ),
    work: async (handler) => {
      const worker = ManagedRuntime.make(layerOf(handler, form, database))
      await worker.runPromise(Effect.service(Scheduler))
      return () => worker.dispose()
    },
    unfinished: "select exists (select 1 from scheduler_runs)",
    close: () => writer.dispose()
  }
}
