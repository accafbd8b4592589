import { assert, describe, it } from "@effect/vitest"
import { Heap } from "../../src/internal/heap.ts"
import { Seeded } from "../../src/testing/internal/random.ts"

interface Entry {
  heapIndex: number
  key: number
  readonly id: number
}

const makeHeap = () =>
  new Heap<Entry>(
    (entry) => entry.key,
    (a, b) => a.id < b.id
  )
const entry = (id: number, key: number): Entry => ({ heapIndex: -1, key, id })
const inOrder = (entries: Iterable<Entry>) => [...entries].toSorted((a, b) => a.key - b.key || a.id - b.id)

const drain = (heap: Heap<Entry>): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) entries.push(top)
  return entries
}

describe("a heap", () => {
  it("is empty at first", () => {
    const heap = makeHeap()
    assert.deepStrictEqual(
      [heap.size, heap.peek(), heap.pop(), heap.least(() => true)],
      [0, undefined, undefined, undefined]
    )
  })

  it("gives its entries in the order of their keys, then of the tie-break", () => {
    const heap = makeHeap()
    for (const [id, key] of [5, 3, 3, 9, -Infinity, Infinity, 3, 0].entries()) heap.push(entry(id, key))
    assert.deepStrictEqual(
      drain(heap).map(({ id }) => id),
      [4, 7, 1, 2, 6, 0, 3, 5]
    )
  })

  it("lets an entry go from anywhere, and knows which are in it", () => {
    const heap = makeHeap()
    const [a, b, c] = [entry(1, 1), entry(2, 2), entry(3, 3)]
    for (const each of [c, a, b]) heap.push(each)
    assert.isTrue(heap.remove(b))
    assert.isFalse(heap.remove(b))
    assert.isFalse(makeHeap().remove(a))
    assert.deepStrictEqual([heap.has(a), heap.has(b), b.heapIndex], [true, false, -1])
    assert.deepStrictEqual(drain(heap), [a, c])
  })

  it("moves an entry whose key has changed in either direction", () => {
    const heap = makeHeap()
    const entries = [10, 20, 30, 40, 50, 60, 70].map((key, id) => entry(id, key))
    for (const each of entries) heap.push(each)
    entries[6]!.key = 5
    heap.update(entries[6]!)
    assert.strictEqual(heap.peek(), entries[6])
    entries[6]!.key = 45
    heap.update(entries[6]!)
    assert.deepStrictEqual(drain(heap), inOrder(entries))
  })

  it("agrees with a sorted list under random pushes, pops, removals, moves and searches", () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
    for (let round = 0; round < 100; round++) {
      const random = new Seeded(seed + round)
      const heap = makeHeap()
      const model = new Set<Entry>()
      for (let step = 0; step < 400; step++) {
        const known = [...model]
        const choice = random.next()
        if (known.length === 0 || choice < 0.45) {
          const added = entry(step, random.int(0, 50))
          heap.push(added)
          model.add(added)
        } else if (choice < 0.6) {
          const top = heap.pop()!
          assert.strictEqual(top, inOrder(model)[0], `seed ${seed + round}`)
          model.delete(top)
        } else if (choice < 0.75) {
          const gone = random.pick(known)
          assert.isTrue(heap.remove(gone))
          model.delete(gone)
        } else if (choice < 0.9) {
          const moved = random.pick(known)
          moved.key = random.int(0, 50)
          heap.update(moved)
        } else {
          const accept = (each: Entry) => each.id % 5 === 0
          assert.strictEqual(heap.least(accept), inOrder(model).find(accept), `seed ${seed + round}`)
        }
        assert.strictEqual(heap.size, model.size)
        assert.strictEqual(heap.peek(), inOrder(model)[0], `seed ${seed + round}`)
      }
      const expected = inOrder(model)
      assert.deepStrictEqual(inOrder(heap.values()), inOrder(model))
      assert.deepStrictEqual(drain(heap), expected, `seed ${seed + round}`)
    }
  })
})
