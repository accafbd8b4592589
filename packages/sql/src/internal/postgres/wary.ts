import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { isWithin } from "./horizon.ts"

const waryFor = 2_000

/**
 * Knows whether somebody was lately seen to keep locks for long, as a transaction of the application that is left open or a
 * process that was stopped within one. For a while nobody is waited for then, and what is locked is left for another call.
 */
export class Wary {
  private seenAt = -Infinity

  /** The time is anybody's. */
  is(now: number): boolean {
    return isWithin(now, this.seenAt, waryFor)
  }

  /** What is done where somebody's locks make it fail. */
  orElse<A>(now: number, waiting: Effect.Effect<A, SqlError>, leaving: Effect.Effect<A, SqlError>) {
    return Effect.catchIf(waiting, isHeldUp, () => {
      this.seenAt = now
      return leaving
    })
  }
}

const isHeldUp = ({ reason }: SqlError): boolean =>
  reason._tag === "LockTimeoutError" || reason._tag === "SerializationError" || reason._tag === "DeadlockError"
