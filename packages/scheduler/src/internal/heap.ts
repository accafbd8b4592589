/** What a heap keeps: the entry itself remembers its place, so that it can be removed or moved without a search. */
export interface HeapEntry {
  /** Written by the heap only; -1 while the entry is in none. An entry is in one heap at a time. */
  heapIndex: number
}

/**
 * A heap with its least entry on top: by a number, and where two are equal by `tieBefore`. `push`, `pop`, `remove` and
 * `update` are O(log n), `peek` is O(1).
 *
 * The numbers lie in an array of their own and four children side by side: with 100,000 entries the time goes into memory
 * that is not in a cache, and this way a level costs one line of it.
 */
export class Heap<T extends HeapEntry> {
  private readonly items: Array<T> = []
  private readonly keys: Array<number> = []
  private readonly keyOf: (entry: T) => number
  private readonly tieBefore: (a: T, b: T) => boolean

  constructor(keyOf: (entry: T) => number, tieBefore: (a: T, b: T) => boolean = never) {
    this.keyOf = keyOf
    this.tieBefore = tieBefore
  }

  get size(): number {
    return this.items.length
  }

  peek(): T | undefined {
    return this.items[0]
  }

  has(entry: T): boolean {
    return this.items[entry.heapIndex] === entry
  }

  push(entry: T): void {
    const index = this.items.length
    const key = this.keyOf(entry)
    this.items.push(entry)
    this.keys.push(key)
    this.up(entry, key, index)
  }

  pop(): T | undefined {
    const top = this.items[0]
    if (top !== undefined) this.remove(top)
    return top
  }

  /** Takes an entry out from wherever it is; false if it was not in this heap. */
  remove(entry: T): boolean {
    const index = entry.heapIndex
    if (this.items[index] !== entry) return false
    entry.heapIndex = -1
    const last = this.items.pop()!
    const key = this.keys.pop()!
    if (last !== entry) this.settle(last, key, index)
    return true
  }

  /** Puts an entry of this heap in its place again after its number or its tie-break was changed, in either direction. */
  update(entry: T): void {
    this.settle(entry, this.keyOf(entry), entry.heapIndex)
  }

  /** The least entry that is accepted, in O(number of lesser ones): below an accepted entry are only greater ones. */
  least(accept: (entry: T) => boolean): T | undefined {
    let best = -1
    const open = [0]
    while (open.length > 0) {
      const index = open.pop()!
      const entry = this.items[index]
      if (entry === undefined || (best >= 0 && !this.isBefore(entry, this.keys[index]!, best))) continue
      if (accept(entry)) best = index
      else open.push(4 * index + 1, 4 * index + 2, 4 * index + 3, 4 * index + 4)
    }
    return this.items[best]
  }

  /** Every entry, in no order. The heap must not be changed meanwhile. */
  values(): Iterable<T> {
    return this.items
  }

  private isBefore(entry: T, key: number, index: number): boolean {
    const other = this.keys[index]!
    return key < other || (key === other && this.tieBefore(entry, this.items[index]!))
  }

  private settle(entry: T, key: number, index: number): void {
    if (index > 0 && this.isBefore(entry, key, (index - 1) >> 2)) this.up(entry, key, index)
    else this.down(entry, key, index)
  }

  private up(entry: T, key: number, from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 2
      if (!this.isBefore(entry, key, parent)) break
      this.put(this.items[parent]!, this.keys[parent]!, index)
      index = parent
    }
    this.put(entry, key, index)
  }

  private down(entry: T, key: number, from: number): void {
    const { items, keys } = this
    const size = items.length
    let index = from
    for (let first = 4 * index + 1; first < size; first = 4 * index + 1) {
      let child = first
      const end = Math.min(first + 4, size)
      for (let next = first + 1; next < end; next++) {
        if (this.isBefore(items[next]!, keys[next]!, child)) child = next
      }
      if (this.isBefore(entry, key, child)) break
      this.put(items[child]!, keys[child]!, index)
      index = child
    }
    this.put(entry, key, index)
  }

  private put(entry: T, key: number, index: number): void {
    this.items[index] = entry
    this.keys[index] = key
    entry.heapIndex = index
  }
}

const never = () => false
