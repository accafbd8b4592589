/** The jobs of the fault tests, which the test and the processes that it starts both know. */
import { Schema } from "effect"
import { Job } from "effect-scheduler"

/** What a handler does: it ends at once, or takes so many milliseconds, or blocks the event loop for them, or ends the
 * process, or goes on for ever. */
export const Deed = Schema.Union([
  Schema.TaggedStruct("End", {}),
  Schema.TaggedStruct("Sleep", { millis: Schema.Finite }),
  Schema.TaggedStruct("Block", { millis: Schema.Finite }),
  Schema.TaggedStruct("Exit", {}),
  Schema.TaggedStruct("Never", {})
])

export class Work extends Job.make("Work", { payload: { deed: Deed } }) {}

export class Keyed extends Job.make("Keyed", {
  payload: { key: Schema.String, deed: Deed },
  key: ({ key }) => key
}) {}

export class Once extends Job.make("Once", { payload: { deed: Deed }, delivery: "atMostOnce" }) {}

/** A job without a payload, for schedules. */
export class Tick extends Job.make("Tick") {}
