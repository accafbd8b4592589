/**
 * Two users, a note to one of them every second, and a digest every five: morning comes early here. Notes and state end with
 * the program; a file in place of `:memory:`, and a table of notes, would keep them.
 */
import { SqlJobStore } from "@effect-scheduler/sql"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer, Random, Schedule } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import { Mailer } from "./Mailer.ts"
import { Notes } from "./Notes.ts"
import { SendDigestLive, subscribe } from "./SendDigest.ts"

const users = ["ada", "grace"]

const writing = Effect.gen(function* () {
  const notes = yield* Notes
  const user = users[yield* Random.nextIntBetween(0, users.length - 1)]!
  yield* notes.write(user, yield* Random.choice(["a comment", "a like", "a mention", "a review"]))
}).pipe(Effect.repeat(Schedule.spaced("1 second")))

const Subscriptions = Layer.effectDiscard(
  Effect.forEach(users, (user) => subscribe(user, Trigger.every("5 seconds")), { discard: true })
)

const Main = Layer.mergeAll(Subscriptions, Layer.effectDiscard(Effect.forkScoped(writing))).pipe(
  Layer.provide(SendDigestLive),
  Layer.provide(Scheduler.layer({ stores: { default: SqlJobStore.layerSqlite({ filename: ":memory:" }) } })),
  Layer.provide([Notes.layerMemory, Mailer.layerConsole])
)

Layer.launch(Main).pipe(NodeRuntime.runMain)
