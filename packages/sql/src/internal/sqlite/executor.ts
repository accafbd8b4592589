import { Cause, Clock, Effect, Exit, Latch, type Scope } from "effect"
import { JobStoreError, type StoreSignal } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { toStoreError } from "../storeError.ts"
import type { Tables } from "../tables.ts"
import type { Program } from "./program.ts"
import type { Transaction } from "./programs/transaction.ts"
import type { Job, Runner } from "./runner.ts"
import { makeStatements } from "./statements.ts"

/** Runs the store's programs, each in one transaction. */
export interface Executor {
  /** Calls that wait at the same time share one commit. Inside a transaction of the same client the program joins it. */
  readonly write: <A>(method: string, program: (tx: Transaction) => Program<A>) => Effect.Effect<A, JobStoreError>
  /** The same, and what was written may be answered before the disk has it. It is there when any later `write` is. */
  readonly writeUnsynced: <A>(
    method: string,
    program: (tx: Transaction) => Program<A>
  ) => Effect.Effect<A, JobStoreError>
  readonly read: <A>(method: string, program: (tx: Transaction) => Program<A>) => Effect.Effect<A, JobStoreError>
}

interface Call extends Job {
  readonly method: string
  readonly isSynced: boolean
  readonly transaction: () => Transaction
  readonly finish: (effect: Effect.Effect<unknown, JobStoreError>) => void
  isAbandoned: boolean
}

/** How many calls share one commit at most. */
const maxShared = 256

/** `notify` is called after each commit with what it changed. */
export const makeExecutor = (options: {
  readonly client: SqlClient
  readonly runner: Runner
  readonly tables: Tables
  readonly description: string
  readonly notify: (signal: StoreSignal) => void
}): Effect.Effect<Executor, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { client, description, notify, runner, tables } = options
    const sql = makeStatements(tables)
    const waiting: Array<Call> = []
    let taken: Array<Call> = []
    let isClosed = false
    const wake = yield* Latch.make(false)

    const clock = yield* Clock.Clock
    const monotonic = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

    const newTransaction = (waited = 0): Transaction => ({ tables, sql, waited, signal: 0 })
    const closed = (method: string) =>
      new JobStoreError({ reason: "Unavailable", method, message: `${description}: the store was closed` })
    const translate =
      (method: string) =>
      <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, JobStoreError> =>
        Effect.mapError(effect, (error) => toStoreError(method, description, error))

    /** An unsynced commit takes those in front that may be in one: others may have come since it was decided on. */
    const take = (synced: boolean): ReadonlyArray<Call> => {
      if (taken.length > 0) return taken
      const first = synced ? -1 : waiting.findIndex((call) => call.isSynced)
      taken = waiting.splice(0, first === -1 ? maxShared : Math.min(first, maxShared))
      taken = taken.filter((call) => !call.isAbandoned)
      return taken
    }

    const succeed = (calls: ReadonlyArray<Call>): void => {
      const signal = calls.reduce((bits, call) => bits | call.transaction().signal, 0)
      if (signal !== 0) notify(signal)
      for (const call of calls) call.finish(Effect.succeed(call.answer))
    }
    const fail = (calls: ReadonlyArray<Call>, cause: Cause.Cause<SqlError>): void => {
      for (const call of calls) call.finish(translate(call.method)(Effect.failCause(cause)))
    }
    const alone = (call: Call): Effect.Effect<void> =>
      Effect.map(Effect.exit(runner.commit(() => [call], call.isSynced)), (exit) =>
        Exit.isSuccess(exit) ? succeed([call]) : fail([call], exit.cause)
      )

    /** One commit. If it fails nothing was changed, and each call has its own chance: none suffers from another. */
    const commit = Effect.suspend(() => {
      const synced = waiting.some((call) => call.isSynced)
      return Effect.flatMap(Effect.exit(runner.commit(() => take(synced), synced)), (exit) => {
        const calls = taken
        taken = []
        if (Exit.isSuccess(exit)) return Effect.sync(() => succeed(calls))
        if (calls.length > 1) return Effect.forEach(calls, alone, { discard: true })
        return Effect.sync(() => fail(calls.length === 1 ? calls : waiting.splice(0), exit.cause))
      })
    })

    yield* Effect.acquireRelease(
      wake.await.pipe(
        Effect.andThen(
          Effect.suspend(() => {
            wake.closeUnsafe()
            return Effect.whileLoop({ while: () => waiting.length > 0, body: () => commit, step: () => undefined })
          })
        ),
        Effect.forever,
        Effect.forkScoped
      ),
      () =>
        Effect.sync(() => {
          isClosed = true
          for (const call of [...taken, ...waiting.splice(0)]) call.finish(Effect.fail(closed(call.method)))
        })
    )

    const share = <A>(
      method: string,
      program: (tx: Transaction) => Program<A>,
      isSynced: boolean
    ): Effect.Effect<A, JobStoreError> =>
      Effect.callback<A, JobStoreError>((resume) => {
        if (isClosed) return resume(Effect.fail(closed(method)))
        const since = monotonic()
        let tx = newTransaction()
        const call: Call = {
          method,
          isSynced,
          start: () => {
            tx = newTransaction(Math.round(monotonic() - since))
            return program(tx)
          },
          transaction: () => tx,
          finish: (effect) => resume(effect as Effect.Effect<A, JobStoreError>),
          answer: undefined,
          isAbandoned: false
        }
        waiting.push(call)
        wake.openUnsafe()
        return Effect.sync(() => {
          call.isAbandoned = true
        })
      })

    const join = <A>(method: string, program: (tx: Transaction) => Program<A>): Effect.Effect<A, JobStoreError> =>
      Effect.suspend(() => {
        const tx = newTransaction()
        return runner
          .join(() => program(tx))
          .pipe(
            translate(method),
            Effect.tap(() => (tx.signal === 0 ? Effect.void : client.afterCommit(Effect.sync(() => notify(tx.signal)))))
          )
      })

    const writing =
      (isSynced: boolean): Executor["write"] =>
      (method, program) =>
        Effect.flatMap(runner.isJoined, (isJoined) =>
          isJoined ? join(method, program) : share(method, program, isSynced)
        )

    return {
      write: writing(true),
      writeUnsynced: writing(false),
      read: (method, program) =>
        Effect.flatMap(runner.isJoined, (isJoined) =>
          isClosed
            ? Effect.fail(closed(method))
            : translate(method)(
                isJoined ? runner.join(() => program(newTransaction())) : runner.read(() => program(newTransaction()))
              )
        )
    }
  })
