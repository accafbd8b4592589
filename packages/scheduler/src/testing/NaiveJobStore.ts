/**
 * The specification of a job store as a program: plain lists, searched from one end to the other.
 *
 * It is far too slow for use. It exists to be read, to check that the suite itself is right, and to be what other stores
 * are compared with by random commands.
 *
 * @module
 * @since 0.1.0
 */
import { Effect, Layer } from "effect"
import type { Answer, Params } from "../internal/memory/params.ts"
import type { HistoryRecord, RunRecord } from "../JobRun.ts"
import type { ScheduleRecord } from "../JobSchedule.ts"
import { JobStore, type JobStoreService, makeListeners, type Page, Signal } from "../JobStore.ts"
import { decide } from "./internal/naive/decide.ts"
import {
  by,
  byId,
  emptyTables,
  ownRuns,
  nextOfKey,
  nextOfOverlap,
  promote,
  putRun,
  type Tables
} from "./internal/naive/tables.ts"
import { cancel, claim, earliestRun, finish, progress, reap } from "./internal/naive/work.ts"

const mayDecide = (row: ScheduleRecord, knows: { version: number; triggers: ReadonlyArray<string> }): boolean =>
  row.version <= knows.version &&
  (row.needs === "" || row.needs.split(",").every((name) => knows.triggers.includes(name)))

const register = (tables: Tables, { jobs, lease, node, now, triggers, version }: Params<"register">): void => {
  const stored = tables.nodes.find((row) => row.id === node)
  if (stored !== undefined && stored.deadAt !== null) return
  const startedAt = stored?.startedAt ?? now
  const row = { id: node, startedAt, leaseUntil: now + lease, deadAt: null, version, jobs, triggers }
  tables.nodes = [...tables.nodes.filter((each) => each.id !== node), row]
}

const heartbeat = (tables: Tables, { jobs, lease, node, now, triggers }: Params<"heartbeat">): Answer<"heartbeat"> => {
  const living = tables.nodes.find((row) => row.id === node && row.deadAt === null)
  if (living === undefined) return { fenced: true, cancel: [] }
  tables.nodes = tables.nodes.map((row) => (row === living ? { ...row, leaseUntil: now + lease, jobs, triggers } : row))
  const asked = tables.runs.filter((run) => run.node === node && run.cancelAt !== null)
  return { fenced: false, cancel: asked.map((run) => run.id).toSorted() }
}

const fire = (tables: Tables, params: Params<"fire">): Answer<"fire"> => {
  const due = tables.schedules
    .filter((row) => row.nextAt !== null && row.nextAt <= params.now && mayDecide(row, params))
    .toSorted(
      by(
        (row) => row.nextAt!,
        (row) => row.id
      )
    )
    .slice(0, params.limit)
  const ids = due.map((row) => row.id)
  const applied = decide(tables, ids, params.now, params.transition)
  tables.signal &= ~Signal.schedules
  return { applied, full: due.length === params.limit, now: params.now }
}

const enqueue = (tables: Tables, { now, runs }: Params<"enqueue">): Answer<"enqueue"> => {
  const ids = runs.map(({ run, unique }) => {
    if ([tables.runs, tables.history].some((rows) => rows.some((row) => row.id === run.id))) return run.id
    const key = tables.keys.find((row) => row.job === run.job && row.unique === unique)
    if (key !== undefined) return key.run
    const twin = tables.runs.find(
      (row) =>
        row.scheduleId !== null &&
        row.nominal !== null &&
        row.scheduleId === run.scheduleId &&
        row.generation === run.generation &&
        row.nominal === run.nominal &&
        row.cause === run.cause
    )
    if (twin !== undefined) return twin.id
    if (unique !== null) tables.keys = [...tables.keys, { job: run.job, unique, run: run.id, at: now }]
    putRun(tables, run)
    tables.signal |= Signal.runs
    return run.id
  })
  return { ids }
}

const isSuccess = (row: HistoryRecord): boolean => row._tag === "Run" && row.outcome === "succeeded"

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((total, count) => total + count, 0)

const maintain = (tables: Tables, params: Params<"maintain">): Answer<"maintain"> => {
  const { limit, now, retention, transition, zoneData } = params
  const oldest = by<HistoryRecord>(
    (row) => row.endedAt,
    (row) => row.id
  )
  const ended = tables.history.toSorted(oldest)
  const successes = ended.filter((row) => isSuccess(row) && row.endedAt < now - retention.succeeded).slice(0, limit)
  const others = ended.filter((row) => !isSuccess(row) && row.endedAt < now - retention.others).slice(0, limit)
  const exhausted = tables.schedules
    .filter((row) => row.state === "exhausted" && row.updatedAt < now - retention.exhausted)
    .toSorted(
      by(
        (row) => row.updatedAt,
        (row) => row.id
      )
    )
    .slice(0, limit)
  const keys = tables.keys
    .filter((key) => key.at < now - retention.keys && !tables.runs.some((run) => run.id === key.run))
    .toSorted(
      by(
        (key) => key.at,
        (key) => key.run
      )
    )
    .slice(0, limit)
  tables.history = tables.history.filter((row) => !successes.includes(row) && !others.includes(row))
  tables.schedules = tables.schedules.filter((row) => !exhausted.includes(row))
  tables.keys = tables.keys.filter((key) => !keys.includes(key))
  tables.nodes = tables.nodes.filter((node) => node.deadAt === null || node.deadAt >= now - retention.others)

  const keyed = Map.groupBy(
    tables.runs.filter((run) => run.waitsFor === "key"),
    (run) => JSON.stringify([run.job, run.key])
  )
  const keyHeads = [...keyed.values()].flatMap(([run]) => nextOfKey(tables, run!.job, run!.key) ?? [])
  const keysToPromote = keyHeads.toSorted(byId).slice(0, limit)
  for (const run of keysToPromote) promote(tables, run)
  const groups = Map.groupBy(
    tables.runs.filter((run) => run.scheduleId !== null),
    (run) => JSON.stringify([run.scheduleId, run.generation, run.cause])
  )
  const idle = [...groups.values()].filter((runs) => runs.every((run) => run.waitsFor === "overlap"))
  const overlapHeads = idle.flatMap(([run]) => nextOfOverlap(tables, run!) ?? [])
  const overlapsToPromote = overlapHeads.toSorted(byId).slice(0, limit)
  for (const run of overlapsToPromote) promote(tables, run)

  const mine = tables.schedules.filter((row) => mayDecide(row, params)).toSorted(byId)
  const waiting = mine.filter((row) => row.state === "waiting" && ownRuns(tables, row).length === 0).slice(0, limit)
  const outdated = mine.filter((row) => row.nextAt !== null && row.zoneData !== zoneData).slice(0, limit)
  const ids = [...waiting, ...outdated].map((row) => row.id).toSorted()
  const applied = decide(tables, ids, now, transition)
  const deleted = [successes, others, exhausted, keys].map((rows) => rows.length)
  const promoted = [keysToPromote.length, overlapsToPromote.length]
  return {
    deleted: sum(deleted),
    promoted: sum(promoted),
    applied,
    full: [...deleted, ...promoted, waiting.length, outdated.length].some((count) => count >= limit)
  }
}

/** What a list is ordered by, and what a cursor says of the last row of its page. */
type Place = ReadonlyArray<number | string>

const comparePlaces = (a: Place, b: Place): number => {
  const index = a.findIndex((value, at) => value !== b[at])
  return index < 0 ? 0 : a[index]! < b[index]! ? -1 : 1
}

const page = <A>(
  rows: ReadonlyArray<A>,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
  place: (row: A) => Place,
  direction: 1 | -1 = 1
): Page<A> => {
  const compare = (a: Place, b: Place) => direction * comparePlaces(a, b)
  const sorted = rows.toSorted((a, b) => compare(place(a), place(b)))
  const rest = cursor === undefined ? sorted : sorted.filter((row) => compare(place(row), JSON.parse(cursor)) > 0)
  const items = rest.slice(0, limit)
  return { items, cursor: rest.length > limit ? JSON.stringify(place(items[limit - 1]!)) : undefined }
}

const isIn = (filter: Readonly<Record<string, unknown>>, row: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(filter).every(([field, value]) => value === undefined || row[field] === value)

const listSchedules = (tables: Tables, params: Params<"listSchedules">): Page<ScheduleRecord> => {
  const { prefix = "", ...fields } = params.filter
  const rows = tables.schedules.filter((row) => row.id.startsWith(prefix) && isIn(fields, { ...row }))
  return page(rows, params, (row) => [row.id])
}

const listRuns = (tables: Tables, params: Params<"listRuns">): Page<RunRecord> => {
  const { job, scheduleId, state } = params.filter
  const rows = tables.runs.filter((row) => isIn({ job, scheduleId, state }, { ...row }))
  return page(rows, params, (row) => [row.id])
}

const history = (tables: Tables, params: Params<"history">): Page<HistoryRecord> => {
  const { from = -Infinity, job, outcome, scheduleId, to = Infinity } = params.filter
  const rows = tables.history.filter((row) => {
    const fields = { job: row.job, scheduleId: row.scheduleId, outcome: row._tag === "Run" ? row.outcome : row.kind }
    return row.endedAt >= from && row.endedAt < to && isIn({ job, scheduleId, outcome }, fields)
  })
  return page(rows, params, (row) => [row.endedAt, row.id], -1)
}

/**
 * Makes an empty store.
 *
 * **Example** (An empty store)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { NaiveJobStore } from "effect-scheduler/testing"
 *
 * const description = Effect.map(NaiveJobStore.make, (store) => store.description)
 *
 * Effect.runSync(description) // => "naive"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<JobStoreService> = Effect.map(makeListeners, ({ subscribe, tell }) => {
  const tables = emptyTables()
  const method =
    <P, A>(run: (tables: Tables, params: P) => A) =>
    (params: P): Effect.Effect<A> =>
      Effect.sync(() => {
        const answer = run(tables, params)
        const { signal } = tables
        tables.signal = 0
        if (signal !== 0) tell(signal)
        return answer
      })
  const runsById = (ids: ReadonlyArray<string>) => ids.flatMap((id) => tables.runs.find((run) => run.id === id) ?? [])
  return JobStore.of({
    shared: false,
    description: "naive",
    subscribe,
    register: method(register),
    heartbeat: method(heartbeat),
    leave: method((_, { node }) => {
      tables.nodes = tables.nodes.filter((row) => row.id !== node)
    }),
    nodes: Effect.sync(() => tables.nodes),
    reap: method(reap),
    fire: method(fire),
    modify: method((_, { ids, now, transition }) => decide(tables, ids, now, transition)),
    getSchedules: method((_, { ids }) => ids.flatMap((id) => tables.schedules.find((row) => row.id === id) ?? [])),
    listSchedules: method(listSchedules),
    enqueue: method(enqueue),
    claim: method(claim),
    finish: method(finish),
    held: method((_, { node }) => tables.runs.filter((run) => run.node === node).toSorted(byId)),
    progress: method(progress),
    cancel: method(cancel),
    getRuns: method((_, { ids }) => ({
      unfinished: runsById(ids),
      ended: ids.flatMap((id) => tables.history.find((row) => row._tag === "Run" && row.id === id) ?? []) as never
    })),
    listRuns: method(listRuns),
    history: method(history),
    wake: method((_, params) => {
      const times = tables.schedules.filter((row) => mayDecide(row, params)).flatMap((row) => row.nextAt ?? [])
      const schedules = times.length === 0 ? undefined : Math.min(...times)
      return { schedules, runs: earliestRun(tables, params), now: params.now }
    }),
    maintain: method(maintain)
  })
})

/**
 * An empty store for each build.
 *
 * **Example** (A scheduler on the specification)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, Scheduler } from "effect-scheduler"
 * import { NaiveJobStore } from "effect-scheduler/testing"
 *
 * class Note extends Job.make("Note") {}
 *
 * const Main = Layer.provideMerge(
 *   Note.toLayer(() => Effect.void),
 *   Scheduler.layer({ stores: { default: NaiveJobStore.layer } })
 * )
 *
 * const program = Effect.gen(function* () {
 *   const scheduler = yield* Scheduler
 *   yield* scheduler.execute(Note)
 *   return (yield* scheduler.history()).items.length
 * }).pipe(Effect.provide(Main))
 *
 * await Effect.runPromise(program) // => 1
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<JobStore> = Layer.effect(JobStore, make)
