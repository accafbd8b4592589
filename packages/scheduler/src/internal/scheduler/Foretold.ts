import type { EndedRun, RunRecord } from "../../JobRun.ts"
import type { RunReport, Transition } from "../../JobStore.ts"
import { runFields } from "./announce.ts"
import type { EventBody, EventHub } from "./EventHub.ts"
import type { ClockWatch } from "./Wakeup.ts"

/**
 * A call that failed for good leaves its events. So many of them are kept, and above that the oldest go, but none so young
 * that its call may be under way: one call can make a million runs.
 */
const most = 10_000
const youngest = 60_000

/** An event that waits for the answer of the call that makes it true. */
interface Waiting {
  readonly event: EventBody
  /** The run before the call. A run that is made by it was never claimed: its attempt is 0. */
  readonly run: RunRecord
  /** What the call reports of an execution. */
  readonly report: RunReport | undefined
  /** Monotonic milliseconds. */
  readonly since: number
}

/**
 * Events that are true as soon as a call that is under way has committed, by run.
 *
 * A store wakes the claimer before the call that made a run has answered, and the run may be started and ended by then.
 * Whoever sees the run go on first tells its event, so that for one run the order of events is the order of things.
 */
export class Foretold {
  readonly #waiting = new Map<string, Waiting>()
  readonly #hub: EventHub
  readonly #clock: Pick<ClockWatch, "monotonic">

  constructor(hub: EventHub, clock: Pick<ClockWatch, "monotonic">) {
    this.#hub = hub
    this.#clock = clock
  }

  /** How an execution ended, if the store takes the report. */
  reported(run: RunRecord, report: RunReport, event: EventBody): void {
    this.#add(event, run, report)
  }

  created(store: string, run: RunRecord): void {
    if (!this.#hub.active()) return
    const deferred = run.state === "deferred"
    const event: EventBody = { _tag: "RunCreated", store, ...runFields(run), runAt: run.runAt, deferred }
    this.#add(event, run, undefined)
  }

  /** A transition whose runs are told of as created. */
  of(store: string, transition: Transition): Transition {
    return (id, view, now) => {
      const change = transition(id, view, now)
      if (change !== undefined && this.#hub.active()) for (const run of change.runs) this.created(store, run)
      return change
    }
  }

  /** The call that is about this attempt of a run has committed. The first to see it tells. */
  tell(runId: string, attempt = 0): void {
    const waiting = this.#take(runId, attempt)
    if (waiting !== undefined) this.#hub.publish(waiting.event)
  }

  /** It was refused. A report that was sent before, and gave the run back, is refused once the run was claimed again. */
  drop(runId: string, attempt = 0): void {
    const report = this.#waiting.get(runId)?.report
    if (report === undefined || report._tag === "End") this.#take(runId, attempt)
  }

  /** A run as the store has it, or had it at its end, of which something is about to be told. */
  seen(run: RunRecord | EndedRun): void {
    if (this.#waiting.size === 0) return
    const waiting = this.#waiting.get(run.id)
    if (waiting === undefined || !isPast(waiting, run)) return
    this.#waiting.delete(run.id)
    if (isSo(waiting, run)) this.#hub.publish(waiting.event)
  }

  #add(event: EventBody, run: RunRecord, report: RunReport | undefined): void {
    const since = this.#clock.monotonic()
    // Behind all others, also where it was sent before: they lie in the order in which they came.
    this.#waiting.delete(run.id)
    this.#waiting.set(run.id, { event, run, report, since })
    if (this.#waiting.size <= most) return
    for (const { run, since: before } of this.#waiting.values()) {
      if (this.#waiting.size <= most || since - before <= youngest) return
      this.#waiting.delete(run.id)
    }
  }

  #take(runId: string, attempt: number): Waiting | undefined {
    if (this.#waiting.size === 0) return undefined
    const waiting = this.#waiting.get(runId)
    if (waiting?.run.attempt !== attempt) return undefined
    this.#waiting.delete(runId)
    return waiting
  }
}

/** Whether the run has gone on since: an attempt that still runs may yet be the one whose report is under way. */
const isPast = ({ report, run: before }: Waiting, run: RunRecord | EndedRun): boolean =>
  report === undefined || run.attempt > before.attempt || "outcome" in run || run.state !== "running"

/** Whether the call has committed. A run that goes on has not ended, and a report of what a reaper took was refused. */
const isSo = ({ report, run: before }: Waiting, run: RunRecord | EndedRun): boolean => {
  switch (report?._tag) {
    case undefined:
      return true
    case "Release":
      return run.recoveries === before.recoveries
    case "Retry":
      return run.recoveries === before.recoveries && run.failures >= report.failures
    case "End":
      return false
  }
}
