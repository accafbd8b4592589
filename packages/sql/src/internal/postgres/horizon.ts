import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Query } from "./database.ts"

/** How often the table's statistics are asked. */
const lookEvery = 5_000

/** With fewer dead rows a search from the very beginning costs next to nothing. */
const manyDead = 10_000

/** With so many somebody should be told, once in `tellEvery`. */
const alarming = 500_000
const tellEvery = 600_000

/** How often all is searched nevertheless, for what came late: the usual poll. */
export const wholeEvery = 1_000

/** What is stored later than this after its own instant may be found only by a search of all. */
const lag = 1_000

/**
 * Where searches by time begin. What was taken leaves its dead entry at the head of the index until vacuum may remove it,
 * which a transaction left open anywhere in the server prevents; every search from the beginning would pass all of them
 * (11 pages became 2,152 over 100,000 runs). So where there are many dead rows a search begins a little before where the last
 * one ended, and only one each second sees all.
 */
export class Horizon {
  private readonly table: string
  private readonly lows = new Map<string, number>()
  private isNeeded = false
  private lookedAt = -Infinity
  private wholeAt = -Infinity
  private toldAt = -Infinity

  constructor(table: string) {
    this.table = table
  }

  /** Before a search that takes what it finds. The time is anybody's: it says only when to look again. */
  begin(now: number, query: Query): Effect.Effect<void, SqlError> {
    if (!isWithin(now, this.wholeAt, wholeEvery)) {
      this.wholeAt = now
      this.lows.clear()
    }
    if (isWithin(now, this.lookedAt, lookEvery)) return Effect.void
    this.lookedAt = now
    return Effect.flatMap(
      query(`select pg_stat_get_dead_tuples(to_regclass($1)), pg_stat_get_live_tuples(to_regclass($1))`, [this.table]),
      ([row]) => {
        const dead = row![0] as number
        this.isNeeded = dead > manyDead
        if (dead < alarming || dead < (row![1] as number) || isWithin(now, this.toldAt, tellEvery)) return Effect.void
        this.toldAt = now
        return Effect.logWarning(
          `The table ${this.table} has ${dead} dead rows: vacuum does not run, or a transaction that was left open keeps it from removing them (see pg_stat_activity.backend_xmin)`
        )
      }
    )
  }

  /** Whether this search is one that begins where the last one ended. */
  get isShort(): boolean {
    return this.isNeeded && this.lows.size > 0
  }

  /** The earliest instant of interest. */
  low(name: string): number {
    return (this.isNeeded ? this.lows.get(name) : undefined) ?? Number.MIN_SAFE_INTEGER
  }

  /** A search has taken, or found nothing of, everything before this instant. */
  passed(name: string, instant: number): void {
    this.lows.set(name, instant - lag)
  }
}

/** Whether an instant is less than so many milliseconds ago. After a clock was set back it is not. */
export const isWithin = (now: number, instant: number, millis: number): boolean =>
  now >= instant && now - instant < millis
