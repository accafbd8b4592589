/**
 * How long after its nominal time a run is due: spread evenly, and the same on every node.
 */
import type { Times } from "./times.ts"

/** At most `jitter`, and less than the gap to the next nominal time, so that runs keep the order of their times. */
export const jitterOf = (id: string, nominal: number, jitter: number, times: Times): number => {
  if (jitter < 1) return 0
  const next = times.next(nominal)
  const gap = next._tag === "Found" || next._tag === "NotBefore" ? next.at - nominal : jitter
  return hash(`${id}\u0000${nominal}`) % Math.max(1, Math.min(jitter, gap))
}

/**
 * 53 bits of two FNV-like lanes with a final mix (cyrb53). It is part of what nodes of different versions must agree on,
 * so it is not taken from a library that may change it.
 */
export const hash = (text: string): number => {
  let low = 0xdeadbeef
  let high = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    low = Math.imul(low ^ unit, 2654435761)
    high = Math.imul(high ^ unit, 1597334677)
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  return 4294967296 * (2097151 & high) + (low >>> 0)
}
