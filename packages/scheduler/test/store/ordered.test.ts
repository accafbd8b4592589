import { assert, describe, it } from "@effect/vitest"
import { Ordered } from "../../src/internal/ordered.ts"
import { Seeded } from "../../src/testing/internal/random.ts"

interface Entry {
  heapIndex: number
  key: number
  readonly id: number
}

const makeOrdered = () =>
  new Ordered<Entry>(
    (entry) => entry.key,
    (a, b) => a.id < b.id
  )
const entry = (id: number, key: number): Entry => ({ heapIndex: -1, key, id })
const inOrder = (entries: Iterable<Entry>) => [...entries].toSorted((a, b) => a.key - b.key || a.id - b.id)

const drain = (ordered: Ordered<Entry>): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  for (let top = ordered.peek(); top !== undefined; top = ordered.peek()) {
    assert.isTrue(ordered.remove(top))
    entries.push(top)
  }
  return entries
}

describe("an order of entries that mostly come in order", () => {
  it("is empty at first, and again when all have left", () => {
    const ordered = makeOrdered()
    for (const round of [1, 2]) {
      assert.deepStrictEqual([ordered.size, ordered.peek(), ordered.least(() => true)], [0, undefined, undefined])
      ordered.push(entry(round, round))
      drain(ordered)
    }
  })

  it("gives them by key, then by the tie-break, also where they came in no order at all", () => {
    const ordered = makeOrdered()
    for (const [id, key] of [5, 3, 3, 9, -Infinity, Infinity, 3, 0, 2, 1, -1].entries()) ordered.push(entry(id, key))
    assert.deepStrictEqual(
      drain(ordered).map(({ id }) => id),
      [4, 10, 7, 9, 8, 1, 2, 6, 0, 3, 5]
    )
  })

  it("lets an entry go from anywhere, and from no other order", () => {
    const ordered = makeOrdered()
    const other = makeOrdered()
    const [a, b, c] = [entry(1, 1), entry(2, 2), entry(3, 3)]
    for (const each of [a, b, c]) ordered.push(each)
    other.push(entry(4, 4))
    assert.deepStrictEqual([other.remove(a), ordered.remove(b), ordered.remove(b)], [false, true, false])
    assert.strictEqual(b.heapIndex, -1)
    assert.deepStrictEqual(drain(ordered), [a, c])
  })

  it("keeps its order while a thousand pass through it and some stay", () => {
    const ordered = makeOrdered()
    const stay = [entry(0, 1_000_000), entry(1, 2_000_000)]
    for (const each of stay) ordered.push(each)
    for (let id = 2; id < 1_000; id++) {
      ordered.push(entry(id, id))
      if (id < 10) continue
      const top = ordered.peek()!
      assert.strictEqual(top.key, id - 8)
      ordered.remove(top)
    }
    assert.strictEqual(ordered.size, 10)
    assert.deepStrictEqual(drain(ordered).slice(-2), stay)
  })

  it("agrees with a sorted list under random pushes, removals, moves and searches", () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
    for (let round = 0; round < 60; round++) {
      const random = new Seeded(seed + round)
      const ordered = makeOrdered()
      const model = new Set<Entry>()
      // In some rounds all come in order, in some none do.
      const orderly = random.next()
      for (let step = 0; step < 400; step++) {
        const known = [...model]
        const choice = random.next()
        const key = random.next() < orderly ? step >> 2 : random.int(0, 100)
        if (known.length === 0 || choice < 0.5) {
          const added = entry(step, key)
          ordered.push(added)
          model.add(added)
        } else if (choice < 0.8) {
          const gone = random.next() < 0.7 ? ordered.peek()! : random.pick(known)
          assert.isTrue(ordered.remove(gone))
          model.delete(gone)
        } else if (choice < 0.9) {
          const moved = random.pick(known)
          moved.key = key
          ordered.update(moved)
        } else {
          const accept = (each: Entry) => each.id % 5 === 0
          assert.strictEqual(ordered.least(accept), inOrder(model).find(accept), `seed ${seed + round}`)
        }
        assert.strictEqual(ordered.size, model.size)
        assert.strictEqual(ordered.peek(), inOrder(model)[0], `seed ${seed + round}`)
      }
      const expected = inOrder(model)
      assert.deepStrictEqual(inOrder(ordered.values()), expected)
      assert.deepStrictEqual(drain(ordered), expected, `seed ${seed + round}`)
    }
  })
})
