import { Clock, Effect, Random } from "effect"

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** Makes UUIDs v7 (RFC 9562): 48 bits of milliseconds, then a counter so that ids made in one millisecond stay in order. */
export type MakeId = () => string

/**
 * A generator on the fiber's `Clock` and `Random`, so that ids are reproducible under `TestClock` and a seed. 12 bits of
 * counter and 62 random bits: two processes collide in one of 2^62 pairs that share a millisecond and a counter.
 */
export const makeUuidV7: Effect.Effect<MakeId> = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const bits32 = () => (random.nextDoubleUnsafe() * 0x1_0000_0000) >>> 0
  let last = 0
  let counter = 0
  return () => {
    const now = clock.currentTimeMillisUnsafe()
    if (now > last) {
      last = now
      counter = bits32() & 0x7ff
    } else if (++counter > 0xfff) {
      // More than a counter's worth in one millisecond, or a clock that went back: the ids go on from the last one.
      last++
      counter = 0
    }
    const high = Math.floor(last / 0x1_0000)
    const low = last & 0xffff
    const a = bits32()
    const b = bits32()
    return (
      hex[(high >>> 24) & 0xff]! +
      hex[(high >>> 16) & 0xff]! +
      hex[(high >>> 8) & 0xff]! +
      hex[high & 0xff]! +
      "-" +
      hex[low >>> 8]! +
      hex[low & 0xff]! +
      "-7" +
      hex[counter >>> 8]![1]! +
      hex[counter & 0xff]! +
      "-" +
      hex[0x80 | (a >>> 26)]! +
      hex[(a >>> 16) & 0xff]! +
      "-" +
      hex[(a >>> 8) & 0xff]! +
      hex[a & 0xff]! +
      hex[b >>> 24]! +
      hex[(b >>> 16) & 0xff]! +
      hex[(b >>> 8) & 0xff]! +
      hex[b & 0xff]!
    )
  }
})
