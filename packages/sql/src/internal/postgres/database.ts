import { Context, Effect, Schedule } from "effect"
import { Signal, type StoreSignal } from "effect-scheduler/JobStore"
import { BeginTransaction, type SqlClient } from "effect/sql/SqlClient"
import { isSqlError, SerializationError, SqlError } from "effect/sql/SqlError"
import type { Row } from "../program.ts"
import { decodeRows, encodeParam, type Param } from "./values.ts"

/** What is sent in one transaction, and what it has changed. */
export interface Session {
  /** The server's time when the transaction began, or the caller's where the store believes its callers. */
  readonly now: number
  /** By how much that is ahead of the caller's clock. */
  readonly ahead: number
  readonly query: Query
  signal: StoreSignal
}

export type Query = (text: string, params?: ReadonlyArray<Param>) => Effect.Effect<ReadonlyArray<Row>, SqlError>

/** The ways to the server. */
export interface Database {
  /** One statement, which commits by itself, or belongs to the transaction that the calling fiber has open. */
  readonly query: Query
  /** Several statements that take place together. It begins again where another transaction was in the way. */
  readonly transact: <A>(now: number, body: (tx: Session) => Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>
  /** The value of the parameter by which statements are told the time: null where they take the server's. */
  readonly time: (now: number) => number | null
  /** Tells those who listen, at once or when the transaction that the calling fiber has open is committed. */
  readonly tell: (signal: StoreSignal) => Effect.Effect<void>
  /** Whether the calling fiber has a transaction of this client open. */
  readonly isJoined: Effect.Effect<boolean>
}

/** The server's time in milliseconds, as the statement began: stable within it, so that indexes serve comparisons. */
const serverTime = `floor(extract(epoch from statement_timestamp()) * 1000)::bigint`

/** The time that a statement goes by: the parameter's, or the server's where that is null. */
export const timeOf = (parameter: number): string => `coalesce($${parameter}::bigint, ${serverTime})`

/** How long one statement of ours waits for a row that another transaction has locked. */
const lockTimeout = "2s"

/** How long a transaction of ours may be left open by a process that was stopped in the middle of it. */
const idleTimeout = "5s"

/** Settings last as long as the transaction: a connection of the pool is the application's too. */
const opening = `select ${timeOf(1)}, set_config('lock_timeout', '${lockTimeout}', true),
  set_config('idle_in_transaction_session_timeout', '${idleTimeout}', true), set_config('jit', 'off', true)`

const contention = Schedule.exponential("2 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 5 }))

/** Whether the transaction was undone because of another one, so that the same may succeed when it is tried again. */
const isContention = ({ reason }: SqlError): boolean =>
  reason._tag === "DeadlockError" || reason._tag === "SerializationError" || reason._tag === "UniqueViolation"

/** Fails a transaction that has seen something which another one is just changing. It is tried again. */
export const overtaken = (what: string): Effect.Effect<never, SqlError> =>
  Effect.fail(
    new SqlError({ reason: new SerializationError({ cause: undefined, message: what, operation: "execute" }) })
  )

export const makeDatabase = (options: {
  readonly client: SqlClient
  /** The store goes by its callers' `now`. */
  readonly believesCallers: boolean
  /** After a commit, with what it changed. */
  readonly notify: (signal: StoreSignal) => void
}): Database => {
  const { believesCallers, client, notify } = options
  const isJoined = Effect.withFiber((fiber) =>
    Effect.succeed(Context.getOrUndefined(fiber.context, client.transactionService) !== undefined)
  )
  const query: Query = (text, params = []) =>
    Effect.map(client.unsafe(text, params.map(encodeParam)).values, decodeRows)
  const time = (now: number): number | null => (believesCallers ? now : null)
  const tell = (signal: StoreSignal): Effect.Effect<void> =>
    signal === 0 ? Effect.void : client.afterCommit(Effect.sync(() => notify(signal)))

  const begun = <A>(now: number, open: string, body: (tx: Session) => Effect.Effect<A, SqlError>) =>
    client.withTransaction(
      Effect.flatMap(query(open, [time(now)]), ([row]) => {
        const serverNow = row![0] as number
        const tx: Session = { now: serverNow, ahead: serverNow - now, query, signal: 0 }
        // Told only if this level is committed, together with the levels around it.
        return Effect.tap(body(tx), () => tell(tx.signal))
      })
    )

  return {
    query,
    time,
    tell,
    isJoined,
    transact: (now, body) =>
      Effect.flatMap(isJoined, (joined) =>
        joined
          ? begun(now, `select ${timeOf(1)}`, body)
          : begun(now, opening, body).pipe(
              // Each statement has to see what was committed before it, whatever the database's default is.
              Effect.provideService(BeginTransaction, "BEGIN ISOLATION LEVEL READ COMMITTED"),
              (attempt) =>
                Effect.catch(attempt, (error) =>
                  isSqlError(error) && isContention(error)
                    ? Effect.retry(attempt, { schedule: contention, while: isContention })
                    : Effect.fail(error)
                )
            )
      )
  }
}

/** What is told when runs have ended. */
export const ended: StoreSignal = Signal.ended | Signal.runs
