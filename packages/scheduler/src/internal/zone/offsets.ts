/**
 * What `Intl` knows about a zone: its offset at an instant, and from that its transitions. Everything is in seconds. A
 * call costs about 1.5 µs, so only `Zone` calls this, and keeps what it learnt.
 */

/** The offset east of UTC, in seconds, at an instant in seconds. */
export type OffsetAt = (second: number) => number

export interface Transition {
  readonly at: number
  readonly offset: number
}

/** Undefined for a name that `Intl` does not know. */
export const intlOffsets = (timeZone: string): OffsetAt | undefined => {
  // The only way to ask `Intl` whether it knows a zone is to see whether it throws.
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" })
  } catch {
    return undefined
  }
  return (second) => {
    const text = format.format(second * 1000)
    return offsetFromText(text, text.lastIndexOf("GMT") + 3)
  }
}

/** Reads `+01:00`, `-00:53:28` or nothing (for zero) from a position on. */
const offsetFromText = (text: string, from: number): number => {
  if (from >= text.length) return 0
  const sign = text.charCodeAt(from) === 43 ? 1 : -1
  const two = (at: number) => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48
  const seconds = text.length > from + 6 ? two(from + 7) : 0
  return sign * (two(from + 1) * 3600 + two(from + 4) * 60 + seconds)
}

/** Reads `+02:00`, `-0330` or `+05`; undefined for anything else. */
export const fixedOffset = (name: string): number | undefined => {
  const match = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(name)
  if (match === null) return undefined
  const hours = Number(match[2])
  const minutes = Number(match[3] ?? 0)
  if (hours > 23 || minutes > 59) return undefined
  const seconds = hours * 3600 + minutes * 60
  return match[1] === "-" && seconds > 0 ? -seconds : seconds
}

/**
 * Zones do change twice within a month (Casablanca and Cairo around Ramadan), there and back within a week (Recife in
 * 2000, Gaza in 2040), and once within four days (Freetown in 1939), which is the shortest of all in the tz data.
 */
const PROBE = 4 * 86_400

/** Every change of offset after `from` and up to `to`, in order. */
export const transitionsBetween = (offsetAt: OffsetAt, from: number, to: number): Array<Transition> => {
  const found: Array<Transition> = []
  let known = from
  let offset = offsetAt(from)
  while (known < to) {
    const probe = Math.min(known + PROBE, to)
    const probed = offsetAt(probe)
    // More than one change between two probes: each bisection finds one, until the offset is the probed one.
    while (offset !== probed) {
      known = firstOther(offsetAt, offset, known, probe)
      offset = offsetAt(known)
      found.push({ at: known, offset })
    }
    known = probe
  }
  return found
}

/** The first second in (low, high] at which the offset is another one, where it is the given one at low and not at high. */
const firstOther = (offsetAt: OffsetAt, offset: number, low: number, high: number): number => {
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === offset) low = middle
    else high = middle
  }
  return high
}
