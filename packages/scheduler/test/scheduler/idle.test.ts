import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Job, Scheduler, Trigger } from "../../src/index.ts"
import { steered } from "./support.ts"

class Tick extends Job.make("Tick") {}

describe("a scheduler with nothing to do", () => {
  it.effect("asks its store as often as something happens, and not more", () => {
    const store = steered()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 minute") })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(store.calls("finish"), 10)
      assert.isAtMost(store.calls("fire"), 40)
      assert.isAtMost(store.calls("claim"), 60)
      assert.isAtMost(store.calls("wake"), 100)
    }).pipe(
      Effect.provide(
        Tick.toLayer(() => Effect.void).pipe(
          Layer.provideMerge(Scheduler.layer({ stores: { default: store.layer }, maxRunning: 3 }))
        )
      )
    )
  })
})
