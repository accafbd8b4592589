import { Effect } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import { type Applied, type ScheduleChange, Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { encodeAdvance, isAdvance } from "../advance.ts"
import { isKnown } from "../knowledge.ts"
import type { Answer, Params } from "../port.ts"
import { decodeSchedule, encodeRange, encodeRun, rangeColumns, runColumns, scheduleColumns } from "../rows.ts"
import type { Tables } from "../tables.ts"
import { list, rowOf, rowsOf } from "./columns.ts"
import { clock, clockNow, type Database } from "./database.ts"
import { groupsOf } from "./heads.ts"
import { advanced } from "./schedules.ts"
import { columnsOf } from "./values.ts"

/** With more that is due it pays to lock rows before deciding: none is decided in vain, by two nodes at once. */
const few = 20

const decidedColumns = ["place", "id", "generation", ...advanced]

/** What is written of a schedule that goes on and does nothing to runs that exist, so that its row alone has to be as it was. */
const isPlain = ({ after, before, change }: Pick<Applied, "after" | "before" | "change">): boolean =>
  before !== undefined &&
  after !== undefined &&
  isAdvance(before, after) &&
  !change.replaceDeferred &&
  !change.cancelActive &&
  !change.runs.some((run: RunRecord) => run.waitsFor !== null)

/**
 * Fires the few schedules that are due at a usual tick in two round trips: reads them without a lock, decides, and writes what
 * was decided of those whose rows are as they were read and that nobody has locked.
 *
 * @returns undefined where that is not enough, and nothing was written.
 */
export const makeFireAtOnce = (t: Tables, db: Database) => {
  /**
   * Does not wait for the disk: the claim does that, whose commit takes all before it to the disk, and before a claim nothing
   * was done that a server which fails could not undo. It then decides the same times again.
   */
  const writeOf = (given: typeof rowsOf, more: ReadonlyArray<string>): string =>
    `with ${[
      `decided as materialized (select * from ${given(decidedColumns)})`,
      `free as materialized (
  select s.place_in_table, i.* from decided i cross join lateral (select s.ctid as place_in_table from ${t.schedules} s
    where s.ctid = i.place and s.id = i.id and s.generation = i.generation and s.revision = i.revision - 1 for update skip locked) s
)`,
      `advanced as (
  update ${t.schedules} s set ${advanced.map((column) => `${column} = i.${column}`).join(", ")}
  from free i where s.ctid = i.place_in_table returning s.id
)`,
      `runs as (
  insert into ${t.runs} (${list(runColumns)}) select * from ${given(runColumns, decidedColumns.length + 1)}
  where i.schedule_id in (select id from advanced)
)`,
      ...more
    ].join(", ")} select id, set_config('synchronous_commit', 'off', true) from advanced`

  const texts = {
    read: `with recursive ${clock}, groups as (${groupsOf(t, "$2")}), due as materialized (
  select s.* from groups g cross join lateral (
    select ${list(scheduleColumns, "s")}, s.ctid::text as place from ${t.schedules} s
    where s.next_at is not null and s.version = g.version and s.needs = g.needs and s.next_at <= ${clockNow}
    order by s.next_at, s.id limit $3::int) s
  where g.next_at <= ${clockNow}
)
select ${clockNow}, c.unfinished, c.deferred, d.place, ${list(scheduleColumns, "d")}
from (values (1)) as one(n) left join due d on true
left join lateral (select count(*) as unfinished, count(*) filter (where r.waits_for = 'overlap') as deferred
  from ${t.runs} r where r.schedule_id = d.id and r.generation = d.generation and r.cause = d.cause) c on true
order by d.next_at, d.id`,
    /** For the one schedule of a usual tick: the arrays of a row each take longer than what is done with them. */
    writeOne: writeOf(rowOf, []),
    write: writeOf(rowsOf, [
      `ranges as (
  insert into ${t.history} (${list(rangeColumns)})
  select * from ${rowsOf(rangeColumns, decidedColumns.length + 1 + runColumns.length)}
  where i.schedule_id in (select id from advanced)
)`
    ])
  }

  return Effect.fnUntraced(function* (params: Params<"fire">): Effect.fn.Return<Answer<"fire"> | undefined, SqlError> {
    const most = Math.min(few, params.limit)
    const rows = yield* db.once(params.now, texts.read, [db.told(params.now), params.version, most + 1])
    const now = rows[0]![0] as number
    const found = rows.flatMap((row) => {
      if (row[3] === null) return []
      const [, unfinished, deferred, place] = row as unknown as readonly [number, number, number, string]
      const schedule = decodeSchedule(row.slice(4))
      return isKnown(schedule, params)
        ? [{ schedule, view: { schedule, active: unfinished - deferred, deferred }, place }]
        : []
    })
    if (found.length > most) return undefined
    const full = found.length >= params.limit
    const decided: Array<Applied> = []
    const places = new Map<string, string>()
    for (const { place, schedule, view } of found) {
      const change = params.transition(schedule.id, view, now)
      if (change === undefined) continue
      decided.push(whatIsDone(schedule, change))
      places.set(schedule.id, place)
    }
    if (!decided.every(isPlain)) return undefined
    if (decided.length === 0) return { applied: [], full, now }
    const runs = decided.flatMap(({ change }) => change.runs)
    const ranges = decided.flatMap(({ change }) => change.ranges)
    const advances = decided.map(({ after, id }) => [places.get(id)!, id, after!.generation, ...encodeAdvance(after!)])
    const isOne = decided.length === 1 && runs.length === 1 && ranges.length === 0
    const written = yield* db.once(
      params.now,
      isOne ? texts.writeOne : texts.write,
      isOne
        ? [...advances[0]!, ...encodeRun(runs[0]!)]
        : [
            ...columnsOf(advances, decidedColumns.length),
            ...columnsOf(runs.map(encodeRun), runColumns.length),
            ...columnsOf(ranges.map(encodeRange), rangeColumns.length)
          ],
      // Whoever fires looks at the next times anyway.
      { signal: (rows) => (rows.length > 0 && runs.length > 0 ? Signal.runs : 0) }
    )
    const ids = new Set(written.map(([id]) => id))
    return { applied: decided.filter(({ id }) => ids.has(id)), full, now }
  })
}

const whatIsDone = (before: NonNullable<Applied["before"]>, change: ScheduleChange): Applied => ({
  id: before.id,
  before,
  after: change.schedule === null ? undefined : { ...change.schedule, revision: before.revision + 1 },
  change,
  replaced: [],
  cancelled: [],
  cancelRequested: []
})
