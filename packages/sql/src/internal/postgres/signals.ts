import { Deferred, Effect, Exit, Latch, Predicate, Queue, Random, Schedule, type Scope } from "effect"
import { Signal, type StoreSignal } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Tables } from "../tables.ts"
import { impatient } from "./held.ts"

/** What a client of Postgres can do beside SQL. */
interface Listening {
  readonly listen: (
    channel: string
  ) => Effect.Effect<Queue.Dequeue<{ readonly payload: string }, SqlError>, SqlError, Scope.Scope>
}

const canListen = (client: SqlClient): client is SqlClient & Listening =>
  Predicate.hasProperty(client, "listen") && typeof client.listen === "function"

/** Notifications are gathered for so long before the next one is sent. */
const gathering = "10 millis"

/** A notification that is not sent by then is not worth sending: whoever waits for it has polled. */
const sendTimeout = "2 seconds"

const everything = Signal.schedules | Signal.runs | Signal.ended | Signal.cancel

const reconnect = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.jittered
)

/**
 * Tells other processes what was changed here, and hears it from them. It speeds things up and nothing more: what is lost is
 * found by the next poll. Nothing is sent from within a transaction, since NOTIFY makes commits wait for each other.
 *
 * @returns what is called after each commit of this process.
 */
export const makeSignals = Effect.fnUntraced(function* (options: {
  readonly client: SqlClient
  readonly tables: Tables
  /** Called with what this process or another one has changed. */
  readonly hear: (signal: StoreSignal) => void
}): Effect.fn.Return<(signal: StoreSignal) => void, SqlError, Scope.Scope> {
  const { client, hear, tables } = options
  if (!canListen(client)) return hear
  const channel = `${tables.prefix}changes`
  // By which this process knows its own notifications, which it has heard already.
  const self = (yield* Random.nextIntBetween(0, 2 ** 40)).toString(36)

  let gathered: StoreSignal = 0
  const waiting = yield* Latch.make(false)
  const send = Effect.suspend(() => {
    waiting.closeUnsafe()
    const payload = `${self} ${gathered}`
    gathered = 0
    return client
      .unsafe("select pg_notify($1, $2)", [channel, payload])
      .values.pipe(Effect.timeoutOption(sendTimeout), Effect.ignoreCause, Effect.andThen(Effect.sleep(gathering)))
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(waiting.await, send)))

  const receive = (queue: Queue.Dequeue<{ readonly payload: string }, SqlError>) =>
    Effect.forever(
      Effect.map(Queue.take(queue), ({ payload }) => {
        const [from, bits] = payload.split(" ")
        if (from !== self) hear(Number(bits) & everything)
      })
    )
  const subscribed = yield* Deferred.make<void, SqlError>()
  let isFirst = true
  const listening = Effect.scoped(
    Effect.flatMap(impatient(client, client.listen(channel)), (queue) => {
      // While nobody listened anything may have changed.
      if (!isFirst) hear(everything)
      isFirst = false
      Deferred.doneUnsafe(subscribed, Exit.void)
      return receive(queue)
    })
  )
  yield* listening.pipe(
    Effect.tapCause((cause) => Deferred.failCause(subscribed, cause)),
    Effect.retry(reconnect),
    Effect.forkScoped
  )
  yield* Deferred.await(subscribed)

  return (signal) => {
    gathered |= signal
    hear(signal)
    waiting.openUnsafe()
  }
})
