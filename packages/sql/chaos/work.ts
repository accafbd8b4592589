/** What is to be done: everything about a piece of work follows from its number, which is its result too. */
import { Effect, Schedule, Schema } from "effect"
import { Job, type JobSchedule, Trigger } from "effect-scheduler"

const payload = { n: Schema.Finite }

class Wrong extends Schema.TaggedError<Wrong>()("Wrong", {}) {}

export const limits = { job: { Limited: 6 }, queue: { narrow: 10 } } as const

const keys = 60

export const keyOf = (n: number): string => `k${n % keys}`

class Plain extends Job.make("Plain", { payload, success: Schema.Finite }) {}
export class Keyed extends Job.make("Keyed", { payload, success: Schema.Finite, key: ({ n }) => keyOf(n) }) {}
class Limited extends Job.make("Limited", {
  payload,
  success: Schema.Finite,
  concurrency: limits.job.Limited
}) {}
class Queued extends Job.make("Queued", { payload, success: Schema.Finite, queue: "narrow" }) {}
class Once extends Job.make("Once", { payload, success: Schema.Finite, delivery: "atMostOnce" }) {}
class Flaky extends Job.make("Flaky", {
  payload,
  success: Schema.Finite,
  error: Wrong,
  retry: Schedule.spaced("50 millis").pipe(Schedule.upTo({ times: 2 }))
}) {}
/** The job of all schedules. Its number is how long it takes. */
export class Tick extends Job.make("Tick", { payload, success: Schema.Finite }) {}

export const jobs = [Plain, Keyed, Limited, Queued, Once, Flaky, Tick] as const

// Knuth's multiplicative hash: neighbours have nothing in common.
const hash = (n: number): number => Math.imul(n + 1, 2_654_435_761) >>> 0

const shares = Object.entries({ Plain: 9, Keyed: 3, Limited: 1, Queued: 2, Once: 2, Flaky: 3 }).flatMap(
  ([name, share]) => Array.from({ length: share }, () => jobs.find(({ jobName }) => jobName === name)!)
)

export const jobOf = (n: number) => shares[hash(n) % shares.length]!

/** What a handler does: it takes 2 to 40 ms, ten times as much if it is `Plain`; some `Flaky` ones fail once, some always. */
export const execute = (job: Job.Any, n: number, execution: number): Effect.Effect<number, Wrong> => {
  if (job.jobName === "Tick") return Effect.as(Effect.sleep(n), n)
  const takes = (2 + ((hash(n) >>> 8) % 39)) * (job.jobName === "Plain" ? 10 : 1)
  const failures = job.jobName === "Flaky" ? [0, 1, 2, 9][(hash(n) >>> 4) % 4]! : 0
  return Effect.andThen(
    Effect.sleep(takes),
    Effect.suspend(() => (execution <= failures ? Effect.fail(new Wrong()) : Effect.succeed(n)))
  )
}

interface Rhythm {
  /** Milliseconds between nominal times, and how long a run takes. */
  readonly every: number
  readonly takes: number
  readonly policies: JobSchedule.PolicyOptions
}

/** Each overlap policy with too much to do, each missed policy with too little time. */
const rhythms: Readonly<Record<string, Rhythm>> = {
  skip: { every: 250, takes: 300, policies: { overlap: "skip" } },
  bufferOne: { every: 300, takes: 350, policies: { overlap: "bufferOne" } },
  bufferAll: { every: 400, takes: 450, policies: { overlap: "bufferAll", buffer: 3 } },
  cancelPrevious: { every: 500, takes: 600, policies: { overlap: "cancelPrevious" } },
  allow: { every: 350, takes: 400, policies: { overlap: "allow", missed: { run: "all", limit: 2 } } },
  none: { every: 200, takes: 5, policies: { missed: { run: "none", grace: 60 } } },
  within: { every: 200, takes: 5, policies: { missed: { run: "all", within: 500 } } },
  ending: { every: 600, takes: 5, policies: { maxRuns: 20 } },
  resting: { every: 300, takes: 5, policies: { missed: { run: "latest" } } }
}

export const schedulesOf = (copies: number) =>
  Object.entries(rhythms).flatMap(([name, { every, policies, takes }]) =>
    Array.from({ length: copies }, (_, copy) => ({
      id: `${name}-${copy}`,
      payload: { n: takes },
      trigger: Trigger.every(every + 7 * copy),
      ...policies
    }))
  )

/** These are paused and resumed all the time. */
export const isResting = (id: string): boolean => id.startsWith("resting")

/** Milliseconds between the nominal times of a stored schedule, by its id. */
export const periodOf = (id: string): number => {
  const [name = "", copy] = id.split("-")
  return rhythms[name]!.every + 7 * Number(copy)
}
