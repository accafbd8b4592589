/**
 * The jobs under test: every night one run for each invoice that is due, and each run charges a card.
 */
import { DateTime, Effect, Layer, Schedule, Schema } from "effect"
import { Job, JobRun, Scheduler, Trigger } from "effect-scheduler"
import { Bank, BankUnavailable, CardDeclined } from "./Bank.ts"
import { Invoices } from "./Invoices.ts"

const ChargeError = Schema.Union([CardDeclined, BankUnavailable])

/** A bank that is away is asked again; a card that was declined is not. */
const whileUnavailable = Schedule.exponential("10 seconds").pipe(
  Schedule.upTo({ times: 4 }),
  Schedule.while(({ input }: Schedule.Metadata<unknown, Job.JobFailure<typeof ChargeError.Type>>) =>
    Effect.succeed(input._tag !== "Failed" || input.error._tag === "BankUnavailable")
  )
)

export class Charge extends Job.make("Charge", {
  payload: { invoice: Schema.Int, card: Schema.String, cents: Schema.Int },
  success: Schema.String,
  error: ChargeError,
  retry: whileUnavailable,
  timeout: "30 seconds",
  key: ({ card }) => card
}) {}

const ChargeLive = Charge.toLayer(
  Effect.fnUntraced(function* ({ card, cents }) {
    const bank = yield* Bank
    const run = yield* JobRun.current
    return yield* bank.charge({ key: run.id, card, cents })
  })
)

export class ChargeDue extends Job.make("ChargeDue", { success: Schema.Int }) {}

const ChargeDueLive = ChargeDue.toLayer(
  Effect.fnUntraced(function* () {
    const invoices = yield* Invoices
    const scheduler = yield* Scheduler
    const due = yield* invoices.due
    const day = DateTime.formatIsoDateUtc(yield* DateTime.now)
    yield* Effect.forEach(due, ({ card, cents, number }) =>
      // However often this job runs on a day, an invoice is charged once.
      scheduler.enqueue(Charge, { invoice: number, card, cents }, { idempotencyKey: `${number} on ${day}` })
    ).pipe(Effect.orDie)
    return due.length
  })
)

/** Nights have two hours each that clock changes may take or repeat: this is in none. */
export const nightly = Trigger.cron("30 4 * * MON-FRI", { timeZone: "Europe/Berlin" })

const Nightly = Layer.effectDiscard(
  Effect.flatMap(Scheduler, (scheduler) => scheduler.schedule(ChargeDue, { id: "charge due", trigger: nightly }))
)

/** All of it, on the scheduler, bank and invoices that are provided. */
export const Billing = Layer.provideMerge(Nightly, Layer.merge(ChargeLive, ChargeDueLive))
