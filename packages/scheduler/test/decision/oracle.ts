/**
 * The design's tables once more, naively: every time that has passed is listed, and each gets its letter.
 */
import type { Policy } from "../../src/JobSchedule.ts"

/** M missed, F fired, D deferred, S skipped, X dropped; a dot is not decided yet. */
export type Letter = "M" | "F" | "D" | "S" | "X" | "."

export interface Verdict {
  /** Of each time that has passed, oldest first. */
  readonly letters: string
  readonly replaces: boolean
  readonly cancels: boolean
  readonly state: "active" | "waiting" | "exhausted"
}

export const oracle = (
  passed: ReadonlyArray<number>,
  policy: Policy,
  situation: { readonly now: number; readonly active: number; readonly deferred: number; readonly fired: number }
): Verdict => {
  const { active, deferred, fired, now } = situation
  const { buffer, maxInstances, maxRuns, missed, overlap } = policy
  if (fired >= maxRuns)
    return { letters: ".".repeat(passed.length), replaces: false, cancels: false, state: "exhausted" }

  const tolerance = missed.run === "none" ? missed.grace : missed.within
  const newest = missed.run === "all" ? missed.limit : 1
  const letters: Array<Letter> = passed.map(() => "M")
  let kept = passed.flatMap((time, index) => (now - time <= tolerance ? [index] : []))
  kept = kept.filter((_, position) => kept.length - position <= newest)

  const left = maxRuns - fired
  const room = Math.max(0, maxInstances - active - deferred)
  const finish = (
    undecidedFrom: number,
    state: Verdict["state"],
    flags = { replaces: false, cancels: false }
  ): Verdict => {
    const text = letters.map((letter, index) => (index >= undecidedFrom ? "." : letter)).join("")
    return { letters: text, ...flags, state }
  }

  if (overlap === "cancelPrevious") {
    if (kept.length <= room || left <= room) {
      for (const index of kept.slice(0, left)) letters[index] = "F"
      return left <= kept.length ? finish(kept[left - 1]! + 1, "exhausted") : finish(passed.length, "active")
    }
    const newestKept = left === 1 ? kept[0]! : kept.at(-1)!
    for (const index of kept) letters[index] = "S"
    letters[newestKept] = active > 0 ? "D" : "F"
    const flags = { replaces: deferred > 0, cancels: active > 0 }
    return left === 1 ? finish(newestKept + 1, "exhausted", flags) : finish(passed.length, "active", flags)
  }

  let firing = 0
  let deferring = 0
  for (const index of kept) {
    const late = now - passed[index]! > missed.grace
    const waiting = deferred + deferring
    if (active + firing + waiting < maxInstances) letters[index] = "F"
    else if (overlap === "wait") return finish(index, "waiting")
    else if (overlap === "skip") letters[index] = late ? "D" : "S"
    else if (overlap === "bufferOne") letters[index] = waiting > 0 ? "S" : "D"
    else if (overlap === "bufferAll") letters[index] = waiting < buffer ? "D" : "X"
    else letters[index] = "S"
    if (letters[index] === "F") firing++
    if (letters[index] === "D") deferring++
    if (firing + deferring === left) return finish(index + 1, "exhausted")
  }
  return finish(passed.length, "active")
}

/** The letters of a decision, told by the times that it names. */
export const lettersOf = (
  passed: ReadonlyArray<number>,
  decision: {
    readonly fire: ReadonlyArray<{ readonly nominal: number }>
    readonly defer: ReadonlyArray<{ readonly nominal: number }>
    readonly missed: { readonly last: number } | undefined
    readonly watermark: number
  },
  policy: Policy
): string =>
  passed
    .map((time): Letter => {
      if (decision.fire.some(({ nominal }) => nominal === time)) return "F"
      if (decision.defer.some(({ nominal }) => nominal === time)) return "D"
      if (time > decision.watermark) return "."
      if (decision.missed !== undefined && time <= decision.missed.last) return "M"
      return policy.overlap === "bufferAll" ? "X" : "S"
    })
    .join("")
