/**
 * The tables of the store read as they are, by plain SQL and nothing of the scheduler.
 */
import { DatabaseSync } from "node:sqlite"
import { Effect, Schema } from "effect"

const text = Schema.String
const number = Schema.Finite

/** An ended run. `entry` is the id of its line. */
const RunRow = Schema.Struct({
  id: text,
  entry: text,
  nominal: Schema.NullOr(number),
  outcome: text,
  recoveries: number
})

export type RunRow = typeof RunRow.Type

/** So many nominal times from `first` to `last`, both included, became no run. */
const RangeRow = Schema.Struct({ entry: text, kind: text, first: number, last: number, count: number })

export type RangeRow = typeof RangeRow.Type

/** A run that has not ended. `progress` is what its command was stored as. */
const OpenRow = Schema.Struct({
  id: text,
  entry: Schema.NullOr(text),
  state: text,
  attempt: number,
  progress: Schema.NullOr(text)
})

export interface History {
  readonly runs: ReadonlyArray<RunRow>
  readonly ranges: ReadonlyArray<RangeRow>
  readonly open: ReadonlyArray<typeof OpenRow.Type>
}

// A run of @reboot is of no schedule, but its progress names the line.
const RUNS = `
  select id, coalesce(schedule_id, json_extract(progress, '$.entry'), '') as entry, nominal, outcome, recoveries
  from scheduler_history where range_count is null and cause in ('nominal', 'enqueue') order by id`

const RANGES = `
  select schedule_id as entry, outcome as kind, nominal as first, range_last as last, range_count as count
  from scheduler_history where range_count is not null order by nominal`

const OPEN = "select id, schedule_id as entry, state, attempt, progress from scheduler_runs order by id"

/**
 * Reads what has become of everything so far.
 */
export const readHistory = (filename: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => new DatabaseSync(filename, { readOnly: true, timeout: 2_000 })),
    (database) =>
      Effect.sync((): History => ({
        runs: all(database, RunRow, RUNS),
        ranges: all(database, RangeRow, RANGES),
        open: all(database, OpenRow, OPEN)
      })),
    (database) => Effect.sync(() => database.close())
  )

const all = <A>(database: DatabaseSync, row: Schema.Codec<A>, sql: string): ReadonlyArray<A> => {
  const rows: ReadonlyArray<unknown> = database.prepare(sql).all()
  return Schema.decodeUnknownSync(Schema.Array(row))(rows)
}
