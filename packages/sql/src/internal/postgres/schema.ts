import type { Tables } from "../tables.ts"
import { enqueueProcedure } from "./enqueue.ts"

const oneOf = (column: string, ...values: ReadonlyArray<string>): string =>
  `${column} in (${values.map((value) => `'${value}'`).join(", ")})`

/** Compared byte by byte: ids have one order whatever the locale of the database is. */
const text = `text collate "C"`

/**
 * The first version of the schema on Postgres: the tables of SQLite, with what only several writers need.
 *
 * - `limits` has no counters, only rows to lock: who claims for a job, queue or key that is limited locks its row first, in
 *   the order of names, and then counts. Nothing drifts, and nothing has to be recounted.
 * - Of history the primary key begins with what it would be partitioned by, and nothing else is unique: that a run ends
 *   once is the doing of the statement that deletes it.
 * - Unfinished runs come and go at the rate of all work: vacuum must not wait for a share of the table.
 */
export const schemaV1 = (t: Tables): ReadonlyArray<string> => [
  `create table ${t.schedules} (
  id ${text} primary key check (length(id) between 1 and 255),
  generation ${text} not null,
  revision bigint not null,
  job ${text} not null,
  queue ${text} not null,
  priority smallint not null check (priority between 0 and 3),
  payload text not null,
  key ${text},
  delivery text not null check (${oneOf("delivery", "atLeastOnce", "atMostOnce")}),
  trigger text not null,
  version integer not null,
  needs ${text} not null,
  anchor bigint not null,
  policy text not null,
  origin ${text},
  cause ${text} not null,
  state text not null check (${oneOf("state", "active", "waiting", "paused", "exhausted", "faulty")}),
  first_watermark bigint not null,
  watermark bigint not null,
  next_at bigint check (next_at is null or state = 'active'),
  fired bigint not null,
  skipped bigint not null,
  missed bigint not null,
  dropped bigint not null,
  paused bigint not null,
  zone_data ${text} not null,
  faults integer not null,
  error text,
  success_nominal bigint,
  success_value text check ((success_value is null) = (success_nominal is null)),
  created_at bigint not null,
  updated_at bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)`,
  `create index ${t.schedules}_due on ${t.schedules} (version, needs, next_at, id) where next_at is not null`,
  `create index ${t.schedules}_zone on ${t.schedules} (zone_data, version, needs, id) where state = 'active'`,
  `create index ${t.schedules}_waiting on ${t.schedules} (version, needs, id) where state = 'waiting'`,
  `create index ${t.schedules}_exhausted on ${t.schedules} (updated_at, id) where state = 'exhausted'`,

  `create table ${t.runs} (
  id ${text} primary key,
  job ${text} not null,
  queue ${text} not null,
  priority smallint not null check (priority between 0 and 3),
  payload text not null,
  key ${text},
  delivery text not null check (${oneOf("delivery", "atLeastOnce", "atMostOnce")}),
  schedule_id ${text},
  generation ${text},
  nominal bigint,
  cause ${text} not null,
  settles smallint not null check (settles in (0, 1)),
  state text not null check (${oneOf("state", "pending", "running", "deferred")}),
  waits_for text check (${oneOf("waits_for", "overlap", "key")}),
  run_at bigint not null,
  start_by bigint,
  attempt integer not null check (attempt >= 0),
  failures integer not null,
  recoveries integer not null,
  errors text not null,
  node ${text},
  started_at bigint,
  cancel_at bigint,
  progress text,
  created_at bigint not null,
  check ((state = 'running') = (node is not null)),
  check ((state = 'deferred') = (waits_for is not null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
  `create index ${t.runs}_claim on ${t.runs} (job, priority, run_at, id) where state = 'pending'`,
  `create unique index ${t.runs}_nominal on ${t.runs} (schedule_id, generation, cause, nominal)
  where schedule_id is not null`,
  `create index ${t.runs}_node on ${t.runs} (node, queue, job) where state = 'running'`,
  `create unique index ${t.runs}_key on ${t.runs} (job, key) where state = 'running' and key is not null`,
  `create index ${t.runs}_overlap on ${t.runs} (schedule_id, generation, cause, coalesce(nominal, run_at), id)
  where waits_for = 'overlap'`,
  `create index ${t.runs}_waits on ${t.runs} (job, key, priority, run_at, id) where waits_for = 'key'`,
  // What a heart asks for at each beat, by an index that hardly ever has a row.
  `create index ${t.runs}_cancel on ${t.runs} (node, id) where state = 'running' and cancel_at is not null`,

  `create table ${t.history} (
  id ${text} not null,
  kept smallint not null check (kept in (0, 1)),
  ended_at bigint not null,
  outcome ${text} not null,
  job ${text} not null,
  queue ${text},
  priority smallint,
  delivery text,
  schedule_id ${text},
  generation ${text},
  nominal bigint,
  cause ${text} not null,
  attempt integer,
  failures integer,
  recoveries integer,
  node ${text},
  created_at bigint,
  run_at bigint,
  started_at bigint,
  result text,
  result_stored smallint,
  errors text,
  progress text,
  payload text,
  key ${text},
  range_last bigint,
  range_count bigint,
  primary key (kept, ended_at, id),
  check (case when range_count is null
    then ${oneOf("outcome", "succeeded", "failed", "timedOut", "cancelled", "expired", "lost", "skipped")}
    else ${oneOf("outcome", "missed", "skipped", "dropped", "paused")} end)
)`,
  `create index ${t.history}_id on ${t.history} (id)`,
  `create index ${t.history}_schedule on ${t.history} (schedule_id, ended_at, id) where schedule_id is not null`,

  `create table ${t.keys} (
  job ${text} not null,
  key ${text} not null,
  run_id ${text} not null,
  created_at bigint not null,
  primary key (job, key)
)`,
  `create index ${t.keys}_age on ${t.keys} (created_at, run_id)`,

  `create table ${t.nodes} (
  id ${text} primary key,
  started_at bigint not null,
  lease_until bigint not null,
  dead_at bigint,
  version integer not null,
  jobs text not null,
  triggers text not null
) with (fillfactor = 50)`,

  `create table ${t.limits} (name ${text} primary key) with (fillfactor = 50)`,

  enqueueProcedure(t)
]
