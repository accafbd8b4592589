import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, MemoryJobStore, Scheduler } from "../../src/index.ts"
import type { SchedulerOptions } from "../../src/SchedulerOptions.ts"
import { OffsetClock } from "../../src/testing/index.ts"
import { build, listen, only, patiently, settled, steered, story } from "./support.ts"

class Work extends Job.make("Work", { payload: { seconds: Schema.Finite } }) {}
class Keyed extends Job.make("Keyed", { key: () => "one" }) {}
class Once extends Job.make("Once", { delivery: "atMostOnce" }) {}

/** Several nodes on one store. What a node does is seen by itself; how handlers end is in `log`. */
const cluster = Effect.map(MemoryJobStore.make(), (below) => {
  const log: Array<string> = []
  const node = Effect.fnUntraced(function* (
    name: string,
    options: SchedulerOptions & { readonly idle?: boolean } = {}
  ) {
    const store = steered({ shared: true, over: below })
    const handle = (seconds: number) =>
      Effect.gen(function* () {
        const run = yield* JobRun.current
        log.push(`${name} ${run.execution} begins`)
        yield* Effect.sleep(seconds * 1_000)
        log.push(`${name} ${run.execution} ends`)
      }).pipe(Effect.onInterrupt(() => Effect.sync(() => log.push(`${name} is interrupted`))))
    const { idle, ...rest } = options
    const jobs = Layer.mergeAll(
      Work.toLayer(({ seconds }) => handle(seconds)),
      Keyed.toLayer(() => handle(60)),
      Once.toLayer(() => handle(60))
    )
    const scheduling = Scheduler.layer({
      drainDeadline: 0,
      pollInterval: "1 second",
      ...rest,
      stores: { default: store.layer }
    })
    const context = yield* build(idle === true ? scheduling : Layer.provideMerge(jobs, scheduling))
    const scheduler = Context.get(context, Scheduler)
    const events = yield* listen(scheduler)
    yield* Effect.addFinalizer(() => Effect.sync(store.heal))
    yield* settled
    return { store, scheduler, events }
  })
  return { log, node, below }
})

describe("a node on a shared store", () => {
  it.effect("renews its lease each third of it", () =>
    patiently(
      Effect.gen(function* () {
        const { node } = yield* cluster
        const { store } = yield* node("a")
        yield* TestClock.adjust("61 seconds")
        assert.strictEqual(store.calls("heartbeat"), 12)
      })
    )
  )

  it.effect("keeps its id and its runs when it renews late and nobody has marked it", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const { events, scheduler, store } = yield* node("a")
        const before = yield* scheduler.node
        const id = yield* scheduler.enqueue(Work, { seconds: 60 })
        yield* settled
        store.cut()
        yield* TestClock.adjust("45 seconds")
        store.heal()
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(yield* scheduler.node, before)
        assert.deepStrictEqual(log, ["a 1 begins", "a 1 ends"])
        assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", attempt: 1 })
        assert.deepStrictEqual(only(events, "NodeFenced"), [])
      })
    )
  )

  it.effect("claims nothing past its lease's end", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const { scheduler, store } = yield* node("a")
        store.trouble("heartbeat", "fail")
        yield* TestClock.adjust("14 seconds")
        yield* scheduler.enqueue(Work, { seconds: 0 })
        yield* TestClock.adjust("500 millis")
        assert.strictEqual(log.length, 2)
        yield* TestClock.adjust("10 seconds")
        yield* scheduler.enqueue(Work, { seconds: 0 })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(log.length, 2)
        store.heal()
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(log.length, 4)
      })
    )
  )

  it.effect("interrupts at its lease's end, to the second, what must not run twice at once, and nothing else", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const { events, scheduler, store } = yield* node("a")
        const work = yield* scheduler.enqueue(Work, { seconds: 60 })
        const keyed = yield* scheduler.enqueue(Keyed)
        const once = yield* scheduler.enqueue(Once)
        yield* settled
        store.cut()
        yield* TestClock.adjust("14900 millis")
        assert.deepStrictEqual(log, ["a 1 begins", "a 1 begins", "a 1 begins"])
        yield* TestClock.adjust("100 millis")
        assert.deepStrictEqual(log.slice(3), ["a is interrupted", "a is interrupted"])
        store.heal()
        yield* TestClock.adjust("2 minutes")
        assert.deepInclude(yield* scheduler.awaitEnd(work), { outcome: "succeeded", attempt: 1 })
        assert.deepInclude(yield* scheduler.awaitEnd(keyed), { outcome: "succeeded", attempt: 2, recoveries: 0 })
        assert.deepInclude(yield* scheduler.awaitEnd(once), { outcome: "lost", attempt: 1 })
        assert.deepStrictEqual(story(events, keyed), [
          "RunCreated",
          "RunStarted",
          "RunReleased",
          "RunStarted",
          "RunSucceeded"
        ])
        assert.deepStrictEqual(story(events, once), ["RunCreated", "RunStarted", "RunLost"])
      })
    )
  )

  it.effect("leaves the store when it is drained, and is another node when it is started again", () =>
    patiently(
      Effect.gen(function* () {
        const { below, node } = yield* cluster
        const { scheduler } = yield* node("a")
        const before = yield* scheduler.node
        assert.deepStrictEqual(
          (yield* below.nodes).map((row) => row.id),
          [before]
        )
        yield* scheduler.drain()
        assert.deepStrictEqual(yield* below.nodes, [])
        yield* scheduler.start
        yield* settled
        assert.notStrictEqual(yield* scheduler.node, before)
        assert.deepStrictEqual(
          (yield* below.nodes).map((row) => row.id),
          [yield* scheduler.node]
        )
      })
    )
  )
})

describe("two nodes on one store", () => {
  it.effect("share the runs, each executed once", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const a = yield* node("a", { maxRunning: 5 })
        yield* node("b", { maxRunning: 5 })
        yield* a.scheduler.enqueueAll(
          Work,
          Array.from({ length: 40 }, () => ({ seconds: 1 }))
        )
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(log.filter((line) => line === "a 1 ends").length, 20)
        assert.strictEqual(log.filter((line) => line === "b 1 ends").length, 20)
      })
    )
  )

  it.effect("await each other's runs, and cancel them", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const a = yield* node("a")
        const b = yield* node("b", { idle: true })
        const fiber = yield* Effect.forkChild(b.scheduler.execute(Work, { seconds: 3 }))
        const id = yield* b.scheduler.enqueue(Work, { seconds: 60 })
        yield* TestClock.adjust("4 seconds")
        assert.isTrue(fiber.pollUnsafe()?._tag === "Success")
        assert.strictEqual(yield* b.scheduler.cancel(id), "requested")
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* b.scheduler.awaitEnd(id)).outcome, "cancelled")
        assert.include(log, "a is interrupted")
        assert.deepStrictEqual(story(a.events, id), ["RunStarted", "RunCancelled"])
      })
    )
  )

  it.effect("a dead one's runs are back within its lease and two seconds, under the same id", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const a = yield* node("a")
        const dead = yield* a.scheduler.node
        const id = yield* a.scheduler.enqueue(Work, { seconds: 120 })
        yield* settled
        const b = yield* node("b")
        yield* TestClock.adjust("20 seconds")
        a.store.cut()
        yield* TestClock.adjust("17 seconds")
        yield* settled
        assert.deepStrictEqual(
          only(b.events, "NodeReaped").map((event) => event.dead),
          [dead]
        )
        assert.deepStrictEqual(story(b.events, id), ["RunRecovered", "RunStarted"])
        assert.deepInclude(only(b.events, "RunStarted")[0]!, { attempt: 2, execution: 2 })
        a.store.heal()
        yield* TestClock.adjust("5 seconds")
        yield* settled
        const [fenced] = only(a.events, "NodeFenced")
        assert.deepInclude(fenced!, { newNode: yield* a.scheduler.node, runs: 1 })
        assert.notStrictEqual(fenced!.newNode, dead)
        assert.deepStrictEqual(log, ["a 1 begins", "b 2 begins", "a is interrupted"])
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(story(a.events, id), ["RunCreated", "RunStarted"])
        const { items } = yield* b.scheduler.history()
        assert.strictEqual(items.length, 1)
        assert.deepInclude(items[0]!, {
          outcome: "succeeded",
          attempt: 2,
          recoveries: 1,
          failures: 0,
          node: yield* b.scheduler.node
        })
      })
    )
  )

  it.effect("an outage of the store interrupts nobody and kills nobody", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const a = yield* node("a")
        const b = yield* node("b")
        const ids = [yield* a.scheduler.node, yield* b.scheduler.node]
        yield* a.scheduler.enqueueAll(Work, [{ seconds: 90 }, { seconds: 90 }])
        yield* TestClock.adjust("20 seconds")
        a.store.cut()
        b.store.cut()
        yield* TestClock.adjust("50 seconds")
        a.store.heal()
        b.store.heal()
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual([yield* a.scheduler.node, yield* b.scheduler.node], ids)
        assert.deepStrictEqual(log.filter((line) => line.endsWith("begins")).length, 2)
        assert.deepStrictEqual(log.filter((line) => line.endsWith("1 ends")).length, 2)
        assert.deepStrictEqual(only([...a.events, ...b.events], "NodeReaped"), [])
        assert.deepStrictEqual(only([...a.events, ...b.events], "NodeFenced"), [])
      })
    )
  )

  it.effect("a node that does not renew marks nobody, also by a call that began while it did", () =>
    patiently(
      Effect.gen(function* () {
        const { node } = yield* cluster
        const a = yield* node("a")
        const b = yield* node("b")
        a.store.trouble("reap", "fail")
        yield* TestClock.adjust("31 seconds")
        assert.isAbove(a.store.calls("reap"), 0)
        a.store.cut()
        b.store.cut()
        yield* TestClock.adjust("50 seconds")
        a.store.heal()
        a.store.trouble("heartbeat", "fail")
        yield* TestClock.adjust("20 seconds")
        assert.deepStrictEqual(only(a.events, "NodeReaped"), [])
      })
    )
  )

  it.effect("a machine that slept kills nobody", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const a = yield* node("a")
        yield* TestClock.adjust("3 seconds")
        const b = yield* node("b")
        yield* b.scheduler.enqueueAll(Work, [{ seconds: 90 }, { seconds: 90 }])
        for (let i = 0; i < 5; i++) {
          yield* TestClock.adjust("17 seconds")
          yield* Effect.flatMap(OffsetClock.OffsetClock, (clock) => clock.jump(8 * 3_600_000))
        }
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(only([...a.events, ...b.events], "NodeReaped"), [])
        assert.deepStrictEqual(log.filter((line) => line.endsWith("1 ends")).length, 2)
      })
    ).pipe(Effect.provide(OffsetClock.layer))
  )

  it.effect("a node that has just come marks nobody before it was well for a whole lease", () =>
    patiently(
      Effect.gen(function* () {
        const { node } = yield* cluster
        const a = yield* node("a")
        a.store.cut()
        yield* TestClock.adjust("1 minute")
        const b = yield* node("b")
        yield* TestClock.adjust("14 seconds")
        assert.deepStrictEqual(only(b.events, "NodeReaped"), [])
        yield* TestClock.adjust("2 seconds")
        yield* settled
        assert.strictEqual(only(b.events, "NodeReaped").length, 1)
      })
    )
  )

  it.effect("a run whose nodes keep dying comes back later each time, and ends as lost", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const reaper = yield* node("reaper", { idle: true, recoveryDelays: [0, "1 second"] })
        const id = yield* reaper.scheduler.enqueue(Work, { seconds: 600 })
        for (const name of ["a", "b", "c"]) {
          const victim = yield* node(name)
          yield* TestClock.adjust("2 seconds")
          victim.store.cut()
          yield* TestClock.adjust("40 seconds")
        }
        yield* settled
        assert.deepStrictEqual(
          log.filter((line) => line.endsWith("begins")),
          ["a 1 begins", "b 2 begins", "c 3 begins"]
        )
        const [first, second, ...others] = only(reaper.events, "RunRecovered").map((event) => event.runAt - event.at)
        assert.deepStrictEqual([first, others], [0, []])
        assert.isTrue(second! >= 1_000 && second! < 2_000, `after ${second} ms`)
        assert.strictEqual(story(reaper.events, id).at(-1), "RunLost")
        assert.deepInclude(yield* reaper.scheduler.awaitEnd(id), { outcome: "lost", recoveries: 2, failures: 0 })
      })
    )
  )

  it.effect("a run that may be executed once only is lost with its node", () =>
    patiently(
      Effect.gen(function* () {
        const { node } = yield* cluster
        const reaper = yield* node("reaper", { idle: true })
        const a = yield* node("a")
        const id = yield* reaper.scheduler.enqueue(Once)
        yield* TestClock.adjust("20 seconds")
        a.store.cut()
        yield* TestClock.adjust("20 seconds")
        assert.deepInclude(yield* reaper.scheduler.awaitEnd(id), { outcome: "lost", attempt: 1 })
      })
    )
  )

  it.effect("the key of a dead one is free when its run is taken back, and not before", () =>
    patiently(
      Effect.gen(function* () {
        const { log, node } = yield* cluster
        const a = yield* node("a")
        yield* a.scheduler.enqueue(Keyed)
        yield* settled
        const b = yield* node("b")
        yield* b.scheduler.enqueue(Keyed)
        yield* TestClock.adjust("20 seconds")
        assert.deepStrictEqual(log, ["a 1 begins"])
        a.store.cut()
        yield* TestClock.adjust("17 seconds")
        assert.deepStrictEqual(log.slice(0, 3), ["a 1 begins", "a is interrupted", "b 1 begins"])
        yield* TestClock.adjust("3 minutes")
        assert.deepStrictEqual(log.slice(3), ["b 1 ends", "b 2 begins", "b 2 ends"])
      })
    )
  )
})
