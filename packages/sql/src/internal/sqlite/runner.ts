import { Context, Effect } from "effect"
import { BeginTransaction, SafeIntegers, type SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Row } from "../values.ts"
import { defaultBusyWait, retryWhileBusy } from "./busy.ts"
import { attempt } from "./connection.ts"
import { type Program, runSync } from "./program.ts"
import { type Sync, syncOf } from "./sync.ts"

/** A program that can be started over, and is told what it answered only when that is committed. */
export interface Job {
  readonly start: () => Program<unknown>
  answer: unknown
}

/** The ways in which programs are run on a client. */
export interface Runner {
  /** Runs jobs one after another in one transaction that writes. They are taken once it is open; if it fails, none of
   * them took place. One that is not `synced` may be answered before the disk has it. */
  readonly commit: (take: () => ReadonlyArray<Job>, synced: boolean) => Effect.Effect<void, SqlError>
  /** Runs a program on one state of the tables. */
  readonly read: <A>(start: () => Program<A>) => Effect.Effect<A, SqlError>
  /** Runs a program in the transaction that the calling fiber has open. If it fails it leaves nothing behind there. */
  readonly join: <A>(start: () => Program<A>) => Effect.Effect<A, SqlError>
  /** Whether the calling fiber has a transaction of this client open. */
  readonly isJoined: Effect.Effect<boolean>
}

export const makeRunner = (client: SqlClient): Runner => {
  const sync = syncOf(client)
  const isJoined = Effect.withFiber((fiber) =>
    Effect.succeed(Context.getOrUndefined(fiber.context, client.transactionService) !== undefined)
  )
  return { ...(sync === undefined ? general(client) : synchronous(sync)), isJoined }
}

/** Through the embedded client's own connection: a whole transaction is one synchronous step. */
const synchronous = ({ busyWait, connection, use, useUnsynced }: Sync): Omit<Runner, "isJoined"> => {
  const { executeSync } = connection
  const retry = retryWhileBusy(busyWait)
  return {
    commit: (take, synced) =>
      retry(
        (synced ? use : useUnsynced)(() => {
          executeSync("begin immediate", [])
          for (const job of take()) job.answer = runSync(job.start(), executeSync)
          executeSync("commit", [])
        })
      ),
    read: (start) =>
      retry(
        use(() => {
          executeSync("begin", [])
          const answer = runSync(start(), executeSync)
          executeSync("commit", [])
          return answer
        })
      ),
    join: (start) =>
      attempt("execute", () => {
        executeSync("savepoint effect_scheduler", [])
        const answer = runSync(start(), executeSync)
        executeSync("release effect_scheduler", [])
        return answer
      }).pipe(
        Effect.tapCause(() =>
          Effect.ignoreCause(
            attempt("rollback", () => {
              executeSync("rollback to effect_scheduler", [])
              executeSync("release effect_scheduler", [])
            })
          )
        )
      )
  }
}

/** Through any client. */
const general = (client: SqlClient): Omit<Runner, "isJoined"> => {
  const execute = (text: string, params: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<Row>, SqlError> =>
    client.unsafe(text, params).values as Effect.Effect<ReadonlyArray<Row>, SqlError>
  const run = <A>(start: () => Program<A>): Effect.Effect<A, SqlError> =>
    Effect.gen(function* () {
      const program = start()
      let step = program.next([])
      while (step.done !== true) {
        const { params, text } = step.value
        const rows = yield* Effect.forEach(params, (values) => execute(text, values))
        step = program.next(rows.length === 1 ? rows[0]! : rows.flat())
      }
      return step.value
    })
  const retry = retryWhileBusy(defaultBusyWait)
  const inTransaction = <A>(effect: Effect.Effect<A, SqlError>) =>
    client.withTransaction(effect).pipe(Effect.provideService(SafeIntegers, false))
  return {
    commit: (take) =>
      inTransaction(
        Effect.suspend(() =>
          Effect.forEach(
            take(),
            (job) =>
              Effect.map(run(job.start), (answer) => {
                job.answer = answer
              }),
            { discard: true }
          )
        )
      ).pipe(Effect.provideService(BeginTransaction, "BEGIN IMMEDIATE"), retry),
    read: (start) => retry(inTransaction(run(start))),
    join: (start) => inTransaction(run(start))
  }
}
