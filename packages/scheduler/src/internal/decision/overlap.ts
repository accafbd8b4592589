/**
 * What becomes of the kept times: the overlap table, applied to one time after the other, oldest first.
 */
import type { Policy } from "../../JobSchedule.ts"

export interface Placed {
  readonly fire: ReadonlyArray<number>
  readonly defer: ReadonlyArray<number>
  readonly skipped: ReadonlyArray<number>
  readonly dropped: ReadonlyArray<number>
  readonly replaceDeferred: boolean
  readonly cancel: boolean
  /** How many of the kept times were decided. */
  readonly decided: number
  /** Why the others were not: `maxRuns` is reached, or there is no room and the policy waits for it. */
  readonly stopped: "exhausted" | "full" | undefined
}

interface Busy {
  readonly late: boolean
  readonly deferred: number
  readonly buffer: number
}

type Verdict = "defer" | "replace" | "skip" | "drop" | "stop"

/** The right column of the table: the schedule has `maxInstances` unfinished runs. */
const whenBusy: { readonly [K in Policy["overlap"]]: (busy: Busy) => Verdict } = {
  skip: ({ late }) => (late ? "defer" : "skip"),
  bufferOne: ({ deferred }) => (deferred === 0 ? "defer" : "skip"),
  bufferAll: ({ deferred, buffer }) => (deferred < buffer ? "defer" : "drop"),
  cancelPrevious: () => "replace",
  allow: () => "skip",
  wait: () => "stop"
}

export interface Room {
  readonly now: number
  readonly active: number
  readonly deferred: number
  /** How many more times may fire. */
  readonly left: number
}

export const place = (kept: ReadonlyArray<number>, policy: Policy, { now, active, deferred, left }: Room): Placed => {
  let fire: Array<number> = []
  const skipped: Array<number> = []
  const dropped: Array<number> = []
  let defer: Array<number> = []
  let replaceDeferred = false
  let replacing = false
  let decided = 0
  let stopped: Placed["stopped"]

  for (const time of kept) {
    if (fire.length + defer.length >= left) {
      stopped = "exhausted"
      break
    }
    const waiting = (replaceDeferred ? 0 : deferred) + defer.length
    const verdict =
      !replacing && active + fire.length + waiting < policy.maxInstances
        ? "fire"
        : whenBusy[policy.overlap]({ late: now - time > policy.missed.grace, deferred: waiting, buffer: policy.buffer })
    if (verdict === "stop") {
      stopped = "full"
      break
    }
    decided++
    switch (verdict) {
      case "fire":
        fire.push(time)
        break
      case "defer":
        defer.push(time)
        break
      case "replace":
        // What this same decision would fire or defer only to end it again is not stored: its time is skipped.
        skipped.push(...fire, ...defer)
        fire = active > 0 ? [] : [time]
        defer = active > 0 ? [time] : []
        replaceDeferred = deferred > 0
        replacing = true
        break
      case "skip":
        skipped.push(time)
        break
      case "drop":
        dropped.push(time)
        break
    }
  }
  if (fire.length + defer.length >= left) stopped = "exhausted"
  return { fire, defer, skipped, dropped, replaceDeferred, cancel: replacing && active > 0, decided, stopped }
}
