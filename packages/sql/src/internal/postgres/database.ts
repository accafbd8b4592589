import { Context, Effect, Schedule } from "effect"
import { Signal, type StoreSignal } from "effect-scheduler/JobStore"
import { BeginTransaction, type SqlClient } from "effect/sql/SqlClient"
import { isSqlError, SerializationError, SqlError } from "effect/sql/SqlError"
import type { Row } from "../values.ts"
import { type Backend, endBackends } from "./backends.ts"
import { impatient } from "./held.ts"
import { isWithin } from "./horizon.ts"
import type { Notification, Signals } from "./signals.ts"
import { type Param, decodeRows, encodeParam } from "./values.ts"
import type { Workbench } from "./workbench.ts"

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

interface Sent {
  /** Whether it is a claim: whoever asks what it has taken must not be answered before it. */
  readonly isClaim?: boolean
  /** How long it waits for each row that somebody has locked, where that is not the usual time. */
  readonly patience?: Patience
}

/** Who ends or claims runs has others to end or claim too, and leaves what somebody keeps locked for longer. */
export const patience = { finish: "50ms", claim: "250ms" } as const

type Patience = (typeof patience)[keyof typeof patience]

export type Query = (text: string, params?: ReadonlyArray<Param>) => Effect.Effect<ReadonlyArray<Row>, SqlError>

/** The way to the server: all that the store sends is sent in transactions, also where it only reads. */
export interface Database {
  /** It begins again where another transaction was in the way. Inside a transaction of the application it belongs to that. */
  readonly transact: <A>(
    now: number,
    body: (tx: Session) => Effect.Effect<A, SqlError>,
    options?: Sent
  ) => Effect.Effect<A, SqlError>
  /** A transaction of one statement, which takes one round trip where a connection of the store's own is free. */
  readonly once: (
    now: number,
    text: string,
    params: ReadonlyArray<Param>,
    options?: Sent & {
      /** What its answer says that it has changed. */
      readonly signal?: (rows: ReadonlyArray<Row>) => StoreSignal
      /** The same for a transaction of its own, which tells other processes of new runs in the same round trip: with one
       * parameter more, the notification. */
      readonly telling?: string
    }
  ) => Effect.Effect<ReadonlyArray<Row>, SqlError>
  /** Fails as overtaken as long as a claim that was given up may still be carried out. */
  readonly claimsAreDone: Effect.Effect<void, SqlError>
  /** What a statement is told of the time, as the first of its parameters, out of which it makes its `clock`. */
  readonly told: (now: number) => number | null
  /** Whether the calling fiber has a transaction of this client open. */
  readonly isJoined: Effect.Effect<boolean>
}

/** The server's time in milliseconds, or that of the parameter where it is not null. */
const time = `coalesce($1::bigint, floor(extract(epoch from clock_timestamp()) * 1000)::bigint)`

/** The same as a table of one row, for a statement that is a transaction of its own, and its time. */
export const clock = `clock as materialized (select ${time} as now)`
export const clockNow = "(select now from clock)"

/**
 * What holds for one transaction: a connection of the pool is the application's too.
 *
 * - No statement waits longer for a row that another transaction has locked, and a process that was stopped in the middle of
 *   a transaction keeps its own locks no longer.
 * - Plans are kept by the connection, also those that were made when a table was empty, and the table may be full a moment
 *   later: an index serves each statement, in its order, and no plan may read a whole table or sort a whole range. So one
 *   plan serves all values too, and none is made again for each call, which took longer than most calls do.
 */
export const settings = [
  ["lock_timeout", "2s"],
  ["idle_in_transaction_session_timeout", "5s"],
  ["enable_seqscan", "off"],
  ["enable_bitmapscan", "off"],
  ["jit", "off"],
  ["plan_cache_mode", "force_generic_plan"]
]

const waits = (millis: Patience): string => `set_config('lock_timeout', '${millis}', true)`

/** A clock for a statement that waits no longer, and that is not part of a transaction of the application. */
export const impatientClock = (millis: Patience): string =>
  `clock as materialized (select ${time} as now, ${waits(millis)})`

const own = `select ${time}, ${settings.map(([name, value]) => `set_config('${name}', '${value}', true)`).join(", ")}`

/** How a transaction begins: with its time, and its settings where they are neither there nor the application's. */
export const openings = {
  own: (millis?: Patience): string => (millis === undefined ? own : `${own}, ${waits(millis)}`),
  plain: (millis?: Patience): string => `select ${time}${millis === undefined ? "" : `, ${waits(millis)}`}`
}

const contention = Schedule.exponential("2 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 5 }))

/** Whether the transaction was undone because of another one, so that the same may succeed when it is tried again. */
const isContention = ({ reason }: SqlError): boolean =>
  reason._tag === "DeadlockError" || reason._tag === "SerializationError" || reason._tag === "UniqueViolation"

/** Whether a statement failed that might have succeeded without telling others: its procedure is not there or not to be used,
 * or nobody can be told anything at the moment. */
const isRefusal = ({ reason }: SqlError): boolean =>
  reason._tag === "SqlSyntaxError" || reason._tag === "AuthorizationError" || reason._tag === "UnknownError"

/** For so long it is not tried again. */
const restFor = 60_000

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
    time: Effect.map(query(openings.plain(), [time]), ([later]) => later![0] as number),
    signal: 0
  }
}

export const makeDatabase = (options: {
  readonly client: SqlClient
  readonly workbench: Workbench
  /** The store goes by its callers' `now`. */
  readonly believesCallers: boolean
  readonly signals: Pick<Signals, "notify" | "take">
}): Database => {
  const { believesCallers, client, signals, workbench } = options
  /** After a commit, with what it changed. */
  const { notify } = signals
  const toldOf = (now: number): number | null => (believesCallers ? now : null)
  const ifJoined = <A>(
    joined: () => Effect.Effect<A, SqlError>,
    alone: () => Effect.Effect<A, SqlError>
  ): Effect.Effect<A, SqlError> =>
    Effect.withFiber((fiber) =>
      Context.getOrUndefined(fiber.context, client.transactionService) === undefined ? alone() : joined()
    )
  const query: Query = (text, params = []) =>
    Effect.map(client.unsafe(text, params.map(encodeParam)).values, decodeRows)
  const tell = (signal: StoreSignal): Effect.Effect<void> =>
    signal === 0 ? Effect.void : client.afterCommit(Effect.sync(() => notify(signal)))

  const begun = <A>(now: number, opening: string, body: (tx: Session) => Effect.Effect<A, SqlError>) => {
    const told = toldOf(now)
    return client.withTransaction(
      Effect.flatMap(query(opening, [told]), ([row]) => {
        const tx = makeSession(query, told, now, row!)
        // Told only if this level is committed, together with the levels around it.
        return Effect.tap(body(tx), () => tell(tx.signal))
      })
    )
  }

  /** On a connection of the pool, whose settings are the application's. */
  const inPool = <A>(
    now: number,
    body: (tx: Session) => Effect.Effect<A, SqlError>,
    sent?: Sent
  ): Effect.Effect<A, SqlError> => {
    let isThere = false
    const there = (tx: Session) => {
      isThere = true
      return body(tx)
    }
    return impatient(client, begun(now, openings.own(sent?.patience), there), () => isThere).pipe(
      // Each statement has to see what was committed before it, whatever the database's default is.
      Effect.provideService(BeginTransaction, begin),
      // Where the connection is lost the rollback fails too, and Effect makes a defect of it all.
      Effect.catchDefect((defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)))
    )
  }

  let refusedAt = -Infinity

  /** Where claims were sent on connections that were lost. */
  let claiming: ReadonlyArray<Backend> = []
  const onLostClaim = (backend: Backend): void => void (claiming = [...claiming, backend])
  const onLost = (sent: Sent | undefined) => (sent?.isClaim === true ? onLostClaim : undefined)

  const alone = <A>(
    now: number,
    body: (tx: Session) => Effect.Effect<A, SqlError>,
    sent?: Sent
  ): Effect.Effect<A, SqlError> => {
    let tx: Session | undefined
    const told = toldOf(now)
    const opening = openings.plain(sent?.patience)
    return again(
      workbench.transact({
        body: (send) =>
          Effect.flatMap(send(opening, [told]), ([row]) => body((tx = makeSession(send, told, now, row!)))),
        onSuccess: () => {
          if (tx!.signal !== 0) notify(tx!.signal)
        },
        otherwise: () => inPool(now, body, sent),
        onLost: onLost(sent)
      })
    )
  }

  return {
    isJoined: ifJoined(
      () => Effect.succeed(true),
      () => Effect.succeed(false)
    ) as Effect.Effect<boolean>,
    transact: (now, body, options) =>
      ifJoined(
        () => begun(now, openings.plain(), body),
        () => alone(now, body, options)
      ),
    told: toldOf,
    claimsAreDone: Effect.suspend(() => {
      const asked = claiming
      if (asked.length === 0) return Effect.void
      return alone(0, (tx) =>
        Effect.flatMap(endBackends(tx.query, asked), (left) => {
          claiming = claiming.filter((backend) => left.includes(backend) || !asked.includes(backend))
          return left.length === 0 ? Effect.void : overtaken("a claim that was given up may still be carried out")
        })
      )
    }),
    once: (now, text, params, options) => {
      const signalOf = options?.signal
      const body = (tx: Session) =>
        Effect.map(tx.query(text, params), (rows) => {
          if (signalOf !== undefined) tx.signal |= signalOf(rows)
          return rows
        })
      const attempt = () => {
        let told: Notification | undefined
        // What was refused may have been the telling alone, once the runs were there.
        let refused: StoreSignal = 0
        return workbench.use({
          body: (send) => {
            const plainly = () => send(text, params)
            if (options?.telling === undefined || isWithin(now, refusedAt, restFor)) return plainly()
            const notification = (told = signals.take(Signal.runs))
            if (notification === undefined) return plainly()
            return send(options.telling, [...params, notification.payload]).pipe(
              Effect.onError(() =>
                Effect.sync(() => {
                  told = undefined
                  notification.giveBack()
                })
              ),
              Effect.catchIf(isRefusal, () => {
                refusedAt = now
                refused = Signal.runs
                return plainly()
              })
            )
          },
          onSuccess: (rows) => {
            const signal = (signalOf === undefined ? 0 : signalOf(rows)) | refused
            if (signal !== 0) notify(signal, told !== undefined)
            else told?.giveBack()
          },
          otherwise: () => inPool(now, body),
          onLost: onLost(options)
        })
      }
      return ifJoined(
        () => begun(now, openings.plain(), body),
        () => again(Effect.suspend(attempt))
      )
    }
  }
}

/** Once more, several times, where another transaction was in the way. */
const again = <A>(attempt: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> =>
  Effect.catchIf(attempt, isContention, () => Effect.retry(attempt, { schedule: contention, while: isContention }))

/** What is told when runs have ended. */
export const ended: StoreSignal = Signal.ended | Signal.runs
