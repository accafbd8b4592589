import type { Tables } from "../tables.ts"

/** SQLite makes a table of a longer list after `in` at each run of a statement; comparisons cost next to nothing. */
const oneOf = (column: string, ...values: ReadonlyArray<string>): string =>
  values.map((value) => `${column} = '${value}'`).join(" or ")

/**
 * The first version of the schema. Definitions, unfinished runs and history are three tables; of the runs every index but
 * that of a schedule's own is partial, so that a run is only where its state needs it.
 *
 * Rows without an explicit `without rowid`: measured, the separate index by id is as fast as a table clustered by a
 * text of 36 characters, and long payloads do not lie in its inner pages.
 */
export const schemaV1 = (t: Tables): ReadonlyArray<string> => [
  `create table ${t.schedules} (
  id text primary key not null check (length(id) between 1 and 255),
  generation text not null,
  revision integer not null,
  job text not null,
  queue text not null,
  priority integer not null check (priority between 0 and 3),
  payload text not null,
  key text,
  delivery text not null check (${oneOf("delivery", "atLeastOnce", "atMostOnce")}),
  trigger text not null,
  version integer not null,
  needs text not null,
  anchor integer not null,
  policy text not null,
  origin text,
  cause text not null,
  state text not null check (${oneOf("state", "active", "waiting", "paused", "exhausted", "faulty")}),
  first_watermark integer not null,
  watermark integer not null,
  next_at integer check (next_at is null or state = 'active'),
  fired integer not null,
  skipped integer not null,
  missed integer not null,
  dropped integer not null,
  paused integer not null,
  zone_data text not null,
  faults integer not null,
  error text,
  success_nominal integer,
  success_value text check ((success_value is null) = (success_nominal is null)),
  created_at integer not null,
  updated_at integer not null
) strict`,
  // What a node may not fire is in another range than what it may.
  `create index ${t.schedules}_due on ${t.schedules} (version, needs, next_at, id) where next_at is not null`,
  `create index ${t.schedules}_zone on ${t.schedules} (zone_data, version, needs, id) where state = 'active'`,
  `create index ${t.schedules}_waiting on ${t.schedules} (version, needs, id) where state = 'waiting'`,
  `create index ${t.schedules}_exhausted on ${t.schedules} (updated_at, id) where state = 'exhausted'`,

  `create table ${t.runs} (
  id text primary key not null,
  job text not null,
  queue text not null,
  priority integer not null check (priority between 0 and 3),
  payload text not null,
  key text,
  delivery text not null check (${oneOf("delivery", "atLeastOnce", "atMostOnce")}),
  schedule_id text,
  generation text,
  nominal integer,
  cause text not null,
  settles integer not null check (settles in (0, 1)),
  state text not null check (${oneOf("state", "pending", "running", "deferred")}),
  waits_for text check (${oneOf("waits_for", "overlap", "key")}),
  run_at integer not null,
  start_by integer,
  attempt integer not null check (attempt >= 0),
  failures integer not null,
  recoveries integer not null,
  errors text not null,
  node text,
  started_at integer,
  cancel_at integer,
  progress text,
  created_at integer not null,
  check ((state = 'running') = (node is not null)),
  check ((state = 'deferred') = (waits_for is not null))
) strict`,
  `create index ${t.runs}_claim on ${t.runs} (job, priority, run_at, id) where state = 'pending'`,
  // One unfinished run for each nominal time. It also counts the runs of a schedule.
  `create unique index ${t.runs}_nominal on ${t.runs} (schedule_id, generation, cause, nominal)
  where schedule_id is not null`,
  `create index ${t.runs}_node on ${t.runs} (node, queue, job) where state = 'running'`,
  // One running run for each key.
  `create unique index ${t.runs}_key on ${t.runs} (job, key) where state = 'running' and key is not null`,
  `create index ${t.runs}_overlap on ${t.runs} (schedule_id, generation, cause, coalesce(nominal, run_at), id)
  where waits_for = 'overlap'`,
  `create index ${t.runs}_waits on ${t.runs} (job, key, priority, run_at, id) where waits_for = 'key'`,

  `create table ${t.history} (
  id text primary key not null,
  kept integer not null check (kept in (0, 1)),
  ended_at integer not null,
  outcome text not null,
  job text not null,
  queue text,
  priority integer,
  delivery text,
  schedule_id text,
  generation text,
  nominal integer,
  cause text not null,
  attempt integer,
  failures integer,
  recoveries integer,
  node text,
  created_at integer,
  run_at integer,
  started_at integer,
  result text,
  result_stored integer,
  errors text,
  progress text,
  payload text,
  key text,
  range_last integer,
  range_count integer,
  check (case when range_count is null
    then ${oneOf("outcome", "succeeded", "failed", "timedOut", "cancelled", "expired", "lost", "skipped")}
    else ${oneOf("outcome", "missed", "skipped", "dropped", "paused")} end)
) strict`,
  // By what retention asks first, so that neither kind is passed over for the other.
  `create index ${t.history}_time on ${t.history} (kept, ended_at, id)`,
  `create index ${t.history}_schedule on ${t.history} (schedule_id, ended_at, id) where schedule_id is not null`,

  `create table ${t.keys} (
  job text not null,
  key text not null,
  run_id text not null,
  created_at integer not null,
  primary key (job, key)
) strict, without rowid`,
  `create index ${t.keys}_age on ${t.keys} (created_at, run_id)`,

  `create table ${t.nodes} (
  id text primary key not null,
  started_at integer not null,
  lease_until integer not null,
  dead_at integer,
  version integer not null,
  jobs text not null check (json_valid(jobs)),
  triggers text not null check (json_valid(triggers))
) strict`
]
