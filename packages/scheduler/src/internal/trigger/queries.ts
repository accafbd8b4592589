/**
 * The pure questions that a trigger answers. What makes them is marked as pure, so that a bundle has those alone that it uses.
 */
import { Clock, type DateTime, Effect, Option } from "effect"
import { dual } from "effect/Function"
import { anchorAt, isClosed as isClosedInternal } from "./anchor.ts"
import { countBetween } from "./count.ts"
import { instantOf, MAX_INSTANT, optionalInstant, utcOf } from "./instant.ts"
import type { Rule, Trigger } from "./model.ts"
import { instantAfter, instantUpTo, searchNext } from "./search.ts"

/**
 * The first instant after the argument, or none.
 *
 * None also where the search of a combination ended without an answer after its 10,000 steps, and where a custom rule
 * threw: it never throws for a valid argument and never loops without bound. An open trigger (see `anchor`) is taken as
 * anchored at the Unix epoch.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const leapDay = Trigger.cron("0 0 29 2 *")
 * String(Trigger.next(leapDay, "2026-01-01")) // => "some(DateTime.Utc(2028-02-29T00:00:00.000Z))"
 * String(Trigger.next(Trigger.cron("0 0 30 2 *"), 0)) // => "none()"
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const next: {
  (after: DateTime.DateTime.Input): (self: Trigger) => Option.Option<DateTime.Utc>
  (self: Trigger, after: DateTime.DateTime.Input): Option.Option<DateTime.Utc>
} = /* @__PURE__ */ dual(2, (self: Trigger, after: DateTime.DateTime.Input): Option.Option<DateTime.Utc> =>
  found(instantAfter(self, instantOf(after, "after")))
)

/**
 * The last instant at or before the argument, or none (as for `next`).
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const leapDay = Trigger.cron("0 0 29 2 *")
 * String(Trigger.prev(leapDay, "2026-01-01")) // => "some(DateTime.Utc(2024-02-29T00:00:00.000Z))"
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const prev: {
  (atOrBefore: DateTime.DateTime.Input): (self: Trigger) => Option.Option<DateTime.Utc>
  (self: Trigger, atOrBefore: DateTime.DateTime.Input): Option.Option<DateTime.Utc>
} = /* @__PURE__ */ dual(2, (self: Trigger, atOrBefore: DateTime.DateTime.Input): Option.Option<DateTime.Utc> =>
  found(instantUpTo(self, instantOf(atOrBefore, "atOrBefore")))
)

const found = (at: number): Option.Option<DateTime.Utc> =>
  Math.abs(at) <= MAX_INSTANT ? Option.some(utcOf(at)) : Option.none()

/**
 * Whether the trigger fires at exactly this instant, to the millisecond.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const noon = Trigger.cron("0 12 * * *")
 * Trigger.matches(noon, "2026-01-01T12:00:00Z") // => true
 * Trigger.matches(noon, "2026-01-01T12:00:00.001Z") // => false
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const matches: {
  (instant: DateTime.DateTime.Input): (self: Trigger) => boolean
  (self: Trigger, instant: DateTime.DateTime.Input): boolean
} = /* @__PURE__ */ dual(2, (self: Trigger, instant: DateTime.DateTime.Input): boolean => {
  const at = instantOf(instant, "instant")
  return instantUpTo(self, at) === at
})

/**
 * The instants from `from` to `to`, both included, one by one as they are asked for; without `to` all that follow.
 *
 * It ends where `next` answers none.
 *
 * ```ts
 * import { DateTime } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const days = Trigger.between(Trigger.cron("0 0 * * MON"), "2026-06-01", "2026-06-15")
 * Array.from(days, DateTime.formatIsoDateUtc) // => ["2026-06-01", "2026-06-08", "2026-06-15"]
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const between = (
  self: Trigger,
  from: DateTime.DateTime.Input,
  to?: DateTime.DateTime.Input
): Iterable<DateTime.Utc> => {
  const start = instantOf(from, "from") - 1
  const end = optionalInstant(to, "to") ?? Infinity
  return {
    *[Symbol.iterator]() {
      for (let at = searchNext(self, start); at._tag === "Found" && at.at <= end; at = searchNext(self, at.at)) {
        yield utcOf(at.at)
      }
    }
  }
}

/**
 * The next `n` instants after now by Effect's `Clock`, or fewer where there are no more. An open trigger is taken as
 * anchored now, as it would be if its schedule were stored now.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * const three = Trigger.upcoming(Trigger.every("1 minute"), 3)
 * Effect.runSync(three).length // => 3
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const upcoming: {
  (n: number): (self: Trigger) => Effect.Effect<ReadonlyArray<DateTime.Utc>>
  (self: Trigger, n: number): Effect.Effect<ReadonlyArray<DateTime.Utc>>
} = /* @__PURE__ */ dual(2, (self: Trigger, n: number): Effect.Effect<ReadonlyArray<DateTime.Utc>> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const instants: Array<DateTime.Utc> = []
    for (const instant of between(anchorAt(self, now), now + 1)) {
      if (instants.length >= n) break
      instants.push(instant)
    }
    return instants
  })
)

/**
 * How many instants there are after `after` and up to `upTo`.
 *
 * Counted by division for rules, however many they are; for combinations one by one, and no further than 100,000.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * Trigger.count(Trigger.every("5 seconds", { start: "2026-01-01" }), "2026-01-01", "2026-01-15") // => 241920
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const count = (self: Trigger, after: DateTime.DateTime.Input, upTo: DateTime.DateTime.Input): number =>
  countBetween(self, instantOf(after, "after"), instantOf(upTo, "upTo")).count

/**
 * Closes a trigger: puts the instant in wherever a rule needs one (`every` and `calendar` without `start`, `startNow`,
 * `spaced`). A closed trigger comes back as it is.
 *
 * A schedule does this when it is first stored, and keeps the anchor for as long as its trigger is unchanged.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * const hourly = Trigger.anchor(Trigger.every("1 hour"), "2026-01-01T10:20:00Z")
 * String(Trigger.next(hourly, "2026-01-01T12:00:00Z")) // => "some(DateTime.Utc(2026-01-01T12:20:00.000Z))"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const anchor: {
  (instant: DateTime.DateTime.Input): <T extends Trigger>(self: T) => T
  <T extends Trigger>(self: T, instant: DateTime.DateTime.Input): T
} = /* @__PURE__ */ dual(2, <T extends Trigger>(self: T, instant: DateTime.DateTime.Input): T =>
  anchorAt(self, instantOf(instant, "anchor"))
)

/**
 * Whether the trigger needs no anchor, or has one.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * Trigger.isClosed(Trigger.cron("@daily")) // => true
 * Trigger.isClosed(Trigger.every("1 hour")) // => false
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isClosed = (self: Trigger): boolean => isClosedInternal(self)

/**
 * Whether the trigger is a set of instants, which is all but `spaced`.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * Trigger.isRule(Trigger.spaced("1 minute")) // => false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isRule = (self: Trigger): self is Rule => self._tag !== "Spaced"
