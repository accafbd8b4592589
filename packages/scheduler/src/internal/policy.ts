/**
 * The policies of a schedule: their defaults, what a user may write, and how a row keeps them.
 */
import { Duration, Effect, Option, Result, Schema } from "effect"
import type { Policy, PolicyOptions } from "../JobSchedule.ts"
import { InvalidOption } from "../SchedulerError.ts"

/** What `missed.limit` may be at most, unless it is `Infinity`: so many times are counted exactly in any trigger. */
const MAX_LIMIT = 100_000

export const defaults: Policy = {
  missed: { run: "latest", grace: 10_000, within: Infinity, limit: 100 },
  overlap: "skip",
  maxInstances: 1,
  buffer: 100,
  jitter: 0,
  maxRuns: Infinity
}

/** The lateness up to which a nominal time becomes a run, in milliseconds. */
export const toleranceOf = ({ missed }: Policy): number => (missed.run === "none" ? missed.grace : missed.within)

/** `over` before `base`, option by option: a schedule's own policies before its scheduler's. */
export const merge = (base: PolicyOptions | undefined, over: PolicyOptions): PolicyOptions => ({
  missed: {
    run: over.missed?.run ?? base?.missed?.run,
    grace: over.missed?.grace ?? base?.missed?.grace,
    within: over.missed?.within ?? base?.missed?.within,
    limit: over.missed?.limit ?? base?.missed?.limit
  },
  overlap: over.overlap ?? base?.overlap,
  maxInstances: over.maxInstances ?? base?.maxInstances,
  buffer: over.buffer ?? base?.buffer,
  jitter: over.jitter ?? base?.jitter,
  maxRuns: over.maxRuns ?? base?.maxRuns
})

/**
 * A policy as options, so that a patch can be merged over what a row has. What only follows from another option is left
 * out, so that it follows from the patched one.
 */
const toOptions = ({ overlap, maxInstances, ...policy }: Policy): PolicyOptions => ({
  ...policy,
  overlap: overlap === "wait" ? undefined : overlap,
  maxInstances: overlap !== "wait" && maxInstances === usualInstances(overlap) ? undefined : maxInstances
})

/** The policy of a row with some options changed. A backfill goes on to wait for room, whatever the options say. */
export const patch = (
  policy: Policy,
  options: PolicyOptions,
  subject = "policy"
): Result.Result<Policy, InvalidOption> =>
  Result.map(make(merge(toOptions(policy), options), subject), (patched) =>
    policy.overlap === "wait" ? { ...patched, missed: policy.missed, overlap: policy.overlap } : patched
  )

const usualInstances = (overlap: Policy["overlap"]): number => (overlap === "allow" ? Infinity : defaults.maxInstances)

/**
 * Puts the defaults in and checks every value. `maxInstances` is unbounded for `overlap: "allow"` unless it is given.
 * `subject` is what the error calls the thing, as `schedule "digest:42"`; `option` names the field, as `missed.grace`.
 */
export const make = (options: PolicyOptions, subject = "policy"): Result.Result<Policy, InvalidOption> =>
  Result.gen(function* () {
    const { missed } = options
    const overlap = yield* oneOf(subject, "overlap", options.overlap, overlaps, defaults.overlap)
    return {
      missed: {
        run: yield* oneOf(subject, "missed.run", missed?.run, runs, defaults.missed.run),
        grace: yield* span(subject, "missed.grace", missed?.grace, defaults.missed.grace),
        within: yield* span(subject, "missed.within", missed?.within, defaults.missed.within),
        limit: yield* count(subject, "missed.limit", missed?.limit, defaults.missed.limit, 1, MAX_LIMIT)
      },
      overlap,
      maxInstances: yield* count(subject, "maxInstances", options.maxInstances, usualInstances(overlap), 1),
      buffer: yield* count(subject, "buffer", options.buffer, defaults.buffer, 0),
      jitter: yield* span(subject, "jitter", options.jitter, defaults.jitter, "finite"),
      maxRuns: yield* count(subject, "maxRuns", options.maxRuns, defaults.maxRuns, 1)
    }
  })

type Checked<A> = Result.Result<A, InvalidOption>

const oneOf = <A extends string>(
  subject: string,
  option: string,
  value: A | undefined,
  all: ReadonlyArray<A>,
  otherwise: A
): Checked<A> => {
  if (value === undefined) return Result.succeed(otherwise)
  if (all.includes(value)) return Result.succeed(value)
  return refused(subject, option, value, `one of ${all.map((one) => JSON.stringify(one)).join(", ")}`)
}

const count = (
  subject: string,
  option: string,
  value: number | undefined,
  otherwise: number,
  least: number,
  most = Infinity
): Checked<number> => {
  if (value === undefined) return Result.succeed(otherwise)
  if (value === Infinity || (Number.isSafeInteger(value) && value >= least && value <= most)) {
    return Result.succeed(value)
  }
  const range = most === Infinity ? `a whole number, at least ${least}` : `a whole number from ${least} to ${most}`
  return refused(subject, option, value, `${range}, or Infinity`)
}

const span = (
  subject: string,
  option: string,
  value: Duration.Input | undefined,
  otherwise: number,
  bound: "finite" | "any" = "any"
): Checked<number> => {
  if (value === undefined) return Result.succeed(otherwise)
  // `Duration` takes NaN for zero.
  const duration = Number.isNaN(value) ? Option.none() : Duration.fromInput(value)
  const millis = Option.isSome(duration) ? Duration.toMillis(duration.value) : NaN
  if (millis >= 0 && (bound === "any" || millis < Infinity)) return Result.succeed(Math.round(millis))
  const expected = bound === "finite" ? "a finite duration, zero or more" : "a duration, zero or more, or Infinity"
  return refused(subject, option, value, expected)
}

const refused = (subject: string, option: string, value: unknown, expected: string): Checked<never> =>
  Result.fail(new InvalidOption({ subject, option, expected, actual: show(value) }))

/** What a backfill decides by: each of its times runs, however old, at most `concurrency` of them unfinished at once. */
export const backfill = (concurrency: number): Policy => ({
  missed: { run: "all", grace: defaults.missed.grace, within: Infinity, limit: Infinity },
  overlap: "wait",
  maxInstances: concurrency,
  buffer: 0,
  jitter: 0,
  maxRuns: Infinity
})

const runs = ["none", "latest", "all"] as const
const overlaps = ["skip", "bufferOne", "bufferAll", "cancelPrevious", "allow"] as const

const show = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value)
    : Duration.isDuration(value)
      ? `${Duration.toMillis(value)} ms`
      : String(value)

// What a row keeps. A field that an older version did not write has its default, one that a newer version added is not
// seen; a change of meaning needs another `v`, which this version then leaves alone.

const amount = (otherwise: number, least = 0) =>
  Schema.Number.check(Schema.isGreaterThanOrEqualTo(least)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(otherwise))
  )

const Stored = Schema.Struct({
  v: Schema.Literal(1),
  missed: Schema.Struct({
    run: Schema.Literals(runs).pipe(Schema.withDecodingDefaultKey(Effect.succeed(defaults.missed.run))),
    grace: amount(defaults.missed.grace),
    within: amount(defaults.missed.within),
    limit: amount(defaults.missed.limit, 1)
  }),
  overlap: Schema.Literals([...overlaps, "wait"]).pipe(Schema.withDecodingDefaultKey(Effect.succeed(defaults.overlap))),
  maxInstances: amount(defaults.maxInstances, 1),
  buffer: amount(defaults.buffer),
  jitter: amount(defaults.jitter),
  maxRuns: amount(defaults.maxRuns, 1)
})

const StoredText = Schema.fromJsonString(Schema.toCodecJson(Stored))
const encodeText = Schema.encodeSync(StoredText)
const decodeText = Schema.decodeUnknownResult(StoredText)

/** The text that a row keeps: equal policies have equal texts. */
export const encode = (policy: Policy): string => {
  const { run, grace, within, limit } = policy.missed
  const { overlap, maxInstances, buffer, jitter, maxRuns } = policy
  return encodeText({ v: 1, missed: { run, grace, within, limit }, overlap, maxInstances, buffer, jitter, maxRuns })
}

/** Most schedules share a few policies, which are decoded once. */
const decoded = new Map<string, Policy | undefined>()
const MAX_DECODED = 1_000

/** Undefined where this version cannot read the text. */
export const decode = (text: string): Policy | undefined => {
  if (decoded.has(text)) return decoded.get(text)
  const policy = Result.match(decodeText(text), {
    onFailure: () => undefined,
    onSuccess: ({ missed, overlap, maxInstances, buffer, jitter, maxRuns }): Policy => ({
      missed,
      overlap,
      maxInstances,
      buffer,
      jitter,
      maxRuns
    })
  })
  if (decoded.size >= MAX_DECODED) decoded.clear()
  decoded.set(text, policy)
  return policy
}
