/**
 * Ids in order, for pages, without paying for the order at each insertion: additions are merged in when a page is read,
 * and ids that are gone are dropped at the next merge, at the latest when they are as many as the live ones. Reads are
 * O(log n + page) while nothing was added.
 */
export class SortedIds {
  private readonly live: ReadonlyMap<string, unknown>
  private sorted: Array<string> = []
  private added: Array<string> = []
  private gone = 0

  constructor(live: ReadonlyMap<string, unknown>) {
    this.live = live
  }

  /** How many ids are kept, live or not yet dropped. */
  get size(): number {
    return this.sorted.length + this.added.length
  }

  add(id: string): void {
    this.added.push(id)
  }

  remove(): void {
    if (++this.gone > 1000 + this.live.size) this.merge()
  }

  /** The live ids from `first` on (`after` excludes it), in order. */
  *from(first: string, after: boolean): Iterable<string> {
    if (this.added.length > 0) this.merge()
    const { sorted } = this
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sorted[middle]! < first) low = middle + 1
      else high = middle
    }
    for (let index = low; index < sorted.length; index++) {
      const id = sorted[index]!
      if ((!after || id !== first) && this.live.has(id)) yield id
    }
  }

  private merge(): void {
    const { added, sorted } = this
    // oxlint-disable-next-line unicorn/no-array-sort -- our own array
    added.sort()
    const merged: Array<string> = []
    let left = 0
    let right = 0
    while (left < sorted.length || right < added.length) {
      const takeLeft = right === added.length || (left < sorted.length && sorted[left]! <= added[right]!)
      const id = takeLeft ? sorted[left++]! : added[right++]!
      // An id that was removed and added again can be in both.
      if (id !== merged[merged.length - 1] && this.live.has(id)) merged.push(id)
    }
    this.sorted = merged
    this.added = []
    this.gone = 0
  }
}
