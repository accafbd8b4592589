import { Signal } from "../../JobStore.ts"
import { transact } from "./change.ts"
import type { Answer, Params } from "./params.ts"
import type { RunEntry } from "./runs.ts"
import { firstById, mayDecide } from "./schedules.ts"
import type { State } from "./state.ts"

/** Forgets what is past its retention, promotes what was left behind, and has schedules decided that nobody would. */
export const maintain = (state: State, params: Params<"maintain">): Answer<"maintain"> => {
  const { limit, now, retention, transition } = params
  const deleted = [
    state.history.expire("succeeded", now - retention.succeeded, limit),
    state.history.expire("others", now - retention.others, limit),
    expireExhausted(state, now - retention.exhausted, limit),
    state.uniques.expire(now - retention.keys, limit, (run) => state.runs.get(run) !== undefined)
  ]
  forgetNodes(state, now - retention.others)
  const promoted = [
    promoteFirst(state, state.runs.freeOfKeys(), limit),
    promoteFirst(state, state.runs.freeOfOverlap(), limit)
  ]
  const waiting = [...state.schedules.waiting].filter(({ row }) => {
    const group = state.runs.group(row.id, row.generation, row.cause)
    return mayDecide(row, params) && (group === undefined || group.size === 0)
  })
  const undecided = [firstById(waiting, limit), state.schedules.ofOtherZoneData(params.zoneData, limit, params)]
  const ids = undecided.flatMap((entries) => entries.map((entry) => entry.row.id)).toSorted()
  const applied = transact(state, ids, now, transition)
  const full = [...deleted, ...promoted, ...undecided.map((entries) => entries.length)].some((count) => count >= limit)
  return { deleted: total(deleted), promoted: total(promoted), applied, full }
}

const total = (counts: ReadonlyArray<number>): number => counts.reduce((sum, count) => sum + count, 0)

const expireExhausted = (state: State, until: number, limit: number): number => {
  const { exhausted } = state.schedules
  let deleted = 0
  for (let top = exhausted.peek(); top !== undefined && deleted < limit; top = exhausted.peek()) {
    if (top.row.updatedAt >= until) break
    state.schedules.delete(top)
    state.signal |= Signal.schedules
    deleted++
  }
  return deleted
}

const forgetNodes = (state: State, until: number): void => {
  for (const { deadAt, id } of state.nodes.values()) {
    if (deadAt !== null && deadAt < until) state.nodes.delete(id)
  }
}

/** Makes the first of each queue pending, at most `limit` of them, by id. */
const promoteFirst = (state: State, heads: Iterable<RunEntry>, limit: number): number => {
  const entries = [...heads].toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1)).slice(0, limit)
  for (const entry of entries) state.runs.promote(entry)
  if (entries.length > 0) state.signal |= Signal.runs
  return entries.length
}
