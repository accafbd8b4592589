/**
 * Small sets of integers as bits. A set up to 31 is one integer, a set up to 59 (minutes, seconds, ISO weeks) two of 30
 * bits each.
 */
export interface Bits60 {
  low: number
  high: number
}

const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits)

/** The first member at or after `from`, or -1. `from` may be 32. */
export const nextBit = (bits: number, from: number): number => {
  if (from > 31) return -1
  const rest = bits & (-1 << from)
  return rest === 0 ? -1 : lowest(rest)
}

/** The last member at or before `from`, or -1. `from` may be -1. */
export const prevBit = (bits: number, from: number): number => {
  if (from < 0) return -1
  const rest = from >= 31 ? bits : bits & ((2 << from) - 1)
  return rest === 0 ? -1 : 31 - Math.clz32(rest)
}

export const countBits = (bits: number): number => {
  let n = bits - ((bits >>> 1) & 0x5555_5555)
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333)
  return (((n + (n >>> 4)) & 0x0f0f_0f0f) * 0x0101_0101) >>> 24
}

export const has60 = (set: Bits60, value: number): boolean =>
  value < 30 ? (set.low & (1 << value)) !== 0 : (set.high & (1 << (value - 30))) !== 0

export const add60 = (set: Bits60, value: number): void => {
  if (value < 30) set.low |= 1 << value
  else set.high |= 1 << (value - 30)
}

export const next60 = (set: Bits60, from: number): number => {
  if (from < 30) {
    const rest = set.low & (-1 << from)
    if (rest !== 0) return lowest(rest)
    return set.high === 0 ? -1 : 30 + lowest(set.high)
  }
  const rest = from > 59 ? 0 : set.high & (-1 << (from - 30))
  return rest === 0 ? -1 : 30 + lowest(rest)
}

export const prev60 = (set: Bits60, from: number): number => {
  if (from >= 30) {
    const rest = set.high & ((2 << (from - 30)) - 1)
    if (rest !== 0) return 61 - Math.clz32(rest)
    return set.low === 0 ? -1 : 31 - Math.clz32(set.low)
  }
  return prevBit(set.low, from)
}

export const count60 = (set: Bits60): number => countBits(set.low) + countBits(set.high)

/** How many members are below `value`. */
export const below60 = (set: Bits60, value: number): number =>
  value < 30
    ? countBits(set.low & ((1 << value) - 1))
    : countBits(set.low) + countBits(set.high & ((1 << (value - 30)) - 1))

export const members60 = (set: Bits60): Array<number> => {
  const members: Array<number> = []
  for (let value = next60(set, 0); value >= 0; value = next60(set, value + 1)) members.push(value)
  return members
}

export const members = (bits: number): Array<number> => {
  const found: Array<number> = []
  for (let value = nextBit(bits, 0); value >= 0; value = nextBit(bits, value + 1)) found.push(value)
  return found
}
