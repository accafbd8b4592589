import type { RunRecord } from "effect-scheduler/JobRun"
import type { ClaimableJob } from "effect-scheduler/JobStore"
import { type Limited, Room } from "../../limits.ts"
import type { Answer, Params } from "../../port.ts"
import type { Row, Value } from "../../values.ts"
import { type Program, query } from "../program.ts"
import type { Placed } from "./ending.ts"
import { Lane } from "./lane.ts"
import { knownGroups } from "./schedules.ts"
import type { Transaction } from "./transaction.ts"

const priorities = [0, 1, 2, 3] as const

function* readRoom(tx: Transaction, { jobs, queues }: Limited): Program<Room> {
  const isLimited = jobs.some((job) => job.concurrency !== undefined || queues[job.queue] !== undefined)
  return new Room(queues, isLimited ? yield* query(tx.sql.running) : undefined)
}

const namesOf = (jobs: ReadonlyArray<ClaimableJob>): ReadonlyArray<Value> => [
  JSON.stringify(jobs.map((job) => job.name))
]

/** Whether there is anything to claim: asked before a transaction that writes is opened. */
export function* isClaimable(tx: Transaction, params: Params<"claim">): Program<boolean> {
  if (params.limit <= 0) return false
  const heads = yield* query(tx.sql.heads, namesOf(params.jobs))
  return heads.some((row) => isDue(row, params.now))
}

/** Whether a row of `heads` has a run that is due. */
const isDue = (row: Row, now: number): boolean => row[2] !== null && (row[2] as number) <= now

const isBefore = ({ run: a }: Placed, { run: b }: Placed): boolean =>
  a.runAt < b.runAt || (a.runAt === b.runAt && a.id < b.id)

/**
 * Walks the due runs of all jobs below their limits in the order of priority, `runAt`, id. Each is claimed, or deferred
 * where its key is taken; a job or a queue is left at the moment it reaches its limit.
 */
export function* claim(tx: Transaction, params: Params<"claim">): Program<Answer<"claim">> {
  const { limit, node, now } = params
  const claimed: Array<RunRecord> = []
  if (limit <= 0) return { runs: claimed, now }
  // What was waited for may have ended meanwhile: a run starts after the one that it made room for.
  const startedAt = now + tx.waited
  const room = yield* readRoom(tx, params)
  const jobs = new Map(params.jobs.filter((job) => room.of(job) > 0).map((job) => [job.name, job]))
  const heads = (yield* query(tx.sql.heads, namesOf([...jobs.values()]))).filter((row) => isDue(row, now))
  const takenKeys = new Set<string>()
  const deferred: Array<Value> = []
  const started = new Map<string, Array<Value>>()

  for (const priority of priorities) {
    let lanes: ReadonlyArray<Lane> = heads
      .filter((row) => row[1] === priority)
      .map((row) => new Lane(jobs.get(row[0] as string)!, priority, { node, now, startedAt }))
    while (claimed.length < limit) {
      const size = lanes.length === 1 ? limit - claimed.length : Math.ceil((2 * limit) / lanes.length) + 8
      let lane: Lane | undefined
      let next: Placed | undefined
      let isAnyDone = false
      for (const candidate of lanes) {
        const isOpen = room.of(candidate.job) > 0
        if (isOpen && candidate.mustRead) yield* candidate.read(tx, size)
        const first = isOpen ? candidate.first : undefined
        if (first === undefined) isAnyDone = true
        else if (next === undefined || isBefore(first, next)) [lane, next] = [candidate, first]
      }
      if (lane === undefined || next === undefined) break
      // Neither fills again in this claim.
      if (isAnyDone) lanes = lanes.filter(({ first, job }) => first !== undefined && room.of(job) > 0)
      lane.drop()
      const { place, run } = next
      if (run.key !== null) {
        const name = `${run.job}\u0000${run.key}`
        if (takenKeys.has(name) || (yield* query(tx.sql.isKeyTaken, [run.job, run.key])).length > 0) {
          deferred.push(place)
          lane.defer()
          continue
        }
        takenKeys.add(name)
      }
      const { queue } = lane.job
      room.add(run.job, queue, 1)
      const places = started.get(queue)
      if (places === undefined) started.set(queue, [place])
      else places.push(place)
      claimed.push(run)
    }
  }

  if (deferred.length > 0) yield* query(tx.sql.deferForKey, [JSON.stringify(deferred)])
  for (const [queue, places] of started) yield* query(tx.sql.start, [queue, node, startedAt, JSON.stringify(places)])
  return { runs: claimed, now }
}

export function* wake(tx: Transaction, params: Params<"wake">): Program<Answer<"wake">> {
  const groups = yield* knownGroups(tx.sql.dueGroup, params)
  const room = yield* readRoom(tx, params)
  const open = params.jobs.filter((job) => room.of(job) > 0)
  const heads = open.length === 0 ? [] : yield* query(tx.sql.freeHeads, namesOf(open))
  return {
    schedules: earliest(groups.map((group) => group.nextAt)),
    runs: earliest(heads.flatMap((row) => (row[2] === null ? [] : [row[2] as number]))),
    now: params.now
  }
}

const earliest = (instants: ReadonlyArray<number>): number | undefined =>
  instants.length === 0 ? undefined : instants.reduce((a, b) => Math.min(a, b))
