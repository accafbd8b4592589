import { Effect, Exit, Fiber, Option, Schedule, Scope } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import type { Query } from "./database.ts"
import { decodeRows, encodeParam } from "./values.ts"

/** A connection that was taken from the pool, until its scope is closed. */
export interface Held {
  readonly scope: Scope.Closeable
  readonly connection: Connection
}

/** Lets an effect be interrupted where all around it cannot be. */
export type Interruptible = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>

/** Who has waited for a connection for so long asks for one more beside it, and for another one after each interval. */
const patience = "1 second"
const interval = "200 millis"

/**
 * Waits for a connection of the pool. Effect's pool (4.1.0) keeps those that it could not open in places of its own, as long
 * as somebody waits, and opens no other while they are as many as who uses or waits for one: after an outage all that wait
 * would do so for ever. Whoever asks beside them makes it open one more, and passes it on.
 *
 * @param isThere whether the wait is over although its effect goes on.
 */
export const impatient = <A, E, R>(
  client: SqlClient,
  wait: Effect.Effect<A, E, R>,
  isThere: () => boolean = () => false
): Effect.Effect<A, E, R> => {
  const ask = Effect.ignoreCause(Effect.scoped(client.reserve))
  const asking = Effect.suspend(() => (isThere() ? Effect.void : Effect.forkChild(ask))).pipe(
    Effect.repeat(Schedule.spaced(interval)),
    Effect.delay(patience)
  )
  return Effect.acquireUseRelease(Effect.forkChild(asking), () => wait, Fiber.interrupt)
}

/** Takes a connection from the pool, which goes back with the outer scope at the latest. Only the wait can be interrupted. */
export const take = (
  client: SqlClient,
  outer: Scope.Scope,
  interruptible: Interruptible
): Effect.Effect<Held, SqlError> =>
  Effect.gen(function* (): Effect.fn.Return<Held, SqlError> {
    const scope = yield* Scope.fork(outer)
    const exit = yield* Effect.exit(interruptible(impatient(client, Scope.provide(client.reserve, scope))))
    if (Exit.isSuccess(exit)) return { scope, connection: exit.value }
    yield* Scope.close(scope, exit)
    return yield* Effect.failCause(exit.cause)
  })

/** Statements on a connection that was taken. */
export const sentOn =
  (connection: Connection): Query =>
  (text, params = []) =>
    Effect.map(connection.executeValues(text, params.map(encodeParam)), (rows) =>
      decodeRows(rows as ReadonlyArray<ReadonlyArray<unknown>>)
    )

/** How long a connection that is to be given back has for its answer. */
const farewell = "1 second"

/** What becomes of a last statement. Where the server does not answer it is not waited for: undefined. */
export const lastly = <A>(statement: Effect.Effect<A, SqlError>): Effect.Effect<Exit.Exit<A, SqlError> | undefined> =>
  Effect.flatMap(Effect.forkDetach(statement), (fiber) =>
    Effect.map(Effect.timeoutOption(Fiber.await(fiber), farewell), Option.getOrUndefined)
  )
