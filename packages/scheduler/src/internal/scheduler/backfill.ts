import { DateTime, Effect } from "effect"
import type { SchedulerService } from "../../Scheduler.ts"
import { InvalidOption, type SchedulerError } from "../../SchedulerError.ts"
import * as Trigger from "../../Trigger.ts"
import * as policies from "../policy.ts"
import type * as transitions from "../transitions/index.ts"
import { readInstant } from "../trigger/instant.ts"
import { type Core, missing, refuse, requireId } from "./Core.ts"
import { readable, stored } from "./rows.ts"
import type { StoreRunner } from "./StoreRunner.ts"

/** The schedule that fires another one's times of a range: bounded by it, and done when they are. */
export const backfillOf = Effect.fnUntraced(function* (
  core: Core,
  store: StoreRunner,
  id: string,
  options: Parameters<SchedulerService["backfill"]>[1]
) {
  const subject = `backfill of "${id}"`
  const start = yield* instantOf(subject, "from", options.from)
  const end = yield* instantOf(subject, "to", options.to)
  if (end < start) {
    return yield* invalid(subject, "to", "an instant not before from", DateTime.formatIso(DateTime.makeUnsafe(end)))
  }
  yield* requireId(subject, "request", options.request, 200)
  const concurrency = options.concurrency ?? 1
  if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
    return yield* invalid(subject, "concurrency", "a whole number of at least 1", String(concurrency))
  }
  const row = yield* stored(store, id)
  if (row === undefined) return yield* missing(core, options, id, "backfill")
  yield* readable(core, row)
  const given = core.resolver.read(row) as Trigger.Trigger
  if (!Trigger.isRule(given)) {
    return yield* invalid(subject, "trigger", "a set of instants", "a spaced rhythm, which has no past times")
  }
  const trigger = Trigger.bounded(Trigger.anchor(given, row.anchor), { start, end })
  const backfillId = `${id}/backfill/${options.request}`
  yield* requireId(subject, "id and request", backfillId, 255)
  const draft: transitions.Draft = {
    ...core.resolver.define(trigger),
    id: backfillId,
    job: row.job,
    queue: row.queue,
    priority: 3,
    payload: row.payload,
    key: row.key,
    delivery: row.delivery,
    policy: policies.encode(policies.backfill(concurrency)),
    origin: row.origin,
    cause: `backfill:${options.request}`,
    watermark: start - 1,
    generation: core.newId()
  }
  return draft
})

const invalid = (subject: string, option: string, expected: string, actual: string) =>
  refuse(new InvalidOption({ subject, option, expected, actual }))

const instantOf = (
  subject: string,
  option: string,
  input: DateTime.DateTime.Input
): Effect.Effect<number, SchedulerError> => {
  const instant = readInstant(input)
  return instant !== undefined ? Effect.succeed(instant) : invalid(subject, option, "an instant", String(input))
}
