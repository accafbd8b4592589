import type { RunRecord } from "../../JobRun.ts"
import type { Transition } from "../../JobStore.ts"
import { runFields } from "./announce.ts"
import type { EventBody, EventHub } from "./EventHub.ts"

/** A call that failed for good leaves its events; so many of them are kept, and the oldest go. */
const longest = 10_000

/**
 * Events that are true as soon as a call that is under way has committed, by run.
 *
 * A store wakes the claimer before the call that made a run has answered, and the run may be started and ended by then.
 * Whoever sees the run go on first tells its event, so that for one run the order of events is the order of things.
 */
export class Foretold {
  readonly #events = new Map<string, EventBody>()
  readonly #hub: EventHub

  constructor(hub: EventHub) {
    this.#hub = hub
  }

  /** What will have happened to a run once the call has committed. */
  add(runId: string, event: EventBody): void {
    if (!this.#hub.active()) return
    this.#events.set(runId, event)
    if (this.#events.size > longest) this.#events.delete(this.#events.keys().next().value!)
  }

  /** It has committed. The first to see it tells. */
  tell(runId: string): void {
    const event = this.#events.get(runId)
    if (event === undefined) return
    this.#events.delete(runId)
    this.#hub.publish(event)
  }

  /** It was refused. */
  drop(runId: string): void {
    this.#events.delete(runId)
  }

  created(store: string, run: RunRecord): void {
    if (!this.#hub.active()) return
    const deferred = run.state === "deferred"
    this.add(run.id, { _tag: "RunCreated", store, ...runFields(run), runAt: run.runAt, deferred })
  }

  /** A transition whose runs are told of as created. */
  of(store: string, transition: Transition): Transition {
    return (id, view, now) => {
      const change = transition(id, view, now)
      if (change !== undefined && this.#hub.active()) for (const run of change.runs) this.created(store, run)
      return change
    }
  }
}
