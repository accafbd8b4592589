/** What holds for every trigger: it answers as the model enumerates, forwards, backwards and counted. */
import * as Trigger from "../../src/Trigger.ts"
import { type Case, count, day, hour, matches, next, prev, second, utc } from "./cases.ts"
import type { Transition } from "./model.ts"
import type { Random } from "./random.ts"

const iso = (instant: number | undefined): string =>
  instant === undefined ? "none" : new Date(instant).toISOString().replace(".000Z", "Z")

const fail = (subject: Case, claim: string, from: number, found: unknown, wanted: unknown): never => {
  throw new Error(`${subject.text}\n  ${claim} ${iso(from)}: the engine says ${found}, the model ${wanted}`)
}

/** The engine found `found` when it looked forward from `after`: the model knows it, and nothing before it. */
const holdsNext = (subject: Case, after: number, found: number | undefined): void => {
  if (found !== undefined && found <= after) fail(subject, "next after", after, iso(found), "something later")
  const reach = subject.reach
  const end = found ?? after + reach
  const listed =
    end - after <= reach
      ? subject.rule.instants(after + 1, end)
      : [...subject.rule.instants(after + 1, after + reach / 3), ...subject.rule.instants(end - reach / 3, end)]
  if (listed[0] !== found || listed.length > 1) fail(subject, "next after", after, iso(found), iso(listed[0]))
}

const holdsPrev = (subject: Case, atOrBefore: number, found: number | undefined): void => {
  if (found !== undefined && found > atOrBefore) fail(subject, "prev at", atOrBefore, iso(found), "nothing later")
  const reach = subject.reach
  const start = found ?? atOrBefore - reach
  const listed =
    atOrBefore - start <= reach
      ? subject.rule.instants(start, atOrBefore)
      : [
          ...subject.rule.instants(start, start + reach / 3),
          ...subject.rule.instants(atOrBefore - reach / 3, atOrBefore)
        ]
  if (listed.at(-1) !== found || listed.length > 1) {
    fail(subject, "prev at", atOrBefore, iso(found), iso(listed.at(-1)))
  }
}

/** All laws at one instant. */
export const laws = (subject: Case, instant: number, random: Random): void => {
  const { rule, trigger } = subject
  const first = next(trigger, instant)
  holdsNext(subject, instant, first)
  const last = prev(trigger, instant)
  holdsPrev(subject, instant, last)

  if (first !== undefined) {
    // It matches, and `prev` is the inverse of `next`.
    if (!matches(trigger, first)) fail(subject, "matches", first, false, true)
    if (prev(trigger, first) !== first) fail(subject, "prev at its own", first, iso(prev(trigger, first)), iso(first))
    if (prev(trigger, first - 1) !== last) {
      fail(subject, "prev before", first, iso(prev(trigger, first - 1)), iso(last))
    }
    // From anywhere before it, it is the next one.
    const between = random.int(instant, first - 1)
    if (next(trigger, between) !== first) fail(subject, "next after", between, iso(next(trigger, between)), iso(first))
  }
  if (last !== undefined && last < instant) {
    if (next(trigger, last) !== first) fail(subject, "next after", last, iso(next(trigger, last)), iso(first))
  }

  // A chain of them, as long as it stays near: each after the one before, none left out, as many as counted.
  const chain: Array<number> = []
  for (
    let at = first;
    at !== undefined && chain.length < 6 && at - instant < Math.min(subject.reach, 40 * day);
    at = next(trigger, at)
  ) {
    if (at <= (chain.at(-1) ?? instant)) fail(subject, "next after", chain.at(-1)!, iso(at), "something later")
    chain.push(at)
  }
  const end = chain.at(-1) ?? instant + day
  const enumerated = rule.instants(instant + 1, end)
  if (enumerated.join() !== chain.join()) {
    fail(subject, `all up to ${iso(end)} after`, instant, chain.map(iso).join(" "), enumerated.map(iso).join(" "))
  }
  const counted = count(trigger, instant, end)
  if (counted !== chain.length) fail(subject, `count up to ${iso(end)} after`, instant, counted, chain.length)

  // A window of a length of its own is counted as enumerated.
  const upTo = instant + random.int(0, random.chance(0.5) ? 2 * day : 3600 * second)
  const listed = rule.instants(instant + 1, upTo).length
  const inWindow = count(trigger, instant, upTo)
  if (inWindow !== listed) fail(subject, `count up to ${iso(upTo)} after`, instant, inWindow, listed)

  // Any second: it matches exactly when the model lists it.
  const any =
    (chain.length > 0 && random.chance(0.5) ? random.pick(chain) : Math.floor(instant / second) * second) +
    random.int(-2, 2) * second
  const known = rule.instants(any, any).length === 1
  if (matches(trigger, any) !== known) fail(subject, "matches", any, !known, known)
}

/** Every firing between two instants, one by one, backwards and counted. */
export const lawsBetween = (subject: Case, from: number, to: number): void => {
  const { rule, trigger } = subject
  const listed = rule.instants(from, to)
  const forwards = Array.from(Trigger.between(trigger, utc(from), utc(to)), (time) => time.epochMilliseconds)
  if (forwards.join() !== listed.join()) {
    const at = forwards.findIndex((instant, index) => instant !== listed[index])
    const index = at < 0 ? forwards.length : at
    fail(subject, `number ${index} of those up to ${iso(to)} from`, from, iso(forwards[index]), iso(listed[index]))
  }
  const backwards: Array<number> = []
  for (let at = prev(trigger, to); at !== undefined && at >= from; at = prev(trigger, at - 1)) backwards.unshift(at)
  if (backwards.join() !== listed.join()) {
    fail(subject, `backwards from ${iso(to)} to`, from, backwards.map(iso).join(" "), listed.map(iso).join(" "))
  }
  const counted = count(trigger, from - 1, to)
  if (counted !== listed.length) fail(subject, `count up to ${iso(to)} from`, from, counted, listed.length)
}

/** The clock change itself: what is skipped, moved or repeated for hours around it. */
export const lawsAround = (subject: Case, transition: Transition | undefined): void => {
  if (transition === undefined) return
  const change = Math.abs(transition.after - transition.before)
  const reach = subject.dense ? 300 * second : Math.min(change, 3 * hour) + hour
  const ends = change > reach ? [transition.at, transition.at - change, transition.at + change] : [transition.at]
  for (const at of ends) lawsBetween(subject, at - reach, at + reach)
}
