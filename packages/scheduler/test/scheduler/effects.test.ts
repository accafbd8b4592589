import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Scheduler, Trigger } from "../../src/index.ts"
import { build, listen, only, settled, story } from "./support.ts"

class Counter extends Context.Service<Counter, { readonly up: Effect.Effect<void> }>()("test/Counter") {}

const minutely = { id: "tick", trigger: Trigger.every("1 minute") }

describe("scheduleEffect", () => {
  it.effect("runs any effect with the caller's services", () => {
    const at: Array<number> = []
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler
        .scheduleEffect(
          Effect.flatMap(Counter, (counter) => counter.up),
          minutely
        )
        .pipe(
          Effect.provideService(Counter, {
            up: Effect.map(Clock.currentTimeMillis, (now) => void at.push(now / 1_000))
          })
        )
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(at, [60, 120, 180])
    }).pipe(Effect.provide(Scheduler.layer()))
  })

  it.effect("ends with the caller's scope: what runs is drained, what waits is dropped, nothing comes after", () => {
    let begun = 0
    let ended = 0
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      const scope = yield* Scope.make()
      yield* scheduler
        .scheduleEffect(
          Effect.andThen(
            Effect.sync(() => begun++),
            Effect.ensuring(
              Effect.sleep("150 seconds"),
              Effect.sync(() => ended++)
            )
          ),
          { ...minutely, overlap: "bufferAll" }
        )
        .pipe(Scope.provide(scope))
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual([begun, ended], [1, 0])
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      assert.deepStrictEqual([begun, ended], [1, 1])
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual([begun, ended], [1, 1])
      assert.deepStrictEqual((yield* scheduler.runs({ store: "(effects)" })).items, [])
      const dropped = only(events, "RunCreated").slice(1)
      assert.isAbove(dropped.length, 1)
      for (const { runId } of dropped) assert.deepStrictEqual(story(events, runId), ["RunCreated", "RunCancelled"])
      yield* Effect.scoped(scheduler.scheduleEffect(Effect.void, minutely))
    }).pipe(Effect.provide(Scheduler.layer()))
  })

  it.effect("keeps what it fails with to itself, and goes on", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      let n = 0
      yield* scheduler.scheduleEffect(
        Effect.suspend(() => (n++ === 0 ? Effect.fail({ why: "typed" }) : Effect.die("untyped"))),
        minutely
      )
      yield* TestClock.adjust("2 minutes")
      yield* settled
      assert.deepStrictEqual(story(events), [
        "RunCreated",
        "RunStarted",
        "RunFailed",
        "RunCreated",
        "RunStarted",
        "RunFailed"
      ])
      assert.deepStrictEqual(
        only(events, "RunFailed").map((event) => event.scheduleId),
        ["tick", "tick"]
      )
    }).pipe(Effect.provide(Scheduler.layer()))
  )

  it.effect("lives beside the stores of the scheduler and is in none of them", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.scheduleEffect(Effect.void, minutely)
      assert.deepStrictEqual(yield* scheduler.stores, ["default"])
      assert.deepStrictEqual((yield* scheduler.list()).items, [])
    }).pipe(Effect.provide(Scheduler.layer()))
  )

  it.effect("of an id that is in use is refused", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.scheduleEffect(Effect.void, minutely)
      const error = yield* Effect.flip(scheduler.scheduleEffect(Effect.void, minutely))
      assert.strictEqual(error._tag === "SchedulerError" && error.reason._tag, "ScheduleExists")
    }).pipe(Effect.provide(Scheduler.layer()))
  )

  it.effect("of an id that is empty or too long is refused, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      for (const id of ["", "x".repeat(256)]) {
        const error = yield* Effect.flip(scheduler.scheduleEffect(Effect.void, { ...minutely, id }))
        assert.strictEqual(error._tag === "SchedulerError" && error.reason._tag, "InvalidOption")
      }
    }).pipe(Effect.provide(Scheduler.layer()))
  )

  it.effect("with a wrong policy is refused, and the id can be used after", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* Effect.flip(scheduler.scheduleEffect(Effect.void, { ...minutely, maxInstances: 0 }))
      yield* scheduler.scheduleEffect(Effect.void, minutely)
    }).pipe(Effect.provide(Scheduler.layer()))
  )

  it.effect("works before start, and runs from then on", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      let runs = 0
      yield* scheduler.scheduleEffect(
        Effect.sync(() => runs++),
        minutely
      )
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(runs, 0)
      yield* scheduler.start
      yield* TestClock.adjust("150 seconds")
      assert.strictEqual(runs, 2)
    }).pipe(Effect.provide(Scheduler.layer({ autoStart: false })))
  )

  it.effect("is timed out as it says", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const events = yield* listen(scheduler)
      yield* scheduler.scheduleEffect(Effect.never, { ...minutely, timeout: "5 seconds" })
      yield* TestClock.adjust("66 seconds")
      yield* settled
      assert.strictEqual(only(events, "RunTimedOut").length, 1)
    }).pipe(Effect.provide(Scheduler.layer()))
  )

  it.effect("does nothing when its scheduler is gone before its scope is", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const own = yield* Scope.make()
      const context = yield* build(Scheduler.layer()).pipe(Scope.provide(scope))
      yield* Context.get(context, Scheduler).scheduleEffect(Effect.void, minutely).pipe(Scope.provide(own))
      yield* Scope.close(scope, Exit.void)
      yield* Scope.close(own, Exit.void)
    })
  )
})
