/**
 * What becomes of the nominal times of a schedule: a pure function of values.
 *
 * Each nominal time is decided once. It fires now, is deferred until an unfinished run of the schedule ends, or is counted
 * as missed (too late, or more than the policy keeps), skipped or dropped (the schedule is busy). The watermark is the
 * highest nominal time that has been decided; only what is after it and not after now is decided.
 *
 * @module
 * @since 0.1.0
 */
import { describeFault, faultAfter } from "./internal/decision/fault.ts"
import { jitterOf } from "./internal/decision/jitter.ts"
import { place } from "./internal/decision/overlap.ts"
import { rangeOf } from "./internal/decision/range.ts"
import { decideSpaced } from "./internal/decision/spaced.ts"
import { type Times, timesOf } from "./internal/decision/times.ts"
import { decideUsual } from "./internal/decision/usual.ts"
import { windowOf } from "./internal/decision/window.ts"
import { toleranceOf } from "./internal/policy.ts"
import { isSpaced } from "./internal/trigger/spaced.ts"
import type { Policy, ScheduleState } from "./JobSchedule.ts"
import type { Trigger } from "./Trigger.ts"

/**
 * What a decision reads of a schedule. Instants are epoch milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Schedule {
  readonly id: string
  /** Closed by `Trigger.anchor`, its custom rules resolved. */
  readonly trigger: Trigger
  readonly policy: Policy
  readonly watermark: number
  /** How many nominal times of its generation have fired, deferred ones included. */
  readonly fired: number
  readonly state: ScheduleState
  /** The due time of a spaced trigger, as the last decision set it; otherwise not read. */
  readonly nextAt?: number | null | undefined
  /** How often in a row the trigger failed; default 0. */
  readonly faults?: number | undefined
}

/**
 * A schedule and the situation that it is in. `now` is epoch milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Situation {
  readonly schedule: Schedule
  readonly now: number
  /** Its unfinished runs of its own cause that are not deferred by overlap. */
  readonly active: number
  /** Those that are. */
  readonly deferred: number
  /** How many runs one decision may create; default 1,000. What is left is decided next, and `nextAt` has passed. */
  readonly batch?: number | undefined
}

/**
 * A nominal time that becomes a run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Due {
  /** Epoch milliseconds. */
  readonly nominal: number
  /** The nominal time and its jitter, in epoch milliseconds. */
  readonly runAt: number
  /** Claimed later than this, the run ends as expired: `runAt` and the tolerance of the missed policy, null for none. */
  readonly startBy: number | null
}

/**
 * Nominal times that become no run, in epoch milliseconds. `first` and `last` are the first and the last of them; times
 * that were decided otherwise may lie between.
 *
 * @category models
 * @since 0.1.0
 */
export interface Range {
  readonly first: number
  readonly last: number
  readonly count: number
}

/**
 * What was decided, and the schedule as it is then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  /** Runs to create as pending, oldest first. */
  readonly fire: ReadonlyArray<Due>
  /** Runs to create as deferred until an unfinished run of the schedule ends, oldest first. They count as fired. */
  readonly defer: ReadonlyArray<Due>
  /** The runs that were deferred before give way and end as skipped. */
  readonly replaceDeferred: boolean
  /** The active runs are asked to cancel. */
  readonly cancel: boolean
  readonly skipped: Range | undefined
  readonly missed: Range | undefined
  readonly dropped: Range | undefined
  /** The highest nominal time that has been decided now, in epoch milliseconds. */
  readonly watermark: number
  /** When to decide again, in epoch milliseconds; null unless `active`. */
  readonly nextAt: number | null
  readonly state: ScheduleState
  /** How often in a row the trigger has failed now. */
  readonly faults: number
  /** Why the trigger failed, if it did. */
  readonly error: string | null
  /** No nominal time that has passed is left undecided. */
  readonly complete: boolean
}

/**
 * Decides the nominal times after the watermark and not after `now`.
 *
 * Of what passed, the missed policy keeps some; the overlap policy is applied to these, oldest first, each fired or
 * deferred one making the schedule busier for the next. With `maxRuns`, the watermark stops at the last that may fire and
 * the schedule is `exhausted`, as it is when its trigger has no next instant. A clock that went back decides nothing, and
 * the next time is after the watermark all the same. A paused, exhausted or faulty schedule is left as it is.
 *
 * A trigger that fails is asked again after 1, 10, 60 and 300 s; the fifth failure in a row makes the schedule `faulty`.
 *
 * @example
 * ```ts
 * import { Decision, Trigger } from "effect-scheduler"
 *
 * const hour = 3_600_000
 * const { fire, missed, nextAt } = Decision.decide({
 *   schedule: {
 *     id: "digest",
 *     trigger: Trigger.every("1 hour", { start: 0 }),
 *     policy: {
 *       missed: { run: "latest", grace: 10_000, within: Infinity, limit: 100 },
 *       overlap: "skip",
 *       maxInstances: 1,
 *       buffer: 100,
 *       jitter: 0,
 *       maxRuns: Infinity
 *     },
 *     watermark: 0,
 *     fired: 0,
 *     state: "active"
 *   },
 *   now: 3.5 * hour,
 *   active: 0,
 *   deferred: 0
 * })
 *
 * fire.map(({ nominal }) => nominal / hour) // => [3]
 * missed?.count // => 2
 * nextAt! / hour // => 4
 * ```
 *
 * @category deciding
 * @since 0.1.0
 */
export const decide = (situation: Situation): Decision => {
  const { schedule } = situation
  if (schedule.state !== "active" && schedule.state !== "waiting") return unchanged(schedule)
  if (schedule.fired >= schedule.policy.maxRuns) return { ...unchanged(schedule), state: "exhausted", nextAt: null }
  return isSpaced(schedule.trigger)
    ? decideSpaced(situation, schedule.trigger, unchanged(schedule))
    : (decideUsual(situation) ?? decideTimes(situation, timesOf(schedule.trigger)))
}

const BATCH = 1_000

const decideTimes = ({ schedule, now, active, deferred, batch = BATCH }: Situation, times: Times): Decision => {
  const { id, policy, watermark } = schedule
  const tolerance = toleranceOf(policy)
  const left = policy.maxRuns - schedule.fired
  const room = Math.max(0, policy.maxInstances - active - deferred)

  const window = windowOf(times, watermark, {
    now,
    tolerance,
    newest: policy.missed.run === "all" ? policy.missed.limit : 1,
    // No more than can fire is looked for where the rest is left undecided anyway.
    batch: policy.overlap === "wait" ? Math.min(batch, room + 1) : batch
  })
  const placed = place(window.kept, policy, { now, active, deferred, left })

  const due = (nominal: number): Due => {
    const runAt = nominal + jitterOf(id, nominal, policy.jitter, times)
    return { nominal, runAt, startBy: tolerance === Infinity ? null : runAt + tolerance }
  }
  const decided = {
    fire: placed.fire.map(due),
    defer: placed.defer.map(due),
    replaceDeferred: placed.replaceDeferred,
    cancel: placed.cancel,
    skipped: rangeOf(placed.skipped),
    missed: window.missed,
    dropped: rangeOf(placed.dropped)
  }

  const all = placed.decided === window.kept.length
  const reached = all ? window.reached : (window.kept[placed.decided - 1] ?? window.missed?.last ?? watermark)
  if (placed.stopped !== undefined) {
    const state = placed.stopped === "exhausted" ? "exhausted" : "waiting"
    return { ...decided, watermark: reached, nextAt: null, state, faults: 0, error: null, complete: false }
  }
  const next = window.next ?? times.next(reached)
  switch (next._tag) {
    case "Never":
      return {
        ...decided,
        watermark: reached,
        nextAt: null,
        state: "exhausted",
        faults: 0,
        error: null,
        complete: true
      }
    case "Faulty": {
      const faults = (schedule.faults ?? 0) + 1
      const error = describeFault(next.cause)
      return { ...decided, watermark: reached, ...faultAfter(faults, now), faults, error, complete: false }
    }
    default:
      return {
        ...decided,
        watermark: reached,
        nextAt: next.at,
        state: "active",
        faults: 0,
        error: null,
        complete: next.at > now
      }
  }
}

const unchanged = (schedule: Schedule): Decision => ({
  fire: [],
  defer: [],
  replaceDeferred: false,
  cancel: false,
  skipped: undefined,
  missed: undefined,
  dropped: undefined,
  watermark: schedule.watermark,
  nextAt: schedule.state === "active" ? (schedule.nextAt ?? null) : null,
  state: schedule.state,
  faults: schedule.faults ?? 0,
  error: null,
  complete: true
})
