import { Effect } from "effect"
import type { Outcome } from "effect-scheduler/JobRun"
import { type RunReport, Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import type { Answer, Params } from "../port.ts"
import { decodeEnded, decodeRun, historyColumns, runColumns } from "../rows.ts"
import { type Left, wasApplied } from "../runs.ts"
import type { Tables } from "../tables.ts"
import type { Row, Value } from "../values.ts"
import { list } from "./columns.ts"
import { clockNow, type Database, impatientClock, overtaken, patience, type Session } from "./database.ts"
import { type Ending, archived } from "./ending.ts"
import type { Schedules } from "./schedules.ts"
import { columnsOf } from "./values.ts"
import { Wary } from "./wary.ts"

type End = Extract<RunReport, { _tag: "End" }>
type Retry = Extract<RunReport, { _tag: "Retry" }>

/** What must be known of a run that left its node, as it was before. */
const leftColumns = ["id", "schedule_id", "generation", "cause", "job", "key", "settles"]

const decodeLeft = (row: Row): Left & { readonly id: string } => ({
  id: row[0] as string,
  scheduleId: row[1] as string | null,
  generation: row[2] as string | null,
  cause: row[3] as string,
  job: row[4] as string,
  key: row[5] as string | null,
  settles: row[6] === 1,
  waitsFor: null
})

/** Where a run stands in the list of ids that is this parameter. */
const placeOf = (ids: number): string => `array_position($${ids}::text[], r.id)`

/** Applies what a node reports, each report fenced by (run, attempt, node). */
export const makeFinish = (t: Tables, db: Database, schedules: Schedules, ending: Ending) => {
  // No join with the list: planned for all values it would be a loop over all pairs (230 ms for 500 runs, not 25), or begin with
  // an index that looks small in statistics taken while no run was running. The rows are found by one index, by their ids, and
  // each looks up its own place in the list. The state is left out of the fence, since a run has a node only while it is running.
  const place = placeOf(1)
  const held = `r.id = any($1::text[]) and r.attempt = ($2::int[])[${place}] and r.node = $3`
  const left = list(leftColumns, "r")
  const texts = {
    /** Ends runs that are nobody's but their own: no schedule and no key has a part in them. Most runs are such, and end by
     * one statement alone. What is not returned is another kind of run, or was not this node's any more. */
    endPlain: `with ${impatientClock(patience.finish)}, gone as (
  delete from ${t.runs} r where ${clockNow} is not null and r.id = any($2::text[]) and r.attempt = ($3::int[])[${placeOf(2)}] and r.node = $4
    and r.schedule_id is null and r.key is null and r.settles = 0
  returning r.*, ${placeOf(2)} as said
) ${archived(t.history, {
      kept: "case when ($5::text[])[said] = 'succeeded' then 0 else 1 end",
      endedAt: clockNow,
      outcome: "($5::text[])[said]",
      failures: "($6::int[])[said]",
      result: "($7::text[])[said]",
      resultStored: "($8::smallint[])[said]",
      errors: "($9::text[])[said]",
      payload: "case when ($5::text[])[said] = 'succeeded' then null else g.payload end",
      key: "null"
    })} returning id, ended_at`,
    /**
     * Ends runs: rows of schedules that have a part in it are locked first, as by everybody who locks both; then the runs
     * are deleted and their history is written. A run that is not returned was not this node's any more.
     */
    end: `with owners as materialized (
  select s.id from ${t.schedules} s where s.id = any(array(select r.schedule_id from ${t.runs} r
    where ${held} and (r.settles = 1 or ($10::boolean[])[${place}]))) order by s.id for update
), ended as (
  delete from ${t.runs} r where ${held} and (select count(*) from owners) >= 0 returning r.*, ${place} as said
), gone as materialized (
  select e.*, ($5::text[])[said] as outcome, ($6::int[])[said] as said_failures, ($7::text[])[said] as result,
    ($8::smallint[])[said] as result_stored, ($9::text[])[said] as said_errors, ($10::boolean[])[said] as remember,
    ($11::int[])[said] as place
  from ended e
), remembered as (
  update ${t.schedules} s set success_nominal = g.nominal, success_value = g.result, revision = revision + (
    select count(*) from (
      select said, max(said) over (order by place rows between unbounded preceding and 1 preceding) as earlier
      from unnest(g.nominals) with ordinality as u(said, place)) u
    where said > coalesce(greatest(s.success_nominal, earlier), ${Number.MIN_SAFE_INTEGER}))
  from (select schedule_id, generation, max(nominal) as nominal, array_agg(nominal order by place) as nominals,
      (array_agg(result order by nominal desc))[1] as result
    from gone where remember and cause = 'nominal' and nominal is not null group by schedule_id, generation) g
  where s.id = g.schedule_id and s.generation = g.generation and s.cause = 'nominal'
    and (s.success_nominal is null or s.success_nominal < g.nominal)
), history as (
  ${archived(t.history, {
    kept: "case when g.outcome = 'succeeded' then 0 else 1 end",
    endedAt: "$4::bigint",
    outcome: "g.outcome",
    failures: "g.said_failures",
    result: "g.result",
    resultStored: "g.result_stored",
    errors: "g.said_errors",
    payload: "case when g.outcome = 'succeeded' then null else g.payload end",
    key: "case when g.outcome = 'succeeded' then null else g.key end"
  })}
) select ${list(leftColumns)} from gone`,
    /** A run that was asked to cancel is claimed at once, so that the one who claims it can end it. */
    retry: `update ${t.runs} r set state = 'pending', node = null, failures = ($5::int[])[${place}],
  errors = ($6::text[])[${place}], run_at = case when r.cancel_at is null then ($7::bigint[])[${place}]
    else least(($7::bigint[])[${place}], $4::bigint) end
where ${held} returning ${left}`,
    release: `update ${t.runs} r set state = 'pending', node = null where ${held} returning ${left}`,
    /** Locks what nobody has: these runs, and the rows of schedules that have a part in the end of one. */
    lockFree: `with mine as materialized (
  select r.id, case when (case ($4::smallint[])[${place}] when 1 then r.settles = 1 when 2 then true end) then r.schedule_id end
    as owner
  from ${t.runs} r where ${held} and (r.schedule_id is null or r.schedule_id <> all($5::text[])) for update skip locked
), owners as materialized (
  select s.id from ${t.schedules} s where s.id = any(array(select owner from mine)) for update skip locked
) select m.id from mine m where m.owner is null or m.owner = any(array(select id from owners))
  or not exists (select 1 from ${t.schedules} s where s.id = m.owner)`,
    endedRows: `select ${list(historyColumns)} from ${t.history} where id = any($1::text[]) and range_count is null`,
    runRows: `select ${list(runColumns)} from ${t.runs} where id = any($1::text[])`
  }

  /** `places` is the order in which the runs ended, which several successes of one schedule are remembered in. */
  const end = (tx: Session, reports: ReadonlyArray<End>, node: string, places: ReadonlyMap<string, number>) => {
    const said = reports.map((report): ReadonlyArray<Value> => {
      const { errors, failures, outcome, result, resultStored } = report
      return [
        outcome satisfies Outcome,
        failures,
        result,
        resultStored ? 1 : 0,
        errors,
        isRemembered(report) ? "t" : "f",
        places.get(report.id)!
      ]
    })
    return tx.query(texts.end, [...fence(tx, reports, node), ...columnsOf(said, 7)])
  }

  const retry = (tx: Session, reports: ReadonlyArray<Retry>, node: string) => {
    // The instant was computed by the node's clock: what counts is how far away it is.
    const said = reports.map(({ errors, failures, runAt }) => [failures, errors, runAt + tx.ahead])
    return tx.query(texts.retry, [...fence(tx, reports, node), ...columnsOf(said, 3)])
  }

  const release = (tx: Session, reports: ReadonlyArray<RunReport>, node: string) =>
    tx.query(texts.release, fence(tx, reports, node).slice(0, 3))

  /** The ids of those reports that can be carried out without waiting for anybody; their rows are locked from now on. */
  const lockFree = (
    tx: Session,
    reports: ReadonlyArray<RunReport>,
    node: string,
    avoided: ReadonlySet<string>
  ): Effect.Effect<ReadonlySet<unknown>, SqlError> => {
    const owners = reports.map((report) => (report._tag !== "End" ? 0 : isRemembered(report) ? 2 : 1))
    const params = [...fence(tx, reports, node).slice(0, 3), owners, [...avoided]]
    return Effect.map(tx.query(texts.lockFree, params), (rows) => new Set(rows.map(([id]) => id)))
  }

  /**
   * Of reports that were not carried out now: those that never can be, and those whose runs somebody has locked, or had until
   * a moment ago. All others were carried out before, and their answers were lost.
   */
  const judge = Effect.fnUntraced(function* (
    tx: Session,
    reports: ReadonlyArray<RunReport>,
    node: string
  ): Effect.fn.Return<{ readonly fenced: ReadonlyArray<string>; readonly busy: ReadonlyArray<string> }, SqlError> {
    if (reports.length === 0) return { fenced: [], busy: [] }
    const ids = [reports.map((report) => report.id)]
    const ended = new Map((yield* tx.query(texts.endedRows, ids)).map((row) => [row[0], decodeEnded(row)]))
    const runs = new Map((yield* tx.query(texts.runRows, ids)).map((row) => [row[0], decodeRun(row)]))
    const fenced: Array<string> = []
    const busy: Array<string> = []
    for (const report of reports) {
      const run = runs.get(report.id)
      if (run?.node === node && run.attempt === report.attempt) busy.push(report.id)
      else if (!wasApplied(report, node, ended.get(report.id), run)) fenced.push(report.id)
    }
    return { fenced, busy }
  })

  /** Whether the last reports were of plain runs: of others they would only be asked for in vain. */
  let isPlain = true

  /** Ends the plain runs among these; their ids and the time. */
  const endPlain = Effect.fnUntraced(function* (
    ends: ReadonlyArray<End>,
    node: string,
    now: number
  ): Effect.fn.Return<ReadonlyArray<Row>, SqlError> {
    const said = ends.map((report) => [
      report.id,
      report.attempt,
      report.outcome,
      report.failures,
      report.result,
      report.resultStored ? 1 : 0,
      report.errors
    ])
    const [ids, attempts, ...rest] = columnsOf(said, 7)
    return yield* db.once(now, texts.endPlain, [db.told(now), ids!, attempts!, node, ...rest], {
      signal: (rows) => (rows.length > 0 ? Signal.ended : 0)
    })
  })

  /**
   * Carries out reports of all kinds. Whoever has locked a run or a schedule is waited for, for a short time; or, where it is
   * known that somebody may keep them for long, what is locked is left as it is.
   */
  const others = (
    params: Params<"finish">,
    sorted: ReadonlyArray<RunReport>,
    plain: ReadonlySet<unknown>,
    locked: "wait" | "leave"
  ) => {
    const avoided = new Set<string>()
    /** Begins again without the runs of these schedules. */
    const onLocked = (schedules: ReadonlySet<string>) => {
      for (const id of schedules) avoided.add(id)
      return overtaken("somebody has locked a run that a schedule waits for")
    }
    return db.transact(
      params.now,
      Effect.fnUntraced(function* (tx): Effect.fn.Return<Answer<"finish">, SqlError> {
        const { node, reports, transition } = params
        const places = new Map(reports.map((report, index) => [report.id, index]))
        const rest = sorted.filter((report) => !plain.has(report.id))
        const free = locked === "wait" ? undefined : yield* lockFree(tx, rest, node, avoided)
        const now = free === undefined ? rest : rest.filter((report) => free.has(report.id))
        const ends = now.filter((report) => report._tag === "End")
        const retries = now.filter((report) => report._tag === "Retry")
        const releases = now.filter((report) => report._tag === "Release")

        const ended = ends.length === 0 ? [] : (yield* end(tx, ends, node, places)).map(decodeLeft)
        const retried = retries.length === 0 ? [] : (yield* retry(tx, retries, node)).map(decodeLeft)
        const released = releases.length === 0 ? [] : (yield* release(tx, releases, node)).map(decodeLeft)
        if (ended.length > 0) {
          tx.signal |= Signal.ended
          isPlain = ended.some((run) => run.scheduleId === null && run.key === null)
        }
        if (retried.length + released.length > 0) tx.signal |= Signal.runs
        yield* ending.promote(tx, ended)
        yield* ending.releaseKeys(tx, [...retried, ...released])

        const found = new Set<unknown>(plain)
        for (const run of [...ended, ...retried, ...released]) found.add(run.id)
        // Said twice in one call, the second is judged by what the first has done.
        const first = new Map(sorted.map((report) => [report.id, report]))
        const doubtful = reports.filter((report) => first.get(report.id) !== report || !found.has(report.id))
        const { busy, fenced } = yield* judge(tx, doubtful, node)
        const applied = yield* schedules.settle(tx, ended, transition, locked === "leave" ? onLocked : undefined)
        return { fenced, applied, now: tx.now, ...(busy.length > 0 ? { busy } : {}) }
      }),
      { patience: patience.finish }
    )
  }

  const inOrder = Effect.fnUntraced(function* (
    params: Params<"finish">,
    sorted: ReadonlyArray<RunReport>
  ): Effect.fn.Return<Answer<"finish">, SqlError> {
    const { node, now, reports } = params
    const ends = sorted.filter((report) => report._tag === "End")
    if (!isPlain || ends.length === 0) return yield* others(params, sorted, new Set(), "wait")
    const rows = yield* endPlain(ends, node, now)
    if (rows.length === reports.length) return { fenced: [], applied: [], now: rows[0]![1] as number }
    isPlain = rows.length > 0
    return yield* others(params, sorted, new Set(rows.map((row) => row[0])), "wait")
  })

  const wary = new Wary()

  return Effect.fnUntraced(function* (params: Params<"finish">): Effect.fn.Return<Answer<"finish">, SqlError> {
    const { now, reports } = params
    // In one order, so that two who lock the same rows wait for each other and not both.
    const first = new Map<string, RunReport>()
    for (const report of reports) if (!first.has(report.id)) first.set(report.id, report)
    const sorted = [...first.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const leavingLocked = Effect.suspend(() => others(params, sorted, new Set(), "leave"))
    if (wary.is(now) || (yield* db.isJoined)) return yield* leavingLocked
    return yield* wary.orElse(now, inOrder(params, sorted), leavingLocked)
  })
}

const isRemembered = (report: End): boolean =>
  report.remember && report.outcome === "succeeded" && report.result !== null

const fence = (tx: Session, reports: ReadonlyArray<RunReport>, node: string) => [
  reports.map((report) => report.id),
  reports.map((report) => report.attempt),
  node,
  tx.now
]
