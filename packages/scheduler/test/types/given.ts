/** What the files beside share. Each holds lines that must compile, and below a `@ts-expect-error` ones that must not. */
import { Context, type Effect, Schema } from "effect"
import { Job, Trigger } from "../../src/index.ts"

export class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}
export class Other extends Schema.TaggedError<Other>()("Other", {}) {}
export class Database extends Context.Service<Database, { readonly read: Effect.Effect<number> }>()("test/Database") {}

export class Plain extends Job.make("Plain") {}
export class Work extends Job.make("Work", {
  payload: { n: Schema.Number },
  success: Schema.String,
  error: Refused
}) {}

export const trigger = Trigger.every("1 minute")

/** Whether two types are one and the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
export const same = <A, B>(equal: Same<A, B>): boolean => equal
