import { Effect, Exit, Fiber, Option, Scope } from "effect"
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

/** Takes a connection from the pool, which goes back with the outer scope at the latest. Only the wait can be interrupted. */
export const take = (
  client: SqlClient,
  outer: Scope.Scope,
  interruptible: Interruptible
): Effect.Effect<Held, SqlError> =>
  Effect.gen(function* (): Effect.fn.Return<Held, SqlError> {
    const scope = yield* Scope.fork(outer)
    const exit = yield* Effect.exit(interruptible(Scope.provide(client.reserve, scope)))
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
