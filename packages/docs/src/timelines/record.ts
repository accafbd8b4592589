/** A run of the real scheduler under `TestClock`, and what its events say of it. */
import { Effect, Layer } from "effect"
import { type JobRegistry, Scheduler, type SchedulerEvent } from "effect-scheduler"
import { TestClock } from "effect/testing"

/** One execution of a run, in seconds from the beginning. */
export interface Bar {
  readonly run: number
  readonly from: number
  readonly to: number
  readonly end: "succeeded" | "failed" | "cancelled" | "timed out" | "unfinished" | "released"
}

/** From a run's due instant to its start. */
interface Wait {
  readonly run: number
  readonly from: number
  readonly to: number
}

/** Nominal times that became no run. */
interface Gone {
  readonly kind: "missed" | "skipped" | "dropped"
  readonly first: number
  readonly last: number
  readonly count: number
}

export interface Recorded {
  readonly bars: ReadonlyArray<Bar>
  readonly waits: ReadonlyArray<Wait>
  readonly gone: ReadonlyArray<Gone>
  /** When no scheduler ran. */
  readonly away: ReadonlyArray<{ readonly from: number; readonly to: number }>
}

const start = Date.parse("2026-03-02T12:00:00Z")

export interface Story {
  readonly handlers: Layer.Layer<never, never, JobRegistry>
  readonly seconds: number
  /** What is asked of the scheduler, at once. */
  readonly begin: (scheduler: Scheduler["Service"]) => Effect.Effect<unknown, unknown>
  readonly away?: { readonly from: number; readonly to: number }
}

/** As `settled`, which waits longer than these stories need: they have thousands of seconds together. */
const rested = TestClock.adjust(0).pipe(Effect.repeat({ times: 9 }))

/** Plays the story, a second at a time. */
export const record = (story: Story): Promise<Recorded> => {
  const events: Array<SchedulerEvent.SchedulerEvent> = []
  const play = Effect.gen(function* () {
    const scheduler = yield* Scheduler
    yield* scheduler.on(
      [
        "RunCreated",
        "RunStarted",
        "RunSucceeded",
        "RunFailed",
        "RunCancelled",
        "RunTimedOut",
        "RunReleased",
        "RunMissed",
        "RunSkipped",
        "RunDropped"
      ],
      (event) => Effect.sync(() => void events.push(event))
    )
    yield* story.begin(scheduler)
    yield* rested
    for (let second = 0; second < story.seconds; second++) {
      if (second === story.away?.from) yield* scheduler.drain(0)
      if (second === story.away?.to) yield* Effect.andThen(scheduler.start, rested)
      yield* Effect.andThen(TestClock.adjust("1 second"), rested)
    }
  })
  const program = Effect.andThen(
    TestClock.setTime(start),
    Effect.scoped(Effect.provide(play, Layer.provideMerge(story.handlers, Scheduler.layer({ drainDeadline: 0 }))))
  )
  return Effect.runPromise(Effect.provide(program, TestClock.layer()) as Effect.Effect<void>).then(() =>
    tell(events, story)
  )
}

const at = (instant: number): number => (instant - start) / 1_000

const ends = {
  RunSucceeded: "succeeded",
  RunFailed: "failed",
  RunCancelled: "cancelled",
  RunReleased: "released"
} as const

/** Bars, waits and marks out of the events. */
const tell = (events: ReadonlyArray<SchedulerEvent.SchedulerEvent>, story: Story): Recorded => {
  const numbers = new Map<string, number>()
  const due = new Map<string, number>()
  const running = new Map<string, number>()
  const timedOut = new Set<string>()
  const bars: Array<Bar> = []
  const waits: Array<Wait> = []
  const gone: Array<Gone> = []
  const numberOf = (id: string): number => {
    if (!numbers.has(id)) numbers.set(id, numbers.size)
    return numbers.get(id)!
  }
  const ended = (id: string, to: number, end: Bar["end"]) => {
    const from = running.get(id)
    if (from === undefined) return
    running.delete(id)
    // What the end of the story stops is shown as going on.
    if (from < story.seconds) {
      bars.push({ run: numberOf(id), from, to, end: to < story.seconds || end === "succeeded" ? end : "unfinished" })
    }
  }
  for (const event of events) {
    switch (event._tag) {
      case "RunCreated":
        numberOf(event.runId)
        due.set(event.runId, at(event.runAt))
        break
      case "RunStarted": {
        const from = due.get(event.runId)
        if (from !== undefined && from < at(event.at)) {
          waits.push({ run: numberOf(event.runId), from, to: at(event.at) })
        }
        running.set(event.runId, at(event.at))
        break
      }
      case "RunTimedOut":
        timedOut.add(event.runId)
        break
      case "RunSucceeded":
      case "RunFailed":
      case "RunCancelled":
      case "RunReleased":
        ended(event.runId, at(event.at), timedOut.delete(event.runId) ? "timed out" : ends[event._tag])
        if (event._tag === "RunFailed" && event.nextAttemptAt !== null) due.set(event.runId, at(event.at))
        break
      case "RunMissed":
      case "RunSkipped":
      case "RunDropped":
        gone.push({
          kind: event._tag === "RunMissed" ? "missed" : event._tag === "RunSkipped" ? "skipped" : "dropped",
          first: at(event.first),
          last: at(event.last),
          count: event.count
        })
    }
  }
  for (const id of running.keys()) ended(id, story.seconds, "unfinished")
  return { bars, waits, gone, away: story.away === undefined ? [] : [story.away] }
}
