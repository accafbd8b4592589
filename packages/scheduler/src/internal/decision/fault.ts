/**
 * What a failing trigger does to its schedule.
 */
import { Inspectable, Predicate } from "effect"
import type { ScheduleState } from "../../JobSchedule.ts"

/** Milliseconds after the first, second … failure in a row. The one after the last delay is the end. */
const delays = [1_000, 10_000, 60_000, 300_000]

export const faultAfter = (
  faults: number,
  now: number
): { readonly state: ScheduleState; readonly nextAt: number | null } => {
  const delay = delays[faults - 1]
  return delay === undefined ? { state: "faulty", nextAt: null } : { state: "active", nextAt: now + delay }
}

const MAX_LENGTH = 1_000

export const describeFault = (cause: unknown): string => {
  // Kept as plain text, in which Postgres has no NUL: one that cannot be stored would stop all that is fired with it.
  const text = (Predicate.isError(cause) ? cause.message : Inspectable.toStringUnknown(cause)).replaceAll(
    "\u0000",
    "\\0"
  )
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text
}
