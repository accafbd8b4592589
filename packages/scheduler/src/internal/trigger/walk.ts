/**
 * Places local times on the time line. Within a span of constant offset local time and time run alike, so a search is one
 * question to the rule; only at a change of offset does the policy say what becomes of the local times that it skips or
 * repeats. All instants here are seconds.
 *
 * At the start of a span whose offset grew there is a gap, the local times [start + before, start + offset). At one whose
 * offset shrank there is an overlap: the local times [start + offset, start + before) were shown before.
 */
import { daysFromCivil, MAX_SECOND, MIN_SECOND, SECONDS_PER_DAY } from "../zone/civil.ts"
import type { Span, Zone } from "../zone/Zone.ts"
import type { Policy } from "./clockChange.ts"
import type { CountableRule, LocalRule } from "./LocalRule.ts"

/** After this long in one span, no change of offset can bring back a local time from before. */
const REPEAT = 27 * 3600
/** No clock is further from UTC. */
const OFFSET = 16 * 3600

/** From here on the years of a zone repeat, and with a periodic rule everything does, every 400 years. */
const CYCLE_START = daysFromCivil(2100, 1, 1) * SECONDS_PER_DAY
const CYCLE = 401 * 366 * SECONDS_PER_DAY

/** The first instant at or after `from`, or Infinity. */
export const walkNext = (rule: LocalRule, zone: Zone, policy: Policy, from: number): number => {
  let at = Math.max(from, MIN_SECOND)
  const stop = rule.periodic ? Math.min(MAX_SECOND, Math.max(at, CYCLE_START) + CYCLE) : MAX_SECOND
  while (at <= stop) {
    const span = zone.spanAt(at)
    const { offset } = span
    if (span.before === offset && span.after === offset) {
      const local = rule.next(at + offset)
      if (local - offset < span.to) return local - offset
      if (span.to === Infinity) return Infinity
      at = onwards(at, span.to, local)
      continue
    }
    const local = rule.next(Math.max(at, firstOf(span, policy)) + offset)
    const found = Math.min(
      local - offset < endOf(span, policy) ? local - offset : Infinity,
      fromGapNext(rule, span, policy, at)
    )
    if (found < span.to) return found
    at = onwards(at, span.to, local)
  }
  return Infinity
}

/** Where to look next: nothing is between `to` and the local time `local`, apart from what an overlap repeats. */
const onwards = (at: number, to: number, local: number): number =>
  to - at < REPEAT ? to : Math.max(to, local - OFFSET)

/** The last instant at or before `from`, or -Infinity. */
export const walkPrev = (rule: LocalRule, zone: Zone, policy: Policy, from: number): number => {
  let at = Math.min(from, MAX_SECOND)
  while (at >= MIN_SECOND) {
    const span = zone.spanAt(at)
    const { offset } = span
    if (span.before === offset && span.after === offset) {
      const local = rule.prev(at + offset)
      if (local - offset >= span.from) return local - offset
      if (span.from === -Infinity) return -Infinity
      at = backwards(at, span.from, local)
      continue
    }
    const local = rule.prev(Math.min(at, endOf(span, policy) - 1) + offset)
    const found = Math.max(
      local - offset >= firstOf(span, policy) ? local - offset : -Infinity,
      fromGapPrev(rule, span, policy, at)
    )
    if (found >= span.from) return found
    at = backwards(at, span.from, local)
  }
  return -Infinity
}

const backwards = (at: number, from: number, local: number): number =>
  at - from < REPEAT ? from - 1 : Math.min(from - 1, local + OFFSET)

/** How many instants there are in [from, to). */
export const walkCount = (rule: CountableRule, zone: Zone, policy: Policy, from: number, to: number): number => {
  let at = Math.max(from, MIN_SECOND)
  const end = Math.min(to, MAX_SECOND)
  let count = 0
  while (at < end) {
    const span = zone.spanAt(at)
    const first = Math.max(at, firstOf(span, policy))
    count += rule.count(first + span.offset, Math.min(end, span.to, endOf(span, policy)) + span.offset)
    count += countFromGap(rule, span, policy, at, Math.min(end, span.to))
    at = span.to
  }
  return count
}

/** The length of the gap at the start of the span whose local times still fire; 0 for none. */
const gapOf = (span: Span, policy: Policy): number => {
  const length = span.offset - span.before
  return length <= 0 || policy.gap === "skip" || length >= policy.corrections ? 0 : length
}

/** The first instant of the span at which its local times count. */
const firstOf = (span: Span, policy: Policy): number => {
  const repeated = span.before - span.offset
  return repeated > 0 && policy.overlap === "first" && repeated < policy.corrections
    ? span.start + repeated
    : span.start
}

/** The end of the instants of the span at which its local times count. */
const endOf = (span: Span, policy: Policy): number => {
  const repeated = span.offset - span.after
  return repeated > 0 && policy.overlap === "last" && repeated < policy.corrections ? span.end - repeated : span.end
}

/** The first instant at or after `at` at which a local time of the gap fires. */
const fromGapNext = (rule: LocalRule, span: Span, policy: Policy, at: number): number => {
  const length = gapOf(span, policy)
  if (length === 0 || at >= span.start + length) return Infinity
  const low = span.start + span.before
  if (policy.gap === "gapEnd") return at <= span.start && rule.next(low) < low + length ? span.start : Infinity
  const local = rule.next(Math.max(low, at + span.before))
  return local < low + length ? local - span.before : Infinity
}

const fromGapPrev = (rule: LocalRule, span: Span, policy: Policy, at: number): number => {
  const length = gapOf(span, policy)
  if (length === 0) return -Infinity
  const low = span.start + span.before
  if (policy.gap === "gapEnd") return rule.next(low) < low + length ? span.start : -Infinity
  const local = rule.prev(Math.min(low + length - 1, at + span.before))
  return local >= low ? local - span.before : -Infinity
}

/** What the gap adds in [from, to): instants at which a local time of the span itself does not fire already. */
const countFromGap = (rule: LocalRule, span: Span, policy: Policy, from: number, to: number): number => {
  let count = 0
  for (let at = fromGapNext(rule, span, policy, from); at < to; at = fromGapNext(rule, span, policy, at + 1)) {
    if (rule.next(at + span.offset) !== at + span.offset) count++
  }
  return count
}
