import { Cause, Duration, Effect, Exit, Random, Result, Schedule } from "effect"
import type * as Job from "../../Job.ts"
import type { Failure } from "../../JobRun.ts"
import { codecOf } from "../codec.ts"
import { logFailure } from "../printed.ts"
import type { Running } from "./Running.ts"

/** How long the steps of a retry schedule may take: the storing of other runs waits for them. */
const longestReplay = "1 second"

/** A retry that would come later than this ends the run. */
const longestWait = 365 * 86_400_000

/**
 * When a run that just failed is executed again, or undefined if it has ended.
 *
 * The retry schedule is replayed from its start with the stored instants of the failures and a seed made of the run's id,
 * so that it needs nothing in memory and gives the same answer on every node.
 */
export const nextAttempt = (
  run: Running,
  failures: ReadonlyArray<Failure>,
  last: Job.JobFailure<unknown>
): Effect.Effect<number | undefined> => {
  const job = run.entry?.job
  const schedule = job?.settings.retry
  if (job === undefined || schedule === undefined || job.settings.delivery === "atMostOnce") return Effect.undefined
  const replay = Effect.gen(function* () {
    const step = yield* Schedule.toStep(schedule)
    let at: number | undefined
    for (let i = 0; i < failures.length; i++) {
      const failure = failures[i]!
      // A process that died is counted by `recoveries` and has its own delays.
      if (failure.kind === "lost") continue
      const [, delay] = yield* step(failure.at, (i === failures.length - 1 ? last : inputOf(job, failure)) as never)
      const millis = Duration.toMillis(delay)
      at = millis <= longestWait ? failure.at + Math.ceil(millis) : undefined
    }
    return at
  })
  const inTime = Effect.timeoutOrElse(replay, {
    duration: longestReplay,
    orElse: () => Effect.die(new Error(`it did not answer within ${longestReplay}`))
  })
  return Effect.flatMap(Effect.exit(Random.withSeed(inTime, run.record.id)), (exit) => {
    if (Exit.isSuccess(exit)) return Effect.succeed(exit.value)
    // The schedule's end. One that fails by itself is a mistake that must not keep the run from ending.
    return Cause.hasDies(exit.cause)
      ? Effect.as(logFailure(`The retry schedule of job "${job.jobName}" failed`, exit.cause), undefined)
      : Effect.undefined
  })
}

const inputOf = (job: Job.Any, failure: Failure): Job.JobFailure<unknown> => {
  if (failure.kind === "timedOut") return { _tag: "TimedOut" }
  if (failure.kind === "failed" && failure.error !== undefined) {
    const error = codecOf(job).decodeError(failure.error)
    if (Result.isSuccess(error)) return { _tag: "Failed", error: error.success }
  }
  return { _tag: "Died", message: failure.message }
}
