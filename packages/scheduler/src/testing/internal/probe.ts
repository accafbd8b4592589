import { Effect, Option } from "effect"
import type { Answer, Params } from "../../internal/memory/params.ts"
import type { EndedRun, HistoryRecord, RunRecord } from "../../JobRun.ts"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import type {
  Applied,
  ClaimableJob,
  JobStoreError,
  JobStoreService,
  Recovery,
  RunFilter,
  RunReport,
  ScheduleChange,
  ScheduleView,
  Transition
} from "../../JobStore.ts"
import { changeTo, nodeA, t0 } from "./fixtures.ts"

type Call<A> = Effect.Effect<A, JobStoreError>

/** A transition that nobody should need. */
export const nothing: Transition = () => undefined

export const defaultRetention = { succeeded: 7e8, others: 3e9, exhausted: 3e9, keys: 7e8 }

/** The store's methods with the parameters that most cases do not care about. */
export interface Probe {
  readonly store: JobStoreService
  /** Stores the rows as they are given. */
  readonly put: (...rows: ReadonlyArray<ScheduleRecord>) => Call<ReadonlyArray<Applied>>
  /** Runs a transition on one id. */
  readonly modify: (
    id: string,
    change: (view: ScheduleView | undefined) => ScheduleChange | undefined,
    now?: number
  ) => Call<ReadonlyArray<Applied>>
  /** Carries out a change that leaves the row as it is. */
  readonly change: (id: string, fields: Partial<ScheduleChange>, now?: number) => Call<Applied>
  readonly view: (id: string) => Call<ScheduleView | undefined>
  readonly enqueue: (...runs: ReadonlyArray<RunRecord>) => Call<ReadonlyArray<string>>
  readonly fire: (params: Partial<Params<"fire">>) => Call<Answer<"fire">>
  /** Claims for `nodeA` at `t0`: of the job `job` without limits unless told. */
  readonly claim: (params?: Partial<Params<"claim">>) => Call<ReadonlyArray<RunRecord>>
  readonly report: (reports: ReadonlyArray<RunReport>, params?: Partial<Params<"finish">>) => Call<Answer<"finish">>
  /** Ends runs as succeeded. */
  readonly succeed: (...runs: ReadonlyArray<RunRecord>) => Call<Answer<"finish">>
  /** A run comes back as long after its nth recovery as `delays` says, `[0, 1000]` unless told. */
  readonly reap: (params: Partial<Params<"reap">> & { readonly delays?: ReadonlyArray<number> }) => Call<Answer<"reap">>
  readonly register: (node: string, lease?: number, now?: number) => Call<void>
  readonly heartbeat: (node: string, now: number, lease?: number) => Call<Answer<"heartbeat">>
  readonly cancel: (id: string, params?: Partial<Params<"cancel">>) => Call<Answer<"cancel">>
  readonly wake: (params?: Partial<Params<"wake">>) => Call<Answer<"wake">>
  readonly maintain: (params: Partial<Params<"maintain">>) => Call<Answer<"maintain">>
  readonly schedule: (id: string) => Call<ScheduleRecord | undefined>
  readonly unfinished: (id: string) => Call<RunRecord | undefined>
  readonly ended: (id: string) => Call<EndedRun | undefined>
  /** Ids of unfinished runs by their state, `deferred` ones with what they wait for. */
  readonly states: (...ids: ReadonlyArray<string>) => Call<ReadonlyArray<string>>
  readonly history: (filter?: RunFilter) => Call<ReadonlyArray<HistoryRecord>>
}

export const anyJob: ReadonlyArray<ClaimableJob> = [{ name: "job", queue: "default" }]

/** The report that a run succeeded, with the changes given. */
export const success = (
  row: Pick<RunRecord, "id" | "attempt">,
  fields: Partial<Extract<RunReport, { _tag: "End" }>> = {}
): RunReport => ({
  _tag: "End",
  id: row.id,
  attempt: row.attempt,
  outcome: "succeeded",
  failures: 0,
  errors: "[]",
  result: null,
  resultStored: true,
  remember: false,
  ...fields
})

/** The report that a run failed and shall be tried again at once, with the changes given. */
export const retry = (
  row: Pick<RunRecord, "id" | "attempt">,
  fields: Partial<Extract<RunReport, { _tag: "Retry" }>> = {}
): RunReport => ({
  _tag: "Retry",
  id: row.id,
  attempt: row.attempt,
  failures: 1,
  errors: `[{"at":${t0}}]`,
  runAt: t0,
  ...fields
})

export const release = (row: Pick<RunRecord, "id" | "attempt">): RunReport => ({
  _tag: "Release",
  id: row.id,
  attempt: row.attempt
})

/** The plain rule, without what parts runs that come back together. */
const after =
  (delays: ReadonlyArray<number>): Recovery =>
  (run, now) => {
    const delay = run.delivery === "atMostOnce" ? undefined : delays[run.recoveries]
    return delay === undefined ? undefined : now + delay
  }

const state = (row: RunRecord | undefined): string =>
  row === undefined ? "gone" : row.waitsFor === null ? row.state : `${row.state} for ${row.waitsFor}`

export const makeProbe = (store: JobStoreService): Probe => {
  const put: Probe["put"] = (...rows) => {
    const byId = new Map(rows.map((row) => [row.id, row]))
    return store.modify({ now: t0, ids: [...byId.keys()], transition: (id) => changeTo(byId.get(id)!) })
  }
  const modify: Probe["modify"] = (id, change, now = t0) =>
    store.modify({ now, ids: [id], transition: (_, view) => change(view) })
  const report: Probe["report"] = (reports, params = {}) =>
    store.finish({ now: t0, node: nodeA, transition: nothing, ...params, reports })
  const unfinished: Probe["unfinished"] = (id) =>
    Effect.map(store.getRuns({ ids: [id] }), ({ unfinished: rows }) => rows[0])
  return {
    store,
    put,
    modify,
    change: (id, fields, now) =>
      Effect.map(
        modify(id, (view) => changeTo(view!.schedule, fields), now),
        ([applied]) => applied!
      ),
    view: (id) =>
      Effect.suspend(() => {
        let seen: ScheduleView | undefined
        const look: Transition = (_, view) => {
          seen = view
          return undefined
        }
        return Effect.map(store.modify({ now: t0, ids: [id], transition: look }), () => seen)
      }),
    enqueue: (...runs) =>
      Effect.map(store.enqueue({ now: t0, runs: runs.map((run) => ({ run, unique: null })) }), ({ ids }) => ids),
    fire: (params) => store.fire({ now: t0, limit: 1000, version: 1, triggers: [], transition: nothing, ...params }),
    claim: (params = {}) =>
      Effect.map(
        store.claim({ now: t0, node: nodeA, limit: 1000, jobs: anyJob, queues: {}, ...params }),
        ({ runs }) => runs
      ),
    report,
    succeed: (...runs) => report(runs.map((run) => success(run))),
    reap: ({ delays = [0, 1000], ...params }) =>
      store.reap({ now: t0, node: nodeA, recovery: after(delays), limit: 1000, transition: nothing, ...params }),
    register: (node, lease = 15_000, now = t0) =>
      store.register({ now, node, lease, version: 1, jobs: ["job"], triggers: [] }),
    heartbeat: (node, now, lease = 15_000) => store.heartbeat({ now, node, lease, jobs: ["job"], triggers: [] }),
    cancel: (id, params = {}) => store.cancel({ now: t0, id, transition: nothing, ...params }),
    wake: (params = {}) => store.wake({ now: t0, version: 1, triggers: [], jobs: anyJob, queues: {}, ...params }),
    maintain: (params) =>
      store.maintain({
        now: t0,
        retention: defaultRetention,
        limit: 1000,
        version: 1,
        triggers: [],
        zoneData: "2026a",
        transition: nothing,
        ...params
      }),
    schedule: (id) => Effect.map(store.getSchedules({ ids: [id] }), (rows) => rows[0]),
    unfinished,
    ended: (id) => Effect.map(store.getRuns({ ids: [id] }), ({ ended }) => ended[0]),
    states: (...ids) => Effect.forEach(ids, (id) => Effect.map(unfinished(id), state)),
    history: (filter = {}) => collect((cursor) => store.history({ filter, limit: 100, cursor }))
  }
}

/** All pages of a list. */
export const collect = <A>(
  page: (cursor: string | undefined) => Call<{ readonly items: ReadonlyArray<A>; readonly cursor: string | undefined }>
): Call<ReadonlyArray<A>> =>
  Effect.gen(function* () {
    const rows: Array<A> = []
    let cursor = Option.some<string | undefined>(undefined)
    while (Option.isSome(cursor)) {
      const answer = yield* page(cursor.value)
      rows.push(...answer.items)
      cursor = answer.cursor === undefined ? Option.none() : Option.some(answer.cursor)
    }
    return rows
  })
