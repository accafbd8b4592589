import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schedule } from "effect"
import { type JobStoreService, Signal, type StoreSignal } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { makeSignals } from "../../src/internal/postgres/signals.ts"
import { makeTables } from "../../src/internal/tables.ts"
import { enqueued, jobs, run, t0 } from "../support.ts"
import { storeOn } from "./between.ts"
import { newPrefix, newServer, sharedUrl } from "./database.ts"
import { query } from "./query.ts"

const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(condition, { until: (holds) => holds, schedule: Schedule.spaced("10 millis") }).pipe(
    Effect.timeout("20 seconds"),
    Effect.asVoid
  )

/** What another process hears. */
const hearing = (store: JobStoreService) =>
  Effect.gen(function* () {
    const heard: Array<StoreSignal> = []
    yield* store.subscribe((signal) => void heard.push(signal))
    return heard
  })

/** The backends that listen on the channel of these tables. */
const listeners = (prefix: string) =>
  Effect.map(
    query(
      sharedUrl,
      `select count(*)::int as n from pg_stat_activity where application_name = '${prefix}' and query ilike 'listen%'`
    ),
    ([row]) => row!["n"]
  )

const isNotification = (text: string): boolean => text.includes("pg_notify")

describe("an enqueue", () => {
  it.live("tells others in the one statement that stores the run, and not in the transaction that does", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const sent: Array<string> = []
      const { sql, store } = yield* storeOn(prefix, {
        between: (text, params, send) => {
          sent.push(text)
          return send(text, params)
        }
      })
      const { store: other } = yield* storeOn(prefix)
      const heard = yield* hearing(other)
      // A connection is taken first.
      yield* store.enqueue(enqueued(run()))
      yield* until(Effect.sync(() => heard.length > 0))
      yield* Effect.sleep("20 millis")
      sent.length = heard.length = 0
      yield* store.enqueue(enqueued(run({ id: "told" })))
      yield* until(Effect.sync(() => heard.length > 0))
      assert.deepStrictEqual(heard, [Signal.runs])
      assert.deepStrictEqual([sent.length, sent.some(isNotification)], [1, false])
      // Whoever notifies in a transaction has a number in it, as who inserts has: two for one statement.
      const number = () =>
        Effect.map(
          sql.unsafe<{ readonly n: string }>("select pg_snapshot_xmax(pg_current_snapshot())::text as n"),
          ([row]) => Number(row!.n)
        )
      yield* until(
        Effect.gen(function* () {
          yield* Effect.sleep("3 millis")
          const before = yield* number()
          yield* store.enqueue(enqueued(run()))
          const after = yield* number()
          const [row] = yield* sql.unsafe<{ readonly n: string }>(
            `select max(xmin::text::bigint)::text as n from ${prefix}runs`
          )
          // Again where somebody else had one in between.
          return after - before === 2 && Number(row!.n) === before
        })
      )
    }).pipe(Effect.scoped)
  )

  it.live("is told of though many come at once, the last of them too", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { store } = yield* storeOn(prefix)
      const { store: other } = yield* storeOn(prefix)
      let claimed = 0
      let isRung = false
      // Looks when it is told, and at no other time.
      yield* other.subscribe(() => void (isRung = true))
      const look = Effect.suspend(() => {
        if (!isRung) return Effect.void
        isRung = false
        return Effect.map(other.claim({ now: t0, node: "n", limit: 1_000, jobs, queues: {} }), ({ runs }) => {
          claimed += runs.length
        })
      })
      yield* Effect.forEach(
        Array.from({ length: 200 }, (_, i) => i),
        (i) => Effect.andThen(Effect.sleep((i * 7) % 50), store.enqueue(enqueued(run()))),
        { concurrency: 20 }
      )
      yield* until(Effect.map(look, () => claimed === 200))
    }).pipe(Effect.scoped)
  )

  it.live("stores the run and tells of it also where its procedure is not there", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const sent: Array<string> = []
      const { store } = yield* storeOn(prefix, {
        between: (text, params, send) => {
          if (text.startsWith("call ")) sent.push(text)
          return send(text, params)
        }
      })
      const { store: other } = yield* storeOn(prefix)
      const heard = yield* hearing(other)
      yield* query(sharedUrl, `drop procedure ${prefix}enqueue`)
      const { ids } = yield* store.enqueue(enqueued(run({ id: "a" }), run({ id: "b" })))
      assert.deepStrictEqual(ids, ["a", "b"])
      yield* until(Effect.sync(() => heard.length > 0))
      assert.deepStrictEqual(heard, [Signal.runs])
      yield* Effect.sleep("20 millis")
      yield* store.enqueue(enqueued(run({ id: "c" })))
      const { unfinished } = yield* store.getRuns({ ids: ["a", "b", "c"] })
      assert.deepStrictEqual([unfinished.length, sent.length], [3, 1])
    }).pipe(Effect.scoped)
  )

  it.live("tells of the run also where the server stores it and refuses to notify", () =>
    Effect.gen(function* () {
      const { store } = yield* storeOn(yield* newPrefix, {
        between: (text, params, send) =>
          text.startsWith("call ") ? Effect.andThen(send(text, params), send("select 1 / 0", [])) : send(text, params)
      })
      const heard = yield* hearing(store)
      assert.deepStrictEqual(yield* store.enqueue(enqueued(run({ id: "a" }))), { ids: ["a"] })
      assert.deepStrictEqual(heard, [Signal.runs])
    }).pipe(Effect.scoped)
  )

  it.live("tells of nothing where the run was stored before", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { store } = yield* storeOn(prefix)
      const { store: other } = yield* storeOn(prefix)
      const heard = yield* hearing(other)
      const first = enqueued(run({ id: "a" }))
      yield* store.enqueue(first)
      yield* until(Effect.sync(() => heard.length > 0))
      yield* Effect.sleep("20 millis")
      assert.deepStrictEqual(yield* store.enqueue(first), { ids: ["a"] })
      yield* Effect.sleep("20 millis")
      yield* store.enqueue(enqueued(run({ id: "b" })))
      yield* until(Effect.sync(() => heard.length > 1))
      assert.strictEqual(heard.length, 2)
    }).pipe(Effect.scoped)
  )
})

it.effect(
  "What is to be told does not wait for statements that were to tell it, one after another, and told nothing",
  () =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      const client = {
        listen: () => Effect.never,
        unsafe: (_: string, [, payload]: ReadonlyArray<string>) => ({
          values: Effect.sync(() => void sent.push(payload!))
        })
      } as unknown as SqlClient.SqlClient
      const signals = yield* makeSignals({ client, tables: makeTables("t_"), hear: () => undefined })
      yield* TestClock.adjust("1 second")
      signals.notify(Signal.runs)
      yield* TestClock.adjust("1 milli")
      sent.length = 0
      signals.notify(Signal.ended)
      for (let i = 0; i < 10; i++) {
        yield* TestClock.adjust("3 millis")
        const notification = signals.take(Signal.runs)
        yield* TestClock.adjust("2 millis")
        notification?.giveBack()
      }
      yield* TestClock.adjust("1 milli")
      assert.deepStrictEqual(
        sent.map((payload) => payload.split(" ")[1]),
        [String(Signal.ended)]
      )
    }).pipe(Effect.scoped)
)

it.effect("A statement that told others a moment ago leaves the next one to tell, however long it took itself", () =>
  Effect.gen(function* () {
    const client = {
      listen: () => Effect.never,
      unsafe: () => ({ values: Effect.die("nothing is sent by itself") })
    } as unknown as SqlClient.SqlClient
    const signals = yield* makeSignals({ client, tables: makeTables("t_"), hear: () => undefined })
    for (let i = 0; i < 10; i++) {
      assert.isDefined(signals.take(Signal.runs))
      yield* TestClock.adjust("3 millis")
      signals.notify(Signal.runs, true)
      yield* TestClock.adjust("1 milli")
    }
  }).pipe(Effect.scoped)
)

it.live("A store to which nobody subscribed holds no connection to listen, and one to which two did holds one", () =>
  Effect.gen(function* () {
    const prefix = yield* newPrefix
    const { store } = yield* storeOn(prefix, { client: { applicationName: prefix } })
    yield* store.enqueue(enqueued(run()))
    assert.strictEqual(yield* listeners(prefix), 0)
    yield* store.subscribe(() => undefined)
    yield* store.subscribe(() => undefined)
    assert.strictEqual(yield* listeners(prefix), 1)
  }).pipe(Effect.scoped)
)

it.live(
  "Who subscribes while the server does not answer goes on all the same, and hears of everything once it does",
  () =>
    Effect.gen(function* () {
      const server = yield* newServer()
      const { store } = yield* storeOn("t_", { client: { url: Redacted.make(server.url) } })
      yield* Effect.acquireRelease(Effect.sync(server.freeze), () => Effect.sync(server.thaw))
      const heard = yield* Effect.timeout(hearing(store), "20 seconds")
      assert.deepStrictEqual(heard, [])
      server.thaw()
      yield* until(Effect.sync(() => heard.length > 0))
      assert.deepStrictEqual(heard, [Signal.schedules | Signal.runs | Signal.ended | Signal.cancel])
    }).pipe(Effect.scoped),
  60_000
)
