import { Effect } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import {
  type Applied,
  type ScheduleChange,
  type ScheduleView,
  Signal,
  type Transition
} from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { encodeAdvance, isAdvance } from "../advance.ts"
import {
  decodeSchedule,
  encodeRange,
  encodeRun,
  encodeSchedule,
  rangeColumns,
  runColumns,
  scheduleColumns
} from "../rows.ts"
import type { Tables } from "../tables.ts"
import type { Row, Value } from "../values.ts"
import { list, rowsOf } from "./columns.ts"
import { type Session, overtaken } from "./database.ts"
import type { Ending } from "./ending.ts"
import { columnsOf } from "./values.ts"

/** A schedule, present or not, that a transition decides on. Its row is locked. */
interface Subject {
  readonly id: string
  readonly view: ScheduleView | undefined
  /** Where the row is in its table: good for as long as it is locked, and found without an index. */
  readonly place: string | undefined
}

type Decided = readonly [Subject, ScheduleChange]

type Done<A> = Effect.Effect<A, SqlError>

/** What becomes of decisions that rely on runs which somebody has locked: those of these schedules. */
type OnLocked = (schedules: ReadonlySet<string>) => Effect.Effect<never, SqlError>

/** What is told by whoever ends a run that its schedule waits for. */
interface Settling {
  readonly scheduleId: string | null
  readonly generation: string | null
  readonly settles: boolean
}

/** Decides on schedules whose rows it has locked: reads them with their unfinished runs, and writes what was decided. */
export interface Schedules {
  /** Locks these rows in the order of their ids, waiting for whoever has them, and runs the transition on each id. */
  readonly modify: (tx: Session, ids: ReadonlyArray<string>, transition: Transition) => Done<ReadonlyArray<Applied>>
  /** Runs the transition on rows that are locked already. */
  readonly decide: (tx: Session, rows: ReadonlyArray<Row>, transition: Transition) => Done<ReadonlyArray<Applied>>
  /** Runs the transition on the schedules that wait for one of these runs, which have ended. */
  readonly settle: (
    tx: Session,
    ended: ReadonlyArray<Settling>,
    transition: Transition,
    onLocked?: OnLocked
  ) => Done<ReadonlyArray<Applied>>
  /** Locks the rows of these ids that exist, in the order of the ids: before runs of theirs are locked or deleted. */
  readonly lock: (tx: Session, ids: ReadonlyArray<string>) => Done<void>
  /** Locks those of them that nobody has; the ids of those that somebody has. */
  readonly lockFree: (tx: Session, ids: ReadonlyArray<string>) => Done<ReadonlySet<string>>
  /** Runs the transition on those of these rows that nobody has locked. */
  readonly modifyFree: (tx: Session, ids: ReadonlyArray<string>, transition: Transition) => Done<ReadonlyArray<Applied>>
}

/** The columns of a row that is locked, and its place. */
export const lockedColumns = `${scheduleColumns.join(", ")}, ctid::text`

/** The columns that an advance changes. */
export const advanced = [
  "revision",
  "watermark",
  "next_at",
  "fired",
  "skipped",
  "missed",
  "dropped",
  "paused",
  "updated_at"
]

export const makeSchedules = (t: Tables, ending: Ending): Schedules => {
  const group = "r.schedule_id = i.id and r.generation = i.generation and r.cause = i.cause"
  const owner = ["id", "generation", "cause"] as const
  const texts = {
    lock: `select id from ${t.schedules} where id = any($1::text[]) order by id for update`,
    lockFree: `with free as materialized (select id from ${t.schedules} where id = any($1::text[]) for update skip locked)
select s.id from ${t.schedules} s where s.id = any($1::text[]) and s.id <> all(array(select id from free))`,
    lockAndReadFree: `select ${lockedColumns} from ${t.schedules} where id = any($1::text[]) order by id for update skip locked`,
    lockAndRead: `select ${lockedColumns} from ${t.schedules} where id = any($1::text[]) order by id for update`,
    /** Only those that have unfinished runs. */
    counts: `select i.id, c.unfinished, c.deferred from ${rowsOf(owner)}
cross join lateral (select count(*) as unfinished, count(*) filter (where r.waits_for = 'overlap') as deferred
  from ${t.runs} r where ${group}) c
where c.unfinished > 0`,
    /** Of runs that hold up others, those that nobody is just ending: they cannot end before this transaction does. */
    hold: `select distinct i.id from ${rowsOf(owner)}
cross join lateral (select r.id from ${t.runs} r where ${group} and r.waits_for is distinct from 'overlap'
  for share skip locked) held`,
    /** How many runs of each nobody has locked, which are held from now on. */
    holdAll: `select i.id, count(*) from ${rowsOf(owner)}
cross join lateral (select r.id from ${t.runs} r where ${group} order by r.id for update skip locked) held group by i.id`,
    isWaiting: `select s.id from ${rowsOf(["id", "generation"])}
join ${t.schedules} s on s.id = i.id and s.generation = i.generation and s.state = 'waiting'`,
    /** By compare-and-set, though the rows are locked: what is not as it was read must never be overwritten. */
    advance: `with advanced as (
  update ${t.schedules} s set ${advanced.map((column) => `${column} = i.${column}`).join(", ")}
  from ${rowsOf(["place", ...advanced])}
  where s.ctid = i.place and s.revision = i.revision - 1 returning s.id
), runs as (
  insert into ${t.runs} (${list(runColumns)}) select * from ${rowsOf(runColumns, advanced.length + 2)}
), ranges as (
  insert into ${t.history} (${list(rangeColumns)})
  select * from ${rowsOf(rangeColumns, advanced.length + 2 + runColumns.length)}
) select count(*) from advanced`,
    replace: `update ${t.schedules} s set ${scheduleColumns
      .slice(1)
      .map((column) => `${column} = i.${column}`)
      .join(", ")}
from ${rowsOf(scheduleColumns)} where s.id = i.id and s.revision = i.revision - 1 returning s.id`,
    insert: `insert into ${t.schedules} (${list(scheduleColumns)}) select * from ${rowsOf(scheduleColumns)}
on conflict (id) do nothing returning id`,
    delete: `delete from ${t.schedules} where id = any($1::text[])`
  }

  const lock = (tx: Session, ids: ReadonlyArray<string>): Done<void> =>
    ids.length === 0 ? Effect.void : Effect.asVoid(tx.query(texts.lock, [[...new Set(ids)].toSorted()]))

  const readViews = Effect.fnUntraced(function* (
    tx: Session,
    rows: ReadonlyArray<Row>
  ): Effect.fn.Return<ReadonlyArray<Subject>, SqlError> {
    if (rows.length === 0) return []
    const schedules = rows.map(decodeSchedule)
    // A statement of its own, after the locks: it sees what was committed while they were waited for.
    const owners = schedules.map((row) => [row.id, row.generation, row.cause])
    const counts = new Map((yield* tx.query(texts.counts, columnsOf(owners, 3))).map((row) => [row[0], row]))
    return schedules.map((schedule, index) => {
      const found = counts.get(schedule.id)
      const unfinished = (found?.[1] ?? 0) as number
      const deferred = (found?.[2] ?? 0) as number
      const place = rows[index]![scheduleColumns.length] as string
      return { id: schedule.id, view: { schedule, active: unfinished - deferred, deferred }, place }
    })
  })

  /** Of decisions whose runs somebody has locked either each is left for a later call, or all are taken again. */
  const carryOut = Effect.fnUntraced(function* (
    tx: Session,
    subjects: ReadonlyArray<Subject>,
    transition: Transition,
    locked: "leave" | OnLocked
  ): Effect.fn.Return<ReadonlyArray<Applied>, SqlError> {
    let decided: ReadonlyArray<Decided> = subjects.flatMap((subject) => {
      const change = transition(subject.id, subject.view, tx.now)
      return change === undefined ? [] : [[subject, change] as const]
    })
    const missing = yield* unheld(tx, decided, locked)
    if (missing.size > 0) {
      // One transaction that is left open must not stop all that is fired beside it.
      if (locked !== "leave") return yield* locked(missing)
      decided = decided.filter(([{ id }]) => !missing.has(id))
    }
    if (decided.length === 0) return []
    tx.signal |= Signal.schedules
    if (decided.some(([, change]) => change.runs.length > 0)) tx.signal |= Signal.runs
    const applied: Array<Applied> = []
    const writes = new Writes()
    const cancelled: Array<RunRecord> = []
    for (const [{ id, place, view }, change] of decided) {
      const before = view?.schedule
      const asked =
        before === undefined || !(change.replaceDeferred || change.cancelActive)
          ? undefined
          : yield* ending.replace(tx, before, change)
      if (asked !== undefined) cancelled.push(...asked.left)
      const isAlone = asked !== undefined && asked.left.length + asked.cancelRequested.length === 0
      // The runs that were to make room have ended by now: what was to wait for them would wait for ever.
      if (change.cancelActive && isAlone && view!.active > 0 && change.runs.some(isDeferred)) {
        return yield* overtaken("the runs that were to be cancelled have ended")
      }
      const after = writes.add(before, { id, place }, change)
      applied.push({
        id,
        before,
        after,
        change,
        replaced: asked?.replaced ?? [],
        cancelled: asked?.cancelled ?? [],
        cancelRequested: asked?.cancelRequested ?? []
      })
    }
    yield* flush(tx, writes)
    // After the insertion: a run that takes the place of those cancelled may be the one to go on.
    yield* ending.promote(tx, cancelled)
    return applied
  })

  /**
   * The schedules whose decisions rely on runs that somebody has locked. Where a decision lets something wait for runs that
   * it has seen, one of them must still be there when it is stored: else nobody would ever let it go on. What is to be left
   * where it cannot be had at once includes the runs that a decision ends or cancels.
   */
  const unheld = Effect.fnUntraced(function* (
    tx: Session,
    decided: ReadonlyArray<Decided>,
    locked: "leave" | OnLocked
  ): Effect.fn.Return<ReadonlySet<string>, SqlError> {
    const ownersOf = (of: (decision: Decided) => boolean) =>
      decided.filter(of).map(([{ view }]) => {
        const { cause, generation, id } = view!.schedule
        return [id, generation, cause]
      })
    const relying = ownersOf(
      ([{ view }, change]) =>
        view !== undefined &&
        view.active > 0 &&
        !change.cancelActive &&
        (waitsForRuns(change) || change.runs.some(isDeferred))
    )
    const ending =
      locked === "leave"
        ? ownersOf(([{ view }, change]) => view !== undefined && (change.cancelActive || change.replaceDeferred))
        : []
    const missing = new Set([...relying, ...ending].map(([id]) => id!))
    if (relying.length > 0)
      for (const [id] of yield* tx.query(texts.hold, columnsOf(relying, 3))) missing.delete(id as string)
    if (ending.length > 0) {
      const seen = new Map(decided.map(([{ id, view }]) => [id, view === undefined ? 0 : view.active + view.deferred]))
      for (const [id] of ending) if (seen.get(id!) === 0) missing.delete(id!)
      for (const [id, count] of yield* tx.query(texts.holdAll, columnsOf(ending, 3))) {
        if (count === seen.get(id as string)) missing.delete(id as string)
      }
    }
    return missing
  })

  const flush = Effect.fnUntraced(function* (tx: Session, writes: Writes): Effect.fn.Return<void, SqlError> {
    const { advances, deleted, inserted, ranges, replaced, runs } = writes
    if (deleted.length > 0) yield* tx.query(texts.delete, [deleted])
    if (replaced.length > 0) {
      const rows = yield* tx.query(texts.replace, columnsOf(replaced, scheduleColumns.length))
      if (rows.length < replaced.length) return yield* overtaken("a schedule was changed meanwhile")
    }
    if (inserted.length > 0) {
      const rows = yield* tx.query(texts.insert, columnsOf(inserted, scheduleColumns.length))
      if (rows.length < inserted.length) return yield* overtaken("a schedule was inserted meanwhile")
    }
    if (advances.length + runs.length + ranges.length === 0) return
    const [row] = yield* tx.query(texts.advance, [
      ...columnsOf(advances, advanced.length + 1),
      ...columnsOf(runs, runColumns.length),
      ...columnsOf(ranges, rangeColumns.length)
    ])
    if (row![0] !== advances.length) return yield* overtaken("a schedule was changed meanwhile")
  })

  const decide: Schedules["decide"] = (tx, rows, transition) =>
    Effect.flatMap(readViews(tx, rows), (subjects) => carryOut(tx, subjects, transition, "leave"))

  const modifyOr = Effect.fnUntraced(function* (
    tx: Session,
    ids: ReadonlyArray<string>,
    transition: Transition,
    onLocked: OnLocked
  ): Effect.fn.Return<ReadonlyArray<Applied>, SqlError> {
    const distinct = [...new Set(ids)]
    const rows = yield* tx.query(texts.lockAndRead, [distinct.toSorted()])
    const found = new Map((yield* readViews(tx, rows)).map((subject) => [subject.id, subject]))
    const subjects = distinct.map((id) => found.get(id) ?? { id, view: undefined, place: undefined })
    return yield* carryOut(tx, subjects, transition, onLocked)
  })

  const modify: Schedules["modify"] = (tx, ids, transition) => modifyOr(tx, ids, transition, beginAgain)

  const settle: Schedules["settle"] = Effect.fnUntraced(function* (tx, ended, transition, onLocked = beginAgain) {
    const waited = ended.flatMap((run) =>
      run.settles && run.scheduleId !== null ? [[run.scheduleId, run.generation]] : []
    )
    if (waited.length === 0) return []
    const rows = yield* tx.query(texts.isWaiting, columnsOf(waited, 2))
    if (rows.length === 0) return []
    return yield* modifyOr(
      tx,
      rows.map((row) => row[0] as string),
      transition,
      onLocked
    )
  })

  return {
    modify,
    modifyFree: (tx, ids, transition) =>
      Effect.flatMap(tx.query(texts.lockAndReadFree, [ids]), (rows) => decide(tx, rows, transition)),
    decide,
    settle,
    lock,
    lockFree: (tx, ids) =>
      ids.length === 0
        ? Effect.succeed(new Set())
        : Effect.map(tx.query(texts.lockFree, [ids]), (rows) => new Set(rows.map((row) => row[0] as string)))
  }
}

const beginAgain: OnLocked = () => overtaken("a run that a decision relies on is just ending")

const isDeferred = (run: RunRecord): boolean => run.waitsFor === "overlap"

/** Whether the schedule shall wait for runs that exist, none of which is made by the change itself. */
const waitsForRuns = (change: ScheduleChange): boolean =>
  change.schedule?.state === "waiting" && change.runs.length === 0

/** Gathers the writes of several changes, so that each statement is sent once for all of them. */
class Writes {
  readonly runs: Array<ReadonlyArray<Value>> = []
  readonly ranges: Array<ReadonlyArray<Value>> = []
  readonly inserted: Array<ReadonlyArray<Value>> = []
  readonly advances: Array<ReadonlyArray<Value>> = []
  readonly replaced: Array<ReadonlyArray<Value>> = []
  readonly deleted: Array<string> = []

  /** Takes what a change inserts and the row as it shall be; the row as it will be stored. */
  add(
    before: ScheduleRecord | undefined,
    { id, place }: Pick<Subject, "id" | "place">,
    change: ScheduleChange
  ): ScheduleRecord | undefined {
    for (const run of change.runs) this.runs.push(encodeRun(run))
    for (const range of change.ranges) this.ranges.push(encodeRange(range))
    if (change.schedule === null) {
      if (before !== undefined) this.deleted.push(id)
      return undefined
    }
    const after: ScheduleRecord = { ...change.schedule, revision: before === undefined ? 0 : before.revision + 1 }
    if (before === undefined) this.inserted.push(encodeSchedule(after))
    else if (isAdvance(before, after)) this.advances.push([place!, ...encodeAdvance(after)])
    else this.replaced.push(encodeSchedule(after))
    return after
  }
}
