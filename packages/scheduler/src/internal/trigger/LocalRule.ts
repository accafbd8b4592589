/**
 * A set of local times, without a zone: what `walk` places on the time line. Local times are seconds since
 * 1970-01-01T00:00 on the clock of the place.
 */
export interface LocalRule {
  /** The first at or after `local`, or Infinity. */
  readonly next: (local: number) => number
  /** The last at or before `local`, or -Infinity. */
  readonly prev: (local: number) => number
  /** Whether what happens in one 400-year cycle happens in each: then a search need not look further. */
  readonly periodic: boolean
}

export interface CountableRule extends LocalRule {
  /** How many there are in [from, to). */
  readonly count: (from: number, to: number) => number
}
