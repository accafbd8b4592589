import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch, Schedule } from "effect"
import { type JobStoreService, Signal, type StoreSignal } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql"
import { changeTo, enqueued, jobs, run, schedule } from "../support.ts"
import { storeOn } from "./between.ts"
import { newPrefix } from "./database.ts"

/** Copies the one row of a table and deletes the copies: so many that searches begin where the last one ended. */
const leaveDeadRows = (sql: SqlClient.SqlClient, table: string) =>
  Effect.gen(function* () {
    yield* sql.unsafe(`alter table ${table} set (autovacuum_enabled = false)`)
    yield* sql.unsafe(`insert into ${table} select copy.* from ${table} s, generate_series(1, 11000) n,
      lateral jsonb_populate_record(s, jsonb_build_object('id', 'dead ' || n)) copy`)
    yield* sql.unsafe(`delete from ${table} where id like 'dead %'`)
    // The server counts them a moment later.
    yield* Effect.repeat(sql.unsafe(`select pg_stat_get_dead_tuples('${table}'::regclass)::int`).values, {
      until: ([row]) => (row![0] as number) > 10_000,
      schedule: Schedule.spaced("50 millis")
    }).pipe(Effect.timeout("20 seconds"))
  })

/** Waits until the store tells of this from now on. */
const hearing = (store: JobStoreService, signal: StoreSignal) => {
  const heard = Latch.makeUnsafe()
  const subscribed = store.subscribe((bits) => void (bits & signal && heard.openUnsafe()))
  return Effect.as(subscribed, Effect.timeout(heard.await, "20 seconds"))
}

/** All calls but the last are of this instant, within the second after the first of them, which looks at everything. */
const now = Date.now()
const due = now - 60_000
const far = now + 3_600_000

describe("beside many dead rows", { timeout: 60_000 }, () => {
  it.live("a claim that may have missed a run has claimers told to look again", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { sql, store } = yield* storeOn(prefix)
      const enqueue = (id: string, runAt: number) => store.enqueue({ ...enqueued(run({ id, runAt })), now })
      const claim = (at: number) => store.claim({ now: at, node: "n", limit: 10, jobs, queues: {} })
      yield* enqueue("far", far)
      yield* leaveDeadRows(sql, `${prefix}runs`)
      yield* claim(now)
      // As one that has waited for its key until now.
      yield* enqueue("due", due)
      const told = yield* hearing(store, Signal.runs)
      assert.deepStrictEqual((yield* claim(now)).runs, [])
      yield* told
      const { runs } = yield* claim(now + 1_000)
      assert.deepStrictEqual(
        runs.map(({ id }) => id),
        ["due"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("a tick that may have missed a schedule has firers told to look again", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { sql, store } = yield* storeOn(prefix)
      const put = (id: string, nextAt: number) =>
        store.modify({ now, ids: [id], transition: () => changeTo(schedule(id, { nextAt })) })
      const fire = (at: number) =>
        store.fire({
          now: at,
          limit: 10,
          version: 1,
          triggers: [],
          transition: (_, view) => changeTo({ ...view!.schedule, nextAt: far })
        })
      const wake = store.wake({ now, version: 1, triggers: [], jobs: [], queues: {} })
      yield* put("far", far)
      yield* leaveDeadRows(sql, `${prefix}schedules`)
      yield* fire(now)
      yield* wake
      yield* put("due", due)
      const told = yield* hearing(store, Signal.schedules)
      assert.deepStrictEqual((yield* fire(now)).applied, [])
      yield* wake
      yield* told
      const { applied } = yield* fire(now + 1_000)
      assert.deepStrictEqual(
        applied.map(({ id }) => id),
        ["due"]
      )
    }).pipe(Effect.scoped)
  )
})
