import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobStore, MemoryJobStore, Scheduler } from "../../src/index.ts"
import { listen, settled, steered, story } from "../scheduler/support.ts"

const payload = { n: Schema.Finite, key: Schema.String }
class Free extends Job.make("Free", { payload }) {}
class Bounded extends Job.make("Bounded", { payload, concurrency: 2 }) {}
class Queued extends Job.make("Queued", { payload, queue: "mail" }) {}
class Mailed extends Job.make("Mailed", { payload, queue: "mail" }) {}
class Keyed extends Job.make("Keyed", { payload, key: ({ key }) => key }) {}
class Urgent extends Job.make("Urgent", { payload, priority: 0 }) {}
class Once extends Job.make("Once", { delivery: "atMostOnce" }) {}

/** Handlers that take ten seconds, and what of each began in which order and ran at once. */
const world = () => {
  const order: Array<number> = []
  const running = new Map<string, number>()
  const most = new Map<string, number>()
  const handler =
    (name: string) =>
    (work: { readonly n: number; readonly key: string }): Effect.Effect<void> => {
      const names = [name, `${name}/${work.key}`, "all"]
      return Effect.acquireUseRelease(
        Effect.sync(() => {
          order.push(work.n)
          for (const one of names) {
            running.set(one, (running.get(one) ?? 0) + 1)
            most.set(one, Math.max(most.get(one) ?? 0, running.get(one)!))
          }
        }),
        () => Effect.sleep("10 seconds"),
        () => Effect.sync(() => names.forEach((one) => running.set(one, running.get(one)! - 1)))
      )
    }
  const live = Layer.mergeAll(
    Free.toLayer(handler("Free")),
    Bounded.toLayer(handler("Bounded")),
    Queued.toLayer(handler("mail")),
    Mailed.toLayer(handler("mail")),
    Keyed.toLayer(handler("Keyed")),
    Urgent.toLayer(handler("Urgent"))
  )
  return { order, most, live }
}

const several = (count: number, key: (n: number) => string = String) =>
  Array.from({ length: count }, (_, n) => ({ n, key: key(n) }))

describe("what runs at once is bounded", () => {
  it.effect("by maxRunning, for a scheduler", () => {
    const { live, most } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueueAll(Free, several(20))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(most.get("all"), 4)
      assert.strictEqual((yield* scheduler.history()).items.length, 20)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ maxRunning: 4 }))))
  })

  it.effect("by maxRunning, over all stores of a scheduler", () => {
    const { live, most } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueueAll(Free, several(8))
      yield* scheduler.enqueueAll(Free, several(8), { store: "other" })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(most.get("all"), 4)
      assert.strictEqual((yield* scheduler.history()).items.length, 8)
      assert.strictEqual((yield* scheduler.history({ store: "other" })).items.length, 8)
    }).pipe(
      Effect.provide(Layer.provideMerge(live, Scheduler.layer({ maxRunning: 4, stores: { other: steered().layer } })))
    )
  })

  it.effect("by nothing, where maxRunning is Infinity", () => {
    const { live, most } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueueAll(Free, several(1_200))
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(most.get("all"), 1_200)
      yield* TestClock.adjust("1 second")
      yield* scheduler.enqueueAll(Free, several(10))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* scheduler.runs()).items.length, 0)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ maxRunning: Infinity }))))
  })

  it.effect("by concurrency, for a job", () => {
    const { live, most } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueueAll(Bounded, several(6))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(most.get("Bounded"), 2)
      assert.strictEqual((yield* scheduler.history()).items.length, 6)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  for (const [limit, Limited, queues] of [
    ["job", Bounded, {}],
    ["queue", Queued, { mail: { concurrency: 2 } }]
  ] as const) {
    it.effect(
      `by concurrency, for a ${limit}, also where the store tells of ends and not of what they make room for`,
      () =>
        Effect.gen(function* () {
          const { live, most, order } = world()
          const memory = yield* MemoryJobStore.make()
          const store = new Proxy(memory, {
            get: (target, key) =>
              key === "subscribe"
                ? (listener: (change: number) => void) =>
                    target.subscribe((change) =>
                      listener(change & JobStore.Signal.ended ? JobStore.Signal.ended : change)
                    )
                : target[key as keyof typeof target]
          })
          yield* Effect.gen(function* () {
            const scheduler = yield* Scheduler
            yield* scheduler.enqueueAll(Limited, several(4))
            yield* TestClock.adjust("10 seconds")
            assert.strictEqual(order.length, 4)
            assert.strictEqual(most.get("all"), 2)
            yield* TestClock.adjust("10 seconds")
          }).pipe(
            Effect.provide(
              Layer.provideMerge(
                live,
                Scheduler.layer({
                  queues,
                  drainDeadline: 0,
                  stores: { default: Layer.succeed(JobStore.JobStore, store) }
                })
              )
            )
          )
        }).pipe(Effect.scoped)
    )
  }

  it.effect("by a queue's concurrency, for its jobs together", () => {
    const { live, most } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueueAll(Queued, several(6))
      yield* scheduler.enqueueAll(Mailed, several(6))
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(most.get("mail"), 3)
      assert.strictEqual((yield* scheduler.history()).items.length, 12)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ queues: { mail: { concurrency: 3 } } }))))
  })

  it.effect("by its key: never two of one at once, each in the order of enqueueing", () => {
    const { live, most, order } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueueAll(
        Keyed,
        several(9, (n) => (n % 3 === 0 ? "a" : "b"))
      )
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(most.get("Keyed/a"), 1)
      assert.strictEqual(most.get("Keyed/b"), 1)
      assert.strictEqual(most.get("Keyed"), 2)
      assert.deepStrictEqual(
        order.filter((n) => n % 3 === 0),
        [0, 3, 6]
      )
      assert.deepStrictEqual(
        order.filter((n) => n % 3 !== 0),
        [1, 2, 4, 5, 7, 8]
      )
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })
})

describe("priority", () => {
  it.effect("0 is claimed first and 3 last; the job's own may be given a run", () => {
    const { live, order } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueue(Free, { n: -1, key: "" })
      yield* settled
      yield* scheduler.enqueue(Free, { n: 3, key: "" }, { priority: 3 })
      yield* scheduler.enqueue(Free, { n: 2, key: "" })
      yield* scheduler.enqueue(Free, { n: 1, key: "" }, { priority: 1 })
      yield* scheduler.enqueue(Urgent, { n: 0, key: "" })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(order, [-1, 0, 1, 2, 3])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer({ maxRunning: 1 }))))
  })
})

describe('delivery "atMostOnce"', () => {
  it.effect("a run that is stopped by a drain has ended as lost, and is not executed again", () => {
    let begun = 0
    const live = Once.toLayer(() =>
      Effect.andThen(
        Effect.sync(() => begun++),
        Effect.never
      )
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const id = yield* scheduler.enqueue(Once)
      yield* settled
      yield* scheduler.drain(0)
      yield* scheduler.start
      yield* TestClock.adjust("1 minute")
      yield* settled
      assert.strictEqual(begun, 1)
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "lost")
      assert.deepStrictEqual(story(events, id), ["RunCreated", "RunStarted", "RunLost"])
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer())))
  })

  it.effect("a run that was claimed but not started is given back, for it was not executed", () => {
    const store = steered()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* settled
      store.trouble("claim", "doThenFail", 1)
      const id = yield* scheduler.enqueue(Once)
      yield* settled
      yield* scheduler.drain(0)
      assert.strictEqual((yield* scheduler.runs()).items[0]?.state, "pending")
      yield* scheduler.start
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "succeeded")
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          Once.toLayer(() => Effect.void),
          Scheduler.layer({ stores: { default: store.layer } })
        )
      )
    )
  })
})

describe("a job with wrong policies is a mistake in the program", () => {
  const wrong: ReadonlyArray<readonly [string, () => unknown, string]> = [
    ["an empty name", () => Job.make(""), "1 to 255 characters"],
    ["a name that is too long", () => Job.make("x".repeat(256)), "1 to 255 characters"],
    ["a timeout of zero", () => Job.make("J", { timeout: 0 }), "timeout must be more than zero"],
    ["a concurrency of zero", () => Job.make("J", { concurrency: 0 }), "concurrency must be a whole number"],
    ["half a concurrency", () => Job.make("J", { concurrency: 1.5 }), "not 1.5"]
  ]
  for (const [what, make, message] of wrong) {
    it(what, () => {
      assert.throws(make, RangeError, message)
    })
  }

  it.effect("two handlers for one name are a defect", () =>
    Effect.gen(function* () {
      const twice = Layer.mergeAll(
        Once.toLayer(() => Effect.void),
        Once.toLayer(() => Effect.never)
      )
      const exit = yield* Effect.exit(Effect.void.pipe(Effect.provide(Layer.provideMerge(twice, Scheduler.layer()))))
      assert.strictEqual(exit._tag, "Failure")
      assert.include(String(exit), 'The job "Once" has a handler already')
    })
  )
})
