/** The connections that a store keeps for its calls, on which a statement is a transaction of its own. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Random, Redacted, Scope } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import { JobStore, type JobStoreService, type RunReport } from "effect-scheduler/JobStore"
import { SqlClient } from "effect/sql"
import { SqlJobStore } from "../../src/index.ts"
import { enqueued, jobs, run, success, t0 } from "../support.ts"
import { storeOn } from "./between.ts"
import { newPrefix, sharedUrl } from "./database.ts"
import { network } from "./late.ts"
import { query } from "./query.ts"

const claim = (store: JobStoreService, node = "n") =>
  Effect.map(store.claim({ now: t0, node, limit: 10, jobs, queues: {} }), ({ runs }) => runs)

const finish = (store: JobStoreService, runs: ReadonlyArray<RunRecord>, node = "n") =>
  store.finish({ now: t0, node, reports: runs.map(success), transition: () => undefined })

/** What another client sees. */
const stored = (prefix: string) =>
  Effect.map(query(sharedUrl, `select id, state, attempt, node from ${prefix}runs order by id`), (rows) => [...rows])

/** Waits for a statement on these tables that waits for a lock. */
const untilBlocked = (prefix: string) =>
  Effect.repeat(
    query(sharedUrl, `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%${prefix}%'`),
    { until: (rows) => rows.length > 0 }
  )

/** The server shows of each connection by its name whether a transaction is open. */
const openTransactions = (name: string) =>
  query(
    sharedUrl,
    `select state, query from pg_stat_activity where state like 'idle in transaction%' and application_name = '${name}'`
  )

describe("a call that is given up within its transaction", () => {
  it.live("leaves nothing open on its connection, where it waited for a lock", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { sql, store } = yield* storeOn(prefix, { client: { applicationName: prefix } })
      yield* store.enqueue(enqueued(run({ key: "k" })))
      const runs = yield* claim(store)
      assert.lengthOf(runs, 1)
      const end = yield* Deferred.make<void>()
      const isLocked = yield* Deferred.make<void>()
      const blocker = yield* Effect.forkScoped(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sql.unsafe(`select 1 from ${prefix}runs for update`)
            yield* Deferred.succeed(isLocked, undefined)
            yield* Deferred.await(end)
          })
        )
      )
      yield* Deferred.await(isLocked)
      const cancel = store.cancel({ now: t0, id: runs[0]!.id, transition: () => undefined })
      const call = yield* Effect.forkChild(Effect.retry(cancel, { while: (error) => error.isRetryable }))
      yield* untilBlocked(prefix)
      yield* Fiber.interrupt(call)
      yield* Deferred.succeed(end, undefined)
      yield* Fiber.join(blocker)
      assert.deepStrictEqual(yield* openTransactions(prefix), [])
      // All that the pool has, one of which was the store's.
      const used = yield* Effect.all(
        Array.from({ length: 6 }, () => Effect.exit(sql.unsafe("select pg_sleep(0.05)"))),
        { concurrency: "unbounded" }
      )
      assert.isTrue(used.every((exit) => exit._tag === "Success"))
      yield* finish(store, runs)
      assert.deepStrictEqual(yield* stored(prefix), [])
    }).pipe(Effect.scoped)
  )

  it.live("is undone as a whole, and what is stored on this connection later is stored", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const isDeleted = yield* Deferred.make<void>()
      let isWatched = true
      const { store } = yield* storeOn(prefix, {
        client: { applicationName: prefix },
        between: (text, params, send) =>
          isWatched && text.includes("remembered as")
            ? Effect.andThen(Effect.andThen(send(text, params), Deferred.succeed(isDeleted, undefined)), Effect.never)
            : send(text, params)
      })
      yield* store.enqueue(enqueued(run({ key: "k" })))
      const runs = yield* claim(store)
      const call = yield* Effect.forkChild(finish(store, runs))
      yield* Deferred.await(isDeleted)
      yield* Fiber.interrupt(call)
      isWatched = false
      assert.deepStrictEqual(yield* openTransactions(prefix), [])
      assert.deepStrictEqual(
        (yield* stored(prefix)).map((row) => row["state"]),
        ["running"]
      )
      const later = [run({ id: "a" }), run({ id: "b" }), run({ id: "c" })]
      yield* Effect.forEach(later, (each) => store.enqueue(enqueued(each)), { concurrency: "unbounded" })
      const claimed = yield* claim(store)
      assert.sameMembers(
        claimed.map(({ id }) => id),
        ["a", "b", "c"]
      )
      assert.sameDeepMembers(
        (yield* stored(prefix)).map((row) => [row["state"], row["attempt"], row["node"]]),
        Array.from({ length: 4 }, () => ["running", 1, "n"])
      )
    }).pipe(Effect.scoped)
  )
})

const giveBack = (store: JobStoreService, runs: ReadonlyArray<RunRecord>) =>
  store.finish({
    now: t0,
    node: "n",
    reports: runs.map(({ attempt, id }) => ({ _tag: "Release", id, attempt })),
    transition: () => undefined
  })

/** Only a claim has this in it. */
const isClaim = "candidates as materialized"

describe("a claim", () => {
  it.live("whose connection was lost is carried out before it is asked what the node holds, or never", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { kept, stream } = network(sharedUrl, isClaim)
      const { store } = yield* storeOn(prefix, { client: { stream } })
      yield* store.enqueue(enqueued(run()))
      const call = yield* Effect.forkChild(Effect.flip(claim(store)))
      const line = yield* Effect.repeat(Effect.sync(kept), { until: (found) => found !== undefined })
      line!.destroy()
      assert.strictEqual((yield* Fiber.join(call)).reason, "Unavailable")
      const held = yield* Effect.retry(store.held({ node: "n" }), { while: (error) => error.isRetryable })
      yield* Effect.promise(() => line!.arrive())
      assert.deepStrictEqual(held, [])
      assert.deepStrictEqual(
        (yield* stored(prefix)).map((row) => [row["state"], row["attempt"]]),
        [["pending", 0]]
      )
      // All its connections are gone, and others are there.
      assert.lengthOf(yield* Effect.retry(claim(store), { while: (error) => error.isRetryable }), 1)
    }).pipe(Effect.scoped)
  )

  for (const [title, change, attempts] of [
    ["was claimed", () => Effect.void, ["b 1"]],
    ["was claimed and given back", giveBack, ["b 1", "a 2"]],
    ["has ended", finish, ["b 1"]]
  ] as const)
    it.live(`leaves a run that ${title} between the moment it saw it and the moment it locks it`, () =>
      Effect.gen(function* () {
        const prefix = yield* newPrefix
        const { store: other } = yield* storeOn(prefix)
        const { sql } = yield* storeOn(prefix)
        const wait = `select pg_advisory_xact_lock(hashtext('${prefix}'))`
        yield* sql.unsafe<{ readonly timeout: string; readonly scan: string; readonly pid: number }>(
          `create function ${prefix}wait() returns boolean as $$ begin perform 1 from (${wait}) w; return true; end $$ language plpgsql`
        )
        const { store } = yield* storeOn(prefix, {
          between: (text, params, send) => {
            const waiting = text.replace("= 'pending' for update", `= 'pending' and ${prefix}wait() for update`)
            assert.strictEqual(text.includes(isClaim), waiting !== text)
            return send(waiting, params)
          }
        })
        yield* other.enqueue(enqueued(run({ id: "a" }), run({ id: "b" })))
        const call = yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* sql.unsafe(wait)
            const late = yield* Effect.forkChild(claim(store))
            yield* untilBlocked(prefix)
            const early = yield* other.claim({ now: t0, node: "n", limit: 1, jobs, queues: {} })
            assert.deepStrictEqual(
              early.runs.map(({ attempt, id }) => [id, attempt]),
              [["a", 1]]
            )
            yield* change(other, early.runs)
            return late
          })
        )
        const claimed = [...(yield* Fiber.join(call)), ...(yield* claim(store))]
        assert.deepStrictEqual(
          claimed.map(({ attempt, id }) => `${id} ${attempt}`),
          [...attempts]
        )
      }).pipe(Effect.scoped)
    )
})

describe("within a transaction of the application", () => {
  it.live("a statement belongs to it, whatever connections the store has of its own", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const { sql, store } = yield* storeOn(prefix)
      yield* store.enqueue(enqueued(run({ id: "a" })))
      const undone = yield* Effect.exit(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* store.enqueue(enqueued(run({ id: "b" })))
            const runs = yield* claim(store)
            assert.deepStrictEqual(
              runs.map(({ id }) => id),
              ["a", "b"]
            )
            const { fenced } = yield* finish(store, runs)
            assert.deepStrictEqual(fenced, [])
            const [row] = yield* sql.unsafe<{ readonly timeout: string }>(
              "select current_setting('lock_timeout') as timeout"
            )
            assert.strictEqual(row!.timeout, "0", "its settings are its own")
            return yield* Effect.fail("undone")
          })
        )
      )
      assert.isTrue(Exit.isFailure(undone))
      const left = yield* stored(prefix)
      assert.deepStrictEqual(
        left.map((row) => [row["id"], row["state"], row["attempt"]]),
        [["a", "pending", 0]]
      )
    }).pipe(Effect.scoped)
  )
})

describe("many claims at once", () => {
  it.live("give no attempt of a run twice, while others are ended, given back and tried again", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const seen = new Set<string>()
      const nodes = yield* Effect.forEach(["a", "b", "c"], (node) =>
        Effect.map(storeOn(prefix), ({ store }) => ({ node, store }))
      )
      yield* nodes[0]!.store.enqueue(enqueued(...Array.from({ length: 300 }, () => run())))
      const random = yield* Random.Random
      const turns = ({ node, store }: (typeof nodes)[number]) =>
        Effect.gen(function* () {
          for (let idle = 0; idle < 3;) {
            const { runs } = yield* store.claim({ now: t0, node, limit: 20, jobs, queues: {} })
            idle = runs.length === 0 ? idle + 1 : 0
            for (const { attempt, id } of runs) {
              assert.isFalse(seen.has(`${id} ${attempt}`), `attempt ${attempt} of run ${id} was given before`)
              seen.add(`${id} ${attempt}`)
            }
            const reports = runs.map((each): RunReport => {
              const { attempt, id } = each
              if (attempt > 5 || random.nextDoubleUnsafe() < 0.2) return success(each)
              return random.nextDoubleUnsafe() < 0.5
                ? { _tag: "Release", id, attempt }
                : { _tag: "Retry", id, attempt, failures: 1, errors: "[1]", runAt: t0 }
            })
            const report = store.finish({ now: t0, node, reports, transition: () => undefined })
            const { fenced } = yield* Effect.repeat(report, { until: ({ busy }) => busy === undefined })
            assert.deepStrictEqual(fenced, [])
          }
        })
      yield* Effect.forEach([...nodes, ...nodes], turns, { concurrency: "unbounded" })
      const left = yield* stored(prefix)
      assert.deepStrictEqual(left, [])
      const [row] = yield* query(sharedUrl, `select count(*)::int, sum(attempt)::int from ${prefix}history`)
      assert.deepStrictEqual(row, { count: 300, sum: seen.size })
    }).pipe(Effect.scoped)
  )
})

const lockTimeouts = (sql: SqlClient.SqlClient, connections: number) =>
  Effect.map(
    Effect.all(
      Array.from({ length: connections }, () =>
        sql.unsafe<{ readonly timeout: string; readonly scan: string; readonly pid: number }>(
          "select current_setting('lock_timeout') as timeout, current_setting('enable_seqscan') as scan, pg_backend_pid() as pid from pg_sleep(0.1)"
        )
      ),
      { concurrency: "unbounded" }
    ),
    (rows) => rows.map(([row]) => row!)
  )

describe("the settings of a connection", () => {
  it.live("are made again on one that takes the place of a lost one", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const timeouts: Array<unknown> = []
      const { store } = yield* storeOn(prefix, {
        client: { applicationName: prefix },
        between: (text, params, send) =>
          Effect.andThen(
            text.startsWith("call ") || text.includes("insert into")
              ? Effect.map(send("select current_setting('lock_timeout')", []), (rows) => void timeouts.push(...rows))
              : Effect.void,
            send(text, params)
          )
      })
      yield* store.enqueue(enqueued(run()))
      yield* query(
        sharedUrl,
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${prefix}'`
      )
      yield* Effect.retry(store.enqueue(enqueued(run())), { while: (error) => error.isRetryable })
      assert.isAbove(timeouts.length, 1)
      assert.isTrue(
        timeouts.every((row) => String(row) === "2s"),
        JSON.stringify(timeouts)
      )
    }).pipe(Effect.scoped)
  )

  it.live("are the application's on all others, and on all once the store is closed", () =>
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const scope = yield* Effect.flatMap(Effect.scope, (outer) => Scope.fork(outer))
      const database = PgClient.layer({ url: Redacted.make(sharedUrl), maxConnections: 8 })
      const sql = Context.get(yield* Layer.build(database), SqlClient.SqlClient)
      const live = Layer.fresh(SqlJobStore.layer({ prefix })).pipe(
        Layer.provide(Layer.succeed(SqlClient.SqlClient, sql))
      )
      const store = Context.get(yield* Scope.provide(Layer.build(live), scope), JobStore)
      yield* Effect.all([store.enqueue(enqueued(run())), store.enqueue(enqueued(run()))], { concurrency: "unbounded" })
      const before = yield* lockTimeouts(sql, 4)
      yield* Scope.close(scope, Exit.void)
      const after = yield* lockTimeouts(sql, 8)
      assert.isAbove(new Set(after.map((row) => row.pid)).size, new Set(before.map((row) => row.pid)).size)
      for (const row of [...before, ...after]) assert.deepInclude(row, { timeout: "0", scan: "on" })
    }).pipe(Effect.scoped)
  )
})
