/** The limit: what a program without any library would do, a binary heap of due times and one timer. */

export interface Entry {
  at: number
  readonly run: (nominal: number) => void
}

export class PlainHeap {
  private readonly entries: Array<Entry> = []
  private timer: NodeJS.Timeout | undefined
  private readonly period: number

  /** With a period an entry is due again so many milliseconds later. */
  constructor(period = 0) {
    this.period = period
  }

  /** Many at once, and the timer is set once. */
  addAll(entries: Iterable<Entry>): void {
    for (const entry of entries) this.push(entry)
    this.arm()
  }

  private push(entry: Entry): void {
    const { entries } = this
    let index = entries.length
    entries.push(entry)
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = entries[above]!
      if (parent.at <= entry.at) break
      entries[index] = parent
      index = above
    }
    entries[index] = entry
  }

  /** Moves the first one to its place. */
  private sink(): void {
    const { entries } = this
    const entry = entries[0]!
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      if (below >= entries.length) break
      if (below + 1 < entries.length && entries[below + 1]!.at < entries[below]!.at) below++
      const child = entries[below]!
      if (child.at >= entry.at) break
      entries[index] = child
      index = below
    }
    entries[index] = entry
  }

  private arm(): void {
    clearTimeout(this.timer)
    const first = this.entries[0]
    if (first === undefined) return
    this.timer = setTimeout(() => this.fire(), Math.min(Math.max(0, first.at - Date.now()), 2 ** 31 - 1))
  }

  private fire(): void {
    const { entries } = this
    const now = Date.now()
    while (entries.length > 0 && entries[0]!.at <= now) {
      const entry = entries[0]!
      const nominal = entry.at
      if (this.period > 0) {
        entry.at += this.period
        this.sink()
      } else {
        const last = entries.pop()!
        if (entries.length > 0) {
          entries[0] = last
          this.sink()
        }
      }
      entry.run(nominal)
    }
    this.arm()
  }
}
