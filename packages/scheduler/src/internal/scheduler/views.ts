import { Effect, Option, Stream } from "effect"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { JobStoreError, NodeRecord, Page, ScheduleFilter } from "../../JobStore.ts"
import type { InStore, SchedulerService, ScheduleView, Upcoming } from "../../Scheduler.ts"
import { InvalidOption, type SchedulerError } from "../../SchedulerError.ts"
import { parseJson } from "../codec.ts"
import { mayDecide } from "../memory/schedules.ts"
import * as policies from "../policy.ts"
import { isLive } from "../transitions/work.ts"
import { anchorAt } from "../trigger/anchor.ts"
import { searchNext } from "../trigger/search.ts"
import { isSpaced } from "../trigger/spaced.ts"
import { type Core, defaultAlias, keptKey, keptOf, refuse, storeOf, type Tentative } from "./Core.ts"
import { table } from "./render.ts"
import { triggerVersion, whyUnread } from "./Resolver.ts"
import type { StoreRunner } from "./StoreRunner.ts"

type Views = Pick<
  SchedulerService,
  "get" | "list" | "listAll" | "upcoming" | "runs" | "history" | "historyAll" | "render"
>

type Failure = SchedulerError | JobStoreError

const pageSize = 100
const bigPage = 1_000

/** What can be looked at. */
export const make = (core: Core): Views => {
  const get: Views["get"] = Effect.fnUntraced(function* (id, options) {
    const store = yield* storeOf(core, options?.store)
    const tentative = keptOf(core, store.runner.alias, id)
    if (tentative !== undefined) return Option.some(tentativeView(core, tentative))
    const [row] = yield* store.runner.calls.verb("getSchedules", store.runner.store.getSchedules({ ids: [id] }))
    return row === undefined
      ? Option.none()
      : Option.some(viewOf(core, store, row, yield* othersOf(core, store, [row])))
  })

  const list: Views["list"] = Effect.fnUntraced(function* (options) {
    const store = yield* storeOf(core, options?.store)
    const limit = yield* limitOf("list", options?.limit)
    const { cursor, items } = yield* store.runner.calls.verb(
      "listSchedules",
      store.runner.store.listSchedules({
        filter: options ?? {},
        limit,
        cursor: options?.cursor
      })
    )
    const others = yield* othersOf(core, store, items)
    // What is kept for start stands for what is stored under its id.
    const views = items
      .filter((row) => core.state.tentative?.has(keptKey(store.runner.alias, row.id)) !== true)
      .map((row) => viewOf(core, store, row, others))
    const first = options?.cursor === undefined ? tentatives(core, store, options ?? {}) : []
    return { items: [...first, ...views], cursor }
  })

  const listAll: Views["listAll"] = (options) => pages((cursor) => list({ ...options, limit: bigPage, cursor }))

  const runs: Views["runs"] = Effect.fnUntraced(function* (options) {
    const { runner } = yield* storeOf(core, options?.store)
    const limit = yield* limitOf("runs", options?.limit)
    return yield* runner.calls.verb(
      "listRuns",
      runner.store.listRuns({ filter: options ?? {}, limit, cursor: options?.cursor })
    )
  })

  const history: Views["history"] = Effect.fnUntraced(function* (options) {
    const { runner } = yield* storeOf(core, options?.store)
    const limit = yield* limitOf("history", options?.limit)
    return yield* runner.calls.verb(
      "history",
      runner.store.history({ filter: options ?? {}, limit, cursor: options?.cursor })
    )
  })

  const historyAll: Views["historyAll"] = (options) =>
    pages((cursor) => history({ ...options, limit: bigPage, cursor }))

  const upcoming: Views["upcoming"] = Effect.fnUntraced(function* (n, options) {
    if (!(Number.isSafeInteger(n) && n >= 0)) {
      const expected = "a whole number, zero or more"
      return yield* refuse(new InvalidOption({ subject: "upcoming", option: "n", expected, actual: String(n) }))
    }
    const soonest: Array<Upcoming> = []
    if (n === 0) return soonest
    const now = yield* nowOf(core, options)
    yield* Stream.runForEach(listAll(options), (view) =>
      Effect.sync(() => {
        for (const at of timesOf(view, n, now)) {
          if (soonest.length >= n && at >= soonest[soonest.length - 1]!.at) break
          insert(soonest, { scheduleId: view.id, store: view.store, job: view.job, at })
          if (soonest.length > n) soonest.pop()
        }
      })
    )
    return soonest
  })

  const render: Views["render"] = Effect.fnUntraced(function* (options) {
    const views = yield* Stream.runCollect(listAll(options))
    return table(views, yield* nowOf(core, options))
  })

  return { get, list, listAll, runs, history, historyAll, upcoming, render }
}

/** The store's time. One that has not told it, since nothing of it is run here, is asked. */
const nowOf = Effect.fnUntraced(function* (core: Core, options: InStore | undefined) {
  const { calls, store, time } = (yield* storeOf(core, options?.store)).runner
  if (store.shared && !time.isKnown()) {
    const ask = time.ask((now) => store.wake({ now, version: triggerVersion, triggers: [], jobs: [], queues: {} }))
    yield* calls.verb("wake", ask)
  }
  return time.now()
})

const limitOf = (subject: string, limit: number = pageSize): Effect.Effect<number, SchedulerError> =>
  Number.isSafeInteger(limit) && limit >= 1
    ? Effect.succeed(limit)
    : refuse(
        new InvalidOption({ subject, option: "limit", expected: "a whole number, at least 1", actual: String(limit) })
      )

const pages = <A>(page: (cursor: string | undefined) => Effect.Effect<Page<A>, Failure>): Stream.Stream<A, Failure> =>
  Stream.paginate(undefined as string | undefined, (cursor) =>
    Effect.map(page(cursor), ({ cursor, items }) => [items, cursor === undefined ? Option.none() : Option.some(cursor)])
  )

/** Inserts in the order of time; what is of one time keeps its order. */
const insert = (sorted: Array<Upcoming>, one: Upcoming): void => {
  let at = sorted.length
  while (at > 0 && sorted[at - 1]!.at > one.at) at--
  sorted.splice(at, 0, one)
}

/** The coming nominal times of a schedule, at most `n`: the one that is due, if any, and then those after now. */
function* timesOf(view: ScheduleView, n: number, now: number): Generator<number> {
  if (view.state !== "active" && view.state !== "unresolved" && view.state !== "tentative") return
  if (view.nextAt === null) return
  const first = view.nextAt
  yield first
  if (view.trigger === undefined || isSpaced(view.trigger)) return
  const left = (view.policy?.maxRuns ?? Infinity) - view.counts.fired
  const trigger = anchorAt(view.trigger, now)
  for (let i = 1, at = Math.max(first, now); i < Math.min(n, left); i++) {
    const next = searchNext(trigger, at)
    if (next._tag !== "Found") return
    at = next.at
    yield at
  }
}

/** The other live nodes of a shared store, asked for only where a row needs what is not known here. */
const othersOf = Effect.fnUntraced(function* (
  core: Core,
  { runner }: StoreRunner,
  rows: ReadonlyArray<ScheduleRecord>
) {
  const isOwn = (row: ScheduleRecord) => core.registry.entries.has(row.job) && core.resolver.why(row) === undefined
  if (!runner.store.shared || rows.every(isOwn)) return []
  return (yield* runner.calls.verb("nodes", runner.store.nodes)).filter((node) => node.deadAt === null)
})

/** Whether this node or one of the others has what a row needs. */
const isResolved = (core: Core, row: ScheduleRecord, why: string | undefined, others: ReadonlyArray<NodeRecord>) => {
  const hasJob = core.registry.entries.has(row.job) || others.some((node) => node.jobs.includes(row.job))
  if (why === undefined) return hasJob
  // What could be read here, and is damaged, can be read nowhere.
  const isForeign = whyUnread(row, core.resolver.names()) !== undefined
  return hasJob && isForeign && others.some((node) => mayDecide(row, node))
}

/** A row for a person. Without `others` it is not asked whether anyone has its job. */
export const viewOf = (
  core: Core,
  { runner }: StoreRunner,
  row: ScheduleRecord,
  others?: ReadonlyArray<NodeRecord>
): ScheduleView => {
  const trigger = core.resolver.read(row)
  const why = core.resolver.why(row)
  const readable = typeof trigger !== "string"
  const resolved = others === undefined ? why === undefined : isResolved(core, row, why, others)
  return {
    id: row.id,
    store: runner.alias,
    job: row.job,
    trigger: readable ? anchorAt(trigger, row.anchor) : undefined,
    description: why ?? String(trigger),
    payload: payloadOf(row.payload),
    state: resolved || !isLive(row) ? row.state : "unresolved",
    nextAt: row.nextAt,
    watermark: row.watermark,
    counts: row.counts,
    policy: policies.decode(row.policy),
    priority: row.priority,
    origin: row.origin,
    error: row.error
  }
}

/** A schedule that is kept for `start`: as if it started now. One that was paused has no next time. */
export const tentativeView = (core: Core, { alias, draft, paused }: Omit<Tentative, "store">): ScheduleView => {
  const trigger = core.resolver.read(draft)
  const now = core.clock.now()
  const readable = typeof trigger !== "string"
  const anchored = readable ? anchorAt(trigger, now) : undefined
  const next = anchored === undefined || isSpaced(anchored) ? undefined : searchNext(anchored, now - 1)
  return {
    id: draft.id,
    store: alias,
    job: draft.job,
    trigger: anchored,
    description: String(trigger),
    payload: payloadOf(draft.payload),
    state: "tentative",
    nextAt: next?._tag === "Found" && !paused ? next.at : null,
    watermark: null,
    counts: { fired: 0, skipped: 0, missed: 0, dropped: 0, paused: 0 },
    policy: policies.decode(draft.policy),
    priority: draft.priority,
    origin: draft.origin,
    error: null
  }
}

const payloadOf = (text: string): unknown => Option.getOrNull(Option.fromUndefinedOr(resultOf(text)))

const resultOf = (text: string): unknown => {
  const parsed = parseJson(text)
  return parsed._tag === "Success" ? parsed.success : undefined
}

const tentatives = (
  core: Core,
  { runner }: StoreRunner,
  filter: ScheduleFilter & InStore
): ReadonlyArray<ScheduleView> =>
  [...(core.state.tentative?.values() ?? [])]
    .filter((one) => one.alias === (filter.store ?? defaultAlias) && one.alias === runner.alias)
    .map((one) => tentativeView(core, one))
    .filter(
      (view) =>
        (filter.job === undefined || view.job === filter.job) &&
        (filter.origin === undefined || view.origin === filter.origin) &&
        (filter.state === undefined || view.state === filter.state) &&
        (filter.prefix === undefined || view.id.startsWith(filter.prefix))
    )
