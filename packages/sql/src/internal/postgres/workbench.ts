import { Cause, Clock, Effect, Exit, Option, Scope } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { type Backend, backendColumns } from "./backends.ts"
import { begin, type Query, settings } from "./database.ts"
import { type Held, type Interruptible, lastly, sentOn, take } from "./held.ts"

/** A connection that was not used for so long is asked whether it still answers. */
const stale = 1_000

/** Each statement has to see what was committed before it, whatever the database's default is. */
const own = [...settings, ["default_transaction_isolation", "read committed"]] as const

const adopt = `select ${backendColumns}, ${own.map(([name, value]) => `set_config('${name}', '${value}', false)`).join(", ")}
from pg_stat_activity a where a.pid = pg_backend_pid()`
const restore = `select set_config(name, reset_val, false) from pg_settings where name in (${own
  .map(([name]) => `'${name}'`)
  .join(", ")})`

/** A connection of the store's own, ready for the next call. */
interface Tool extends Held {
  readonly send: Query
  readonly backend: Backend
  usedAt: number
  /** Whether a transaction may be open on it. */
  isOpen: boolean
  /** Whether it had no answer when it was asked last. */
  isLost: boolean
}

/** What is to be done on a connection. */
interface Call<A> {
  readonly body: (send: Query) => Effect.Effect<A, SqlError>
  /** Called once it has succeeded, whatever becomes of the caller. */
  readonly onSuccess: (answer: A) => void
  /** Where all connections are busy. */
  readonly otherwise: () => Effect.Effect<A, SqlError>
  /** Called where the connection was lost: the server may get to know late, and carry out what it was sent. */
  readonly onLost?: ((backend: Backend) => void) | undefined
}

/**
 * Connections of the pool that the store keeps for its calls. Nobody else uses them, so that their settings are made once and
 * not in each transaction, and a transaction of one statement is that statement and nothing more: one round trip, not four.
 */
export interface Workbench {
  /** Each statement is a transaction of its own. */
  readonly use: <A>(call: Call<A>) => Effect.Effect<A, SqlError>
  /** All statements are one transaction. */
  readonly transact: <A>(call: Call<A>) => Effect.Effect<A, SqlError>
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

  const drop = (tool: Tool) =>
    Effect.suspend(() => {
      count--
      return Scope.close(tool.scope, Exit.void)
    })

  const open = Effect.fnUntraced(function* (interruptible: Interruptible): Effect.fn.Return<Tool, SqlError> {
    const held = yield* take(client, outer, interruptible)
    const send = sentOn(held.connection)
    // Within a transaction that is ended here. Had somebody left one open, what is answered later would not be committed.
    const adopted = Effect.andThen(
      send(begin),
      Effect.tap(send(adopt), () => send("COMMIT"))
    )
    const exit = yield* Effect.exit(interruptible(adopted))
    if (Exit.isFailure(exit)) {
      yield* lastly(Effect.andThen(send("ROLLBACK"), send(restore)))
      yield* Scope.close(held.scope, exit)
      return yield* Effect.failCause(exit.cause)
    }
    const [pid, begun] = exit.value[0] as unknown as readonly [number, number]
    const tool: Tool = { ...held, send, backend: { pid, begun }, usedAt: 0, isOpen: false, isLost: false }
    // The application's again before it goes back. One that is given back while a statement is under way is closed by the pool.
    yield* Scope.addFinalizer(
      held.scope,
      Effect.suspend(() =>
        tool.isLost
          ? Effect.asVoid(Effect.forkDetach(Effect.ignoreCause(send(restore)), { startImmediately: true }))
          : Effect.asVoid(lastly(send(restore)))
      )
    )
    return tool
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

  const keep = (tool: Tool) => {
    tool.usedAt = clock.currentTimeMillisUnsafe()
    spare.push(tool)
  }

  /** With nothing open on it. Once it answers it has carried out, or not, all that it was sent before. */
  const giveBack = (tool: Tool, exit: Exit.Exit<unknown, SqlError>, onLost: Call<never>["onLost"]) => {
    if (Exit.isSuccess(exit)) return Effect.sync(() => keep(tool))
    // Sent again where it was itself what a late request to cancel has found.
    const last = Effect.retry(tool.send(tool.isOpen ? "ROLLBACK" : "select 1"), { times: 2 })
    return Effect.flatMap(lastly(last), (answer) => {
      tool.isOpen = false
      tool.isLost = answer === undefined || (Exit.isFailure(answer) && isConnectionLost(answer.cause))
      if (tool.isLost) onLost?.(tool.backend)
      // Such a request may still be on its way to the server.
      const isGood = !Exit.hasInterrupts(exit) && answer !== undefined && Exit.isSuccess(answer)
      return isGood ? Effect.sync(() => keep(tool)) : drop(tool)
    })
  }

  const on = <A>(
    { onLost, onSuccess, otherwise }: Call<A>,
    body: (tool: Tool) => Effect.Effect<A, SqlError>
  ): Effect.Effect<A, SqlError> =>
    Effect.suspend(() =>
      spare.length === 0 && count >= size
        ? otherwise()
        : Effect.uninterruptibleMask((interruptible) =>
            Effect.flatMap(next(interruptible), (tool) =>
              Effect.map(
                Effect.onExit(interruptible(body(tool)), (exit) => giveBack(tool, exit, onLost)),
                (answer) => {
                  onSuccess(answer)
                  return answer
                }
              )
            )
          )
    )

  return {
    use: (call) => on(call, (tool) => call.body(tool.send)),
    transact: (call) =>
      on(
        call,
        Effect.fnUntraced(function* (tool) {
          tool.isOpen = true
          yield* tool.send(begin)
          const answer = yield* call.body(tool.send)
          yield* tool.send("COMMIT")
          tool.isOpen = false
          return answer
        })
      )
  }
})

const isConnectionLost = (cause: Cause.Cause<SqlError>): boolean =>
  Option.match(Cause.findErrorOption(cause), {
    onNone: () => true,
    onSome: ({ reason }) => reason._tag === "ConnectionError"
  })
