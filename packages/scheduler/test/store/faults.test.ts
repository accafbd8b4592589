import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { JobStore } from "../../src/JobStore.ts"
import * as MemoryJobStore from "../../src/MemoryJobStore.ts"
import { FaultyStore } from "../../src/testing/index.ts"
import { run, t0, uuid } from "../../src/testing/internal/fixtures.ts"
import { makeProbe } from "../../src/testing/internal/probe.ts"

const withFault = (fault: FaultyStore.Fault) =>
  Effect.map(MemoryJobStore.make(), (inner) => ({
    inner: makeProbe(inner),
    ...FaultyStore.make(inner, { seed: 1, probability: 1, faults: [fault] })
  }))

const enqueue = (store: typeof JobStore.Service) => store.enqueue({ now: t0, runs: [{ run: run(1), unique: null }] })

const reasonOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? (Cause.squash(exit.cause) as { readonly reason?: string }).reason : "none"

/** What came of fifty calls. */
const play = (seed: number) =>
  Effect.gen(function* () {
    const inner = yield* MemoryJobStore.make()
    const { store } = FaultyStore.make(inner, { seed, faults: ["failBefore", "failAfter", "conflict"] })
    return yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.map(Effect.exit(store.nodes), reasonOf))
  })

describe("a faulty store", () => {
  for (const [fault, reason, isDone] of [
    ["failBefore", "Unavailable", false],
    ["conflict", "Conflict", false],
    ["failAfter", "Timeout", true]
  ] as const) {
    it.effect(`with ${fault} fails as ${reason}, ${isDone ? "after" : "before"} it did what was asked`, () =>
      Effect.gen(function* () {
        const { faults, inner, store } = yield* withFault(fault)
        const exit = yield* Effect.exit(enqueue(store))
        assert.strictEqual(reasonOf(exit), reason)
        assert.strictEqual((yield* inner.unfinished(uuid(1))) !== undefined, isDone)
        const counts = yield* faults.counts
        assert.deepStrictEqual([counts.enqueue.calls, counts.enqueue[fault], counts.claim.calls], [1, 1, 0])
      })
    )
  }

  it.effect("with delay does what was asked a little later", () =>
    Effect.gen(function* () {
      const { inner, store } = yield* withFault("delay")
      const fiber = yield* Effect.forkChild(enqueue(store), { startImmediately: true })
      assert.strictEqual(yield* inner.unfinished(uuid(1)), undefined)
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { ids: [uuid(1)] })
    })
  )

  it.effect("with hang never answers, and did what was asked or not", () =>
    Effect.gen(function* () {
      const done: Array<boolean> = []
      for (let seed = 0; seed < 20; seed++) {
        const inner = yield* MemoryJobStore.make()
        const { store } = FaultyStore.make(inner, { seed, probability: 1, faults: ["hang"] })
        const fiber = yield* Effect.forkChild(Effect.timeoutOption(enqueue(store), "1 second"), {
          startImmediately: true
        })
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "None")
        done.push((yield* makeProbe(inner).unfinished(uuid(1))) !== undefined)
      }
      assert.deepStrictEqual(new Set(done), new Set([true, false]))
    })
  )

  it.effect("is a store without faults while they are off, and for methods that are not named", () =>
    Effect.gen(function* () {
      const inner = yield* MemoryJobStore.make()
      const options = { seed: 1, probability: 1, faults: ["failBefore"], methods: ["enqueue"] } as const
      const { faults, store } = FaultyStore.make(inner, options)
      yield* store.claim({ now: t0, node: uuid(1), limit: 1, jobs: [], queues: {} })
      assert.strictEqual(reasonOf(yield* Effect.exit(enqueue(store))), "Unavailable")
      yield* faults.enable(false)
      assert.deepStrictEqual(yield* enqueue(store), { ids: [uuid(1)] })
      assert.strictEqual((yield* faults.counts).enqueue.calls, 2)
    })
  )

  it.effect("does the same for the same seed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* play(7), yield* play(7))
      assert.notDeepEqual(yield* play(7), yield* play(8))
    })
  )

  it.effect("is a layer over a store", () =>
    Effect.gen(function* () {
      const store = yield* JobStore
      const faults = yield* FaultyStore.Faults
      yield* Effect.ignore(store.nodes)
      assert.include(store.description, "faulty memory")
      assert.match(yield* faults.report, /^nodes +1 +1 +0 +0 +0 +0$/m)
    }).pipe(
      Effect.provide(
        FaultyStore.layer({ seed: 1, probability: 1, faults: ["failBefore"] }).pipe(Layer.provide(MemoryJobStore.layer))
      )
    )
  )
})
