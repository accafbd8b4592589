import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Logger, Scope } from "effect"
import { type JobStoreService, Signal } from "../../src/JobStore.ts"
import * as MemoryJobStore from "../../src/MemoryJobStore.ts"
import { NaiveJobStore } from "../../src/testing/index.ts"
import { run, t0, uuid } from "../../src/testing/internal/fixtures.ts"

const stores: ReadonlyArray<readonly [string, Effect.Effect<JobStoreService>]> = [
  ["memory", MemoryJobStore.make()],
  ["naive", NaiveJobStore.make]
]

describe("a listener that throws", () => {
  for (const [name, make] of stores) {
    it.effect(`ends nothing, is logged, and keeps nobody else from hearing (${name})`, () => {
      const logged: Array<string> = []
      const logger = Logger.layer([
        Logger.make(({ cause, message }) => void logged.push(`${message} ${Cause.pretty(cause)}`))
      ])
      return Effect.gen(function* () {
        const scope = yield* Effect.scope
        const store = yield* make
        const heard: Array<number> = []
        const subscribe = (listener: (change: number) => void) => Scope.provide(store.subscribe(listener), scope)
        yield* subscribe((change) => void heard.push(change))
        yield* subscribe(() => {
          throw new Error("deaf")
        })
        yield* subscribe((change) => void heard.push(change))
        const enqueue = (n: number) =>
          store.enqueue({ now: t0, runs: [{ run: run(0, { id: uuid(n) }), unique: null }] })
        assert.deepStrictEqual(yield* enqueue(1), { ids: [uuid(1)] })
        assert.deepStrictEqual(yield* enqueue(2), { ids: [uuid(2)] })
        assert.deepStrictEqual(heard, [Signal.runs, Signal.runs, Signal.runs, Signal.runs])
        assert.strictEqual(logged.length, 2)
        assert.include(logged[0], "A listener to the changes of a job store failed")
        assert.include(logged[0], "deaf")
      }).pipe(Effect.provide(logger))
    })
  }
})
