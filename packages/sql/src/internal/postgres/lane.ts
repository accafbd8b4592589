import { Effect, Exit, Scope, Semaphore } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import type { Query } from "./database.ts"
import { decodeRows, encodeParam } from "./values.ts"

/**
 * A connection of the pool that is kept for one purpose, so that nobody who uses up the others can delay it. One that has
 * failed is given back, and another is taken at the next call.
 */
export const makeLane = Effect.fnUntraced(function* (
  client: SqlClient
): Effect.fn.Return<Query, SqlError, Scope.Scope> {
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
  const drop = Effect.suspend(() => {
    const held = current
    current = undefined
    return held === undefined ? Effect.void : Scope.close(held.scope, Exit.void)
  })

  yield* open
  return (text, params = []) =>
    turn.withPermit(
      Effect.suspend(() => (current === undefined ? open : Effect.succeed(current.connection))).pipe(
        Effect.flatMap((connection) => connection.executeValues(text, params.map(encodeParam))),
        Effect.map((rows) => decodeRows(rows as ReadonlyArray<ReadonlyArray<unknown>>)),
        Effect.onError(() => drop)
      )
    )
})
