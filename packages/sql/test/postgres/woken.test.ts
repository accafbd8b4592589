import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Deferred, Effect, Fiber, Layer, Redacted, Schedule, Schema } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"
import { SqlJobStore } from "../../src/index.ts"
import { newPrefix, sharedUrl } from "./database.ts"

/** Nobody polls, and no lease is renewed: what is not told of is never found. */
const never = "1 hour"

const payload = { name: Schema.String }
class Plain extends Job.make("Plain", { payload }) {}
class Single extends Job.make("Single", { payload, concurrency: 1 }) {}
class Mail extends Job.make("Mail", { payload, queue: "mail" }) {}
class Keyed extends Job.make("Keyed", { payload, key: () => "same" }) {}
class Failing extends Job.make("Failing", { payload, error: Schema.String, retry: Schedule.spaced("30 millis") }) {}

/** Two nodes and a client on one database, and the names of the runs that each node has begun. */
const world = Effect.gen(function* () {
  const prefix = yield* newPrefix
  const stores = () => ({
    default: Layer.fresh(
      SqlJobStore.layer({ prefix }).pipe(
        Layer.provide(PgClient.layer({ url: Redacted.make(sharedUrl), maxConnections: 8 }))
      )
    )
  })
  const node = Effect.fnUntraced(function* () {
    const begun: Array<string> = []
    const go = yield* Deferred.make<void>()
    const handle = ({ name }: { readonly name: string }) =>
      Effect.andThen(
        Effect.sync(() => void begun.push(name)),
        name === "first" ? Deferred.await(go) : Effect.void
      )
    const handlers = Layer.mergeAll(
      Plain.toLayer(handle),
      Single.toLayer(handle),
      Mail.toLayer(handle),
      Keyed.toLayer(handle),
      Failing.toLayer((work) =>
        Effect.andThen(handle(work), work.name === "first" ? Effect.fail("again") : Effect.void)
      )
    )
    const options = {
      stores: stores(),
      pollInterval: never,
      lease: never,
      drainDeadline: 0,
      queues: { mail: { concurrency: 1 } }
    } as const
    const context = yield* Layer.build(Layer.provideMerge(handlers, Scheduler.layer(options)))
    return { begun, scheduler: Context.get(context, Scheduler), go: Deferred.succeed(go, undefined) }
  })
  const client = Context.get(yield* Layer.build(Scheduler.layerClient(stores())), Scheduler)
  return { client, node }
})

const inMillis = (millis: number) => Effect.map(DateTime.now, (now) => DateTime.addDuration(now, millis))

const until = (condition: () => boolean) =>
  Effect.repeat(Effect.sync(condition), { until: (holds) => holds, schedule: Schedule.spaced("5 millis") }).pipe(
    Effect.timeout("20 seconds")
  )

/**
 * A node has begun the first of two runs and claims nothing any more; the second waits for it. `second` is what the other
 * node begins once the first has ended.
 */
const handedOver = (job: typeof Plain | typeof Single | typeof Mail | typeof Keyed) =>
  Effect.gen(function* () {
    const { client, node } = yield* world
    const one = yield* node()
    yield* client.enqueue(job, { name: "first" })
    yield* until(() => one.begun.length === 1)
    yield* one.scheduler.pauseAll
    const other = yield* node()
    yield* client.enqueue(job, { name: "second" })
    // It has looked, and must wait.
    yield* client.enqueue(Plain, { name: "beside" })
    yield* until(() => other.begun.includes("beside"))
    yield* Effect.sleep("50 millis")
    assert.deepStrictEqual(other.begun, ["beside"])
    yield* one.go
    yield* until(() => other.begun.includes("second"))
    assert.deepStrictEqual(one.begun, ["first"])
  }).pipe(Effect.scoped)

describe("a node that never polls begins a run", { timeout: 60_000 }, () => {
  it.live("that was enqueued elsewhere", () =>
    Effect.gen(function* () {
      const { client, node } = yield* world
      const { begun } = yield* node()
      for (const name of ["a", "b", "c"]) {
        yield* client.enqueue(Plain, { name })
        yield* until(() => begun.includes(name))
      }
    }).pipe(Effect.scoped)
  )

  it.live("whose time comes later, told of beforehand", () =>
    Effect.gen(function* () {
      const { client, node } = yield* world
      const { begun } = yield* node()
      yield* client.enqueue(Plain, { name: "later" }, { at: yield* inMillis(200) })
      yield* client.enqueue(Plain, { name: "now" })
      yield* until(() => begun.length === 2)
      assert.deepStrictEqual(begun, ["now", "later"])
    }).pipe(Effect.scoped)
  )

  it.live("after the end on another node of one that had the only place of its job", () => handedOver(Single))

  it.live("after the end on another node of one that had the only place of its queue", () => handedOver(Mail))

  it.live("after the end on another node of one that had its key", () => handedOver(Keyed))

  it.live("of a schedule that was deferred, after the end on another node of the one before", () =>
    Effect.gen(function* () {
      const { client, node } = yield* world
      const one = yield* node()
      yield* client.schedule(Plain, {
        id: "s",
        payload: { name: "first" },
        trigger: Trigger.every("200 millis"),
        overlap: "bufferOne"
      })
      yield* until(() => one.begun.length === 1)
      const other = yield* node()
      const isDeferred = Effect.map(client.list(), (page) => page.items[0]!.counts.fired > 1)
      yield* Effect.repeat(isDeferred, { until: (holds) => holds, schedule: Schedule.spaced("10 millis") })
      yield* one.scheduler.pauseAll
      yield* client.pause("s")
      assert.deepStrictEqual(other.begun, [])
      yield* one.go
      yield* until(() => other.begun.length === 1)
    }).pipe(Effect.scoped)
  )

  it.live("that failed on another node, at the time of its retry", () =>
    Effect.gen(function* () {
      const { client, node } = yield* world
      const one = yield* node()
      yield* client.enqueue(Failing, { name: "first" })
      yield* until(() => one.begun.length === 1)
      yield* one.scheduler.pauseAll
      const other = yield* node()
      yield* one.go
      yield* until(() => other.begun.length === 1)
    }).pipe(Effect.scoped)
  )

  it.live("that another node gave back as it stopped", () =>
    Effect.gen(function* () {
      const { client, node } = yield* world
      const one = yield* node()
      yield* client.enqueue(Plain, { name: "first" })
      yield* until(() => one.begun.length === 1)
      const other = yield* node()
      yield* one.scheduler.drain(0)
      yield* until(() => other.begun.length === 1)
    }).pipe(Effect.scoped)
  )

  it.live("of a schedule that was stored elsewhere, also while it waits for a later one", () =>
    Effect.gen(function* () {
      const { client, node } = yield* world
      const { begun } = yield* node()
      yield* client.schedule(Plain, { id: "a", payload: { name: "a" }, trigger: Trigger.at(yield* inMillis(600)) })
      yield* client.schedule(Plain, { id: "b", payload: { name: "b" }, trigger: Trigger.at(yield* inMillis(150)) })
      yield* until(() => begun.length === 2)
      assert.deepStrictEqual(begun, ["b", "a"])
    }).pipe(Effect.scoped)
  )
})

describe("who awaits a run, and never polls,", { timeout: 60_000 }, () => {
  it.live("hears of its end on another node, also a client that had not listened before", () =>
    Effect.gen(function* () {
      const { client, node } = yield* world
      const one = yield* node()
      const runId = yield* client.enqueue(Plain, { name: "first" })
      yield* until(() => one.begun.length === 1)
      const ended = yield* Effect.forkChild(client.awaitEnd(runId), { startImmediately: true })
      yield* Effect.sleep("100 millis")
      yield* one.go
      const { outcome } = yield* Effect.timeout(Fiber.join(ended), "20 seconds")
      assert.strictEqual(outcome, "succeeded")
      yield* Effect.timeout(client.execute(Plain, { name: "more" }), "20 seconds")
    }).pipe(Effect.scoped)
  )
})
