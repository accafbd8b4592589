import { Effect, Exit, Scope, Semaphore } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import { begin, type Database, makeSession, openings, type Query } from "./database.ts"
import { decodeRows, encodeParam } from "./values.ts"

/**
 * A connection of the pool that is kept for one purpose, so that nobody who uses up the others can delay it. One that has
 * failed is given back, and another is taken at the next call.
 */
export const makeLane = Effect.fnUntraced(function* (
  client: SqlClient,
  believesCallers: boolean
): Effect.fn.Return<Database, SqlError, Scope.Scope> {
  const outer = yield* Effect.scope
  const turn = yield* Semaphore.make(1)
  let current: { readonly scope: Scope.Closeable; readonly connection: Connection } | undefined

  const open = Effect.uninterruptibleMask(
    Effect.fnUntraced(function* (restore) {
      const scope = yield* Scope.fork(outer)
      const exit = yield* Effect.exit(restore(Scope.provide(client.reserve, scope)))
      if (Exit.isSuccess(exit)) current = { scope, connection: exit.value }
      else yield* Scope.close(scope, exit)
      return yield* exit
    })
  )
  /** Gives the connection back with nothing open on it. */
  const drop = Effect.suspend(() => {
    const held = current
    current = undefined
    if (held === undefined) return Effect.void
    return Effect.ensuring(
      Effect.ignore(held.connection.executeValues("ROLLBACK", [])),
      Scope.close(held.scope, Exit.void)
    )
  })

  yield* open
  return {
    isJoined: Effect.succeed(false),
    transact: (now, body) =>
      turn.withPermit(
        Effect.suspend(() => (current === undefined ? open : Effect.succeed(current.connection))).pipe(
          Effect.flatMap(
            Effect.fnUntraced(function* (connection) {
              const query = sent(connection)
              yield* query(begin)
              const told = believesCallers ? now : null
              const [row] = yield* query(openings.own, [told])
              const answer = yield* body(makeSession(query, told, now, row!))
              yield* query("COMMIT")
              return answer
            })
          ),
          Effect.onError(() => drop)
        )
      )
  }
})

const sent =
  (connection: Connection): Query =>
  (text, params = []) =>
    Effect.map(connection.executeValues(text, params.map(encodeParam)), (rows) =>
      decodeRows(rows as ReadonlyArray<ReadonlyArray<unknown>>)
    )
