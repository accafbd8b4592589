import { Context, type Effect, Schema } from "effect"
import { Job, Trigger } from "effect-scheduler"

export class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}
export class Other extends Schema.TaggedError<Other>()("Other", {}) {}
export class Database extends Context.Service<Database, { readonly read: Effect.Effect<number> }>()("test/Database") {}

export class Plain extends Job.make("Plain") {}
export class Work extends Job.make("Work", {
  payload: { n: Schema.Finite },
  success: Schema.String,
  error: Refused
}) {}

export const trigger = Trigger.every("1 minute")
