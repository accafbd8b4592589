import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import type { ScheduleChange } from "effect-scheduler/JobStore"
import { encodeAdvance, isMove } from "../../advance.ts"
import { encodeRange, encodeRun, encodeSchedule, runColumns, scheduleColumns } from "../../rows.ts"
import type { Value } from "../../values.ts"
import { type Program, Rows, each, query } from "../program.ts"
import type { Subject } from "./change.ts"
import type { Transaction } from "./transaction.ts"

/** Schedules that go on in the same way: many that are due at one instant come to the same next time. */
interface Advance {
  /** How many runs each of them has fired; undefined where more was counted, and it is alone. */
  readonly fired: number | undefined
  readonly isMoved: boolean
  readonly rows: Array<ScheduleRecord>
  readonly places: Array<Value>
}

/** From so many on one statement for all of them is faster than one for each. */
const together = 4

/** Gathers the writes of several changes, so that one run of a statement writes as many rows as it can. */
export class Writes {
  private readonly tx: Transaction
  private readonly runs = new Rows(runColumns.length)
  private readonly inserted = new Rows(scheduleColumns.length)
  private ranges: Array<ReadonlyArray<Value>> = []
  private advances = new Map<string, Advance>()
  private newest: Advance | undefined
  private replaced: Array<ReadonlyArray<Value>> = []
  private deleted: Array<ReadonlyArray<Value>> = []

  constructor(tx: Transaction) {
    this.tx = tx
  }

  /** Takes what a change inserts and the row as it shall be; the row as it will be stored. */
  add({ id, place, view }: Subject, change: ScheduleChange): ScheduleRecord | undefined {
    const before = view?.schedule
    for (const run of change.runs) this.runs.add(encodeRun(run))
    for (const range of change.ranges) this.ranges.push(encodeRange(range))
    if (change.schedule === null) {
      if (before !== undefined) this.deleted.push([id])
      return undefined
    }
    const revision = before === undefined ? 0 : before.revision + 1
    const after = change.schedule.revision === revision ? change.schedule : { ...change.schedule, revision }
    if (before === undefined) this.inserted.add(encodeSchedule(after))
    else if (isMove(before, after)) this.advance(before, after, place)
    else this.replaced.push([...encodeSchedule(after).slice(1), id])
    return after
  }

  private advance(before: ScheduleRecord, after: ScheduleRecord, place: Value): void {
    const fired = firedAlone(before, after)
    const isMoved = before.state !== after.state
    let same = this.newest
    if (same === undefined || fired === undefined || !isSame(same, after, fired, isMoved)) {
      const { nextAt, state, updatedAt, watermark } = after
      const name =
        fired === undefined
          ? `${this.advances.size}`
          : `${watermark} ${nextAt} ${fired} ${updatedAt} ${isMoved ? state : ""}`
      same = this.advances.get(name)
      if (same === undefined) {
        same = { fired, isMoved, rows: [], places: [] }
        this.advances.set(name, same)
      }
      this.newest = same
    }
    same.rows.push(after)
    same.places.push(place)
  }

  *flush(): Program<void> {
    const { advances, deleted, inserted, ranges, replaced, runs } = this
    const { sql } = this.tx
    this.ranges = []
    this.advances = new Map()
    this.newest = undefined
    this.replaced = []
    this.deleted = []
    yield* each(sql.deleteSchedule, deleted)
    yield* this.writeAdvances(advances.values())
    yield* each(sql.replaceSchedule, replaced)
    yield* inserted.write(sql.insertSchedule, sql.insertSchedules)
    yield* runs.write(sql.insertRun, sql.insertRuns)
    yield* each(sql.insertRange, ranges)
  }

  private *writeAdvances(advances: Iterable<Advance>): Program<void> {
    const { sql } = this.tx
    const advanced: Array<ReadonlyArray<Value>> = []
    const moved: Array<ReadonlyArray<Value>> = []
    for (const { fired, isMoved, places, rows } of advances) {
      if (fired === undefined || places.length < together) {
        for (const [index, after] of rows.entries()) {
          if (isMoved) moved.push([...encodeAdvance(after), after.state, places[index]!])
          else advanced.push([...encodeAdvance(after), places[index]!])
        }
        continue
      }
      const { nextAt, state, updatedAt, watermark } = rows[0]!
      const values = [watermark, nextAt, fired, updatedAt]
      const list = JSON.stringify(places)
      if (isMoved) yield* query(sql.moveSchedules, [...values, state, list])
      else yield* query(sql.advanceSchedules, [...values, list])
    }
    yield* each(sql.advanceSchedule, advanced)
    yield* each(sql.moveSchedule, moved)
  }
}

const isSame = (
  { fired, isMoved, rows }: Advance,
  row: ScheduleRecord,
  itsFired: number,
  isItMoved: boolean
): boolean => {
  const first = rows[0]!
  return (
    fired === itsFired &&
    isMoved === isItMoved &&
    first.watermark === row.watermark &&
    first.nextAt === row.nextAt &&
    first.updatedAt === row.updatedAt &&
    first.state === row.state
  )
}

/** How many runs were fired, where nothing else was counted. */
const firedAlone = ({ counts: before }: ScheduleRecord, { counts: after }: ScheduleRecord): number | undefined =>
  before.skipped === after.skipped &&
  before.missed === after.missed &&
  before.dropped === after.dropped &&
  before.paused === after.paused
    ? after.fired - before.fired
    : undefined
