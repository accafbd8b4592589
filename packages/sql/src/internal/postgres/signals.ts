import {
  Clock,
  Deferred,
  Effect,
  Exit,
  type Fiber,
  Latch,
  Option,
  Predicate,
  Queue,
  Random,
  Schedule,
  Scope
} from "effect"
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

/** For so many milliseconds changes are gathered before a notification of their own is sent. */
const gathering = 10

/** A statement sends one itself where none was sent for so many. */
const apart = 2

/** A notification that is not sent by then is not worth sending: whoever waits for it has polled. */
const sendTimeout = "2 seconds"

const everything = Signal.schedules | Signal.runs | Signal.ended | Signal.cancel

/** Who is to hear waits no longer for a server that does not answer. Once it does, all is heard that may have been missed. */
const listenTimeout = "1 second"

const reconnect = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.jittered
)

/** The channel on which the stores of these tables tell each other. */
export const channelOf = (tables: Tables): string => `${tables.prefix}changes`

/** A notification that a statement sends. */
export interface Notification {
  readonly payload: string
  /** Called where it was not sent: what it was to tell is told later. */
  readonly giveBack: () => void
}

/** How processes tell each other what they have changed. */
export interface Signals {
  /** Called after each commit of this process; `isTold` where the statement has told the others itself. */
  readonly notify: (signal: StoreSignal, isTold?: boolean) => void
  /** What a statement sends on the channel after its commit, unless one was sent just now. */
  readonly take: (signal: StoreSignal) => Notification | undefined
  /** Begins to hear of others, and comes back once nothing can be missed that they change from now on; after a while at the
   * latest. */
  readonly listen: Effect.Effect<void>
}

/**
 * Tells other processes what was changed here, and hears it from them. It speeds things up and nothing more: what is lost is
 * found by the next poll. Nothing is sent from within a transaction that changes something, since NOTIFY makes commits wait
 * for each other.
 */
export const makeSignals = Effect.fnUntraced(function* (options: {
  readonly client: SqlClient
  readonly tables: Tables
  /** Called with what this process or another one has changed. */
  readonly hear: (signal: StoreSignal) => void
}): Effect.fn.Return<Signals, never, Scope.Scope> {
  const { client, hear, tables } = options
  if (!canListen(client)) return { notify: hear, take: () => undefined, listen: Effect.void }
  const channel = channelOf(tables)
  const clock = yield* Clock.Clock
  const monotonic = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  // By which this process knows its own notifications, which it has heard already.
  const self = (yield* Random.nextIntBetween(0, 2 ** 40)).toString(36)
  const payloadOf = (signal: StoreSignal): string => `${self} ${signal}`

  let gathered: StoreSignal = 0
  let sentAt = -Infinity
  /** Of what a statement was to send. Where many send nothing in the end, one after another, nothing else waits for them. */
  let takenAt = -Infinity
  const waiting = yield* Latch.make(false)
  const gather = (signal: StoreSignal): void => {
    gathered |= signal
    waiting.openUnsafe()
  }
  const send = Effect.suspend(() => {
    const since = monotonic() - sentAt
    if (gathered !== 0 && since < gathering) return Effect.sleep(gathering - since)
    waiting.closeUnsafe()
    if (gathered === 0) return Effect.void
    const payload = payloadOf(gathered)
    gathered = 0
    sentAt = monotonic()
    return client
      .unsafe("select pg_notify($1, $2)", [channel, payload])
      .values.pipe(Effect.timeoutOption(sendTimeout), Effect.ignoreCause)
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(waiting.await, send)))

  const receive = (queue: Queue.Dequeue<{ readonly payload: string }, SqlError>) =>
    Effect.forever(
      Effect.map(Queue.take(queue), ({ payload }) => {
        const [from, bits] = payload.split(" ")
        if (from !== self) hear(Number(bits) & everything)
      })
    )
  const tried = yield* Deferred.make<void>()
  let isFirst = true
  const listening = Effect.scoped(
    Effect.flatMap(impatient(client, client.listen(channel)), (queue) => {
      // While nobody listened anything may have changed.
      if (!isFirst) hear(everything)
      isFirst = false
      Deferred.doneUnsafe(tried, Exit.void)
      return receive(queue)
    })
  ).pipe(
    Effect.tapCause(() => {
      isFirst = false
      return Deferred.succeed(tried, undefined)
    }),
    Effect.retry(reconnect)
  )
  const heard = Effect.flatMap(Effect.timeoutOption(Deferred.await(tried), listenTimeout), (answer) => {
    if (Option.isNone(answer)) isFirst = false
    return Effect.void
  })
  const scope = yield* Effect.scope
  let listener: Fiber.Fiber<unknown, unknown> | undefined

  return {
    notify: (signal, isTold = false) => {
      // This process first: who has just fired claims at once.
      hear(signal)
      if (isTold) sentAt = takenAt
      else gather(signal)
    },
    take: (signal) => {
      const now = monotonic()
      if (now - Math.max(sentAt, takenAt) < apart) return undefined
      takenAt = now
      const bits = gathered
      gathered = 0
      return { payload: payloadOf(bits | signal), giveBack: () => gather(bits) }
    },
    listen: Effect.suspend(() => {
      if (listener !== undefined) return heard
      return Effect.flatMap(Effect.forkIn(listening, scope), (fiber) => {
        listener = fiber
        return heard
      })
    })
  }
})
