/**
 * What must hold of the rows of any store at any time, and after a test has ended.
 *
 * @module
 * @since 0.1.0
 */
import { Effect } from "effect"
import type { EndedRange, EndedRun, HistoryRecord, RunRecord } from "../JobRun.ts"
import type { ScheduleRecord } from "../JobSchedule.ts"
import type { ClaimableJob, JobStoreError, JobStoreService, NodeRecord } from "../JobStore.ts"
import { collect } from "./internal/probe.ts"

/**
 * Everything that a store holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dump {
  readonly schedules: ReadonlyArray<ScheduleRecord>
  readonly runs: ReadonlyArray<RunRecord>
  readonly history: ReadonlyArray<HistoryRecord>
  readonly nodes: ReadonlyArray<NodeRecord>
}

/**
 * Reads everything that a store holds, page by page, in the order of its lists. It is consistent only while nobody else
 * writes. Fails as the store does.
 *
 * **Example** (What is left of a run)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, JobStore, MemoryJobStore, Scheduler } from "effect-scheduler"
 * import { Invariants } from "effect-scheduler/testing"
 *
 * class Note extends Job.make("Note") {}
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* MemoryJobStore.make()
 *   const Main = Scheduler.layer({ stores: { default: Layer.succeed(JobStore.JobStore, store) } })
 *   const run = Effect.flatMap(Scheduler, (scheduler) => scheduler.execute(Note))
 *   yield* Effect.provide(run, Layer.provideMerge(Note.toLayer(() => Effect.void), Main))
 *   const { history, nodes, runs } = yield* Invariants.dump(store)
 *   return [history.length, runs.length, nodes.length]
 * })
 *
 * await Effect.runPromise(program) // => [1, 0, 0]
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const dump = (store: JobStoreService): Effect.Effect<Dump, JobStoreError> =>
  Effect.gen(function* () {
    const limit = 1000
    const schedules = yield* collect((cursor) => store.listSchedules({ filter: {}, limit, cursor }))
    const runs = yield* collect((cursor) => store.listRuns({ filter: {}, limit, cursor }))
    const history = yield* collect((cursor) => store.history({ filter: {}, limit, cursor }))
    const nodes = (yield* store.nodes).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return { schedules, runs, history, nodes }
  })

/**
 * What a test knows beside the rows. Each field that is given adds a check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Expectations {
  /** I4: how many nominal times a schedule has in (firstWatermark, watermark]; undefined where nobody can say. */
  readonly count?: ((row: ScheduleRecord) => number | undefined) | undefined
  /** I4: history was not cut, so that counters can be compared with rows. */
  readonly wholeHistory?: boolean | undefined
  /** I5: an earlier dump, whose watermarks must not be ahead of this one's. */
  readonly previous?: Dump | undefined
  /** I2: the ids of all runs that were ever created. */
  readonly created?: Iterable<string> | undefined
  /** I2: the test is over, nothing may be unfinished. */
  readonly finished?: boolean | undefined
  /** I3: each execution that was begun, by its run and the number of the claim. */
  readonly executions?: Iterable<{ readonly run: string; readonly attempt: number }> | undefined
  /** I7: the limits that nodes claimed with. */
  readonly jobs?: ReadonlyArray<ClaimableJob> | undefined
  readonly queues?: Readonly<Record<string, number>> | undefined
  /** I8: the instant of the dump and the longest time that a dead node's run may take to come back, in milliseconds. */
  readonly recovery?: { readonly now: number; readonly within: number } | undefined
}

/**
 * The invariants that do not hold, one sentence each; none if all is well.
 *
 * **Example** (Looking at the rows when a test has ended)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Job, JobStore, MemoryJobStore, Scheduler } from "effect-scheduler"
 * import { Invariants } from "effect-scheduler/testing"
 *
 * class Note extends Job.make("Note") {}
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* MemoryJobStore.make()
 *   const Main = Scheduler.layer({ stores: { default: Layer.succeed(JobStore.JobStore, store) } })
 *   const run = Effect.flatMap(Scheduler, (scheduler) => scheduler.execute(Note))
 *   yield* Effect.provide(run, Layer.provideMerge(Note.toLayer(() => Effect.void), Main))
 *   return Invariants.violations(yield* Invariants.dump(store), { finished: true })
 * })
 *
 * await Effect.runPromise(program) // => []
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const violations = (state: Dump, expected: Expectations = {}): ReadonlyArray<string> => [
  ...nominalOnce(state),
  ...endedOnce(state, expected),
  ...executedOnce(expected),
  ...accounted(state, expected),
  ...watermarks(state, expected),
  ...bounds(state, expected),
  ...wellFormed(state),
  ...recovered(state, expected)
]

const endedRuns = (state: Dump): ReadonlyArray<EndedRun> => state.history.filter((row) => row._tag === "Run")

const ranges = (state: Dump): ReadonlyArray<EndedRange> => state.history.filter((row) => row._tag === "Range")

/** The names that occur more than once. */
const repeated = (names: Iterable<string>): ReadonlyArray<string> => {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) (seen.has(name) ? twice : seen).add(name)
  return [...twice]
}

const nominalOnce = (state: Dump): ReadonlyArray<string> =>
  repeated(
    [...state.runs, ...endedRuns(state)]
      .filter((run) => run.scheduleId !== null && run.nominal !== null)
      .map((run) => `${run.scheduleId} ${run.generation} ${run.cause} ${run.nominal}`)
  ).map((name) => `I1: two runs for ${name}`)

const endedOnce = (state: Dump, { created = [], finished = false }: Expectations): ReadonlyArray<string> => {
  const ids = [...state.runs, ...endedRuns(state)].map((run) => run.id)
  const known = new Set(ids)
  return [
    ...repeated(ids).map((id) => `I2: run ${id} is there twice`),
    ...[...created].filter((id) => !known.has(id)).map((id) => `I2: run ${id} has vanished`),
    ...(finished ? state.runs.map((run) => `I2: run ${run.id} is still ${run.state}`) : [])
  ]
}

const executedOnce = ({ executions = [] }: Expectations): ReadonlyArray<string> =>
  repeated([...executions].map(({ attempt, run }) => `${run} ${attempt}`)).map(
    (name) => `I3: attempt executed twice: ${name}`
  )

const accounted = (state: Dump, { count, wholeHistory = false }: Expectations): ReadonlyArray<string> => {
  const runs = Map.groupBy([...state.runs, ...endedRuns(state)], ownerOf)
  const cut = Map.groupBy(ranges(state), ownerOf)
  return state.schedules.flatMap((row) => {
    const { dropped, fired, missed, paused, skipped } = row.counts
    const sum = dropped + fired + missed + paused + skipped
    const times = count?.(row)
    const lines = times === undefined || times === sum ? [] : [`I4: ${row.id} has ${times} times, ${sum} counted`]
    if (!wholeHistory) return lines
    const owner = ownerOf({ scheduleId: row.id, generation: row.generation, cause: row.cause })
    const rows = cut.get(owner) ?? []
    const found = (kind: EndedRange["kind"]) =>
      rows.filter((each) => each.kind === kind).reduce((total, each) => total + each.count, 0)
    const stored = {
      fired: runs.get(owner)?.length ?? 0,
      skipped: found("skipped"),
      missed: found("missed"),
      dropped: found("dropped"),
      paused: found("paused")
    }
    const wrong = (Object.keys(stored) as Array<keyof typeof stored>).filter(
      (kind) => stored[kind] !== row.counts[kind]
    )
    return [...lines, ...wrong.map((kind) => `I4: ${row.id} counts ${row.counts[kind]} ${kind}, has ${stored[kind]}`)]
  })
}

const ownerOf = (row: {
  readonly scheduleId: string | null
  readonly generation: string | null
  readonly cause: string
}): string => JSON.stringify([row.scheduleId, row.generation, row.cause])

const watermarks = (state: Dump, { previous }: Expectations): ReadonlyArray<string> => {
  const before = new Map(previous?.schedules.map((row) => [row.id, row]))
  return state.schedules.flatMap((row) => {
    const old = before.get(row.id)
    const lines: Array<string> = []
    if (row.watermark < row.firstWatermark) lines.push(`I5: ${row.id} is behind its first watermark`)
    if (row.nextAt !== null && row.nextAt <= row.watermark) lines.push(`I5: ${row.id} looks back at ${row.nextAt}`)
    if (old !== undefined && old.generation === row.generation && old.watermark > row.watermark) {
      lines.push(`I5: ${row.id} went back from ${old.watermark} to ${row.watermark}`)
    }
    return lines
  })
}

const above = (name: string, size: number, limit = Infinity): ReadonlyArray<string> =>
  size > limit ? [`I7: ${size} running of ${name}, limit ${limit}`] : []

const bounds = (state: Dump, { jobs = [], queues = {} }: Expectations): ReadonlyArray<string> => {
  const running = state.runs.filter((run) => run.state === "running")
  const keyed = running.filter((run) => run.key !== null).map((run) => JSON.stringify([run.job, run.key]))
  return [
    ...repeated(keyed).map((key) => `I6: two running runs of ${key}`),
    ...jobs.flatMap(({ concurrency, name }) =>
      above(`job ${name}`, running.filter((run) => run.job === name).length, concurrency)
    ),
    ...Object.entries(queues).flatMap(([name, limit]) =>
      above(`queue ${name}`, running.filter((run) => run.queue === name).length, limit)
    )
  ]
}

const wellFormed = (state: Dump): ReadonlyArray<string> =>
  state.runs.flatMap((run) => {
    const lines: Array<string> = []
    if ((run.state === "running") !== (run.node !== null))
      lines.push(`I8: run ${run.id} is ${run.state} on ${run.node}`)
    if ((run.state === "deferred") !== (run.waitsFor !== null)) {
      lines.push(`I8: run ${run.id} is ${run.state} and waits for ${run.waitsFor}`)
    }
    return lines
  })

const recovered = (state: Dump, { recovery }: Expectations): ReadonlyArray<string> => {
  if (recovery === undefined) return []
  const nodes = new Map(state.nodes.map((node) => [node.id, node]))
  return state.runs
    .filter((run) => {
      if (run.state !== "running") return false
      const node = nodes.get(run.node!)
      return node === undefined || node.leaseUntil + recovery.within < recovery.now
    })
    .map((run) => `I8: run ${run.id} is still on ${run.node}, which is gone`)
}
