import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { JobStore, type JobStoreService, type Transition } from "effect-scheduler/JobStore"
import { SqlJobStore } from "../../src/index.ts"
import { changeTo, jobs, run, schedule, t0 } from "../support.ts"
import { type Between, storeOn } from "./between.ts"
import { newPrefix, newServer, sharedUrl } from "./database.ts"
import { query } from "./query.ts"

const later = 10_000_000_000_000

/** A run for its time, and a next time that is far away. */
const advance: Transition = (id, view) => ({
  ...changeTo({ ...view!.schedule, nextAt: later, watermark: view!.schedule.nextAt! }),
  runs: [
    run({
      scheduleId: id,
      generation: view!.schedule.generation,
      nominal: view!.schedule.nextAt,
      cause: "nominal",
      runAt: view!.schedule.nextAt!
    })
  ]
})

/** Due by the server's clock. */
const due = { nextAt: 1_700_000_000_000 }

const put = (store: JobStoreService, ...ids: ReadonlyArray<string>) =>
  store.modify({ now: t0, ids, transition: (id) => changeTo(schedule(id, due)) })

const fire = (store: JobStoreService) =>
  store.fire({ now: Date.now(), limit: 100, version: 1, triggers: [], transition: advance })

/** A store that does something between the reading of what is due and the writing of what was decided, once. */
const interrupted = (prefix: string, what: Effect.Effect<unknown, unknown>) => {
  let isDone = false
  const between: Between = (text, params, send) =>
    Effect.suspend(() => {
      if (isDone || !text.includes("advanced as (")) return send(text, params)
      isDone = true
      return Effect.andThen(Effect.orDie(what), send(text, params))
    })
  return storeOn(prefix, { between })
}

/** What was decided is written, and the answer is an error. */
const failing: Between = (text, params, send) =>
  text.includes("advanced as (") ? Effect.andThen(send(text, params), send("select 1 / 0", [])) : send(text, params)

const runsOf = (prefix: string) =>
  Effect.map(query(sharedUrl, `select schedule_id, generation from ${prefix}runs order by 1`), (rows) =>
    rows.map((row) => row["schedule_id"])
  )

describe("a tick of a few schedules", { timeout: 60_000 }, () => {
  it.live("is read and written by one statement each, and leaves the connection as it was", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const texts: Array<string> = []
      const { store } = yield* storeOn(prefix, {
        between: (text, params, send) =>
          Effect.andThen(
            Effect.sync(() => void texts.push(text)),
            Effect.tap(send(text, params), () =>
              text.includes("advanced as (")
                ? Effect.map(send("show synchronous_commit", []), (rows) => void texts.push(String(rows)))
                : Effect.void
            )
          )
      })
      yield* put(store, "a", "b")
      // How many dead rows there are is asked only now and then.
      yield* store.fire({ now: Date.now(), limit: 1, version: 0, triggers: [], transition: advance })
      texts.length = 0
      const { applied } = yield* fire(store)
      assert.deepStrictEqual(
        applied.map(({ id }) => id),
        ["a", "b"]
      )
      assert.deepStrictEqual([texts.length, texts[2]], [3, "on"])
      assert.deepStrictEqual(yield* runsOf(prefix), ["a", "b"])
    }).pipe(Effect.scoped)
  )

  it.live("leaves a transaction of the application to wait for the disk", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* storeOn(yield* newPrefix)
      yield* put(store, "a")
      yield* sql.withTransaction(
        Effect.gen(function* () {
          assert.strictEqual((yield* fire(store)).applied.length, 1)
          assert.deepStrictEqual<unknown>(yield* sql.unsafe("show synchronous_commit").values, [["on"]])
        })
      )
    }).pipe(Effect.scoped)
  )

  it.live("is fired once where another node fires it meanwhile", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { store: other } = yield* storeOn(prefix)
      yield* put(other, "a", "b")
      const { store } = yield* interrupted(prefix, fire(other))
      const { applied } = yield* fire(store)
      assert.deepStrictEqual(applied, [])
      assert.deepStrictEqual(yield* runsOf(prefix), ["a", "b"])
      assert.deepStrictEqual((yield* fire(store)).applied, [])
    }).pipe(Effect.scoped)
  )

  it.live("passes over a schedule that somebody has locked, and fires the others at once", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { sql, store: other } = yield* storeOn(prefix)
      yield* put(other, "a", "b", "c")
      const { store } = yield* interrupted(prefix, Effect.void)
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql.unsafe(`select 1 from ${prefix}schedules where id = 'b' for update`)
          const { applied } = yield* fire(store)
          assert.deepStrictEqual(
            applied.map(({ id }) => id),
            ["a", "c"]
          )
        })
      )
      assert.deepStrictEqual(
        (yield* fire(store)).applied.map(({ id }) => id),
        ["b"]
      )
      assert.deepStrictEqual(yield* runsOf(prefix), ["a", "b", "c"])
    }).pipe(Effect.scoped)
  )

  for (const [what, change] of [
    ["was removed", [null]],
    ["was removed and added again", [null, schedule("a", due)]],
    ["was paused", [schedule("a", { state: "paused", nextAt: null })]]
  ] as const) {
    it.live(`makes no run of a schedule that ${what} meanwhile`, () =>
      Effect.gen(function* () {
        const prefix = yield* newPrefix
        const { store: other } = yield* storeOn(prefix)
        yield* put(other, "a", "b")
        const changed = Effect.forEach(change, (row) =>
          other.modify({
            now: t0,
            ids: ["a"],
            transition: (_, view) => changeTo(row === null ? row : { ...row, ...view?.schedule, ...row })
          })
        )
        const { store } = yield* interrupted(prefix, changed)
        const { applied } = yield* fire(store)
        assert.deepStrictEqual(
          applied.map(({ id }) => id),
          ["b"]
        )
        assert.deepStrictEqual(yield* runsOf(prefix), ["b"])
      }).pipe(Effect.scoped)
    )
  }

  it.live("is fired once where its write was carried out and the answer was lost", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { store: other } = yield* storeOn(prefix)
      yield* put(other, "a")
      const { store } = yield* storeOn(prefix, { between: failing })
      assert.strictEqual((yield* Effect.exit(fire(store)))._tag, "Failure")
      assert.deepStrictEqual((yield* fire(store)).applied, [])
      assert.deepStrictEqual(yield* runsOf(prefix), ["a"])
    }).pipe(Effect.scoped)
  )

  it.live("is forgotten as a whole, or not, by a server that fails, and never once its run is claimed", () =>
    Effect.gen(function* () {
      // What does not wait for the disk is written when the server likes to.
      const server = yield* newServer({ settings: { wal_writer_delay: "10s" } })
      const jobStore = Effect.map(
        Layer.build(
          Layer.fresh(
            SqlJobStore.layer({ prefix: "t_" }).pipe(
              Layer.provide(PgClient.layer({ url: Redacted.make(server.url), maxConnections: 8 }))
            )
          )
        ),
        (services) => Context.get(services, JobStore)
      )
      const crash = Effect.promise(async () => {
        await server.stop("immediate")
        await server.start()
      })
      const found = Effect.map(
        query(
          server.url,
          `select s.id, s.next_at = ${later} as fired, r.attempt from t_schedules s left join t_runs r on r.schedule_id = s.id order by 1`
        ),
        (rows) => rows.map(({ attempt, fired, id }) => `${id} ${fired ? "fired" : "not fired"}, attempt ${attempt}`)
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* jobStore
          yield* put(store, "a")
          assert.strictEqual((yield* fire(store)).applied.length, 1)
          yield* crash
        })
      )
      const [forgotten, kept] = ["a not fired, attempt null", "a fired, attempt 0"]
      const [after] = yield* found
      assert.isTrue(after === forgotten || after === kept, after)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* jobStore
          yield* fire(store)
          const { runs } = yield* store.claim({ now: t0, node: "n", limit: 10, jobs, queues: {} })
          assert.strictEqual(runs.length, 1)
          yield* crash
        })
      )
      assert.deepStrictEqual(yield* found, ["a fired, attempt 1"])
    })
  )
})
