import { Signal } from "effect-scheduler/JobStore"
import { type Knowledge, isKnown } from "../../knowledge.ts"
import type { Answer, Params } from "../../port.ts"
import type { Row, Value } from "../../values.ts"
import { type Program, each, query } from "../program.ts"
import { readSubjects, transact } from "./change.ts"
import { knownGroups } from "./schedules.ts"
import type { Transaction } from "./transaction.ts"

/** Forgets what is past its retention, promotes what was left behind, and has schedules decided that nobody would. */
export function* maintain(tx: Transaction, params: Params<"maintain">): Program<Answer<"maintain">> {
  const { limit, now, retention, transition } = params
  const exhausted = yield* query(tx.sql.expireExhausted, [before(now, retention.exhausted), limit])
  const deleted = [
    (yield* query(tx.sql.expireHistory, [0, before(now, retention.succeeded), limit])).length,
    (yield* query(tx.sql.expireHistory, [1, before(now, retention.others), limit])).length,
    exhausted.length,
    (yield* query(tx.sql.expireKeys, [before(now, retention.keys), limit])).length
  ]
  yield* query(tx.sql.forgetNodes, [before(now, retention.others)])
  const keys = yield* query(tx.sql.keysLeft, [limit])
  yield* each(tx.sql.promoteRun, keys)
  const overlaps = yield* query(tx.sql.overlapsLeft, [limit])
  yield* each(tx.sql.promoteRun, overlaps)
  if (keys.length + overlaps.length > 0) tx.signal |= Signal.runs
  if (exhausted.length > 0) tx.signal |= Signal.schedules
  const undecided = [yield* idle(tx, params), yield* ofOtherZoneData(tx, params)]
  const ids = undecided.flat().toSorted()
  const applied = yield* transact(tx, yield* readSubjects(tx, ids), now, transition)
  const counts = [...deleted, keys.length, overlaps.length, ...undecided.map((found) => found.length)]
  return {
    deleted: deleted.reduce((sum, count) => sum + count, 0),
    promoted: keys.length + overlaps.length,
    applied,
    full: counts.some((count) => count >= limit)
  }
}

/** The instant before which rows are past a retention, which may be `Infinity`. */
const before = (now: number, retention: number): number => Math.max(now - retention, Number.MIN_SAFE_INTEGER)

const firstIds = (rows: ReadonlyArray<Row>, limit: number): ReadonlyArray<string> =>
  rows
    .map((row) => row[0] as string)
    .toSorted()
    .slice(0, limit)

/** Waiting schedules without unfinished runs. */
function* idle(tx: Transaction, params: Params<"maintain">): Program<ReadonlyArray<string>> {
  const groups = yield* knownGroups(tx.sql.waitingGroup, params)
  const rows = yield* each(
    tx.sql.idle,
    groups.map(({ needs, version }) => [version, needs, params.limit])
  )
  return firstIds(rows, params.limit)
}

/** Active schedules whose next time other zone data computed. */
function* ofOtherZoneData(
  tx: Transaction,
  params: Knowledge & Pick<Params<"maintain">, "zoneData" | "limit">
): Program<ReadonlyArray<string>> {
  const groups: Array<ReadonlyArray<Value>> = []
  let [zone, version, needs] = ["", -1, ""]
  for (;;) {
    const [row] = yield* query(tx.sql.zoneGroup, [zone, version, needs, zone, version, zone])
    if (row === undefined) break
    ;[zone, version, needs] = row as unknown as [string, number, string]
    if (zone === params.zoneData || version > params.version) {
      // Over the rest of this zone data at once.
      version = Number.MAX_SAFE_INTEGER
    } else if (isKnown({ version, needs }, params)) {
      groups.push([zone, version, needs, params.limit])
    }
  }
  return firstIds(yield* each(tx.sql.ofZone, groups), params.limit)
}
