/**
 * What happens to local times that a clock change skips or repeats.
 */
import { Schema } from "effect"

/**
 * The rule for local times that a clock change skips (the gap) or repeats (the overlap).
 *
 * - `gap: "skip"` fires not at all, `"shift"` later by the length of the gap, `"gapEnd"` at the first instant after it.
 * - `overlap: "first"` and `"last"` fire at one of the two passes, `"both"` at each.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { Trigger } from "effect-scheduler"
 *
 * Schema.is(Trigger.ClockChangeRule)({ gap: "skip", overlap: "both" }) // => true
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const ClockChangeRule = Schema.Struct({
  gap: Schema.Literals(["skip", "shift", "gapEnd"]),
  overlap: Schema.Literals(["first", "last", "both"])
})

/**
 * The type of `ClockChangeRule`.
 *
 * @category models
 * @since 0.1.0
 */
export type ClockChangeRule = typeof ClockChangeRule.Type

/**
 * A preset, or a rule of one's own.
 *
 * - `"vixie"`, the default of `cron`, does as cron does. A pattern is wild if its minute or hour field has an item that
 *   begins with `*`. A wild pattern skips the gap and fires at both passes of an overlap; any other fires once for the
 *   local times of a gap, at its end, and at the first pass of an overlap. A change of three hours or more is a
 *   correction of the clock: every pattern skips that gap and fires at both passes.
 * - `"ocps"` is `{ gap: "skip", overlap: "first" }`.
 * - `"compatible"` is `{ gap: "shift", overlap: "first" }`.
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * // Berlin has no 02:30 on 28 March 2027.
 * const after = "2027-03-27T12:00:00Z"
 * const at = (clockChange: Trigger.ClockChange) =>
 *   String(Trigger.next(Trigger.cron("30 2 * * *", { timeZone: "Europe/Berlin", clockChange }), after))
 *
 * at("vixie") // => "some(DateTime.Utc(2027-03-28T01:00:00.000Z))"
 * at("ocps") // => "some(DateTime.Utc(2027-03-29T00:30:00.000Z))"
 * at("compatible") // => "some(DateTime.Utc(2027-03-28T01:30:00.000Z))"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const ClockChange = Schema.Union([Schema.Literals(["vixie", "ocps", "compatible"]), ClockChangeRule])

/**
 * The type of `ClockChange`.
 *
 * @category models
 * @since 0.1.0
 */
export type ClockChange = typeof ClockChange.Type

/** A rule with the preset resolved: `corrections` is the length in seconds from which a change is a correction. */
export interface Policy extends ClockChangeRule {
  readonly corrections: number
}

const policy = (gap: ClockChangeRule["gap"], overlap: ClockChangeRule["overlap"], corrections = Infinity): Policy => ({
  gap,
  overlap,
  corrections
})

const VIXIE_WILD = policy("skip", "both")
const VIXIE_FIXED = policy("gapEnd", "first", 3 * 3600)
const OCPS = policy("skip", "first")
const COMPATIBLE = policy("shift", "first")

/** Every local time as the clock shows it: what windows and excluded dates want. */
export const asShown = VIXIE_WILD

export const policyOf = (clockChange: ClockChange, wild: boolean): Policy =>
  clockChange === "vixie"
    ? wild
      ? VIXIE_WILD
      : VIXIE_FIXED
    : clockChange === "ocps"
      ? OCPS
      : clockChange === "compatible"
        ? COMPATIBLE
        : policy(clockChange.gap, clockChange.overlap)
