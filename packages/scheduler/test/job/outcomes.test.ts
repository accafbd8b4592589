import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, Scheduler } from "../../src/index.ts"
import { type AnyEvent, listen, only, settled, steered, story } from "../scheduler/support.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

class Charge extends Job.make("Charge", {
  payload: { cents: Schema.Finite, at: Schema.DateTimeUtcFromString },
  success: Schema.Struct({ receipt: Schema.String, at: Schema.DateTimeUtcFromString }),
  error: Refused
}) {}

class Plain extends Job.make("Plain", { payload: { text: Schema.String }, success: Schema.String }) {}

class Unprintable extends Error {
  override get message(): string {
    throw new Error("no message")
  }
}

class Ledger extends Context.Service<Ledger, { readonly name: string }>()("test/Ledger") {}

const at = (text: string) => Schema.decodeSync(Schema.DateTimeUtcFromString)(text)

/** Runs one run of `Plain` to its end, with this handler. */
const ending = (
  handler: (text: string) => Effect.Effect<string, never, JobRun.JobRun>,
  options: { readonly text?: string; readonly resultLimit?: number } = {}
) =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const events: Array<AnyEvent> = yield* listen(scheduler)
    const id = yield* scheduler.enqueue(Plain, { text: options.text ?? "x" })
    yield* TestClock.adjust("2 hours")
    yield* settled
    return { events, id, end: yield* scheduler.awaitEnd(id), scheduler }
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Layer.provideMerge(
        Plain.toLayer(({ text }) => handler(text)),
        Scheduler.layer({ drainDeadline: 0, resultLimit: options.resultLimit })
      )
    )
  )

describe("a job with typed payload, success and error", () => {
  const live = Charge.toLayer(
    Effect.fn(function* ({ at, cents }) {
      const ledger = yield* Ledger
      if (cents < 0) return yield* new Refused({ why: `${ledger.name} takes no ${cents}` })
      return { receipt: `${ledger.name}:${cents}`, at }
    })
  ).pipe(Layer.provide(Layer.succeed(Ledger, { name: "ledger" })))
  const layer = Layer.provideMerge(live, Scheduler.layer())
  const noon = at("2027-01-15T12:00:00.000Z")

  it.effect("answers execute with the value that its handler made, and its services", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const receipt = yield* scheduler.execute(Charge, { cents: 5, at: noon })
      assert.deepStrictEqual(receipt, { receipt: "ledger:5", at: noon })
    }).pipe(Effect.provide(layer))
  )

  it.effect("answers execute with the error that its handler failed with", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const error = yield* Effect.flip(scheduler.execute(Charge, { cents: -5, at: noon }))
      assert.instanceOf(error, Refused)
      assert.strictEqual(error._tag === "Refused" && error.why, "ledger takes no -5")
    }).pipe(Effect.provide(layer))
  )

  it.effect("stores them as JSON of their schemas", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* Effect.exit(scheduler.execute(Charge, { cents: -5, at: noon }))
      const [row] = (yield* scheduler.history()).items
      assert(row?._tag === "Run")
      assert.deepStrictEqual(JSON.parse(row.payload!), { cents: -5, at: "2027-01-15T12:00:00.000Z" })
      const [failure] = JSON.parse(row.errors) as ReadonlyArray<JobRun.Failure>
      assert.deepInclude(failure!, { kind: "failed", error: { _tag: "Refused", why: "ledger takes no -5" } })
    }).pipe(Effect.provide(layer))
  )
})

describe("a handler", () => {
  it.effect("that fails ends its run as failed, with its error", () =>
    Effect.gen(function* () {
      const { end, events, id } = yield* ending(() => Effect.die(new Error("boom")))
      assert.strictEqual(end.outcome, "failed")
      assert.deepStrictEqual(story(events, id), ["RunCreated", "RunStarted", "RunFailed"])
      assert.include(only(events, "RunFailed")[0]!.message, "boom")
      assert.isNull(only(events, "RunFailed")[0]!.nextAttemptAt)
    })
  )

  it.effect("that throws before it makes an effect ends its run as failed", () =>
    Effect.gen(function* () {
      const { end } = yield* ending(() => {
        throw new TypeError("no effect at all")
      })
      assert.strictEqual(end.outcome, "failed")
      assert.include(end.errors, "no effect at all")
    })
  )

  it.effect("that interrupts itself ends its run as failed", () =>
    Effect.gen(function* () {
      const { end } = yield* ending(() => Effect.interrupt)
      assert.strictEqual(end.outcome, "failed")
      assert.include(end.errors, '"kind":"died"')
    })
  )

  it.effect("that never ends is interrupted after an hour, its default timeout", () =>
    Effect.gen(function* () {
      const { end, events, id } = yield* ending(() => Effect.never)
      assert.deepInclude(end, { outcome: "timedOut", failures: 1, endedAt: 3_600_000 })
      assert.deepStrictEqual(story(events, id), ["RunCreated", "RunStarted", "RunTimedOut", "RunFailed"])
      assert.include(only(events, "RunFailed")[0]!.message, "took longer than 3600000 ms")
    })
  )

  it.effect("that fails while it is interrupted for its timeout has timed out all the same", () =>
    Effect.gen(function* () {
      const { end } = yield* ending(() => Effect.onInterrupt(Effect.never, () => Effect.die("in a finalizer")))
      assert.strictEqual(end.outcome, "timedOut")
    })
  )

  it.effect("that returns what its schema refuses ends its run as failed, and says why", () =>
    Effect.gen(function* () {
      const { end } = yield* ending(() => Effect.succeed(42 as never))
      assert.strictEqual(end.outcome, "failed")
      assert.include(end.errors, "does not fit the job's success schema")
      assert.include(end.errors, "Expected string")
    })
  )

  it.effect("whose result is above the limit succeeds, and execute says that it was not kept", () => {
    const text = "é".repeat(40)
    return Effect.gen(function* () {
      const { end } = yield* ending(() => Effect.succeed(text), { resultLimit: 81 })
      assert.deepInclude(end, { outcome: "succeeded", result: null, resultStored: false })
      const { end: kept } = yield* ending(() => Effect.succeed(text), { resultLimit: 82 })
      assert.deepInclude(kept, { outcome: "succeeded", result: `"${text}"`, resultStored: true })
    })
  })

  it.effect("that ignores its interruption is told of as stuck after 30 s, and keeps its slot", () => {
    const layer = Layer.provideMerge(
      Plain.toLayer(({ text }) =>
        text === "stuck" ? Effect.as(Effect.uninterruptible(Effect.sleep("3 hours")), text) : Effect.succeed(text)
      ),
      Scheduler.layer({ maxRunning: 1, drainDeadline: 0 })
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const stuck = yield* scheduler.enqueue(Plain, { text: "stuck" })
      yield* TestClock.adjust("61 minutes")
      const waiting = yield* scheduler.enqueue(Plain, { text: "waiting" })
      yield* TestClock.adjust("1 hour")
      yield* settled
      assert.deepStrictEqual(story(events, stuck), ["RunCreated", "RunStarted", "RunTimedOut", "RunStuck"])
      assert.deepInclude(only(events, "RunStuck")[0]!, { at: 3_630_000, since: 30_000 })
      assert.deepStrictEqual(story(events, waiting), ["RunCreated"])
      yield* TestClock.adjust("1 hour")
      yield* settled
      assert.strictEqual((yield* scheduler.awaitEnd(stuck)).outcome, "timedOut")
      assert.strictEqual((yield* scheduler.awaitEnd(waiting)).outcome, "succeeded")
    }).pipe(Effect.provide(layer))
  })

  it.effect("whose error is no JSON ends its run as failed, and the runs beside it end too", () => {
    class Lax extends Job.make("Lax", { error: Schema.Unknown, payload: { odd: Schema.Boolean } }) {}
    const circular: Record<string, unknown> = { big: 1n }
    circular["self"] = circular
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const ids = yield* scheduler.enqueueAll(Lax, [{ odd: true }, { odd: false }])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* scheduler.awaitEnd(ids[0]!)).outcome, "failed")
      assert.strictEqual((yield* scheduler.awaitEnd(ids[1]!)).outcome, "succeeded")
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          Lax.toLayer(({ odd }) => (odd ? Effect.fail(circular) : Effect.void)),
          Scheduler.layer()
        )
      )
    )
  })

  it.effect.each([
    ["an error without a prototype", () => Effect.fail(Object.create(null))],
    ["an error whose tag is no text", () => Effect.fail({ _tag: Object.create(null) })],
    ["an error whose message throws", () => Effect.fail(new Unprintable())],
    ["a defect whose message throws", () => Effect.die(new Unprintable())],
    ["a defect whose message throws, later", () => Effect.andThen(Effect.sleep(1), Effect.die(new Unprintable()))]
  ] as const)("that fails with %s ends its run as failed, and the runs beside it start", ([, fail]) => {
    class Lax extends Job.make("Lax", { error: Schema.Unknown, payload: { odd: Schema.Boolean } }) {}
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const ids = yield* scheduler.enqueueAll(Lax, [{ odd: true }, { odd: false }])
      yield* TestClock.adjust("1 minute")
      const [failure] = JSON.parse((yield* scheduler.awaitEnd(ids[0]!)).errors) as ReadonlyArray<JobRun.Failure>
      assert.include(failure?.message, "cannot be printed")
      assert.strictEqual((yield* scheduler.awaitEnd(ids[1]!)).outcome, "succeeded")
      assert.deepStrictEqual(only(events, "FiberRestarted"), [])
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          Lax.toLayer(({ odd }) => (odd ? fail() : Effect.void)),
          Scheduler.layer({ maxRunning: 2, drainDeadline: 0 })
        )
      )
    )
  })

  it.effect("that fails with ten megabytes is kept short", () =>
    Effect.gen(function* () {
      const { end } = yield* ending(() => Effect.die("x".repeat(10_000_000)))
      assert.strictEqual(end.outcome, "failed")
      assert.isBelow(end.errors.length, 10_000)
      assert.include(end.errors, "characters in all")
    })
  )
})

describe("a payload that no longer decodes", () => {
  it.effect("ends its run as failed without a start, and is kept", () => {
    const store = steered()
    const layer = Layer.provideMerge(
      Plain.toLayer(({ text }) => Effect.succeed(text)),
      Scheduler.layer({ stores: { default: store.layer } })
    )
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const id = yield* scheduler.enqueue(Plain, { text: "as it was" }, { at: 60_000 })
      const [row] = (yield* store.store.getRuns({ ids: [id] })).unfinished
      const old = "00000000-0000-7000-8000-000000000000"
      const bad = { ...row!, id: old, payload: '{"body":"older"}' }
      yield* store.store.enqueue({ now: 0, runs: [{ run: bad, unique: null }] })
      yield* TestClock.adjust("1 minute")
      yield* settled
      const end = yield* scheduler.awaitEnd(old)
      assert.deepInclude(end, { outcome: "failed", payload: '{"body":"older"}', failures: 1 })
      assert.include(end.errors, "does not fit the job's schema")
      assert.deepStrictEqual(story(events, old), ["RunFailed"])
      assert.strictEqual((yield* scheduler.awaitEnd(id)).outcome, "succeeded")
    }).pipe(Effect.provide(layer))
  })

  it.effect("because its schema throws, ends its run as failed, and others go on", () => {
    const Fragile = Schema.String.pipe(
      Schema.decodeTo(Schema.String, {
        decode: throwing,
        encode: throwing
      } as never)
    )
    class Frail extends Job.make("Frail", { payload: { text: Schema.String } }) {}
    class Later extends Job.make("Frail", { payload: { text: Fragile as unknown as typeof Schema.String } }) {}
    const store = steered()
    return Effect.gen(function* () {
      yield* Effect.gen(function* () {
        yield* (yield* Scheduler).enqueue(Frail, { text: "x" })
      }).pipe(Effect.provide(Layer.fresh(Scheduler.layerClient({ default: store.layer }))))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* TestClock.adjust("10 seconds")
        const { items } = yield* scheduler.history()
        assert.deepInclude(items[0]!, { outcome: "failed" })
        assert.strictEqual(yield* scheduler.execute(Plain, { text: "goes on" }), "goes on")
      }).pipe(
        Effect.provide(
          Layer.mergeAll(
            Later.toLayer(() => Effect.void),
            Plain.toLayer(({ text }) => Effect.succeed(text))
          ).pipe(Layer.provideMerge(Scheduler.layer({ stores: { default: store.layer } })))
        )
      )
    })
  })
})

const throwing = {
  run: () => {
    throw new Error("a transformation that throws")
  }
}
