import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { historyText, listRunsText, listSchedulesText } from "../src/internal/lists.ts"
import { schemaV1 } from "../src/internal/sqlite/schema.ts"
import { makeStatements } from "../src/internal/sqlite/statements.ts"
import { dataTables, makeTables } from "../src/internal/tables.ts"

const tables = makeTables("t_")
const statements = makeStatements(tables)

const lists: Record<string, string> = {
  "listSchedules of a prefix": listSchedulesText(tables, { prefix: "a" }, 10, undefined)[0],
  "listSchedules from a cursor": listSchedulesText(tables, { job: "j" }, 10, "a")[0],
  "listRuns from a cursor": listRunsText(tables, {}, 10, "a")[0],
  "history of all": historyText(tables, {}, 10, undefined)[0],
  "history from a cursor": historyText(tables, {}, 10, "1 a")[0],
  "history of a time": historyText(tables, { from: 1, to: 2 }, 10, undefined)[0],
  "history of a schedule": historyText(tables, { scheduleId: "a" }, 10, "1 a")[0]
}

/** What the statements that fire, claim and finish look up, and by which index. */
const paths: Record<string, ReadonlyArray<string>> = {
  dueGroup: [
    "COMPOUND QUERY",
    "LEFT-MOST SUBQUERY",
    "CO-ROUTINE (subquery-1)",
    "SEARCH t_schedules USING COVERING INDEX t_schedules_due (version=? AND needs>?)",
    "SCAN (subquery-1)",
    "UNION ALL",
    "CO-ROUTINE (subquery-3)",
    "SEARCH t_schedules USING COVERING INDEX t_schedules_due (version>?)",
    "SCAN (subquery-3)"
  ],
  due: [
    "SEARCH s USING INDEX t_schedules_due (version=? AND needs=? AND next_at>? AND next_at<?)",
    "CORRELATED SCALAR SUBQUERY 1",
    "SEARCH r USING COVERING INDEX t_runs_nominal (schedule_id=? AND generation=? AND cause=?)",
    "CORRELATED SCALAR SUBQUERY 2",
    "SEARCH r USING COVERING INDEX t_runs_overlap (schedule_id=? AND generation=? AND cause=?)"
  ],
  lane: ["SEARCH t_runs USING INDEX t_runs_claim (job=? AND priority=? AND (run_at,id)>(?,?) AND run_at<?)"],
  advanceSchedule: ["SEARCH t_schedules USING INTEGER PRIMARY KEY (rowid=?)"],
  start: [
    "SEARCH t_runs USING INTEGER PRIMARY KEY (rowid=?)",
    "LIST SUBQUERY 1",
    "SCAN json_each VIRTUAL TABLE INDEX 1:"
  ],
  reported: ["SCAN j VIRTUAL TABLE INDEX 1:", "SEARCH r USING INDEX sqlite_autoindex_t_runs_1 (id=?) LEFT-JOIN"],
  advanceSchedules: [
    "SEARCH t_schedules USING INTEGER PRIMARY KEY (rowid=?)",
    "LIST SUBQUERY 1",
    "SCAN json_each VIRTUAL TABLE INDEX 1:"
  ],
  archiveSuccesses: ["CO-ROUTINE e", "SCAN 25 CONSTANT ROWS", "SCAN e", "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)"],
  deleteRuns: [
    "SEARCH t_runs USING INTEGER PRIMARY KEY (rowid=?)",
    "LIST SUBQUERY 1",
    "SCAN json_each VIRTUAL TABLE INDEX 1:"
  ],
  held: ["SEARCH t_runs USING INDEX t_runs_node (node=?)", "USE TEMP B-TREE FOR ORDER BY"],
  busyNode: [
    "SEARCH r USING COVERING INDEX t_runs_node (node>?)",
    "CORRELATED SCALAR SUBQUERY 1",
    "SEARCH n USING INDEX sqlite_autoindex_t_nodes_1 (id=?)"
  ]
}

/** Statements that read all of what they are about, which is little: nodes, running runs, deferred runs. */
const readsAll: Record<string, string> = {
  nodes: "t_nodes",
  markDead: "t_nodes",
  nextLease: "t_nodes",
  forgetNodes: "t_nodes",
  anyDeferred: "USING COVERING INDEX",
  running: "t_runs USING COVERING INDEX t_runs_node",
  overlapsLeft: "USING COVERING INDEX t_runs_overlap",
  keysLeft: "USING COVERING INDEX t_runs_waits"
}

const explain = (db: DatabaseSync, text: string): ReadonlyArray<string> =>
  db
    .prepare(`explain query plan ${text}`)
    .all()
    .map((row) => String(row["detail"]))

/** What a plan does that grows with the tables. */
const growing = (name: string, plan: ReadonlyArray<string>): ReadonlyArray<string> =>
  plan.filter((line) => {
    if (/^USE TEMP B-TREE FOR (GROUP BY|DISTINCT)/.test(line)) return name !== "running"
    if (line.startsWith("USE TEMP B-TREE")) return !mayResort.has(name)
    if (!line.startsWith("SCAN")) return false
    if (/VIRTUAL TABLE|CONSTANT ROW|SCAN ([egr]|25-ROW VALUES CLAUSE|h\d|\(subquery-\d\))$/.test(line)) return false
    const allowed = readsAll[name]
    return allowed === undefined || !line.includes(allowed)
  })

/** They sort what they found: two pages of history, the runs of one node or of one schedule, or what nothing is waited for. */
const mayResort = new Set([
  "history of all",
  "history from a cursor",
  "history of a time",
  "held",
  "toCancel",
  "overlapMembers",
  "activeMembers",
  "overlapsLeft",
  "keysLeft"
])

const fill = (db: DatabaseSync, state: "pending" | "running"): void => {
  db.exec(`
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
    insert into t_schedules
    select 's' || i, 'g' || i, 0, 'job' || (i % 3), 'q', 2, '1', null, 'atLeastOnce', '{}', 1 + i % 2, '', 0, '{}', null,
      'nominal', iif(i % 100 = 0, 'waiting', 'active'), 0, 0, iif(i % 100 = 0, null, i), 0, 0, 0, 0, 0, 'z', 0, null,
      null, null, 0, 0
    from n;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
    insert into t_runs
    select 'r' || i, 'job' || (i % 3), 'q', i % 4, '1', iif(i % 5 = 0, 'k' || i, null), 'atLeastOnce', 's' || i,
      'g' || i, i, 'nominal', 0, '${state}', null, i, null, 1, 0, 0, '[]',
      ${state === "running" ? "'n' || (i % 4)" : "null"}, null, iif(i % 500 = 0 and '${state}' = 'running', 1, null), null, 0
    from n;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
    insert into t_history (id, kept, ended_at, outcome, job, cause, schedule_id)
    select 'h' || i, i % 2, i / 10, iif(i % 2, 'failed', 'succeeded'), 'job', 'nominal', 's' || (i % 50) from n;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
    insert into t_keys select 'job', 'k' || i, 'r' || i, i from n;
    insert into t_nodes values ('n1', 0, 1, null, 1, '[]', '[]');
    analyze;`)
}

describe("query plans", () => {
  const databases = {
    "without statistics": () => undefined,
    "on tables analysed when all runs were pending": (db: DatabaseSync) => fill(db, "pending"),
    "on tables analysed when all runs were running": (db: DatabaseSync) => fill(db, "running")
  }
  for (const [title, prepare] of Object.entries(databases)) {
    describe(title, () => {
      const db = new DatabaseSync(":memory:")
      for (const text of schemaV1(tables)) db.exec(text)
      prepare(db)
      for (const [name, text] of Object.entries({ ...statements, ...lists })) {
        it(`${name} reads no more than it returns`, () => {
          const plan = explain(db, text)
          assert.deepStrictEqual(growing(name, plan), [], plan.join("\n"))
          if (paths[name] !== undefined) assert.deepStrictEqual(plan, paths[name])
        })
      }
    })
  }

  it("are made once, not again for each value of a limit", () => {
    for (const [name, text] of Object.entries(statements)) assert.notMatch(text, /limit \?/, name)
  })

  it("names every table", () => {
    assert.deepStrictEqual(dataTables(tables), ["t_schedules", "t_runs", "t_history", "t_nodes", "t_keys"])
  })
})
