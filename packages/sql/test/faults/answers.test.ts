/** Store calls whose answers are lost, late, or refused for a moment. */
import { assert } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { Trigger } from "effect-scheduler"
import { JobStoreError, type JobStoreService } from "effect-scheduler/JobStore"
import { FaultyStore } from "effect-scheduler/testing"
import { Tick, Work } from "./jobs.ts"
import { fault, instead, type World } from "./kit.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const

const end = { _tag: "End" } as const

const handlers = (world: World) =>
  Layer.merge(
    Tick.toLayer(() => Effect.asVoid(world.executing)),
    Work.toLayer(() => Effect.asVoid(world.executing))
  )

/** Loses the answer of the first call that did something: it is carried out, and its caller sees a timeout. */
class Loss {
  lost = 0
  again = 0

  readonly of =
    <P, A>(call: (params: P) => Effect.Effect<A, JobStoreError>, didSomething: (params: P, answer: A) => boolean) =>
    (params: P): Effect.Effect<A, JobStoreError> =>
      Effect.flatMap(call(params), (answer) => {
        if (this.lost > 0) this.again++
        if (this.lost > 0 || !didSomething(params, answer)) return Effect.succeed(answer)
        this.lost++
        return Effect.fail(new JobStoreError({ reason: "Timeout", method: "any", message: "the answer was lost" }))
      })
}

const lost = "the call is carried out, and its answer is a timeout"

fault(5, "fire committed, the caller sees a timeout", { on: everywhere, injected: lost }, (world) =>
  Effect.gen(function* () {
    const loss = new Loss()
    const over = instead({ fire: (call) => loss.of(call, (_, answer) => answer.applied.length > 0) })
    const node = yield* world.node({ jobs: handlers(world), over })
    const at = Trigger.at(DateTime.makeUnsafe(Date.now()))
    yield* node.scheduler.schedule(Tick, { id: "once", trigger: at })
    yield* world.until(
      "the call was sent again",
      Effect.sync(() => loss.again),
      (again) => again > 0
    )
    const { items } = yield* world.until(
      "its run has ended",
      world.store.history({ filter: {}, limit: 9 }),
      (page) => page.items.length > 0
    )
    assert.deepStrictEqual(
      items.map((row) => row._tag === "Run" && row.outcome),
      ["succeeded"]
    )
    const [row] = yield* world.store.getSchedules({ ids: ["once"] })
    assert.strictEqual(row!.counts.fired, 1)
    world.mustEnd(items[0]!.id)
    return "the retry found the schedule moved on, and made no second run"
  })
)

fault(6, "claim committed, the caller sees a timeout", { on: everywhere, injected: lost }, (world) =>
  Effect.gen(function* () {
    const loss = new Loss()
    const over = instead({ claim: (call) => loss.of(call, (_, answer) => answer.runs.length > 0) })
    const node = yield* world.node({ jobs: handlers(world), over })
    const id = yield* node.scheduler.enqueue(Work, { deed: end })
    assert.deepInclude(yield* world.ended(id), {
      outcome: "succeeded",
      attempt: 1,
      recoveries: 0,
      node: yield* node.scheduler.node
    })
    assert.strictEqual(loss.lost, 1)
    assert.strictEqual(world.executionsOf(id), 1)
    world.mustEnd(id)
    return "the node asked for the runs under its id, found the run that it did not know of, and ran it: attempt 1"
  })
)

fault(7, "finish committed, the caller sees a timeout", { on: everywhere, injected: lost }, (world) =>
  Effect.gen(function* () {
    const loss = new Loss()
    const refused: Array<string> = []
    const over = instead({
      finish: (call) => {
        const lossy = loss.of(call, ({ reports }) => reports.length > 0)
        return (params) => Effect.tap(lossy(params), (answer) => Effect.sync(() => refused.push(...answer.fenced)))
      }
    })
    const node = yield* world.node({ jobs: handlers(world), over })
    const id = yield* node.scheduler.enqueue(Work, { deed: end })
    yield* world.until(
      "the node knows of the end",
      Effect.sync(() => node.only("RunSucceeded")),
      (events) => events.length > 0
    )
    assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1 })
    assert.deepStrictEqual(node.story(id), ["RunCreated", "RunStarted", "RunSucceeded"])
    assert.deepStrictEqual([loss.lost, loss.again], [1, 1])
    assert.deepStrictEqual(refused, [])
    world.mustEnd(id)
    return "the retry was taken for the report that had been stored: one history row, one RunSucceeded, nothing refused"
  })
)

/** Everything is carried out, later. `most` is how many calls of a method were under way at once. */
const slowed =
  (millis: number, most: Map<string, number>) =>
  (store: JobStoreService): JobStoreService => {
    const now = new Map<string, number>()
    const slow = (method: string, call: Effect.Effect<unknown, JobStoreError>) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const count = (now.get(method) ?? 0) + 1
          now.set(method, count)
          most.set(method, Math.max(most.get(method) ?? 0, count))
        }),
        () => Effect.andThen(Effect.sleep(millis), call),
        () => Effect.sync(() => now.set(method, now.get(method)! - 1))
      )
    type Call = (params: unknown) => Effect.Effect<unknown, JobStoreError>
    const calls = FaultyStore.methods.map((method) => {
      const call = store[method]
      return [
        method,
        typeof call === "function" ? (params: unknown) => slow(method, (call as Call)(params)) : slow(method, call)
      ]
    })
    return { ...store, ...Object.fromEntries(calls) }
  }

fault(
  19,
  "the connection to the store hangs",
  {
    on: everywhere,
    own: "server",
    injected: {
      memory: "every call never answers, for more than twice the time that it may take",
      sqlite: "every call never answers, for more than twice the time that it may take",
      postgres: "SIGSTOP of the server and all its backends, for more than twice the time that a call may take"
    }
  },
  (world) =>
    Effect.gen(function* () {
      let hangs = false
      const hanging = Object.fromEntries(
        FaultyStore.methods
          .filter((method) => method !== "nodes")
          .map((method) => [
            method,
            (call: (params: unknown) => Effect.Effect<unknown>) => (params: unknown) =>
              Effect.suspend(() => (hangs ? Effect.never : call(params)))
          ])
      )
      const real = world.name === "postgres"
      const node = yield* world.node({
        jobs: handlers(world),
        // Long enough that a busy machine is not taken for it.
        lease: "6 seconds",
        storeTimeout: "1 second",
        ...(real ? {} : { over: instead(hanging as never) })
      })
      const before = yield* node.scheduler.node
      const client = yield* world.client
      yield* client.schedule(Tick, { id: "ticks", trigger: Trigger.every("100 millis"), overlap: "allow" })
      yield* world.until(
        "it works",
        Effect.sync(() => node.only("RunSucceeded").length),
        (count) => count > 2
      )
      yield* Effect.sync(() => (real ? world.server.freeze() : (hangs = true)))
      const recovered = node.only("StoreRecovered").length
      yield* world.until(
        "the node knows",
        Effect.sync(() => node.only("StoreDegraded").length),
        (count) => count > recovered
      )
      yield* world.pass(2_000)
      const meanwhile = node.only("RunSucceeded").length
      yield* Effect.sync(() => (real ? world.server.thaw() : (hangs = false)))
      yield* world.until(
        "it is well",
        Effect.sync(() => node.only("StoreRecovered").length),
        (count) => count > recovered
      )
      yield* world.until(
        "it works again",
        Effect.sync(() => node.only("RunSucceeded").length),
        (count) => count > meanwhile + 5
      )
      assert.deepStrictEqual(node.only("FiberRestarted"), [])
      assert.deepStrictEqual(node.only("NodeFenced"), [])
      assert.strictEqual(yield* node.scheduler.node, before)
      yield* client.pause("ticks")
      return "each call timed out by itself, the loops went on: degraded, then recovered, under the same node id"
    })
)

fault(
  20,
  "a slow store",
  {
    on: everywhere,
    clock: "virtual",
    shared: true,
    injected: {
      memory: "each call takes 2 s more, with a lease of 15 s",
      sqlite: "each call takes 2 s more, with a lease of 15 s",
      postgres: "each call takes 0.2 s more, with a lease of 6 s"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const most = new Map<string, number>()
      let renewals = 0
      const real = world.name === "postgres"
      const counting = instead({
        heartbeat: (call) => (params) => Effect.tap(call(params), () => Effect.sync(() => renewals++))
      })
      const slow = slowed(real ? 200 : 2_000, most)
      const lease = real ? "6 seconds" : "15 seconds"
      const over = (store: JobStoreService) => slow(counting(store))
      const node = yield* world.node({ jobs: handlers(world), over, lease, storeTimeout: "10 seconds" })
      const before = yield* node.scheduler.node
      const ids = yield* (yield* world.client).enqueueAll(
        Work,
        Array.from({ length: 300 }, () => ({ deed: end }))
      )
      yield* Effect.forEach(ids, world.ended, { discard: true })
      yield* world.until(
        "the lease was renewed",
        Effect.sync(() => renewals),
        (count) => count >= 2
      )
      const [own] = yield* world.store.nodes
      assert.deepInclude(own!, { id: before, deadAt: null })
      assert.deepStrictEqual(node.only("NodeFenced"), [])
      assert.strictEqual(yield* node.scheduler.node, before)
      for (const method of ["claim", "fire", "heartbeat", "finish", "reap", "maintain"]) {
        assert.isAtMost(most.get(method) ?? 0, 1, method)
      }
      world.mustEnd(...ids)
      return "the lease was renewed all the time, each loop had one call under way at a time, and all runs ended"
    })
)

/** A conflict that a database answers a few times, and then no more. */
const conflicting = (world: World) => {
  if (world.name === "postgres") {
    const name = `${world.prefix}conflict`
    // The counter of a sequence is not rolled back.
    const body = `begin if nextval('${name}') <= 3 then raise exception 'deadlock detected' using errcode = '40P01'; end if; if nextval('${name}') <= 8 then raise exception 'could not serialize' using errcode = '40001'; end if; return new; end`
    return Effect.gen(function* () {
      yield* world.sql(() => `create sequence ${name}`)
      yield* world.sql(() => `create function ${name}() returns trigger language plpgsql as $$${body}$$`)
      for (const [table, event] of [
        ["runs", "insert or update"],
        ["history", "insert"]
      ] as const) {
        yield* world.sql(
          (t) => `create trigger conflict before ${event} on ${t(table)} for each row execute function ${name}()`
        )
      }
      return {
        over: (store: JobStoreService) => store,
        count: Effect.map(
          world.sql(() => `select last_value as n from ${name}`),
          ([row]) => Number(row!["n"])
        )
      }
    })
  }
  return Effect.sync(() => {
    let count = 0
    const some = (call: (params: unknown) => Effect.Effect<unknown>) => {
      let left = 3
      return (params: unknown) =>
        Effect.suspend(() => {
          if (left === 0) return call(params)
          left--
          count++
          return Effect.fail(new JobStoreError({ reason: "Conflict", method: "any", message: "could not serialize" }))
        })
    }
    const over = instead({ claim: some, fire: some, finish: some, enqueue: some, modify: some } as never)
    return { over, count: Effect.sync(() => count) }
  })
}

fault(
  22,
  "serialization failures and deadlocks",
  {
    on: everywhere,
    injected: {
      memory: "three conflicts for each of enqueue, modify, fire, claim and finish",
      sqlite: "three conflicts for each of enqueue, modify, fire, claim and finish",
      postgres: "triggers that raise 40P01 and 40001 for the first writes of runs and history"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const { count, over } = yield* conflicting(world)
      const node = yield* world.node({ jobs: handlers(world), over, lease: "10 seconds" })
      const id = yield* node.scheduler.enqueue(Work, { deed: end })
      yield* node.scheduler.schedule(Tick, { id: "once", trigger: Trigger.at(DateTime.makeUnsafe(Date.now())) })
      assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1, failures: 0 })
      yield* world.until(
        "both have ended",
        Effect.sync(() => node.only("RunSucceeded").length),
        (ended) => ended === 2
      )
      assert.isAtLeast(yield* count, 8)
      assert.deepStrictEqual(node.only("StoreDegraded"), [])
      assert.deepStrictEqual(node.only("RunFailed"), [])
      world.mustEnd(id)
      return "each was sent again after a short delay; no run failed of it, and the store was not called degraded"
    })
)
