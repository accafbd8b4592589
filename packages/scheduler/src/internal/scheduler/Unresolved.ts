import { Effect } from "effect"
import type { RunRecord } from "../../JobRun.ts"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { NodeRecord, Page } from "../../JobStore.ts"
import { mayDecide } from "../memory/schedules.ts"
import { isLive } from "../transitions/work.ts"
import { whyUnread } from "./Resolver.ts"
import type { Runner } from "./Runner.ts"

const page = 1_000

/** The most that one turn looks at, so that it costs the same whatever waits in the store. The next one goes on there. */
const pages = 5

/**
 * Tells of what nobody can take: once of each job whose runs have waited for a handler longer than they should, and once
 * for each version of triggers and each custom rule that schedules need and this node does not know.
 */
export const make = (runner: Runner): Effect.Effect<void> => {
  const { calls, registry, settings, store } = runner
  const nextRuns = pager((cursor) =>
    calls.insist("listRuns", store.listRuns({ filter: { state: "pending" }, limit: page, cursor }))
  )
  const nextSchedules = pager((cursor) =>
    calls.insist("listSchedules", store.listSchedules({ filter: {}, limit: page, cursor }))
  )
  const liveNodes = Effect.suspend(() =>
    store.shared
      ? Effect.map(calls.insist("nodes", store.nodes), (nodes) => nodes.filter(({ deadAt }) => deadAt === null))
      : Effect.succeed<ReadonlyArray<NodeRecord>>([])
  )
  /** Jobs that were told of, until a handler comes. */
  const toldJobs = new Set<string>()
  /** What was said of schedules that cannot be read here. */
  const toldCauses = new Set<string>()

  const jobs = Effect.gen(function* () {
    for (const job of toldJobs) if (registry.entries.has(job)) toldJobs.delete(job)
    const waiting = new Set<string>()
    const late = runner.time.now() - settings.unresolvedAfter
    const look = ({ job, runAt }: RunRecord) => {
      if (runAt <= late && !registry.entries.has(job) && !toldJobs.has(job)) waiting.add(job)
    }
    yield* nextRuns((rows) => rows.forEach(look))
    if (waiting.size === 0) return
    for (const node of yield* liveNodes) for (const job of node.jobs) waiting.delete(job)
    for (const job of waiting) {
      toldJobs.add(job)
      runner.hub.publish({ _tag: "JobUnresolved", store: runner.alias, job })
      yield* Effect.logWarning(`Runs of job "${job}" wait: no live node has a handler for it`)
    }
  })

  const schedules = Effect.gen(function* () {
    const unread = new Map<string, ScheduleRecord>()
    const look = (row: ScheduleRecord) => {
      if (!isLive(row)) return
      const why = whyUnread(row, runner.triggers())
      if (why !== undefined && !unread.has(why)) unread.set(why, row)
    }
    yield* nextSchedules((rows) => rows.forEach(look))
    if (unread.size === 0) return
    const nodes = yield* liveNodes
    for (const [why, row] of unread) {
      const isRead = nodes.some((node) => mayDecide(row, node))
      const what = `Schedule "${row.id}" is left alone here, and others like it: ${why}`
      const told = `${why} ${isRead}`
      if (toldCauses.has(told)) continue
      toldCauses.add(told)
      yield* isRead
        ? Effect.logInfo(`${what}. Another node decides for it`)
        : Effect.logWarning(`${what}. It waits, since no live node can read it`)
    }
  })

  return Effect.andThen(jobs, schedules)
}

/** Goes on through a list, some pages at a time, and begins again when it has come to the end. */
const pager = <A>(ask: (cursor: string | undefined) => Effect.Effect<Page<A>>) => {
  let cursor: string | undefined
  return Effect.fnUntraced(function* (use: (rows: ReadonlyArray<A>) => void) {
    for (let i = 0; i < pages; i++) {
      if (i > 0) yield* Effect.yieldNow
      const answer: Page<A> = yield* ask(cursor)
      use(answer.items)
      cursor = answer.cursor
      if (cursor === undefined) return
    }
  })
}
