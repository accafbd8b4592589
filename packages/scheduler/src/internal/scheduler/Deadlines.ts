import { Effect } from "effect"
import { Heap } from "../heap.ts"
import { runFields } from "./announce.ts"
import type { Runner } from "./Runner.ts"
import type { Running } from "./Running.ts"
import { type ClockWatch, longestSleep, type Wakeup } from "./Wakeup.ts"

/** When running handlers have to be looked at: one heap and one timer for all, instead of a timer each. */
export interface Deadlines {
  readonly started: (run: Running, timeout: number) => void
  /** It was interrupted, by whomever: it is looked at again to see whether it is stuck. */
  readonly interrupted: (run: Running) => void
  readonly ended: (run: Running) => void
  /** The next one past its deadline, which must be moved. */
  readonly expired: (now: number) => Running | undefined
  readonly postpone: (run: Running, deadline: number) => void
  readonly sleep: Effect.Effect<void>
}

export const make = (clock: ClockWatch, bell: Wakeup, stuckAfter: number): Deadlines => {
  const heap = new Heap<Running>((run) => run.deadline)
  /** When the loop looks again by itself: a run that ends long before is not worth a ring. */
  let awakeAt = Infinity
  const place = (run: Running, deadline: number): void => {
    run.deadline = deadline
    if (heap.has(run)) heap.update(run)
    else heap.push(run)
    if (deadline < awakeAt) bell.ring()
  }
  return {
    started: (run, timeout) => {
      if (timeout !== Infinity) place(run, run.begunAt + timeout)
    },
    interrupted: (run) => {
      run.interruptedAt = clock.monotonic()
      place(run, run.interruptedAt + stuckAfter)
    },
    ended: (run) => void heap.remove(run),
    expired: (now) => {
      bell.arm()
      awakeAt = Infinity
      const run = heap.peek()
      return run !== undefined && run.deadline <= now ? run : undefined
    },
    postpone: place,
    sleep: Effect.suspend(() => {
      const now = clock.monotonic()
      awakeAt = Math.min(heap.peek()?.deadline ?? Infinity, now + longestSleep)
      return bell.sleep(awakeAt - now)
    })
  }
}

/** Interrupts what is past its timeout, and tells of what does not end after an interruption. */
export const loop = (runner: Runner): Effect.Effect<void> =>
  Effect.forever(
    Effect.suspend(() => {
      const now = runner.clock.monotonic()
      for (let run = runner.deadlines.expired(now); run !== undefined; run = runner.deadlines.expired(now)) {
        if (run.interruption === undefined) {
          if (runner.hub.active()) {
            runner.hub.publish({ _tag: "RunTimedOut", store: runner.alias, ...runFields(run.record) })
          }
          run.interrupt("timeout")
        } else {
          runner.deadlines.postpone(run, Infinity)
          const since = Math.round(now - run.interruptedAt)
          if (runner.hub.active()) {
            runner.hub.publish({ _tag: "RunStuck", store: runner.alias, ...runFields(run.record), since })
          }
        }
      }
      return runner.deadlines.sleep
    }),
    { disableYield: true }
  )
