import { Duration, Effect, Fiber, Semaphore } from "effect"
import type { SchedulerService } from "../../Scheduler.ts"
import type { Core, Tentative } from "./Core.ts"

type Verbs = Pick<SchedulerService, "start" | "drain" | "pauseAll" | "resumeAll">

/**
 * Starting and stopping, one at a time and each to its end: a start during a drain waits for it, a drain during a start
 * too, and a second drain returns when the first has ended.
 */
export const make = (core: Core, client: boolean): Verbs & { readonly close: Effect.Effect<void> } => {
  const { hub, settings, state, stores } = core
  const turn = Semaphore.makeUnsafe(1)
  let closed = false

  const start = turn.withPermit(
    Effect.gen(function* () {
      if (state.started || client || closed) return
      // What cannot be stored is kept, and so is what comes after it: the next start tries again.
      const kept = state.tentative ?? new Map<string, Tentative>()
      for (let [first] = kept; first !== undefined; [first] = kept) {
        const [key, one] = first
        yield* one.store
        // It may have been changed meanwhile, and is then stored as it is now.
        if (kept.get(key) === one) kept.delete(key)
      }
      state.tentative = undefined
      state.started = true
      hub.publish({ _tag: "SchedulerStarted", store: "" })
      // It may have to wait for a store. What was given up is not half of a start, which nobody could make again.
      yield* Effect.onInterrupt(startAll, () => stopAll(0))
    })
  )

  const startAll = Effect.gen(function* () {
    for (const runner of stores.values()) yield* runner.start
  })

  const stopAll = (millis: number) =>
    Effect.suspend(() => {
      if (!state.started) return Effect.void
      state.started = false
      return Effect.andThen(
        Effect.forEach([...stores.values()], (runner) => runner.drain(millis), {
          concurrency: "unbounded",
          discard: true
        }),
        Effect.sync(() => hub.publish({ _tag: "SchedulerStopped", store: "" }))
      )
    })

  const stop = (millis: number) => turn.withPermit(stopAll(millis))

  const drain: Verbs["drain"] = (deadline) =>
    Effect.suspend(() => {
      const millis = deadline === undefined ? settings.drainDeadline : millisOf(deadline)
      for (const runner of stores.values()) runner.hurry(millis)
      // A drain that nobody waits for any more goes on all the same.
      return Effect.flatMap(Effect.forkDetach(stop(millis)), Fiber.join)
    })

  const setPaused = (paused: boolean) =>
    Effect.sync(() => {
      if (state.paused === paused) return
      state.paused = paused
      for (const runner of stores.values()) runner.setPaused(paused)
      hub.publish({ _tag: paused ? "SchedulerPaused" : "SchedulerResumed", store: "" })
    })

  return {
    start,
    drain,
    pauseAll: setPaused(true),
    resumeAll: setPaused(false),
    close: Effect.suspend(() => {
      closed = true
      return drain()
    })
  }
}

const millisOf = (input: Duration.Input): number => Math.max(0, Duration.toMillis(Duration.fromInputUnsafe(input)))
