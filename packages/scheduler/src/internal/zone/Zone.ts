/**
 * A time zone as the spans of constant offset around an instant. A span is found in a few nanoseconds where the last one
 * asked for holds the instant, and in some tens where its year has been read from `Intl` before.
 */
import { daysFromCivil, isLeapYear, SECONDS_PER_DAY, weekdayOf } from "./civil.ts"
import { fixedOffset, intlOffsets, type OffsetAt, type Transition, transitionsBetween } from "./offsets.ts"

/**
 * Time without a change of offset, in seconds. `start` and `end` are the instants of its changes where they lie within
 * two days of the part [from, to) for which the span was asked, and somewhere beyond it where they do not.
 */
export interface Span {
  readonly from: number
  readonly to: number
  readonly start: number
  readonly end: number
  readonly offset: number
  /** The offset before `start` and the one from `end` on; equal to `offset` where there is no change nearby. */
  readonly before: number
  readonly after: number
}

export interface Zone {
  readonly id: string
  /** Whether the zone has one offset for ever. */
  readonly fixed: boolean
  readonly spanAt: (second: number) => Span
}

/** No clock has moved by more than a day, and no offset is further from UTC than 16 hours. */
const MARGIN = 2 * SECONDS_PER_DAY

/** Before this year every zone keeps its local mean time; from the other one on it repeats its last rule for ever. */
const FIRST_YEAR = 1800
const RULE_YEAR = 2100

const fixedZone = (id: string, offset: number): Zone => {
  const span: Span = {
    from: -Infinity,
    to: Infinity,
    start: -Infinity,
    end: Infinity,
    offset,
    before: offset,
    after: offset
  }
  return { id, fixed: true, spanAt: () => span }
}

class NamedZone implements Zone {
  readonly id: string
  readonly fixed = false
  readonly #offsetAt: OffsetAt
  readonly #years = new Map<number, ReadonlyArray<Span>>()
  #last: Span
  #lastYear: ReadonlyArray<Span>

  constructor(id: string, offsetAt: OffsetAt) {
    this.id = id
    this.#offsetAt = offsetAt
    this.#lastYear = this.#spansOf(1970)
    this.#last = this.#lastYear[0]!
  }

  spanAt = (second: number): Span => {
    const last = this.#last
    if (second >= last.from && second < last.to) return last
    return (this.#last = this.#find(second))
  }

  #find(second: number): Span {
    let spans = this.#lastYear
    if (second < spans[0]!.from || second >= spans[spans.length - 1]!.to) {
      let year = Math.floor(second / 31_556_952) + 1970
      if (second < startOfYear(year)) year--
      else if (second >= startOfYear(year + 1)) year++
      spans = this.#lastYear = this.#spansOf(year)
    }
    let index = 0
    while (second >= spans[index]!.to) index++
    return spans[index]!
  }

  #spansOf(year: number): ReadonlyArray<Span> {
    const known = this.#years.get(year)
    if (known !== undefined) return known
    if (year < FIRST_YEAR) return this.#beforeFirstYear()
    // Thousands of years that only repeat are made of the few that were read, and not kept.
    if (year >= RULE_YEAR + 100) return this.#repeated(year)
    const spans = this.#read(year)
    this.#years.set(year, spans)
    return spans
  }

  #beforeFirstYear(): ReadonlyArray<Span> {
    const end = startOfYear(FIRST_YEAR)
    const offset = this.#offsetAt(end)
    return [{ from: -Infinity, to: end, start: -Infinity, end, offset, before: offset, after: offset }]
  }

  #read(year: number): ReadonlyArray<Span> {
    const from = startOfYear(year)
    const to = startOfYear(year + 1)
    const changes: ReadonlyArray<Transition> = transitionsBetween(this.#offsetAt, from - MARGIN, to + MARGIN)
    const spans: Array<Span> = []
    let start = from - MARGIN
    let offset = this.#offsetAt(start)
    let before = offset
    for (let i = 0; i <= changes.length; i++) {
      const end = changes[i]?.at ?? to + MARGIN
      const after = changes[i]?.offset ?? offset
      if (start < to && end > from) {
        spans.push({ from: Math.max(start, from), to: Math.min(end, to), start, end, offset, before, after })
      }
      start = end
      before = offset
      offset = after
    }
    return spans
  }

  #repeated(year: number): ReadonlyArray<Span> {
    const like = likeYear(year)
    const shift = startOfYear(year) - startOfYear(like)
    return this.#spansOf(like).map((span) => ({
      ...span,
      from: span.from + shift,
      to: span.to + shift,
      start: span.start + shift,
      end: span.end + shift
    }))
  }
}

const startOfYear = (year: number): number => daysFromCivil(year, 1, 1) * SECONDS_PER_DAY

/** A year near the beginning of the last rule that has the same length and begins on the same weekday. */
const likeYear = (year: number): number => {
  const leap = isLeapYear(year)
  const weekday = weekdayOf(daysFromCivil(year, 1, 1))
  let like = RULE_YEAR + 1
  while (isLeapYear(like) !== leap || weekdayOf(daysFromCivil(like, 1, 1)) !== weekday) like++
  return like
}

const zones = new Map<string, Zone>()

const utc: Zone = fixedZone("UTC", 0)
zones.set("UTC", utc)

/** One value for each name, so that its table is read once; undefined for an unknown zone. */
export const zoneOf = (name: string): Zone | undefined => {
  const known = zones.get(name)
  if (known !== undefined) return known
  const offset = /^(etc\/)?(utc|uct|gmt|zulu|universal)$/i.test(name) ? 0 : fixedOffset(name)
  let zone: Zone | undefined
  if (offset !== undefined) {
    zone = fixedZone(name, offset)
  } else {
    const offsetAt = intlOffsets(name)
    if (offsetAt !== undefined) zone = new NamedZone(name, offsetAt)
  }
  if (zone !== undefined) zones.set(name, zone)
  return zone
}
