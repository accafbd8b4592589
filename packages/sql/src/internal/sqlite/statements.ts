import { historyColumns, nodeColumns, rangeColumns, runColumns, scheduleColumns } from "../rows.ts"
import type { Tables } from "../tables.ts"
import { manyRows } from "./program.ts"
import { laneColumns } from "./programs/lane.ts"

const list = (columns: ReadonlyArray<string>, table?: string): string =>
  columns.map((column) => (table === undefined ? column : `${table}.${column}`)).join(", ")

const marks = (columns: ReadonlyArray<unknown>): string => columns.map(() => "?").join(", ")

/** So many rows of parameters. */
const values = (columns: ReadonlyArray<unknown>, rows: number): string =>
  `values ${Array.from({ length: rows }, () => `(${marks(columns)})`).join(", ")}`

/** SQLite looks at the value of a bare `limit ?` when it plans, and so prepares the statement anew each time that it is run. */
const limit = "limit +?"

/** The first row of the first select that has one. A comparison of row values would not do: it begins at the group that
 * it is to step over, and passes through all of it. */
const firstOf = (...selects: ReadonlyArray<string>): string =>
  `${selects.map((select) => `select * from (${select} limit 1)`).join("\nunion all ")} limit 1`

/** What is known of an end beside the row of its run, which is at this place. */
export const endColumns = ["place", "ended_at", "outcome", "failures", "result", "result_stored", "errors"] as const

/**
 * Every fixed statement of the store, as SQLite says it. Together with `schema.ts` and `lists.ts` this is all that knows
 * the dialect. States stand in the texts, not in parameters, so that partial indexes serve them. A row's place is what finds
 * it again fastest in the same transaction: its `rowid`.
 */
export const makeStatements = (t: Tables) => {
  const run = list(runColumns)
  const schedule = list(scheduleColumns, "s")
  const group = `r.schedule_id = s.id and r.generation = s.generation and r.cause = s.cause`
  /** The row, its place, then its unfinished runs in all and those deferred by overlap. */
  const view = `${schedule}, s.rowid,
  (select count(*) from ${t.runs} r where ${group}),
  (select count(*) from ${t.runs} r where r.waits_for = 'overlap' and ${group})`
  const isFree = `not exists (select 1 from ${t.runs} k
    where k.state = 'running' and k.key is not null and k.job = r.job and k.key = r.key)`
  const heads = (condition: string): string => `select j.value, p.value,
  (select r.run_at from ${t.runs} r where r.state = 'pending' and r.job = j.value and r.priority = p.value${condition}
    order by r.run_at, r.id limit 1)
from json_each(?) j, json_each('[0,1,2,3]') p`
  // `or fail`: else each run of the statement copies every page that it touches, to be able to undo itself alone. Whoever
  // runs it undoes all of a transaction, or of a savepoint. A cross join is made in the order in which it is written.
  const archived = (kept: 0 | 1, rows: number): string => `with e (${list(endColumns)}) as (${values(endColumns, rows)})
insert or fail into ${t.history} (${list(historyColumns.slice(0, 25))})
select r.id, ${kept}, e.ended_at, e.outcome, r.job, r.queue, r.priority, r.delivery, r.schedule_id, r.generation, r.nominal,
  r.cause, r.attempt, e.failures, r.recoveries, r.node, r.created_at, r.run_at, r.started_at, e.result, e.result_stored,
  e.errors, r.progress, ${kept === 0 ? "null, null" : "r.payload, r.key"}
from e cross join ${t.runs} r where r.rowid = e.place`
  const advance = `revision = ?, watermark = ?, next_at = ?, fired = ?, skipped = ?, missed = ?, dropped = ?, paused = ?,
  updated_at = ?`
  const advanceSame = `revision = revision + 1, watermark = ?, next_at = ?, fired = fired + ?, updated_at = ?`
  const insertRun = (rows: number): string => `insert or fail into ${t.runs} (${run}) ${values(runColumns, rows)}`
  const insertSchedule = (rows: number): string =>
    `insert or fail into ${t.schedules} (${list(scheduleColumns)}) ${values(scheduleColumns, rows)}`

  return {
    // Schedules

    /** The groups of rows that the same nodes may fire, one at a time in order, each with its earliest time. */
    dueGroup: firstOf(
      `select version, needs, next_at from ${t.schedules}
  where next_at is not null and version = ? and needs > ? order by needs, next_at`,
      `select version, needs, next_at from ${t.schedules}
  where next_at is not null and version > ? order by version, needs, next_at`
    ),
    due: `select ${view} from ${t.schedules} s
where s.next_at is not null and s.version = ? and s.needs = ? and s.next_at <= ? order by s.next_at, s.id ${limit}`,
    view: `select ${view} from ${t.schedules} s where s.id = ?`,
    schedule: `select ${schedule} from ${t.schedules} s where s.id = ?`,
    insertSchedule: insertSchedule(1),
    insertSchedules: insertSchedule(manyRows),
    replaceSchedule: `update ${t.schedules} set ${scheduleColumns
      .slice(1)
      .map((column) => `${column} = ?`)
      .join(", ")} where id = ?`,
    /** What most decisions change: no index but that of due rows has any of these columns. */
    advanceSchedule: `update ${t.schedules} set ${advance} where rowid = ?`,
    /** The same with another state, by which a row enters and leaves other indexes. */
    moveSchedule: `update ${t.schedules} set ${advance}, state = ? where rowid = ?`,
    /** Both for all in these places at once, which come from one time to one other. */
    advanceSchedules: `update or fail ${t.schedules} set ${advanceSame} where rowid in (select value from json_each(?))`,
    moveSchedules: `update or fail ${t.schedules} set ${advanceSame}, state = ?
where rowid in (select value from json_each(?))`,
    deleteSchedule: `delete from ${t.schedules} where id = ?`,
    /** Keeps a value as the last success of the schedule of a run that is about to end. */
    remember: `update ${t.schedules} set success_nominal = r.nominal, success_value = ?, revision = revision + 1
from ${t.runs} r where r.rowid = ? and r.cause = 'nominal' and r.nominal is not null and ${t.schedules}.id = r.schedule_id
  and ${t.schedules}.generation = r.generation and ${t.schedules}.cause = 'nominal'
  and (success_nominal is null or success_nominal < r.nominal)`,
    isWaiting: `select id from ${t.schedules} where id = ? and generation = ? and state = 'waiting'`,
    waitingGroup: firstOf(
      `select version, needs from ${t.schedules} where state = 'waiting' and version = ? and needs > ? order by needs`,
      `select version, needs from ${t.schedules} where state = 'waiting' and version > ? order by version, needs`
    ),
    idle: `select s.id from ${t.schedules} s
where s.state = 'waiting' and s.version = ? and s.needs = ? and not exists (select 1 from ${t.runs} r where ${group})
order by s.id ${limit}`,
    zoneGroup: firstOf(
      `select zone_data, version, needs from ${t.schedules}
  where state = 'active' and zone_data = ? and version = ? and needs > ? order by needs`,
      `select zone_data, version, needs from ${t.schedules}
  where state = 'active' and zone_data = ? and version > ? order by version, needs`,
      `select zone_data, version, needs from ${t.schedules}
  where state = 'active' and zone_data > ? order by zone_data, version, needs`
    ),
    ofZone: `select id from ${t.schedules}
where state = 'active' and zone_data = ? and version = ? and needs = ? and next_at is not null order by id ${limit}`,
    expireExhausted: `delete from ${t.schedules} where id in (select id from ${t.schedules}
  where state = 'exhausted' and updated_at < ? order by updated_at, id ${limit}) returning id`,

    // Unfinished runs

    run: `select ${run} from ${t.runs} where id = ?`,
    runWithPlace: `select ${run}, rowid from ${t.runs} where id = ?`,
    insertRun: insertRun(1),
    insertRuns: insertRun(manyRows),
    isKnown: `select 1 from ${t.runs} where id = ? union all select 1 from ${t.history} where id = ?`,
    twin: `select id from ${t.runs} where schedule_id = ? and generation is ? and cause = ? and nominal = ?`,
    /** The instant of the earliest pending run of each job and priority, or null. */
    heads: heads(""),
    /** The same, without those whose key is taken. */
    freeHeads: heads(` and (r.key is null or ${isFree})`),
    /** Rows with their places. */
    lane: `select ${list(laneColumns)}, rowid from ${t.runs} where state = 'pending' and job = ? and priority = ? and run_at <= ?
  and (run_at, id) > (?, ?) order by run_at, id ${limit}`,
    running: `select job, queue, count(*) from ${t.runs} where state = 'running' group by job, queue`,
    isKeyTaken: `select 1 from ${t.runs} where state = 'running' and key is not null and job = ? and key = ?`,
    start: `update or fail ${t.runs} set state = 'running', queue = ?, node = ?, started_at = ?, attempt = attempt + 1
where rowid in (select value from json_each(?))`,
    deferForKey: `update or fail ${t.runs} set state = 'deferred', waits_for = 'key'
where rowid in (select value from json_each(?))`,
    /** The runs of a list of ids that run on a node, in the order of the list with nulls for those that do not: the
     * place, the attempt, and whether more must be known of it before it ends than that. A plus keeps the index by node out,
     * which looks small in statistics taken while no run was running. */
    reported: `select r.rowid, r.attempt,
  r.settles = 1 or (r.key is not null and ?) or (r.schedule_id is not null and ?)
from json_each(?) j left join ${t.runs} r on r.id = j.value and +r.state = 'running' and +r.node = ?`,
    runAtPlace: `select ${run} from ${t.runs} where rowid = ?`,
    retry: `update ${t.runs} set state = 'pending', node = null, failures = ?, errors = ?, run_at = ? where rowid = ?`,
    release: `update ${t.runs} set state = 'pending', node = null where rowid = ?`,
    recover: `update ${t.runs} set state = 'pending', node = null, recoveries = recoveries + 1, run_at = ? where id = ?`,
    askToCancel: `update ${t.runs} set cancel_at = ? where id = ? and cancel_at is null`,
    progress: `update ${t.runs} set progress = ? where id = ? and attempt = ? and node = ? and state = 'running'`,
    deleteRuns: `delete from ${t.runs} where rowid in (select value from json_each(?))`,
    /** Whether any run waits for another of its schedule, and for one of its key. */
    anyDeferred: `select exists (select 1 from ${t.runs} where waits_for = 'overlap'),
  exists (select 1 from ${t.runs} where waits_for = 'key')`,
    promoteOverlap: `update ${t.runs} set state = 'pending', waits_for = null where id = (select id from ${t.runs}
  where waits_for = 'overlap' and schedule_id = ? and generation is ? and cause = ?
  order by coalesce(nominal, run_at), id limit 1)`,
    promoteKey: `update ${t.runs} set state = 'pending', waits_for = null where id = (select r.id from ${t.runs} r
  where r.waits_for = 'key' and r.job = ? and r.key = ? and ${isFree} order by r.priority, r.run_at, r.id limit 1)`,
    overlapMembers: `select ${run}, rowid from ${t.runs}
where waits_for = 'overlap' and schedule_id = ? and generation = ? and cause = ? order by id`,
    activeMembers: `select ${run}, rowid from ${t.runs}
where schedule_id = ? and generation = ? and cause = ? and waits_for is not 'overlap' order by id`,
    promoteRun: `update ${t.runs} set state = 'pending', waits_for = null where id = ?`,
    /** The first of each group whose deferred runs wait for none, and the first of each key that is free. */
    overlapsLeft: `select w.id from (
  select r.schedule_id, r.generation, r.cause, count(*) as deferred from ${t.runs} r where r.waits_for = 'overlap'
  group by r.schedule_id, r.generation, r.cause) g
join ${t.runs} w on w.id = (select d.id from ${t.runs} d
  where d.waits_for = 'overlap' and d.schedule_id = g.schedule_id and d.generation is g.generation and d.cause = g.cause
  order by coalesce(d.nominal, d.run_at), d.id limit 1)
where g.deferred = (select count(*) from ${t.runs} a
  where a.schedule_id = g.schedule_id and a.generation is g.generation and a.cause = g.cause)
order by w.id ${limit}`,
    keysLeft: `select w.id from (
  select distinct job, key from ${t.runs} where waits_for = 'key') r
join ${t.runs} w on w.id = (select d.id from ${t.runs} d
  where d.waits_for = 'key' and d.job = r.job and d.key = r.key order by d.priority, d.run_at, d.id limit 1)
where ${isFree} order by w.id ${limit}`,
    held: `select ${run}, rowid from ${t.runs} where state = 'running' and node = ? order by id`,
    toCancel: `select id from ${t.runs} where cancel_at is not null and state = 'running' and node = ? order by id`,

    // History

    archiveSuccess: archived(0, 1),
    archiveSuccesses: archived(0, manyRows),
    archiveOther: archived(1, 1),
    archiveOthers: archived(1, manyRows),
    insertRange: `insert into ${t.history} (${list(rangeColumns)}) values (${marks(rangeColumns)})`,
    ended: `select ${list(historyColumns)} from ${t.history} where id = ? and range_count is null`,
    expireHistory: `delete from ${t.history} where id in (select id from ${t.history}
  where kept = ? and ended_at < ? order by ended_at, id ${limit}) returning id`,

    // Keys of enqueued runs

    key: `select run_id from ${t.keys} where job = ? and key = ?`,
    insertKey: `insert into ${t.keys} (job, key, run_id, created_at) values (?, ?, ?, ?)`,
    expireKeys: `delete from ${t.keys} where (job, key) in (select k.job, k.key from ${t.keys} k
  where k.created_at < ? and not exists (select 1 from ${t.runs} r where r.id = k.run_id)
  order by k.created_at, k.run_id ${limit}) returning run_id`,

    // Nodes

    register: `insert into ${t.nodes} (${list(nodeColumns)}) values (?, ?, ?, null, ?, ?, ?)
on conflict (id) do update set lease_until = excluded.lease_until, version = excluded.version, jobs = excluded.jobs,
  triggers = excluded.triggers where dead_at is null`,
    renew: `update ${t.nodes} set lease_until = ?, jobs = ?, triggers = ? where id = ? and dead_at is null returning id`,
    leave: `delete from ${t.nodes} where id = ?`,
    nodes: `select ${list(nodeColumns)} from ${t.nodes} order by rowid`,
    markDead: `update ${t.nodes} set dead_at = ? where dead_at is null and lease_until < ? and id <> ? returning id`,
    /** Nodes that run something, one at a time in order, with whether a live row is theirs. */
    busyNode: `select r.node, exists (select 1 from ${t.nodes} n where n.id = r.node and n.dead_at is null)
from ${t.runs} r where r.state = 'running' and r.node > ? order by r.node limit 1`,
    nextLease: `select min(lease_until) from ${t.nodes} where dead_at is null`,
    forgetNodes: `delete from ${t.nodes} where dead_at < ?`
  } as const
}

/** The texts of the fixed statements. */
export type Statements = ReturnType<typeof makeStatements>
