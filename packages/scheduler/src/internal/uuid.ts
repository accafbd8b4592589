import { Clock, Effect, Random } from "effect"

const digits = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0))
const latin1 = new TextDecoder("latin1")

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
  const text = new Uint8Array(36).fill("-".charCodeAt(0))
  const write = (at: number, value: number, length: number): void => {
    for (let i = at + length - 1, rest = value; i >= at; i--, rest >>>= 4) text[i] = digits[rest & 15]!
  }
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
    const a = bits32()
    write(0, high >>> 16, 4)
    write(4, high & 0xffff, 4)
    write(9, last & 0xffff, 4)
    write(14, 0x7000 | counter, 4)
    write(19, 0x8000 | (a >>> 18), 4)
    write(24, a & 0xffff, 4)
    write(28, bits32(), 8)
    // Decoded as one flat text: a chain of concatenations would take ten times its memory for as long as it is kept.
    return latin1.decode(text)
  }
})
