import { Heap, type HeapEntry } from "./heap.ts"

/** So many series lie side by side; what fits in none of them goes to the heap. */
const most = 4

/** Shorter ones are not worth the moving. */
const shortest = 64

/** Entries in the order in which they came, each after the one before; holes where one was taken out of the middle. */
class Series<T> {
  items: Array<T | undefined> = []
  head = 0
  live = 0
  /** The number of the last entry. */
  last = -Infinity
  /** The place of `items[0]`: places go on when what has left is dropped. */
  base = 0
}

/**
 * A heap for entries that mostly come in order and leave from the front, as runs do, and schedules whose next time is a
 * period after the last one: both cost O(1) then, and no look at other entries. The rest is in a heap.
 *
 * The place of an entry in a series is its `heapIndex`, below -1, so that it can be removed from the middle.
 */
export class Ordered<T extends HeapEntry> {
  private readonly series: Array<Series<T>> = []
  private readonly heap: Heap<T>
  private readonly keyOf: (entry: T) => number
  private readonly tieBefore: (a: T, b: T) => boolean
  private inSeries = 0

  constructor(keyOf: (entry: T) => number, tieBefore: (a: T, b: T) => boolean) {
    this.keyOf = keyOf
    this.tieBefore = tieBefore
    this.heap = new Heap(keyOf, tieBefore)
  }

  get size(): number {
    return this.inSeries + this.heap.size
  }

  peek(): T | undefined {
    let least = this.heap.peek()
    if (this.inSeries === 0) return least
    const { series } = this
    for (let i = 0; i < series.length; i++) {
      const { head, items, live } = series[i]!
      if (live > 0 && (least === undefined || this.isBefore(items[head]!, least))) least = items[head]
    }
    return least
  }

  push(entry: T): void {
    const key = this.keyOf(entry)
    const { series } = this
    let fit = -1
    let free = -1
    for (let i = 0; i < series.length; i++) {
      const { items, last, live } = series[i]!
      if (live === 0) free = i
      else if (fit >= 0 && last <= series[fit]!.last) continue
      else if (last < key || (last === key && !this.tieBefore(entry, items[items.length - 1]!))) fit = i
    }
    if (fit >= 0) this.append(fit, entry, key)
    else if (free >= 0) this.append(free, entry, key)
    else if (series.length < most) {
      series.push(new Series())
      this.append(series.length - 1, entry, key)
    } else this.heap.push(entry)
  }

  /** Takes an entry out from wherever it is; false if it was not in here. */
  remove(entry: T): boolean {
    if (entry.heapIndex > -2) return this.heap.remove(entry)
    const place = -2 - entry.heapIndex
    const from = this.series[place % most]
    if (from === undefined) return false
    const index = Math.floor(place / most) - from.base
    const { items } = from
    if (items[index] !== entry) return false
    entry.heapIndex = -1
    items[index] = undefined
    this.inSeries--
    if (--from.live === 0) {
      from.items = []
      from.head = 0
      from.base = 0
      return true
    }
    while (items[from.head] === undefined) from.head++
    if (index === items.length - 1) {
      while (items[items.length - 1] === undefined) items.pop()
      from.last = this.keyOf(items[items.length - 1]!)
    }
    if (items.length > shortest && items.length > 2 * from.live) this.compact(place % most)
    return true
  }

  /** Puts an entry in its place again after its number or its tie-break was changed, in either direction. */
  update(entry: T): void {
    if (entry.heapIndex > -1) {
      this.heap.update(entry)
    } else {
      this.remove(entry)
      this.push(entry)
    }
  }

  /** The least entry that is accepted, in O(number of lesser ones). */
  least(accept: (entry: T) => boolean): T | undefined {
    let least = this.heap.least(accept)
    for (const { head, items } of this.series) {
      for (let i = head; i < items.length; i++) {
        const entry = items[i]
        if (entry === undefined) continue
        if (least !== undefined && !this.isBefore(entry, least)) break
        if (!accept(entry)) continue
        least = entry
        break
      }
    }
    return least
  }

  /** Every entry, in no order. Nothing must be changed meanwhile. */
  *values(): Iterable<T> {
    for (const { items } of this.series) for (const entry of items) if (entry !== undefined) yield entry
    yield* this.heap.values()
  }

  private isBefore(a: T, b: T): boolean {
    const first = this.keyOf(a)
    const second = this.keyOf(b)
    return first < second || (first === second && this.tieBefore(a, b))
  }

  private append(at: number, entry: T, key: number): void {
    const to = this.series[at]!
    entry.heapIndex = -2 - ((to.base + to.items.length) * most + at)
    to.items.push(entry)
    to.last = key
    to.live++
    this.inSeries++
  }

  /** Drops what has left, at the front and between. */
  private compact(at: number): void {
    const from = this.series[at]!
    if (from.items.length - from.head === from.live) {
      // Nothing between: every entry keeps its place.
      from.base += from.head
      from.items = from.items.slice(from.head)
    } else {
      from.items = from.items.filter((entry) => entry !== undefined)
      from.base = 0
      for (let i = 0; i < from.items.length; i++) from.items[i]!.heapIndex = -2 - (i * most + at)
    }
    from.head = 0
  }
}
