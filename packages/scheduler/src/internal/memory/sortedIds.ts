/**
 * Ids in order, for pages, without paying for the order at each insertion: additions are merged in when a page is read,
 * and ids that are gone are dropped at the next merge. Reads are O(log n + page) while nothing was added.
 */
export class SortedIds {
  private readonly isLive: (id: string) => boolean
  private sorted: Array<string> = []
  private added: Array<string> = []
  private gone = 0

  constructor(isLive: (id: string) => boolean) {
    this.isLive = isLive
  }

  add(id: string): void {
    this.added.push(id)
  }

  remove(): void {
    this.gone++
  }

  /** The live ids from `first` on (`after` excludes it), in order. */
  *from(first: string, after: boolean): Iterable<string> {
    if (this.added.length > 0 || this.gone > this.sorted.length / 2) this.merge()
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
      if ((!after || id !== first) && this.isLive(id)) yield id
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
      if (id !== merged[merged.length - 1] && this.isLive(id)) merged.push(id)
    }
    this.sorted = merged
    this.added = []
    this.gone = 0
  }
}
