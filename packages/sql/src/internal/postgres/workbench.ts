import { Clock, Effect, Exit, Fiber, Scope } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { type Query, settings } from "./database.ts"
import { type Held, type Interruptible, sentOn, take } from "./held.ts"

/** A connection that was not used for so long is asked whether it still answers. */
const stale = 1_000

/** How long the end of a store waits for a connection to take its settings back. */
const farewell = "1 second"

/** Each statement has to see what was committed before it, whatever the database's default is. */
const own = [...settings, ["default_transaction_isolation", "read committed"]] as const

const adopt = `select ${own.map(([name, value]) => `set_config('${name}', '${value}', false)`).join(", ")}`
const restore = `select set_config(name, reset_val, false) from pg_settings where name in (${own
  .map(([name]) => `'${name}'`)
  .join(", ")})`

/** A connection of the store's own, ready for the next call. */
interface Tool extends Held {
  readonly send: Query
  usedAt: number
}

/**
 * Connections of the pool that the store keeps for its calls. Nobody else uses them, so that their settings are made once and
 * not in each transaction, and a transaction of one statement is that statement and nothing more: one round trip, not four.
 */
export interface Workbench {
  /**
   * Runs on one of them, or where all are busy something else. `onSuccess` is called once it has succeeded, whatever becomes of
   * the caller.
   */
  readonly use: <A>(
    body: (send: Query) => Effect.Effect<A, SqlError>,
    onSuccess: (answer: A) => void,
    otherwise: () => Effect.Effect<A, SqlError>
  ) => Effect.Effect<A, SqlError>
}

/** At most `size` connections, each taken when it is needed for the first time and kept from then on. */
export const makeWorkbench = Effect.fnUntraced(function* (
  client: SqlClient,
  size: number
): Effect.fn.Return<Workbench, never, Scope.Scope> {
  const outer = yield* Effect.scope
  const clock = yield* Clock.Clock
  const spare: Array<Tool> = []
  let count = 0

  const drop = (held: Held) =>
    Effect.suspend(() => {
      count--
      return Scope.close(held.scope, Exit.void)
    })

  const open = Effect.fnUntraced(function* (interruptible: Interruptible): Effect.fn.Return<Tool, SqlError> {
    const held = yield* take(client, outer, interruptible)
    const send = sentOn(held.connection)
    // The application's again before it goes back. One that does not answer is closed by the pool instead.
    yield* Scope.addFinalizer(
      held.scope,
      Effect.flatMap(Effect.forkDetach(Effect.ignoreCause(send(restore))), (fiber) =>
        Effect.timeoutOption(Fiber.await(fiber), farewell)
      )
    )
    const exit = yield* Effect.exit(interruptible(send(adopt)))
    if (Exit.isSuccess(exit)) return { ...held, send, usedAt: 0 }
    yield* Scope.close(held.scope, exit)
    return yield* Effect.failCause(exit.cause)
  })

  /** The one used last, so that those which are needed only at times are seldom asked for. */
  const next = (interruptible: Interruptible): Effect.Effect<Tool, SqlError> =>
    Effect.suspend(() => {
      const tool = spare.pop()
      if (tool === undefined) {
        count++
        return Effect.onError(open(interruptible), () => Effect.sync(() => void count--))
      }
      if (clock.currentTimeMillisUnsafe() - tool.usedAt < stale) return Effect.succeed(tool)
      return Effect.flatMap(Effect.exit(interruptible(tool.send("select 1"))), (exit) => {
        if (Exit.isSuccess(exit)) return Effect.succeed(tool)
        const dropped = drop(tool)
        return Exit.hasInterrupts(exit)
          ? Effect.andThen(dropped, Effect.failCause(exit.cause))
          : Effect.andThen(dropped, next(interruptible))
      })
    })

  const giveBack = (tool: Tool, exit: Exit.Exit<unknown, SqlError>): Effect.Effect<void> => {
    const keep = () => {
      tool.usedAt = clock.currentTimeMillisUnsafe()
      spare.push(tool)
    }
    if (Exit.isSuccess(exit)) return Effect.sync(keep)
    // A call that was given up may still be under way in the server.
    if (Exit.hasInterrupts(exit)) return drop(tool)
    return Effect.matchCauseEffect(tool.send("ROLLBACK"), {
      onSuccess: () => Effect.sync(keep),
      onFailure: () => drop(tool)
    })
  }

  return {
    use: (body, onSuccess, otherwise) =>
      Effect.suspend(() =>
        spare.length === 0 && count >= size
          ? otherwise()
          : Effect.uninterruptibleMask((interruptible) =>
              Effect.flatMap(next(interruptible), (tool) =>
                Effect.map(
                  Effect.onExit(interruptible(body(tool.send)), (exit) => giveBack(tool, exit)),
                  (answer) => {
                    onSuccess(answer)
                    return answer
                  }
                )
              )
            )
      )
  }
})
