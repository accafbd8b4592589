import { Effect } from "effect"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import { type SchedulerError, Unreadable } from "../../SchedulerError.ts"
import { type Core, refuse } from "./Core.ts"
import type { StoreRunner } from "./StoreRunner.ts"

/** The row of one schedule, if it is stored. */
export const stored = (store: StoreRunner, id: string) =>
  Effect.map(store.runner.calls.verb("getSchedules", store.runner.store.getSchedules({ ids: [id] })), ([row]) => row)

/** A verb whose transition needs to read the row fails where this node cannot. */
export const readable = (core: Pick<Core, "resolver">, record: ScheduleRecord): Effect.Effect<void, SchedulerError> => {
  const why = core.resolver.why(record)
  return why === undefined ? Effect.void : refuse(new Unreadable({ scheduleId: record.id, why }))
}
