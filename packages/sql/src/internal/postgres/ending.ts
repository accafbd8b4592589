import { Effect } from "effect"
import type { EndedRun, Outcome, RunRecord } from "effect-scheduler/JobRun"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import { type ScheduleChange, Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { decodeRun, historyColumns, runColumns } from "../rows.ts"
import { type Left, endedRun } from "../runs.ts"
import type { Tables } from "../tables.ts"
import { list } from "./columns.ts"
import { type Session, ended as endedSignal, overtaken } from "./database.ts"
import { columnsOf } from "./values.ts"

type Done<A> = Effect.Effect<A, SqlError>

/** What a change of a schedule did to its unfinished runs. */
interface Replaced {
  readonly replaced: ReadonlyArray<EndedRun>
  readonly cancelled: ReadonlyArray<EndedRun>
  readonly cancelRequested: ReadonlyArray<string>
  /** The cancelled runs as they were. */
  readonly left: ReadonlyArray<RunRecord>
}

/** How runs end that no node reports, and who goes on after them. */
export interface Ending {
  /** Ends runs whose rows are locked: deletes them and writes their history. Whoever calls sees to those that waited. */
  readonly archive: (tx: Session, runs: ReadonlyArray<RunRecord>, outcome: Outcome) => Done<ReadonlyArray<EndedRun>>
  /** Ends the deferred and cancels the active runs of a schedule whose row is locked, as the change asks. */
  readonly replace: (tx: Session, schedule: ScheduleRecord, change: ScheduleChange) => Done<Replaced>
  /** Lets those go on that waited for runs which ended: the next of their keys, the oldest deferred of their schedules. It
   * is sent after the statement that ended them: who was made to wait for one of them before that is seen. */
  readonly promote: (tx: Session, ended: ReadonlyArray<Left>) => Done<void>
  /** The same for runs that were given back, whose keys are free. */
  readonly releaseKeys: (tx: Session, runs: ReadonlyArray<Left>) => Done<void>
}

/** A column of the rows that were deleted. */
const g = (column: string): string => `g.${column}`

/** What history takes over from the row of a run that is deleted, in the order of its columns. */
export const archived = (
  table: string,
  said: {
    readonly kept: string
    readonly endedAt: string
    readonly outcome: string
    readonly failures: string
    readonly result: string
    readonly resultStored: string
    readonly errors: string
    readonly payload: string
    readonly key: string
  }
): string => {
  const values = [
    g("id"),
    said.kept,
    said.endedAt,
    said.outcome,
    ...["job", "queue", "priority", "delivery", "schedule_id", "generation", "nominal", "cause", "attempt"].map(g),
    said.failures,
    ...["recoveries", "node", "created_at", "run_at", "started_at"].map(g),
    said.result,
    said.resultStored,
    said.errors,
    g("progress"),
    said.payload,
    said.key
  ]
  return `insert into ${table} (${list(historyColumns.slice(0, values.length))}) select ${values.join(", ")} from gone g`
}

export const makeEnding = (t: Tables): Ending => {
  const group = "schedule_id = $1 and generation = $2 and cause = $3"
  const isFree = `not exists (select 1 from ${t.runs} k
    where k.state = 'running' and k.key is not null and k.job = r.job and k.key = r.key)`
  const texts = {
    archive: `with gone as (delete from ${t.runs} where id = any($1::text[]) returning *)
${archived(t.history, {
  kept: "1",
  endedAt: "$2::bigint",
  outcome: "$3::text",
  failures: "g.failures",
  result: "null",
  resultStored: "0",
  errors: "g.errors",
  payload: "g.payload",
  key: "g.key"
})} returning id`,
    overlapMembers: `select ${list(runColumns)} from ${t.runs} where waits_for = 'overlap' and ${group}
order by id for update`,
    activeMembers: `select ${list(runColumns)} from ${t.runs} where ${group} and waits_for is distinct from 'overlap'
order by id for update`,
    askToCancel: `update ${t.runs} set cancel_at = $1::bigint where id = any($2::text[]) and cancel_at is null`,
    /** As many of a key, or of a schedule, as runs of it have ended. One that somebody else is just promoting is theirs. */
    promote: `with keyed as materialized (
  select w.id from unnest($1::text[], $2::text[], $3::int[]) as i(job, key, n) cross join lateral (
    select r.id from ${t.runs} r where r.waits_for = 'key' and r.job = i.job and r.key = i.key and ${isFree}
    order by r.priority, r.run_at, r.id limit i.n for update skip locked) w
), overlapping as materialized (
  select w.id from unnest($4::text[], $5::text[], $6::text[], $7::int[]) as i(schedule_id, generation, cause, n)
  cross join lateral (
    select r.id from ${t.runs} r where r.waits_for = 'overlap' and r.schedule_id = i.schedule_id
      and r.generation is not distinct from i.generation and r.cause = i.cause
    order by coalesce(r.nominal, r.run_at), r.id limit i.n for update skip locked) w
)
update ${t.runs} set state = 'pending', waits_for = null
where id = any(array(select id from keyed union all select id from overlapping)) returning id`
  }

  const archive: Ending["archive"] = Effect.fnUntraced(function* (tx, runs, outcome) {
    if (runs.length === 0) return []
    const ids = runs.map((run) => run.id)
    const rows = yield* tx.query(texts.archive, [ids, tx.now, outcome])
    if (rows.length < ids.length) return yield* overtaken("a run ended meanwhile")
    tx.signal |= endedSignal
    return runs.map((run) => endedRun(run, tx.now, outcome))
  })

  const replace: Ending["replace"] = Effect.fnUntraced(function* (tx, { cause, generation, id }, change) {
    const owner = [id, generation, cause]
    const replaced = change.replaceDeferred
      ? yield* archive(tx, (yield* tx.query(texts.overlapMembers, owner)).map(decodeRun), "skipped")
      : []
    const active = change.cancelActive ? (yield* tx.query(texts.activeMembers, owner)).map(decodeRun) : []
    const cancelRequested = active.filter((run) => run.state === "running").map((run) => run.id)
    if (cancelRequested.length > 0) {
      yield* tx.query(texts.askToCancel, [tx.now, cancelRequested])
      tx.signal |= Signal.cancel
    }
    const left = active.filter((run) => run.state !== "running")
    const cancelled = yield* archive(tx, left, "cancelled")
    return { replaced, cancelled, cancelRequested, left }
  })

  const send = (
    tx: Session,
    keys: ReadonlyArray<readonly [string, string]>,
    groups: ReadonlyArray<readonly [string, string | null, string]>
  ): Done<void> => {
    if (keys.length + groups.length === 0) return Effect.void
    // Who has the key may have held up one that nobody has made wait for it yet.
    if (keys.length > 0) tx.signal |= Signal.runs
    const promoted = tx.query(texts.promote, [...columnsOf(counted(keys), 3), ...columnsOf(counted(groups), 4)])
    return Effect.map(promoted, (rows) => {
      if (rows.length > 0) tx.signal |= Signal.runs
    })
  }

  return {
    archive,
    replace,
    promote: (tx, ended) => {
      if (ended.length === 0) return Effect.void
      const groups = ended.flatMap((run) =>
        run.scheduleId !== null && run.waitsFor !== "overlap"
          ? [[run.scheduleId, run.generation, run.cause] as const]
          : []
      )
      return send(tx, keysOf(ended), groups)
    },
    releaseKeys: (tx, runs) => {
      if (runs.length > 0) tx.signal |= Signal.runs
      return send(tx, keysOf(runs), [])
    }
  }
}

/** Each row once, in order, with how often it occurs. */
const counted = (
  rows: ReadonlyArray<ReadonlyArray<string | null>>
): ReadonlyArray<ReadonlyArray<string | number | null>> =>
  [...Map.groupBy(rows, (row) => JSON.stringify(row))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, same]) => [...same[0]!, same.length])

const keysOf = (runs: ReadonlyArray<Left>) =>
  runs.flatMap((run) => (run.key !== null && run.waitsFor === null ? [[run.job, run.key] as const] : []))
