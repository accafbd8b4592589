/** Effect's PersistedQueue in a SQL database. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, ManagedRuntime, Redacted, Schema } from "effect"
import { PersistedQueue } from "effect/persistence"
import type { Form, Side } from "./side.ts"

const lacks = "result; no row for each attempt"

export const forms = {
  defaults: {
    settings: "one fiber that takes",
    quote:
      '"`take` processes one value at a time, marking it complete on success" (effect/persistence/PersistedQueue of effect 4.1.0).',
    lacks,
    isRecommended: false,
    count: 500
  },
  recommended: {
    settings: "100 fibers that take",
    quote: "No number is recommended; as many at a time as this library runs by default.",
    lacks,
    isRecommended: true,
    count: 4_000
  }
} satisfies Record<string, Form>

export const make = async (url: string, form: string): Promise<Side> => {
  const runtime = ManagedRuntime.make(
    PersistedQueue.layer.pipe(
      Layer.provide(PersistedQueue.layerStoreSql()),
      Layer.provide(PgClient.layer({ url: Redacted.make(url) }))
    )
  )
  const queue = await runtime.runPromise(
    PersistedQueue.make({ name: "note", schema: Schema.Struct({ text: Schema.String }) })
  )
  return {
    enqueue: (text) => runtime.runPromise(queue.offer({ text })),
    // It has nothing for many at once.
    enqueueAll: (texts) =>
      runtime.runPromise(Effect.forEach(texts, (text) => queue.offer({ text }), { concurrency: 10, discard: true })),
    work: async (handler) => {
      const take = queue.take(({ text }) => {
        const run = Effect.sync(() => handler.run(text))
        return handler.waits > 0 ? Effect.andThen(run, Effect.sleep(handler.waits)) : run
      })
      const fibers = form === "defaults" ? 1 : 100
      const worker = runtime.runFork(
        Effect.forEach(Array.from({ length: fibers }), () => Effect.forever(take), { concurrency: "unbounded" })
      )
      return () =>
        new Promise((resolve) => {
          worker.addObserver(resolve)
          worker.interruptUnsafe()
        })
    },
    unfinished: "select exists (select 1 from effect_queue where state = 'pending')",
    close: () => runtime.dispose()
  }
}
