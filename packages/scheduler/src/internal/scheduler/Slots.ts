/**
 * How many handlers may run at once in one scheduler, over all its stores. A claimer takes what is free before it asks its
 * store, and gives back what it did not need.
 */
export class Slots {
  #used = 0
  readonly #onFree = new Set<() => void>()
  readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get used(): number {
    return this.#used
  }

  /** Takes up to `wanted` slots and answers how many it got. */
  take(wanted: number): number {
    const got = Math.max(0, Math.min(wanted, this.max - this.#used))
    this.#used += got
    return got
  }

  give(count: number): void {
    if (count === 0) return
    const wasFull = this.#used >= this.max
    this.#used -= count
    if (wasFull) for (const listener of this.#onFree) listener()
  }

  /** Calls back when a slot becomes free after there was none. */
  onFree(listener: () => void): () => void {
    this.#onFree.add(listener)
    return () => void this.#onFree.delete(listener)
  }
}
