import { Effect, Exit, Scope, Semaphore } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { begin, type Database, makeSession, openings, type Session } from "./database.ts"
import { type Held, sentOn, take } from "./held.ts"

export type Lane = Pick<Database, "transact">

/** A process that stopped in the middle of renewing its lease keeps its row, and with it its death from being noticed, no longer. */
const opening = `${openings.own()}, set_config('idle_in_transaction_session_timeout', '1s', true)`

/**
 * A connection of the pool that is kept for one purpose, so that nobody who uses up the others can delay it. One that has
 * failed is given back, and another is taken at the next call. A call that was given up is not waited for, since nothing can
 * interrupt a connection that does not answer: the next call takes another.
 */
export const makeLane = Effect.fnUntraced(function* (
  client: SqlClient,
  believesCallers: boolean
): Effect.fn.Return<Lane, SqlError, Scope.Scope> {
  const outer = yield* Effect.scope
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const turn = yield* Semaphore.make(1)
  let spare: Held | undefined

  const open = Effect.uninterruptibleMask((restore) => take(client, outer, restore))

  const transaction = Effect.fnUntraced(function* <A>(
    { connection }: Held,
    now: number,
    body: (tx: Session) => Effect.Effect<A, SqlError>
  ): Effect.fn.Return<A, SqlError> {
    const query = sentOn(connection)
    yield* query(begin)
    const told = believesCallers ? now : null
    const [row] = yield* query(opening, [told])
    const answer = yield* body(makeSession(query, told, now, row!))
    yield* query("COMMIT")
    return answer
  })

  spare = yield* open
  return {
    transact: <A>(now: number, body: (tx: Session) => Effect.Effect<A, SqlError>) =>
      turn.withPermit(
        Effect.callback<A, SqlError>((resume) => {
          let isGivenUp = false
          const taken = spare
          spare = undefined
          const call = Effect.flatMap(taken === undefined ? open : Effect.succeed(taken), (held) =>
            Effect.onExit(transaction(held, now, body), (exit) => {
              if (Exit.isSuccess(exit) && !isGivenUp) {
                spare = held
                return Effect.void
              }
              // Given back with nothing open on it.
              const rollback = Effect.ignore(held.connection.executeValues("ROLLBACK", []))
              return Effect.ensuring(Exit.isSuccess(exit) ? Effect.void : rollback, Scope.close(held.scope, Exit.void))
            })
          )
          const fiber = run(call)
          fiber.addObserver((exit) => resume(exit))
          return Effect.sync(() => {
            isGivenUp = true
            fiber.interruptUnsafe()
          })
        })
      )
  }
})
