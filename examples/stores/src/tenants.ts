/**
 * Several stores in one scheduler: exchange rates in memory, which a start of the program fetches anew, and for each tenant a
 * SQLite file of its own, which comes and goes while the program runs.
 */
import { SqlJobStore } from "@effect-scheduler/sql"
import { Console, Effect, Layer, Schema } from "effect"
import { Job, JobRun, Scheduler, Trigger } from "effect-scheduler"

class SendInvoices extends Job.make("SendInvoices", { payload: { tenant: Schema.String } }) {}

/** One handler for all stores: what differs is in the payload. */
const SendInvoicesLive = SendInvoices.toLayer(
  Effect.fnUntraced(function* ({ tenant }) {
    const { execution } = yield* JobRun.current
    yield* Console.log(`invoices of ${tenant}${execution === 1 ? "" : `, execution ${execution}`}`)
  })
)

/** In the store `default`, which is in memory unless another is named. */
const FetchRates = Scheduler.every("rates", "30 seconds", Console.log("rates"))

/** A scheduler that knows no tenant yet. */
export const Live = Layer.mergeAll(SendInvoicesLive, FetchRates).pipe(Layer.provideMerge(Scheduler.layer()))

/** Opens a tenant's file for as long as the scope is open. The same id in two stores is two schedules. */
export const open = Effect.fnUntraced(function* (tenant: string, filename: string) {
  const scheduler = yield* Scheduler
  yield* scheduler.addStore(tenant, SqlJobStore.layerSqlite({ filename }))
  yield* scheduler.schedule(SendInvoices, {
    id: "invoices",
    store: tenant,
    payload: { tenant },
    trigger: Trigger.every("20 seconds")
  })
})

/** All that is scheduled, store by store. */
export const overview = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  const tables = yield* Effect.forEach(yield* scheduler.stores, (store) =>
    Effect.map(scheduler.render({ store }), (table) => `${store}\n${table}`)
  )
  return tables.join("\n\n")
})
