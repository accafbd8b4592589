import { Context, Effect, Schedule } from "effect"
import { Signal, type StoreSignal } from "effect-scheduler/JobStore"
import { BeginTransaction, type SqlClient } from "effect/sql/SqlClient"
import { isSqlError, SerializationError, SqlError } from "effect/sql/SqlError"
import type { Row } from "../values.ts"
import { type Param, decodeRows, encodeParam } from "./values.ts"

/** What is sent in one transaction, and what it has changed. */
export interface Session {
  /** The server's time when the transaction began, or the caller's where the store believes its callers. */
  readonly now: number
  /** By how much that is ahead of the caller's clock. */
  readonly ahead: number
  readonly query: Query
  /** The time as it is by now: after locks were waited for. */
  readonly time: Effect.Effect<number, SqlError>
  signal: StoreSignal
}

/** How every transaction of the store begins. */
export const begin = "BEGIN ISOLATION LEVEL READ COMMITTED"

export type Query = (text: string, params?: ReadonlyArray<Param>) => Effect.Effect<ReadonlyArray<Row>, SqlError>

/** The way to the server: all that the store sends is sent in transactions, also where it only reads. */
export interface Database {
  /** It begins again where another transaction was in the way. Inside a transaction of the application it belongs to that. */
  readonly transact: <A>(now: number, body: (tx: Session) => Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>
  /** Whether the calling fiber has a transaction of this client open. */
  readonly isJoined: Effect.Effect<boolean>
}

/** The server's time in milliseconds, or that of the parameter where it is not null. */
const time = `coalesce($1::bigint, floor(extract(epoch from clock_timestamp()) * 1000)::bigint)`

/**
 * What holds for one transaction: a connection of the pool is the application's too.
 *
 * - No statement waits longer for a row that another transaction has locked, and a process that was stopped in the middle of
 *   a transaction keeps its own locks no longer.
 * - Plans are kept by the connection, also those that were made when a table was empty, and the table may be full a moment
 *   later: an index serves each statement, in its order, and no plan may read a whole table or sort a whole range. So one
 *   plan serves all values too, and none is made again for each call, which took longer than most calls do.
 */
const settings = [
  ["lock_timeout", "2s"],
  ["idle_in_transaction_session_timeout", "5s"],
  ["enable_seqscan", "off"],
  ["enable_bitmapscan", "off"],
  ["jit", "off"],
  ["plan_cache_mode", "force_generic_plan"]
]

export const openings = {
  own: `select ${time}, ${settings.map(([name, value]) => `set_config('${name}', '${value}', true)`).join(", ")}`,
  /** The application's transaction keeps its settings. */
  joined: `select ${time}`
}

const contention = Schedule.exponential("2 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 5 }))

/** Whether the transaction was undone because of another one, so that the same may succeed when it is tried again. */
const isContention = ({ reason }: SqlError): boolean =>
  reason._tag === "DeadlockError" || reason._tag === "SerializationError" || reason._tag === "UniqueViolation"

/** Fails a transaction that has seen something which another one is just changing. It is tried again. */
export const overtaken = (what: string): Effect.Effect<never, SqlError> =>
  Effect.fail(
    new SqlError({ reason: new SerializationError({ cause: undefined, message: what, operation: "execute" }) })
  )

/** The session that an opening has begun; `time` is what it was told of the time. */
export const makeSession = (query: Query, time: number | null, callersNow: number, row: Row): Session => {
  const now = row[0] as number
  return {
    now,
    ahead: now - callersNow,
    query,
    time: Effect.map(query(openings.joined, [time]), ([later]) => later![0] as number),
    signal: 0
  }
}

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
  const tell = (signal: StoreSignal): Effect.Effect<void> =>
    signal === 0 ? Effect.void : client.afterCommit(Effect.sync(() => notify(signal)))

  const begun = <A>(now: number, opening: string, body: (tx: Session) => Effect.Effect<A, SqlError>) => {
    const told = believesCallers ? now : null
    return client.withTransaction(
      Effect.flatMap(query(opening, [told]), ([row]) => {
        const tx = makeSession(query, told, now, row!)
        // Told only if this level is committed, together with the levels around it.
        return Effect.tap(body(tx), () => tell(tx.signal))
      })
    )
  }

  return {
    isJoined,
    transact: (now, body) =>
      Effect.flatMap(isJoined, (joined) => {
        if (joined) return begun(now, openings.joined, body)
        const attempt = begun(now, openings.own, body).pipe(
          // Each statement has to see what was committed before it, whatever the database's default is.
          Effect.provideService(BeginTransaction, begin),
          // Where the connection is lost the rollback fails too, and Effect makes a defect of it all.
          Effect.catchDefect((defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)))
        )
        return Effect.catchIf(attempt, isContention, () =>
          Effect.retry(attempt, { schedule: contention, while: isContention })
        )
      })
  }
}

/** What is told when runs have ended. */
export const ended: StoreSignal = Signal.ended | Signal.runs
