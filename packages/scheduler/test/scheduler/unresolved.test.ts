import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Effect, Layer, Logger, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobStore, MemoryJobStore, Scheduler, Trigger } from "../../src/index.ts"
import type { SchedulerOptions } from "../../src/SchedulerOptions.ts"
import { build, listen, only, patiently, settled, steered } from "./support.ts"

class Known extends Job.make("Known") {}
class Later extends Job.make("Later") {}
class Stranger extends Job.make("Stranger") {}

const hourly = Trigger.custom("hourly", Schema.Struct({}), {
  next: (_, after) => Option.some(DateTime.add(after, { hours: 1 }))
})

/** Nodes on one store, and what they log of what is left alone. */
const world = Effect.map(MemoryJobStore.make(), (below) => {
  const logged: Array<string> = []
  const logger = Logger.layer([
    Logger.make(({ logLevel, message }) => {
      const text = String(message)
      if (text.includes("left alone") || text.includes("wait")) logged.push(`${logLevel} ${text}`)
    })
  ])
  const node = Effect.fnUntraced(function* (options: SchedulerOptions = {}) {
    const store = steered({ shared: true, over: below })
    const scheduling = Scheduler.layer({
      drainDeadline: 0,
      janitorInterval: "1 minute",
      pollInterval: "1 minute",
      lease: "5 minutes",
      ...options,
      stores: { default: store.layer }
    })
    const jobs = Layer.merge(
      Known.toLayer(() => Effect.void),
      Later.toLayer(() => Effect.void)
    )
    const context = yield* build(Layer.provideMerge(jobs, scheduling).pipe(Layer.provideMerge(logger)))
    const scheduler = Context.get(context, Scheduler)
    const events = yield* listen(scheduler)
    yield* Effect.addFinalizer(() => Effect.sync(store.heal))
    yield* settled
    return { store, scheduler, events }
  })
  return { below, logged, node }
})

describe("a job that no live node has", () => {
  it.effect("is told of once also where its runs lie behind thousands that wait for a slot", () =>
    patiently(
      Effect.gen(function* () {
        const { logged, node } = yield* world
        const { events, scheduler } = yield* node({ queues: { default: { concurrency: 1 } }, maxRunning: 1 })
        yield* scheduler.pauseAll
        yield* scheduler.enqueueAll(Known, Array<void>(12_000).fill(undefined))
        yield* scheduler.enqueue(Stranger)
        yield* TestClock.adjust("2 minutes")
        yield* settled
        assert.deepStrictEqual(only(events, "JobUnresolved"), [])
        yield* TestClock.adjust("2 minutes")
        yield* settled
        assert.deepStrictEqual(
          only(events, "JobUnresolved").map(({ job }) => job),
          ["Stranger"]
        )
        yield* TestClock.adjust("10 minutes")
        yield* settled
        assert.strictEqual(only(events, "JobUnresolved").length, 1)
        assert.deepStrictEqual(logged, ['Warn Runs of job "Stranger" wait: no live node has a handler for it'])
      })
    )
  )

  it.effect("is not one that another node has", () =>
    patiently(
      Effect.gen(function* () {
        const { below, logged, node } = yield* world
        const { events, scheduler } = yield* node()
        const lease = { now: 0, node: "another", lease: 1e9, version: 1, jobs: ["Stranger"], triggers: [] }
        yield* below.register(lease)
        yield* scheduler.schedule(Stranger, { id: "s", trigger: Trigger.every("1 minute") })
        yield* TestClock.adjust("10 minutes")
        yield* settled
        assert.deepStrictEqual(only(events, "JobUnresolved"), [])
        assert.deepStrictEqual(logged, [])
        assert.strictEqual((yield* scheduler.list()).items[0]?.state, "active")
      })
    )
  )
})

describe("a schedule that this node cannot read", () => {
  it.effect("since a newer version wrote it, is shown as unresolved, and said once", () =>
    patiently(
      Effect.gen(function* () {
        const { below, logged, node } = yield* world
        const { scheduler } = yield* node()
        for (const id of ["a", "b"]) yield* scheduler.schedule(Known, { id, trigger: Trigger.every("1 minute") })
        yield* below.modify({
          now: 0,
          ids: ["a", "b"],
          transition: (_, view) => ({
            schedule: { ...view!.schedule, version: 2 },
            runs: [],
            ranges: [],
            replaceDeferred: false,
            cancelActive: false
          })
        })
        yield* TestClock.adjust("10 minutes")
        yield* settled
        assert.deepStrictEqual(
          (yield* scheduler.list()).items.map(({ state }) => state),
          ["unresolved", "unresolved"]
        )
        assert.deepStrictEqual(logged, [
          'Warn Schedule "a" is left alone here, and others like it: it was written by a newer version (2, this one reads ' +
            "up to 1). It waits, since no live node can read it"
        ])
      })
    )
  )

  it.effect("since its custom rule is not here, waits for a node that has it, and fires again when one comes", () =>
    patiently(
      Effect.gen(function* () {
        const { logged, node } = yield* world
        const ignorant = yield* node()
        const knowing = yield* node({ triggers: [hourly] })
        yield* knowing.scheduler.schedule(Known, { id: "k", trigger: hourly({}) })
        const state = Effect.map(ignorant.scheduler.list(), ({ items }) => items[0]?.state)
        assert.strictEqual(yield* state, "active")
        yield* TestClock.adjust("2 minutes")
        const missing =
          'Schedule "k" is left alone here, and others like it: no rule named "hourly" is registered here: give it to the option "triggers"'
        assert.deepStrictEqual(logged, [`Info ${missing}. Another node decides for it`])
        yield* knowing.scheduler.drain()
        assert.strictEqual(yield* state, "unresolved")
        yield* TestClock.adjust("4 hours")
        yield* settled
        assert.deepStrictEqual(logged.slice(1), [`Warn ${missing}. It waits, since no live node can read it`])
        assert.deepStrictEqual((yield* ignorant.scheduler.history()).items, [])
        const other = yield* node({ triggers: [hourly] })
        yield* settled
        assert.strictEqual(yield* state, "active")
        assert.strictEqual((yield* other.scheduler.history({ outcome: "succeeded" })).items.length, 1)
      })
    )
  )
})

describe("the jobs that a node claims", () => {
  it.effect("are computed again only when a handler comes or goes", () => {
    const store = steered()
    const asked: Array<unknown> = []
    const spied = {
      ...store.store,
      claim: (params: Parameters<typeof store.store.claim>[0]) => {
        asked.push(params.jobs)
        return store.store.claim(params)
      }
    }
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const work = Effect.gen(function* () {
        const before = asked.length
        yield* scheduler.enqueue(Known)
        yield* settled
        yield* scheduler.enqueue(Known)
        yield* settled
        return new Set(asked.slice(before))
      })
      const first = yield* work
      assert.strictEqual(first.size, 1)
      yield* Effect.gen(function* () {
        const second = yield* work
        assert.strictEqual(second.size, 1)
        assert.notDeepEqual([...second], [...first])
      }).pipe(Effect.provide(Later.toLayer(() => Effect.void)))
      const third = yield* work
      assert.deepStrictEqual([...third], [...first])
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          Known.toLayer(() => Effect.void),
          Scheduler.layer({ stores: { default: Layer.succeed(JobStore.JobStore, spied) } })
        )
      )
    )
  })
})
