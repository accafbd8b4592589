/**
 * What charges cards. Whoever charges twice with the same key has charged once.
 */
import { Context, type Effect, Schema } from "effect"

export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { card: Schema.String }) {}

export class BankUnavailable extends Schema.TaggedError<BankUnavailable>()("BankUnavailable", {}) {}

export interface Order {
  readonly key: string
  readonly card: string
  readonly cents: number
}

export class Bank extends Context.Service<
  Bank,
  { readonly charge: (order: Order) => Effect.Effect<string, CardDeclined | BankUnavailable> }
>()("testing/Bank") {}
