/** Both together: what a night does, also one in which the program was down or its store failed. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SqlJobStore } from "@effect-scheduler/sql"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { JobStore, MemoryJobStore, Scheduler } from "effect-scheduler"
import { FaultyStore } from "effect-scheduler/testing"
import { ChargeDue } from "../src/jobs.ts"
import { billing, due, makeBank, pass, startingAt } from "./support.ts"

const invoices = due({ number: 1, card: "4242", cents: 995 }, { number: 2, card: "5454", cents: 1_000 })

const cents = (orders: ReadonlyArray<{ readonly cents: number }>) => orders.map((order) => order.cents).toSorted()

describe("a night", () => {
  it.effect("charges each invoice that is due", () => {
    const { charged, layer } = makeBank()
    return Effect.andThen(
      startingAt("2026-02-06T03:29:00Z"),
      Effect.gen(function* () {
        yield* pass("2 minutes")
        assert.deepStrictEqual(cents(charged), [1_000, 995])
      }).pipe(Effect.provide(billing(layer, { invoices })))
    )
  })

  it.effect("charges nothing twice when somebody runs it once more by hand", () => {
    const { charged, layer } = makeBank()
    return Effect.andThen(
      startingAt("2026-02-06T03:29:00Z"),
      Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* pass("2 minutes")
        assert.strictEqual(yield* scheduler.execute(ChargeDue), 2)
        yield* pass("1 minute")
        assert.lengthOf(charged, 2)
      }).pipe(Effect.provide(billing(layer, { invoices })))
    )
  })

  it.effect("in which the program was stopped in the middle of a charge goes on with the same key", () => {
    const { charged, layer, state } = makeBank()
    const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-billing-"))
    const store = SqlJobStore.layerSqlite({ filename: join(folder, "jobs.sqlite") })
    // Each time it is provided is a start of the program, and leaving it is its end.
    const Program = billing(layer, { invoices, store })
    return Effect.gen(function* () {
      yield* startingAt("2026-02-06T03:29:50Z")
      state.mood = "silent"
      const ids = yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* pass("15 seconds")
        return (yield* scheduler.runs({ state: "running" })).items.map(({ id }) => id)
      }).pipe(Effect.provide(Program))
      assert.lengthOf(ids, 2)

      state.mood = "well"
      yield* pass("15 seconds").pipe(Effect.provide(Program))
      assert.deepStrictEqual(charged.map(({ key }) => key).toSorted(), ids.toSorted())
    }).pipe(Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true }))))
  })

  it.effect("in which every fifth call of the store failed charges each invoice once", () => {
    const { charged, layer } = makeBank()
    const { faults, store } = FaultyStore.make(Effect.runSync(MemoryJobStore.make()), {
      seed: 7,
      faults: ["failBefore", "failAfter", "conflict"]
    })
    return Effect.andThen(
      startingAt("2026-02-06T03:29:50Z"),
      Effect.gen(function* () {
        yield* pass("2 minutes")
        assert.deepStrictEqual(cents(charged), [1_000, 995])
        const { claim, finish, fire } = yield* faults.counts
        assert.isAbove(claim.failBefore + claim.failAfter + finish.failAfter + fire.failAfter, 0)
      }).pipe(Effect.provide(billing(layer, { invoices, store: Layer.succeed(JobStore.JobStore, store) })))
    )
  })
})
