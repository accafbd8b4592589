import type { RunRecord } from "effect-scheduler/JobRun"
import type { NodeRecord } from "effect-scheduler/JobStore"
import type { Answer, Params } from "../../port.ts"
import { decodeNode } from "../../rows.ts"
import { notLaterThanCancel } from "../../runs.ts"
import { type Program, each, query } from "../program.ts"
import { settle } from "./change.ts"
import { type Placed, archive, decodePlaced, promote, releaseKeys } from "./ending.ts"
import type { Transaction } from "./transaction.ts"

/** Inserts a node's row, or renews it when it is sent again. A dead one stays dead. */
export function* register(tx: Transaction, params: Params<"register">): Program<void> {
  const { jobs, lease, node, now, triggers, version } = params
  const names = [JSON.stringify(jobs), JSON.stringify(triggers)]
  yield* query(tx.sql.register, [node, now, now + lease, version, ...names])
}

/** Renews a lease, unless a reaper has marked the row or removed it. */
export function* heartbeat(tx: Transaction, params: Params<"heartbeat">): Program<Answer<"heartbeat">> {
  const { jobs, lease, node, now, triggers } = params
  const names = [JSON.stringify(jobs), JSON.stringify(triggers)]
  const renewed = yield* query(tx.sql.renew, [now + lease, ...names, node])
  if (renewed.length === 0) return { fenced: true, cancel: [] }
  const cancel = yield* query(tx.sql.toCancel, [node])
  return { fenced: false, cancel: cancel.map((row) => row[0] as string) }
}

export function* leave(tx: Transaction, params: Params<"leave">): Program<void> {
  yield* query(tx.sql.leave, [params.node])
}

export function* nodes(tx: Transaction): Program<ReadonlyArray<NodeRecord>> {
  const rows = yield* query(tx.sql.nodes)
  return rows.map(decodeNode)
}

/** Marks nodes whose lease has passed, and takes back what dead and vanished nodes ran. */
export function* reap(tx: Transaction, params: Params<"reap">): Program<Answer<"reap">> {
  const { limit, node, now, recovery, transition } = params
  const marked = yield* query(tx.sql.markDead, [now, now, node])
  const orphans = yield* orphaned(tx)
  const recovered: Array<RunRecord> = []
  const ended: Array<Placed> = []
  for (const orphan of orphans.slice(0, limit)) {
    const { run } = orphan
    const due = recovery(run, now)
    if (due === undefined) {
      ended.push(orphan)
    } else {
      const runAt = notLaterThanCancel(run, due, now)
      recovered.push({ ...run, state: "pending", node: null, recoveries: run.recoveries + 1, runAt })
    }
  }
  const lost = yield* archive(tx, ended, now, "lost")
  const gone = ended.map(({ run }) => run)
  yield* each(
    tx.sql.recover,
    recovered.map((run) => [run.runAt, run.id])
  )
  yield* promote(tx, gone)
  yield* releaseKeys(tx, recovered)
  const applied = yield* settle(tx, gone, now, transition)
  const [next] = yield* query(tx.sql.nextLease)
  return {
    dead: marked.map((row) => row[0] as string).toSorted(),
    recovered,
    lost,
    applied,
    full: orphans.length > limit,
    nextLease: (next?.[0] as number | null | undefined) ?? undefined,
    now
  }
}

/** Runs whose node is dead or has no row, by id. Nodes are few, and each is found by one look-up. */
function* orphaned(tx: Transaction): Program<ReadonlyArray<Placed>> {
  const orphans: Array<Placed> = []
  let node = ""
  for (;;) {
    const [row] = yield* query(tx.sql.busyNode, [node])
    if (row === undefined) return orphans.toSorted((a, b) => (a.run.id < b.run.id ? -1 : 1))
    node = row[0] as string
    if (row[1] === 0) orphans.push(...(yield* query(tx.sql.held, [node])).map(decodePlaced))
  }
}
