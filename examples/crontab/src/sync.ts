/**
 * Makes the stored schedules those of a crontab: lines that are there stay as they are, with all that is known of them,
 * new ones are added, and those that are gone are unscheduled.
 */
import { Effect, Stream } from "effect"
import { Scheduler } from "effect-scheduler"
import { CronJob, payloadOf, titleOf } from "./CronJob.ts"
import type { Crontab, Entry } from "./Crontab.ts"

/** Answers the ids that were removed. */
export const sync = Effect.fnUntraced(function* (crontab: Crontab, origin: string) {
  const scheduler = yield* Scheduler
  const schedules = crontab.entries.flatMap((entry) =>
    entry.trigger === "reboot" ? [] : [{ id: entry.id, payload: payloadOf(entry), trigger: entry.trigger, origin }]
  )
  const wanted = new Set(schedules.map(({ id }) => id))
  const stored = yield* Stream.runCollect(scheduler.listAll({ origin }))
  const removed = stored.map(({ id }) => id).filter((id) => !wanted.has(id))
  yield* Effect.forEach(removed, (id) => scheduler.unschedule(id), { discard: true })
  yield* scheduler.scheduleAll(CronJob, schedules)
  return removed
})

/** Enqueues what runs once at each start of the program, which `start` names; adds the titles of these runs. */
export const enqueueReboot = Effect.fnUntraced(function* (
  entries: ReadonlyArray<Entry>,
  start: string,
  titles: Map<string, string>
) {
  const scheduler = yield* Scheduler
  for (const entry of entries.filter(({ trigger }) => trigger === "reboot")) {
    const idempotencyKey = `${start} ${entry.id}`
    titles.set(yield* scheduler.enqueue(CronJob, payloadOf(entry), { idempotencyKey }), titleOf(entry))
  }
})
