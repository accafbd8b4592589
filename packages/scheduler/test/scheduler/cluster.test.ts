import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, type JobStore, MemoryJobStore, Scheduler, Trigger } from "../../src/index.ts"
import type { SchedulerOptions } from "../../src/SchedulerOptions.ts"
import { build, listen, only, patiently, settled, steered, story } from "./support.ts"

const payload = { name: Schema.String, seconds: Schema.Finite }
class Work extends Job.make("Work", { payload, success: Schema.String, error: Schema.Finite }) {}
class Pair extends Job.make("Pair", { payload, concurrency: 2 }) {}
class Mail extends Job.make("Mail", { payload, queue: "mail" }) {}
class Keyed extends Job.make("Keyed", { payload, key: ({ name }) => name }) {}
class Once extends Job.make("Once", { payload, delivery: "atMostOnce" }) {}

/** The store as a process has it that hears of no change: notifications are lost, and all that helps is to ask. */
const deaf = (store: JobStore.JobStoreService): JobStore.JobStoreService =>
  new Proxy(store, {
    get: (target, key) => (key === "subscribe" ? () => Effect.void : target[key as keyof JobStore.JobStoreService])
  })

/** Nodes on one store that hear nothing of each other, and what their handlers did. */
const cluster = Effect.map(MemoryJobStore.make(), (shared) => {
  const below = deaf(shared)
  const begun: Array<{ readonly node: string; readonly job: string; readonly name: string; readonly id: string }> = []
  const running = new Map<string, number>()
  const most = new Map<string, number>()
  const options = { drainDeadline: 0, pollInterval: "1 second", queues: { mail: { concurrency: 3 } } } as const

  const handlers = (node: string) => {
    const handle = ({ name, seconds }: { readonly name: string; readonly seconds: number }) =>
      Effect.gen(function* () {
        const { id, job } = yield* JobRun.current
        const counted = [job, `${job} ${name}`]
        yield* Effect.acquireUseRelease(
          Effect.sync(() => {
            begun.push({ node, job, name, id })
            for (const one of counted) {
              running.set(one, (running.get(one) ?? 0) + 1)
              most.set(one, Math.max(most.get(one) ?? 0, running.get(one)!))
            }
          }),
          () => Effect.sleep(seconds * 1_000),
          () => Effect.sync(() => counted.forEach((one) => running.set(one, running.get(one)! - 1)))
        )
      })
    return Layer.mergeAll(
      Work.toLayer((work) =>
        Effect.andThen(handle(work), work.name === "bad" ? Effect.fail(7) : Effect.succeed(`${work.name} by ${node}`))
      ),
      Pair.toLayer(handle),
      Mail.toLayer(handle),
      Keyed.toLayer(handle),
      Once.toLayer(handle)
    )
  }

  const node = Effect.fnUntraced(function* (name: string, given: SchedulerOptions & { readonly idle?: boolean } = {}) {
    const store = steered({ shared: true, over: below })
    const { idle = false, ...rest } = given
    const scheduling = Scheduler.layer({ ...options, ...rest, stores: { default: store.layer } })
    const context = yield* build(idle ? scheduling : Layer.provideMerge(handlers(name), scheduling))
    const scheduler = Context.get(context, Scheduler)
    const events = yield* listen(scheduler)
    yield* Effect.addFinalizer(() => Effect.sync(store.heal))
    yield* settled
    return { store, scheduler, events }
  })

  const client = Effect.gen(function* () {
    const store = steered({ shared: true, over: below })
    return Context.get(yield* build(Scheduler.layerClient({ default: store.layer })), Scheduler)
  })

  return { begun, most, node, client }
})

const many = (count: number, seconds: number, name: (n: number) => string = String) =>
  Array.from({ length: count }, (_, n) => ({ name: name(n), seconds }))

describe("nodes that hear nothing of each other", () => {
  it.effect("cancel each other's runs within a heartbeat", () =>
    patiently(
      Effect.gen(function* () {
        const { begun, client, node } = yield* cluster
        const a = yield* node("a")
        const b = yield* node("b", { idle: true })
        const far = yield* client
        for (const other of [b.scheduler, far]) {
          const id = yield* other.enqueue(Work, { name: "long", seconds: 600 })
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual(begun.at(-1)?.id, id)
          assert.strictEqual(yield* other.cancel(id), "requested")
          assert.deepStrictEqual(story(a.events, id), ["RunStarted"])
          // A third of the lease.
          yield* TestClock.adjust("5 seconds")
          yield* settled
          assert.deepStrictEqual(story(a.events, id), ["RunStarted", "RunCancelled"])
          assert.strictEqual(yield* other.cancel(id), "finished")
          assert.deepInclude(yield* other.awaitEnd(id), { outcome: "cancelled" })
        }
      })
    )
  )

  it.effect("cancel at once what nobody has begun", () =>
    patiently(
      Effect.gen(function* () {
        const { begun, client, node } = yield* cluster
        yield* node("a")
        const far = yield* client
        const id = yield* far.enqueue(Work, { name: "later", seconds: 1 }, { at: 60_000 })
        assert.strictEqual(yield* far.cancel(id), "cancelled")
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(begun, [])
        assert.deepInclude(yield* far.awaitEnd(id), { outcome: "cancelled" })
      })
    )
  )

  it.effect("are given the typed result of a run, or its error, within a poll interval of its end", () =>
    patiently(
      Effect.gen(function* () {
        const { client, node } = yield* cluster
        yield* node("a")
        const b = yield* node("b", { idle: true })
        const far = yield* client
        for (const other of [b.scheduler, far]) {
          const good = yield* Effect.forkChild(other.execute(Work, { name: "good", seconds: 3 }))
          const bad = yield* Effect.forkChild(Effect.result(other.execute(Work, { name: "bad", seconds: 3 })))
          yield* TestClock.adjust("3 seconds")
          assert.isUndefined(good.pollUnsafe())
          // One interval until the run is seen, one until its end is.
          yield* TestClock.adjust("2200 millis")
          yield* settled
          assert.deepInclude(good.pollUnsafe(), { value: "good by a" })
          assert.deepInclude(bad.pollUnsafe(), { value: Result.fail(7) })
        }
      })
    )
  )

  it.effect("go on waiting for the end of a run while the store is away", () =>
    patiently(
      Effect.gen(function* () {
        const { node } = yield* cluster
        yield* node("a")
        const other = yield* node("b", { idle: true })
        const good = yield* Effect.forkChild(other.scheduler.execute(Work, { name: "good", seconds: 20 }))
        yield* TestClock.adjust("3 seconds")
        other.store.trouble("getRuns", "fail")
        yield* TestClock.adjust("30 seconds")
        assert.isAbove(other.store.calls("getRuns"), 10)
        assert.isUndefined(good.pollUnsafe())
        other.store.heal()
        yield* TestClock.adjust("10 seconds")
        yield* settled
        assert.deepInclude(good.pollUnsafe(), { value: "good by a" })
      })
    )
  )

  it.effect("are told at once of the end of a run that ended before they asked", () =>
    patiently(
      Effect.gen(function* () {
        const { client, node } = yield* cluster
        const a = yield* node("a")
        const id = yield* a.scheduler.enqueue(Work, { name: "x", seconds: 0 })
        yield* TestClock.adjust("2 seconds")
        const end = yield* (yield* client).awaitEnd(id)
        assert.deepInclude(end, { outcome: "succeeded", result: '"x by a"' })
      })
    )
  )
})

describe("limits hold over two nodes", () => {
  const limits = [
    ["a job's concurrency", Pair, 2, "Pair"],
    ["a queue's concurrency", Mail, 3, "Mail"]
  ] as const
  for (const [title, job, limit, counted] of limits) {
    it.effect(`${title}, and both take part`, () =>
      patiently(
        Effect.gen(function* () {
          const { begun, client, most, node } = yield* cluster
          yield* node("a", { maxRunning: 1 })
          yield* node("b")
          yield* (yield* client).enqueueAll(job, many(20, 3))
          yield* TestClock.adjust("3 minutes")
          assert.strictEqual(begun.length, 20)
          assert.strictEqual(new Set(begun.map(({ id }) => id)).size, 20)
          assert.strictEqual(most.get(counted), limit)
          assert.deepStrictEqual(new Set(begun.map((one) => one.node)), new Set(["a", "b"]))
        })
      )
    )
  }

  it.effect("one running run a key, each in the order of enqueueing, other keys beside it", () =>
    patiently(
      Effect.gen(function* () {
        const { begun, client, most, node } = yield* cluster
        yield* node("a")
        yield* node("b")
        const far = yield* client
        const ids: Array<string> = []
        for (let i = 0; i < 12; i++) ids.push(yield* far.enqueue(Keyed, { name: `k${i % 2}`, seconds: 3 }))
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(begun.length, 12)
        assert.deepStrictEqual([most.get("Keyed k0"), most.get("Keyed k1"), most.get("Keyed")], [1, 1, 2])
        for (const rest of [0, 1]) {
          assert.deepStrictEqual(
            begun.filter(({ name }) => name === `k${rest}`).map(({ id }) => id),
            ids.filter((_, i) => i % 2 === rest)
          )
        }
      })
    )
  )
})

describe("a node that cannot reach the store while the other can", () => {
  it.effect("gives up at its lease's end what must not run twice at once, before the other may run it", () =>
    patiently(
      Effect.gen(function* () {
        const { begun, most, node } = yield* cluster
        const a = yield* node("a")
        const b = yield* node("b")
        b.store.trouble("claim", "fail")
        const keyed = yield* a.scheduler.enqueue(Keyed, { name: "k", seconds: 120 })
        const once = yield* a.scheduler.enqueue(Once, { name: "o", seconds: 120 })
        const free = yield* a.scheduler.enqueue(Work, { name: "w", seconds: 120 })
        yield* TestClock.adjust("20 seconds")
        assert.deepStrictEqual(
          begun.map((one) => one.node),
          ["a", "a", "a"]
        )
        b.store.heal()
        a.store.cut()
        yield* TestClock.adjust("40 seconds")
        yield* settled
        // The free run goes on in both, and the fence decides: the promise is at least once.
        assert.deepStrictEqual(
          begun.slice(3).map((one) => [one.node, one.job]),
          [
            ["b", "Keyed"],
            ["b", "Work"]
          ]
        )
        assert.deepStrictEqual([most.get("Keyed k"), most.get("Once"), most.get("Work w")], [1, 1, 2])
        a.store.heal()
        yield* TestClock.adjust("3 minutes")
        const ends = yield* Effect.forEach([keyed, once, free], (id) => b.scheduler.awaitEnd(id))
        assert.deepStrictEqual(
          ends.map(({ attempt, outcome }) => [outcome, attempt]),
          [
            ["succeeded", 2],
            ["lost", 1],
            ["succeeded", 2]
          ]
        )
        assert.strictEqual(only(a.events, "NodeFenced").length, 1)
        assert.strictEqual((yield* b.scheduler.history()).items.length, 3)
      })
    )
  )
})

describe("an outage of the store of three leases", () => {
  it.effect("lets a hundred runs be executed once each, kills no node, and has what passed decided afterwards", () =>
    patiently(
      Effect.gen(function* () {
        const { begun, node } = yield* cluster
        const a = yield* node("a", { maxRunning: 50 })
        const b = yield* node("b", { maxRunning: 51 })
        const ids = [yield* a.scheduler.node, yield* b.scheduler.node]
        // Half of them end while nobody answers, half after it.
        const runs = yield* a.scheduler.enqueueAll(
          Work,
          many(100, 0).map((one, n) => ({ ...one, seconds: n % 2 === 0 ? 30 : 90 }))
        )
        yield* a.scheduler.schedule(Mail, {
          id: "tick",
          payload: { name: "m", seconds: 0 },
          trigger: Trigger.every("10 seconds", { start: 5_000 })
        })
        yield* TestClock.adjust("20 seconds")
        a.store.cut()
        b.store.cut()
        yield* TestClock.adjust("45 seconds")
        a.store.heal()
        // The first to be back finds the other's lease long past, and must not take it for dead.
        yield* TestClock.adjust("5 seconds")
        b.store.heal()
        yield* TestClock.adjust("1 minute")
        yield* settled
        assert.deepStrictEqual([yield* a.scheduler.node, yield* b.scheduler.node], ids)
        const events = [...a.events, ...b.events]
        assert.deepStrictEqual(only(events, "NodeFenced"), [])
        assert.deepStrictEqual(only(events, "NodeReaped"), [])
        assert.strictEqual(only(events, "StoreDegraded").length, 2)
        assert.strictEqual(only(events, "StoreRecovered").length, 2)
        const work = begun.filter(({ job }) => job === "Work")
        assert.deepStrictEqual(work.map(({ id }) => id).toSorted(), runs.toSorted())
        assert.deepStrictEqual(new Set(work.map((one) => one.node)), new Set(["a", "b"]))
        const { items } = yield* a.scheduler.history({ job: "Work", limit: 1_000 })
        assert.strictEqual(items.length, 100)
        for (const row of items) assert.deepInclude(row, { outcome: "succeeded", attempt: 1, recoveries: 0 })
        // Due at 25, 35, 45, 55 and 65 s, and at 75 s where the call that hung is sent again after it: the last is run.
        const [missed, ...others] = only(events, "RunMissed")
        const { count, first, last } = missed!
        assert.deepStrictEqual([first, others], [25_000, []])
        assert.include([55_000, 65_000], last)
        assert.strictEqual(count, (last - first) / 10_000 + 1)
      })
    )
  )
})
