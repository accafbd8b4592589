import { Effect } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import type { ClaimableJob } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import { Room } from "../limits.ts"
import type { Answer, Params } from "../port.ts"
import { decodeRun, runColumns } from "../rows.ts"
import type { Tables } from "../tables.ts"
import { list, rowsOf } from "./columns.ts"
import { type Session, overtaken } from "./database.ts"
import { columnsOf } from "./values.ts"

/** What the claim has found out before. */
interface Known {
  /** The jobs of which something is due. */
  readonly due: ReadonlyArray<ClaimableJob>
  /** Whether runs of the job were seen to have keys. */
  readonly isKeyed: (job: string) => boolean
  readonly noteKeyed: (job: string) => void
  /** The earliest `runAt` of interest. */
  readonly low: (job: string, priority: number) => number
  /** Whether limits that somebody has locked are waited for, or their jobs left for another claim. */
  readonly locked: "wait" | "leave"
}

export type ClaimInTurn = (
  tx: Session,
  params: Params<"claim">,
  known: Known
) => Effect.Effect<Answer<"claim">, SqlError>

export const priorities = [0, 1, 2, 3] as const

/** How many runs of taken keys one claim puts aside in each lane. What is left there is seen by the next one, so that a
 * hundred thousand of them neither hold up the others nor block the process. */
const maxDeferrals = 500

/** The due pending runs of one job and priority, in order, read in pieces. What was read is locked. */
interface Lane {
  readonly job: ClaimableJob
  readonly runs: Array<RunRecord>
  cursor: readonly [runAt: number, id: string]
  isRead: boolean
  deferrals: number
}

/** What becomes of a run that has a key: it may go, is put aside until the one that has the key ends, or is left where it is
 * because that one is ending at this moment. */
type KeyState = "free" | "taken" | "ending"

const nameOf = (job: string, key: string): string => `${job}\u0000${key}`

/**
 * Claims where jobs or queues are limited or runs have keys. The rows of all limits that have a part in it are locked first,
 * in the order of their names, so that nobody else starts such a run between the count and the claim, and no two wait for
 * each other. Ends of runs take none of these locks: they only make room.
 */
export const makeClaimInTurn = (t: Tables): ClaimInTurn => {
  const texts = {
    addLimits: `insert into ${t.limits} (name) select unnest($1::text[]) on conflict do nothing`,
    lockLimits: `select name from ${t.limits} where name = any($1::text[]) order by name for update`,
    lockFreeLimits: `select name from ${t.limits} where name = any($1::text[]) order by name for update skip locked`,
    running: `select job, queue, count(*) from ${t.runs}
where state = 'running' and (job = any($1::text[]) or queue = any($2::text[])) group by job, queue`,
    lanes: `select ${list(runColumns, "c")} from
  unnest($1::text[], $2::bigint[], $3::text[], $4::int[]) as i(job, run_at, id, size)
cross join lateral (select * from ${t.runs} r where r.state = 'pending' and r.job = i.job and r.priority = $5::smallint
  and (r.run_at, r.id) > (i.run_at, i.id) and r.run_at <= $6::bigint
  order by r.run_at, r.id limit i.size for update skip locked) c`,
    /** The runs that have these keys, unless somebody is just ending them: none of those can end before we have committed,
     * and whoever ends it then sees who was made to wait for it. */
    holdKeys: `select i.job, i.key from ${rowsOf(["job", "key"])}
cross join lateral (select r.id from ${t.runs} r where r.state = 'running' and r.key is not null
  and r.job = i.job and r.key = i.key for share skip locked) held`,
    takenKeys: `select i.job, i.key from ${rowsOf(["job", "key"])}
where exists (select 1 from ${t.runs} r where r.state = 'running' and r.key is not null
  and r.job = i.job and r.key = i.key)`,
    defer: `update ${t.runs} set state = 'deferred', waits_for = 'key' where id = any($1::text[])`,
    start: `update ${t.runs} r set state = 'running', queue = ($2::text[])[array_position($1::text[], r.id)], node = $3,
  started_at = $4::bigint, attempt = attempt + 1 where r.id = any($1::text[])`
  }

  /** Locks rows by name, which are made where there are none; the names of those that are locked now. */
  const lockNames = Effect.fnUntraced(function* (
    tx: Session,
    names: ReadonlyArray<string>,
    text: string
  ): Effect.fn.Return<ReadonlySet<unknown>, SqlError> {
    if (names.length === 0) return new Set()
    const locked = yield* tx.query(text, [names])
    if (locked.length === names.length) return new Set(names)
    yield* tx.query(texts.addLimits, [names])
    return new Set((yield* tx.query(text, [names])).map(([name]) => name))
  })

  /** Those of the due jobs whose limits are locked now, and how many of each may start. */
  const lockLimits = Effect.fnUntraced(function* (
    tx: Session,
    { jobs, queues }: Params<"claim">,
    known: Known
  ): Effect.fn.Return<{ readonly due: ReadonlyArray<ClaimableJob>; readonly room: Room }, SqlError> {
    const limitsOf = ({ concurrency, name, queue }: ClaimableJob) => [
      ...(concurrency === undefined ? [] : [`job ${name}`]),
      ...(queues[queue] === undefined ? [] : [`queue ${queue}`]),
      ...(known.isKeyed(name) ? [`key ${name}`] : [])
    ]
    const names = [...new Set(known.due.flatMap(limitsOf))].toSorted()
    const locked = yield* lockNames(tx, names, known.locked === "wait" ? texts.lockLimits : texts.lockFreeLimits)
    const due = known.due.filter((job) => limitsOf(job).every((name) => locked.has(name)))
    const limitedJobs = due.filter((job) => job.concurrency !== undefined).map((job) => job.name)
    const limitedQueues = [...new Set(due.map((job) => job.queue))].filter((name) => queues[name] !== undefined)
    if (limitedJobs.length + limitedQueues.length === 0) return { due, room: new Room(queues, undefined) }
    // What other jobs of the queue run counts too, and all queues that the job ran in.
    const ofQueues = jobs.filter((job) => limitedQueues.includes(job.queue)).map((job) => job.name)
    const rows = yield* tx.query(texts.running, [[...limitedJobs, ...ofQueues], limitedQueues])
    return { due, room: new Room(queues, rows) }
  })

  const read = Effect.fnUntraced(function* (
    tx: Session,
    lanes: ReadonlyArray<Lane>,
    priority: number,
    sizes: ReadonlyArray<number>,
    now: number
  ): Effect.fn.Return<void, SqlError> {
    const rows = yield* tx.query(texts.lanes, [
      ...columnsOf(
        lanes.map((lane, index) => [lane.job.name, ...lane.cursor, sizes[index]!]),
        4
      ),
      priority,
      now
    ])
    const byJob = Map.groupBy(rows.map(decodeRun), (run) => run.job)
    for (const [index, lane] of lanes.entries()) {
      const found = (byJob.get(lane.job.name) ?? []).toSorted(earlier)
      lane.runs.push(...found)
      lane.isRead = found.length < sizes[index]!
      const last = found.at(-1)
      if (last !== undefined) lane.cursor = [last.runAt, last.id]
    }
  })

  /** Finds out about the keys of runs that nobody has asked about yet. */
  const learnKeys = Effect.fnUntraced(function* (
    tx: Session,
    runs: ReadonlyArray<RunRecord>,
    keys: Map<string, KeyState>
  ): Effect.fn.Return<void, SqlError> {
    const unknown = new Map<string, readonly [string, string]>()
    for (const { job, key } of runs) {
      if (key !== null && !keys.has(nameOf(job, key))) unknown.set(nameOf(job, key), [job, key])
    }
    if (unknown.size === 0) return
    const asked = columnsOf([...unknown.values()], 2)
    const held = new Set(
      (yield* tx.query(texts.holdKeys, asked)).map((row) => nameOf(row[0] as string, row[1] as string))
    )
    const taken = new Set(
      (yield* tx.query(texts.takenKeys, asked)).map((row) => nameOf(row[0] as string, row[1] as string))
    )
    for (const name of unknown.keys()) keys.set(name, held.has(name) ? "taken" : taken.has(name) ? "ending" : "free")
  })

  return Effect.fnUntraced(function* (tx, params, known) {
    const { limit, node } = params
    const { due, room } = yield* lockLimits(tx, params, known)
    const now = yield* tx.time
    const keys = new Map<string, KeyState>()
    const claimed: Array<RunRecord> = []
    const deferred: Array<string> = []

    for (const priority of priorities) {
      let lanes = due.map((job): Lane => ({
        job,
        runs: [],
        cursor: [known.low(job.name, priority), ""],
        isRead: false,
        deferrals: 0
      }))
      while (claimed.length < limit) {
        lanes = lanes.filter(
          (lane) => room.of(lane.job) > 0 && lane.deferrals < maxDeferrals && !(lane.isRead && lane.runs.length === 0)
        )
        const empty = lanes.filter((lane) => lane.runs.length === 0)
        if (empty.length > 0) {
          const share = Math.ceil((limit - claimed.length) / lanes.length) + (lanes.length === 1 ? 0 : 8)
          const sizes = empty.map(({ job }) => (known.isKeyed(job.name) ? share + 8 : Math.min(share, room.of(job))))
          yield* read(tx, empty, priority, sizes, now)
          const found = empty.flatMap((lane) => lane.runs)
          const unexpected = found.find((run) => run.key !== null && !known.isKeyed(run.job))
          if (unexpected !== undefined) {
            known.noteKeyed(unexpected.job)
            return yield* overtaken(`runs of job ${unexpected.job} have keys`)
          }
          yield* learnKeys(tx, found, keys)
          continue
        }
        const lane = lanes.reduce<Lane | undefined>(
          (first, each) => (first === undefined || earlier(each.runs[0]!, first.runs[0]!) < 0 ? each : first),
          undefined
        )
        if (lane === undefined) break
        const run = lane.runs.shift()!
        if (run.key !== null) {
          const name = nameOf(run.job, run.key)
          const state = keys.get(name)
          if (state === "taken") {
            deferred.push(run.id)
            lane.deferrals++
          }
          if (state !== "free") continue
          keys.set(name, "taken")
        }
        const { queue } = lane.job
        room.add(run.job, queue, 1)
        claimed.push({ ...run, state: "running", queue, attempt: run.attempt + 1, node })
      }
    }

    if (deferred.length > 0) yield* tx.query(texts.defer, [deferred])
    if (claimed.length === 0) return { runs: [], now }
    // What made room for one of them, or had its key, may have ended while these were read.
    const startedAt = yield* tx.time
    const started = columnsOf(
      claimed.map((run) => [run.id, run.queue]),
      2
    )
    yield* tx.query(texts.start, [...started, node, startedAt])
    return { runs: claimed.map((run) => ({ ...run, startedAt })), now: startedAt }
  })
}

const earlier = (a: RunRecord, b: RunRecord): number => a.runAt - b.runAt || (a.id < b.id ? -1 : 1)
