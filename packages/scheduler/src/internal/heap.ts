/** What a heap keeps: the entry itself remembers its place, so that it can be removed or moved without a search. */
export interface HeapEntry {
  /** Written by the heap only; -1 while the entry is in none. An entry is in one heap at a time. */
  heapIndex: number
}

/**
 * A binary heap with its least entry on top. `before` must be a strict total order (a numeric key with a tie-break), else
 * entries of one key come out in any order. `push`, `pop`, `remove` and `update` are O(log n), `peek` is O(1).
 */
export class Heap<T extends HeapEntry> {
  private readonly items: Array<T> = []
  private readonly before: (a: T, b: T) => boolean

  constructor(before: (a: T, b: T) => boolean) {
    this.before = before
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
    this.items.push(entry)
    this.up(entry, index)
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
    if (last !== entry) this.settle(last, index)
    return true
  }

  /** Puts an entry in its place again after its key was changed, in either direction. */
  update(entry: T): void {
    this.settle(entry, entry.heapIndex)
  }

  /**
   * The least entry for which `accept` holds, in O(number of lesser ones): what lies below an accepted entry is greater
   * and never looked at.
   */
  least(accept: (entry: T) => boolean): T | undefined {
    if (this.items.length === 0 || accept(this.items[0]!)) return this.items[0]
    let best: T | undefined
    const open = [1, 2]
    while (open.length > 0) {
      const index = open.pop()!
      const entry = this.items[index]
      if (entry === undefined || (best !== undefined && this.before(best, entry))) continue
      if (accept(entry)) best = entry
      else open.push(2 * index + 1, 2 * index + 2)
    }
    return best
  }

  /** Every entry, in no order. The heap must not be changed meanwhile. */
  values(): Iterable<T> {
    return this.items
  }

  private settle(entry: T, index: number): void {
    if (index > 0 && this.before(entry, this.items[(index - 1) >> 1]!)) this.up(entry, index)
    else this.down(entry, index)
  }

  private up(entry: T, from: number): void {
    const { before, items } = this
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = items[parentIndex]!
      if (!before(entry, parent)) break
      items[index] = parent
      parent.heapIndex = index
      index = parentIndex
    }
    items[index] = entry
    entry.heapIndex = index
  }

  private down(entry: T, from: number): void {
    const { before, items } = this
    const size = items.length
    let index = from
    for (let childIndex = 2 * index + 1; childIndex < size; childIndex = 2 * index + 1) {
      const right = childIndex + 1
      if (right < size && before(items[right]!, items[childIndex]!)) childIndex = right
      const child = items[childIndex]!
      if (!before(child, entry)) break
      items[index] = child
      child.heapIndex = index
      index = childIndex
    }
    items[index] = entry
    entry.heapIndex = index
  }
}
