/**
 * How many handlers may run at once in one scheduler, over all its stores. A claimer takes what is free before it asks its
 * store, and gives back what it did not need.
 */
export class Slots {
  #used = 0
  /** Handlers that run. A slot that a claimer holds while it asks its store is used too, and runs nothing. */
  running = 0
  /** Those who found nothing free. Only they are told: a claimer that gives back what it took has nothing to hear of. */
  readonly #waiting = new Set<() => void>()
  readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get used(): number {
    return this.#used
  }

  /** Takes up to `wanted` slots and answers how many it got. Where it is none, `onFree` is called once, when there is one. */
  take(wanted: number, onFree: () => void): number {
    const got = Math.max(0, Math.min(wanted, this.max - this.#used))
    this.#used += got
    if (got === 0) this.#waiting.add(onFree)
    return got
  }

  /** For a run that runs already: its slot is taken whether one is free or not. */
  occupy(): void {
    this.#used++
  }

  give(count: number): void {
    this.#used -= count
    if (this.#waiting.size === 0 || this.#used >= this.max) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const onFree of waiting) onFree()
  }
}
