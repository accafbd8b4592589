/**
 * A schedule whose next time is measured from the end of its last run.
 *
 * Its due time is its only nominal time. It is never missed and never skipped: it fires however late it is, and where a
 * run of an older definition is unfinished it is deferred behind that. Then the schedule waits for the end of its run.
 */
import type { Decision, Due, Situation } from "../../Decision.ts"
import type { Spaced } from "../trigger/model.ts"
import { spacedFirst, spacedNext } from "../trigger/spaced.ts"
import { hash } from "./jitter.ts"

export const decideSpaced = (situation: Situation, trigger: Spaced, unchanged: Decision): Decision => {
  const { schedule, now, active, deferred } = situation
  const busy = active + deferred > 0
  const next = (due: number | undefined): Decision => {
    // A clock that went back does not move the watermark.
    if (due !== undefined) return { ...unchanged, state: "active", nextAt: Math.max(due, schedule.watermark + 1) }
    return { ...unchanged, state: "exhausted", nextAt: null }
  }
  if (schedule.state === "waiting") return busy ? unchanged : next(spacedNext(trigger, now))
  const first = next(schedule.nextAt ?? spacedFirst(trigger, trigger.anchor ?? schedule.watermark + 1))
  const nominal = first.nextAt
  if (nominal === null || now < nominal) return first
  const { jitter, maxRuns } = schedule.policy
  const runAt = nominal + (jitter < 1 ? 0 : hash(`${schedule.id}\u0000${nominal}`) % jitter)
  const run: ReadonlyArray<Due> = [{ nominal, runAt, startBy: null }]
  return {
    ...unchanged,
    fire: busy ? [] : run,
    defer: busy ? run : [],
    watermark: nominal,
    nextAt: null,
    state: schedule.fired + 1 >= maxRuns ? "exhausted" : "waiting"
  }
}
