/**
 * Triggers as Effect's own `Stream`, `Schedule` and `Cron`.
 */
import { Cause, Clock, Cron as EffectCron, DateTime, Duration, Effect, Option, Schedule, Stream } from "effect"
import { anchorAt } from "./anchor.ts"
import { members, members60 } from "./bits.ts"
import { instantOf, utcOf } from "./instant.ts"
import { type Cron, isSpaced, type Rule, type Trigger } from "./model.ts"
import { searchNext } from "./search.ts"
import { spacedNext } from "./spaced.ts"

/** How often a search that ends without an answer is taken up again. */
const RESUMES = 100

/** The next instant, or undefined where there is none; a faulty custom rule is a defect. */
const follow = (trigger: Trigger, after: number): Effect.Effect<number | undefined> => {
  let found = searchNext(trigger, after)
  for (let i = 0; i < RESUMES && found._tag === "NotBefore"; i++) found = searchNext(trigger, found.at - 1)
  return found._tag === "Faulty"
    ? Effect.die(found.cause)
    : Effect.succeed(found._tag === "Found" ? found.at : undefined)
}

/**
 * A stream that emits each instant when it comes, by Effect's `Clock`, and ends after the last one.
 *
 * It begins after `from`, which is now when left out. No instant is left out: those that have passed, before it began or
 * while its consumer was busy, come at once. An open trigger is anchored when the stream begins.
 *
 * ```ts
 * import { DateTime, Effect, Stream } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const days = Trigger.toStream(Trigger.at("2026-01-01"), { from: 0 }).pipe(Stream.map(DateTime.formatIsoDateUtc))
 * await Effect.runPromise(Stream.runCollect(days)) // => ["2026-01-01"]
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const toStream = (
  self: Rule,
  options?: { readonly from?: DateTime.DateTime.Input | undefined }
): Stream.Stream<DateTime.Utc> =>
  Stream.unwrap(
    Effect.map(Clock.currentTimeMillis, (now) => {
      const trigger = anchorAt(self, now)
      const from = options?.from === undefined ? now : instantOf(options.from, "from")
      return Stream.unfold(
        from,
        Effect.fnUntraced(function* (after: number) {
          const at = yield* follow(trigger, after)
          if (at === undefined) return undefined
          yield* sleepUntil(at)
          return [utcOf(at), at] as const
        })
      )
    })
  )

/** A timer may end early, and the clock may have been moved: after a sleep it looks again. */
const sleepUntil = (instant: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    now >= instant
      ? Effect.void
      : Effect.andThen(
          Effect.sleep(instant - now),
          Effect.suspend(() => sleepUntil(instant))
        )
  )

/**
 * An Effect `Schedule` that recurs at the trigger's instants and outputs them, for `Effect.repeat` and its like.
 *
 * Instants that pass while the effect runs are left out, and none comes twice. An open trigger is anchored at the first
 * step. A spaced trigger recurs its duration after each end.
 *
 * ```ts
 * import { Schedule } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * Schedule.isSchedule(Trigger.toSchedule(Trigger.cron("@hourly"))) // => true
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const toSchedule = (self: Trigger): Schedule.Schedule<DateTime.Utc> =>
  Schedule.fromStep(
    Effect.sync(() => {
      let trigger: Trigger | undefined
      let last = -Infinity
      return Effect.fnUntraced(function* (now: number, _input: unknown) {
        trigger ??= anchorAt(self, now)
        const at = isSpaced(trigger) ? spacedNext(trigger, now) : yield* follow(trigger, Math.max(now, last))
        if (at === undefined) return yield* Cause.done(utcOf(Number.isFinite(last) ? last : now))
        last = at
        return [utcOf(at), Duration.millis(at - now)] as [DateTime.Utc, Duration.Duration]
      })
    })
  )

/**
 * The same pattern as Effect's `Cron`, where it can be said.
 *
 * It cannot for a year, an ISO week, `L`, `W` and `#`; nor, in a zone whose clock changes, for another rule than
 * `{ gap: "shift" }`, which is what Effect's `Cron` does. Only `cron` triggers have one.
 *
 * ```ts
 * import { Cron, Option } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * Option.map(Trigger.toCron(Trigger.cron("0 9 * * MON-FRI")), (cron) => Cron.format(cron)) // => Option.some("0 9 * * 1-5")
 * Option.isNone(Trigger.toCron(Trigger.cron("0 9 L * *"))) // => true
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const toCron = (self: Trigger): Option.Option<EffectCron.Cron> =>
  self._tag === "Cron" && canBeSaid(self) ? Option.some(cronOf(self)) : Option.none()

const canBeSaid = ({ policy, rule: { fields }, zone }: Cron): boolean =>
  fields.years === undefined &&
  fields.weeks === undefined &&
  !fields.days.last &&
  !fields.days.lastWorkday &&
  (fields.days.nearest | fields.days.lastOf | fields.weekdays.lastOf) === 0 &&
  [...fields.days.nth, ...fields.weekdays.nth].every((set) => set === 0) &&
  (zone.fixed || (policy.gap === "shift" && policy.corrections === Infinity))

const cronOf = ({ policy, rule: { fields }, timeZone }: Cron): EffectCron.Cron =>
  EffectCron.make({
    seconds: unlessAll(members60(fields.seconds), 60),
    minutes: unlessAll(members60(fields.minutes), 60),
    hours: unlessAll(members(fields.hours), 24),
    days: fields.days.restricted ? members(fields.days.set) : [],
    months: unlessAll(members(fields.months), 12),
    weekdays: fields.weekdays.restricted ? members(fields.weekdays.set) : [],
    and: fields.match === "all",
    tz: Option.getOrThrow(DateTime.zoneFromString(timeZone)),
    onDstOverlap: policy.overlap === "first" ? "earlier" : policy.overlap === "last" ? "later" : "both"
  })

/** An empty list is what Effect calls unrestricted. */
const unlessAll = (values: ReadonlyArray<number>, all: number): ReadonlyArray<number> =>
  values.length === all ? [] : values
