import { Signal } from "../../JobStore.ts"
import { settle } from "./change.ts"
import type { Answer, Params } from "./params.ts"
import { archive, promoteAfter, type State, unreported } from "./state.ts"

/** Inserts a node's row, or renews it when it is sent again. A dead one stays dead. */
export const register = (state: State, params: Params<"register">): void => {
  const { jobs, lease, node: id, now, triggers, version } = params
  const stored = state.nodes.get(id)
  if (stored !== undefined && stored.deadAt !== null) return
  const startedAt = stored?.startedAt ?? now
  state.nodes.set(id, { id, startedAt, leaseUntil: now + lease, deadAt: null, version, jobs, triggers })
}

/** Renews a lease, unless a reaper has marked the row or removed it. */
export const heartbeat = (state: State, params: Params<"heartbeat">): Answer<"heartbeat"> => {
  const { jobs, lease, now, triggers } = params
  const node = state.nodes.get(params.node)
  if (node === undefined || node.deadAt !== null) return { fenced: true, cancel: [] }
  state.nodes.set(node.id, { ...node, leaseUntil: now + lease, jobs, triggers })
  const cancel = state.runs.on(node.id).filter((entry) => entry.row.cancelAt !== null)
  return { fenced: false, cancel: cancel.map((entry) => entry.row.id) }
}

/** Inserts runs, once each. */
export const enqueue = (state: State, params: Params<"enqueue">): Answer<"enqueue"> => {
  const ids = params.runs.map(({ run, unique }) => {
    if (state.runs.get(run.id) !== undefined || state.history.get(run.id) !== undefined) return run.id
    const stored = unique === null ? undefined : state.uniques.get(run.job, unique)
    if (stored !== undefined) return stored
    const twin = state.runs.twin(run)
    if (twin !== undefined) return twin.row.id
    if (unique !== null) state.uniques.set(run.job, unique, run.id, params.now)
    state.runs.insert(run)
    state.signal |= Signal.runs
    return run.id
  })
  return { ids }
}

/** Ends a run that has not started, or asks the node that runs it. */
export const cancel = (state: State, params: Params<"cancel">): Answer<"cancel"> => {
  const entry = state.runs.get(params.id)
  if (entry === undefined) {
    const answer = state.history.get(params.id) === undefined ? "unknown" : "finished"
    return { answer, ended: undefined, node: undefined, applied: [] }
  }
  const { row } = entry
  if (row.state === "running") {
    if (row.cancelAt === null) state.runs.change(entry, { ...row, cancelAt: params.now })
    state.signal |= Signal.cancel
    return { answer: "requested", ended: undefined, node: row.node!, applied: [] }
  }
  const ended = archive(state, entry, params.now, unreported(row, "cancelled"))
  promoteAfter(state, entry)
  const applied = settle(state, [row], params.now, params.transition)
  return { answer: "cancelled", ended, node: undefined, applied }
}

/** Runs by id, in the order of the ids. */
export const getRuns = (state: State, params: Params<"getRuns">): Answer<"getRuns"> => ({
  unfinished: params.ids.flatMap((id) => state.runs.get(id)?.row ?? []),
  ended: params.ids.flatMap((id) => state.history.get(id) ?? [])
})
