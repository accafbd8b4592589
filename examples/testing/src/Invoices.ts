/**
 * The invoices that are due. A real one is a table.
 */
import { Context, type Effect } from "effect"

export interface Invoice {
  readonly number: number
  readonly card: string
  readonly cents: number
}

export class Invoices extends Context.Service<Invoices, { readonly due: Effect.Effect<ReadonlyArray<Invoice>> }>()(
  "testing/Invoices"
) {}
