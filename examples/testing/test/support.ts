/** What the tests share: a bank that does as it is told, and time. */
import { type Duration, Effect, Layer } from "effect"
import { type JobStore, MemoryJobStore, Scheduler } from "effect-scheduler"
import { settled } from "effect-scheduler/testing"
import { TestClock } from "effect/testing"
import { Bank, BankUnavailable, CardDeclined, type Order } from "../src/Bank.ts"
import { type Invoice, Invoices } from "../src/Invoices.ts"
import { Billing } from "../src/jobs.ts"

export const makeBank = () => {
  const charged: Array<Order> = []
  const state: { mood: "well" | "away" | "silent"; asked: number } = { mood: "well", asked: 0 }
  const layer = Layer.succeed(Bank, {
    charge: (order) =>
      Effect.suspend((): Effect.Effect<string, CardDeclined | BankUnavailable> => {
        state.asked++
        if (state.mood === "away") return Effect.fail(new BankUnavailable())
        if (state.mood === "silent") return Effect.never
        if (order.card === "stolen") return Effect.fail(new CardDeclined({ card: order.card }))
        if (!charged.some(({ key }) => key === order.key)) charged.push(order)
        return Effect.succeed(`receipt ${charged.length}`)
      })
  })
  return { charged, layer, state }
}

export const due = (...invoices: ReadonlyArray<Invoice>) => Layer.succeed(Invoices, { due: Effect.succeed(invoices) })

/**
 * The program as it is, on a store of the test's. When the test ends no time passes any more, so what still runs is not
 * waited for.
 */
export const billing = (
  bank: Layer.Layer<Bank>,
  {
    invoices = due(),
    store = MemoryJobStore.layer
  }: {
    readonly invoices?: Layer.Layer<Invoices>
    readonly store?: Layer.Layer<JobStore.JobStore, JobStore.JobStoreError>
  } = {}
) =>
  Billing.pipe(
    Layer.provideMerge(Scheduler.layer({ stores: { default: store }, drainDeadline: 0 })),
    Layer.provide([bank, invoices])
  )

/** Lets time pass, and what it set going come to rest. */
export const pass = (duration: Duration.Input) =>
  settled.pipe(Effect.andThen(TestClock.adjust(duration)), Effect.andThen(settled))

/** Before the scheduler is built: it begins at the epoch otherwise. */
export const startingAt = (instant: string) => TestClock.setTime(Date.parse(instant))
