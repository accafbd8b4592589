/** What: a job is executed through the scheduler, so that its schemas, retries and timeout are under test with its handler. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Scheduler } from "effect-scheduler"
import { Charge } from "../src/jobs.ts"
import { billing, makeBank, pass } from "./support.ts"

const order = { invoice: 1, card: "4242", cents: 995 }

const charge = (payload = order) => Effect.flatMap(Scheduler, (scheduler) => scheduler.execute(Charge, payload))

describe("a charge", () => {
  it.effect("answers with the receipt, and uses the id of its run as the key", () => {
    const { charged, layer } = makeBank()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      assert.strictEqual(yield* charge(), "receipt 1")
      const [run] = (yield* scheduler.history()).items
      assert.deepStrictEqual(charged, [{ key: run!.id, card: "4242", cents: 995 }])
    }).pipe(Effect.provide(billing(layer)))
  })

  it.effect("is not tried again when the card was declined", () => {
    const { layer, state } = makeBank()
    return Effect.gen(function* () {
      const error = yield* Effect.flip(charge({ ...order, card: "stolen" }))
      assert.strictEqual(error._tag, "CardDeclined")
      assert.strictEqual(state.asked, 1)
    }).pipe(Effect.provide(billing(layer)))
  })

  it.effect("is tried again after 10, 20 and 40 seconds while the bank is away", () => {
    const { layer, state } = makeBank()
    state.mood = "away"
    return Effect.gen(function* () {
      const result = yield* Effect.forkChild(charge())
      const asked: Array<number> = []
      for (const seconds of [0, 10, 20, 40]) {
        yield* pass(`${seconds} seconds`)
        asked.push(state.asked)
      }
      assert.deepStrictEqual(asked, [1, 2, 3, 4])
      state.mood = "well"
      yield* pass("80 seconds")
      assert.strictEqual(yield* Fiber.join(result), "receipt 1")
    }).pipe(Effect.provide(billing(layer)))
  })

  it.effect("is given up by its timeout when the bank is silent, and tried again", () => {
    const { layer, state } = makeBank()
    state.mood = "silent"
    return Effect.gen(function* () {
      const result = yield* Effect.forkChild(charge())
      yield* pass("30 seconds")
      state.mood = "well"
      yield* pass("10 seconds")
      assert.strictEqual(yield* Fiber.join(result), "receipt 1")
    }).pipe(Effect.provide(billing(layer)))
  })

  it.effect("waits for another one of the same card", () => {
    const { layer, state } = makeBank()
    state.mood = "silent"
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.enqueueAll(Charge, [order, { ...order, invoice: 2 }, { ...order, card: "5454" }])
      yield* pass("1 second")
      assert.strictEqual(state.asked, 2)
    }).pipe(Effect.provide(billing(layer)))
  })
})
