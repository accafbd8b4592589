import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, Scheduler, SchedulerError } from "../../../src/index.ts"
import { build, settled, steered } from "../support.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { amount: Schema.Finite }) {}

class Pay extends Job.make("Pay", {
  payload: { amount: Schema.Finite, at: Schema.DateTimeUtcFromString },
  success: Schema.Struct({ paid: Schema.BigInt }),
  error: Refused,
  timeout: "1 minute"
}) {}

class Careful extends Job.make("Careful", { delivery: "atMostOnce" }) {}

/** 1 pays, 2 is refused, 3 dies, 4 takes two minutes, 5 is paid too much to keep. */
const handler = Effect.fnUntraced(function* ({ amount }: { readonly amount: number }) {
  if (amount === 2) return yield* new Refused({ amount })
  if (amount === 3) return yield* Effect.die(new Error("the till is on fire"))
  if (amount === 4) yield* Effect.sleep("2 minutes")
  return { paid: amount === 5 ? 10n ** 100n : 1n }
})

const live = Layer.mergeAll(
  Pay.toLayer(handler),
  Careful.toLayer(() => Effect.never)
)
const layer = Layer.provideMerge(live, Scheduler.layer({ drainDeadline: 0, resultLimit: 64 }))

const pay = (amount: number) => ({ amount, at: new Date(0) as never })
const payload = (amount: number) =>
  Effect.map(Schema.decodeEffect(Pay.payloadSchema)({ amount, at: "1970-01-01T00:00:00Z" }), (value) => value)

const run = Effect.fnUntraced(function* (amount: number) {
  const scheduler = yield* Scheduler
  const fiber = yield* Effect.forkChild(Effect.result(scheduler.execute(Pay, yield* payload(amount))))
  yield* TestClock.adjust("2 minutes")
  return yield* Fiber.join(fiber)
})

describe("execute", () => {
  it.effect("answers the typed success of the job", () =>
    Effect.gen(function* () {
      const result = yield* run(1)
      assert(result._tag === "Success")
      assert.deepStrictEqual(result.success, { paid: 1n })
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails with the typed error of the job, an instance of its class", () =>
    Effect.gen(function* () {
      const result = yield* run(2)
      assert(result._tag === "Failure")
      assert.instanceOf(result.failure, Refused)
      assert.deepInclude(result.failure, { amount: 2 })
    }).pipe(Effect.provide(layer))
  )

  const reasons = [
    [3, "failed", "ended as failed: ", "the till is on fire"],
    [4, "timedOut", "ended as timedOut: ", "took longer than 60000 ms"],
    [5, "resultNotStored", "succeeded, and its result cannot be had: ", "it is above resultLimit and was not kept"]
  ] as const
  for (const [amount, reason, ended, detail] of reasons) {
    it.effect(`fails with RunNotSucceeded, reason "${reason}"`, () =>
      Effect.gen(function* () {
        const result = yield* run(amount)
        assert(result._tag === "Failure" && result.failure._tag === "RunNotSucceeded")
        assert.deepInclude(result.failure, { job: "Pay", reason })
        const { runId } = result.failure
        assert.include(result.failure.message, `Run "${runId}" of job "Pay" ${ended}`)
        assert.include(result.failure.message, detail)
        assert.strictEqual((yield* (yield* Scheduler).awaitEnd(runId)).id, runId)
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect('fails with RunNotSucceeded, reason "cancelled"', () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const fiber = yield* Effect.forkChild(Effect.flip(scheduler.execute(Pay, yield* payload(4))))
      yield* settled
      const [running] = (yield* scheduler.runs()).items
      yield* scheduler.cancel(running!.id)
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag === "RunNotSucceeded" && error.reason, "cancelled")
      assert.include(error.message, "ended as cancelled")
    }).pipe(Effect.provide(layer))
  )

  it.effect('fails with RunNotSucceeded, reason "lost", where the node that ran it stopped and it may run once', () => {
    const store = steered()
    return Effect.gen(function* () {
      const node = Context.get(
        yield* build(Layer.provideMerge(live, Scheduler.layer({ drainDeadline: 0, stores: { default: store.layer } }))),
        Scheduler
      )
      const client = Context.get(yield* build(Scheduler.layerClient({ default: store.layer })), Scheduler)
      const fiber = yield* Effect.forkChild(Effect.flip(client.execute(Careful)))
      yield* settled
      yield* node.drain(0)
      yield* settled
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag === "RunNotSucceeded" && error.reason, "lost")
    })
  })

  it.effect("of a payload that does not fit is refused before anything is stored", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const error = yield* Effect.flip(scheduler.execute(Pay, pay(1)))
      assert.instanceOf(error, SchedulerError.SchedulerError)
      assert.include((error as Error).message, 'enqueue: the payload does not fit job "Pay": ')
      assert.deepStrictEqual((yield* scheduler.history()).items, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("of a key that is taken awaits the run that there is", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const options = { idempotencyKey: "k" }
      const one = yield* payload(1)
      const [first, second] = yield* Effect.all(
        [scheduler.execute(Pay, one, options), scheduler.execute(Pay, one, options)],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(first, second)
      assert.deepStrictEqual(yield* scheduler.execute(Pay, yield* payload(2), options), first)
      assert.strictEqual((yield* scheduler.history()).items.length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("at an instant awaits it", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const fiber = yield* Effect.forkChild(scheduler.execute(Pay, yield* payload(1), { at: 3_600_000 }))
      yield* TestClock.adjust("59 minutes")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(fiber.pollUnsafe()?._tag, "Success")
    }).pipe(Effect.provide(layer))
  )

  for (const cancelOnInterrupt of [false, true]) {
    const outcome = cancelOnInterrupt ? "cancelled" : "succeeded"
    it.effect(`interrupted, with cancelOnInterrupt: ${cancelOnInterrupt}, the run ends as ${outcome}`, () => {
      const patient = Layer.provideMerge(
        Careful.toLayer(() => Effect.sleep("30 seconds")),
        Scheduler.layer()
      )
      return Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const fiber = yield* Effect.forkChild(scheduler.execute(Careful, undefined, { cancelOnInterrupt }))
        yield* settled
        yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("30 seconds")
        const [row] = (yield* scheduler.history()).items
        assert.strictEqual(row?._tag === "Run" && row.outcome, outcome)
      }).pipe(Effect.provide(patient))
    })
  }

  it.effect("interrupted while the run is being stored, with cancelOnInterrupt, leaves none behind", () => {
    const store = steered()
    const options = { drainDeadline: 0, stores: { default: store.layer } }
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      store.trouble("enqueue", 1_000)
      const fiber = yield* Effect.forkChild(scheduler.execute(Careful, undefined, { cancelOnInterrupt: true }))
      yield* settled
      const interrupted = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(interrupted)
      yield* settled
      const [row] = (yield* scheduler.history()).items
      assert.strictEqual(row?._tag === "Run" && row.outcome, "cancelled")
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer(options))))
  })

  it.effect("of many at once asks the store for each once, and for all of them when some have ended", () => {
    const store = steered()
    const options = { maxRunning: 10, stores: { default: store.layer } }
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const all = Effect.forEach(
        Array.from({ length: 500 }, () => payload(1)),
        (one) => Effect.flatMap(one, (value) => scheduler.execute(Pay, value)),
        { concurrency: "unbounded", discard: true }
      )
      yield* all
      assert.isAtMost(store.calls("getRuns"), 500 + 2 * 50)
    }).pipe(Effect.provide(Layer.provideMerge(live, Scheduler.layer(options))))
  })
})
