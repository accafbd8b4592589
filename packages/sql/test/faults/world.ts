/** What a fault happens in: a fresh database, nodes on it in this process or in their own, and what they executed. */
import { type ChildProcess, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, inject } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, Schedule, Scope } from "effect"
import { type JobRegistry, JobRun, JobStore, MemoryJobStore, Scheduler, SchedulerEvent } from "effect-scheduler"
import type { EndedRun } from "effect-scheduler/JobRun"
import type { JobStoreService } from "effect-scheduler/JobStore"
import type { SchedulerService } from "effect-scheduler/Scheduler"
import type { SchedulerOptions } from "effect-scheduler/SchedulerOptions"
import { type FaultyStore, Invariants } from "effect-scheduler/testing"
import { TestClock } from "effect/testing"
import { query } from "../postgres/query.ts"
import type { Server } from "../postgres/scoped.ts"
import { folder } from "../support.ts"
import { open, type Place } from "./layers.ts"
import { newPlace, type Own, type StoreName } from "./places.ts"
import type { Message, Point, Spec } from "./worker.ts"

type AnyEvent = SchedulerEvent.SchedulerEvent

const tags: ReadonlyArray<SchedulerEvent.Tag> = SchedulerEvent.SchedulerEvent.members.map(
  (member) => member.fields._tag.schema.literal
)

/** The full lengths are in the chaos test. */
export const shortened = {
  lease: "1 second",
  pollInterval: "50 millis",
  drainDeadline: 0,
  recoveryDelays: [0, 0, 0, 0, 0]
} as const satisfies SchedulerOptions

/** For calls that are not what is tried: a busy machine fails none of them. */
const unhurried = { ...shortened, storeTimeout: "1 minute" } as const satisfies SchedulerOptions

/** A scheduler in this process. */
export interface Node {
  readonly scheduler: SchedulerService
  /** What it told since it was built. */
  readonly events: ReadonlyArray<AnyEvent>
  readonly only: <T extends SchedulerEvent.Tag>(tag: T) => ReadonlyArray<SchedulerEvent.Of<T>>
  /** The names of a run's events, in order. */
  readonly story: (runId: string) => ReadonlyArray<string>
  /** Closes it before the test ends. */
  readonly stop: Effect.Effect<void>
}

export interface NodeOptions extends Omit<SchedulerOptions, "stores"> {
  /** Handlers; without any it only fires and takes calls. */
  readonly jobs?: Layer.Layer<never, never, JobRegistry> | undefined
  /** What is between this node and the database. */
  readonly over?: ((store: JobStoreService) => JobStoreService) | undefined
  /** The layer of its store, where it is not `world.layer`. */
  readonly store?: Layer.Layer<JobStore.JobStore, unknown> | undefined
}

/** A scheduler in a process of its own. */
export interface Worker {
  readonly process: ChildProcess
  readonly messages: ReadonlyArray<Message>
  readonly of: <T extends Message["_tag"]>(tag: T) => ReadonlyArray<Extract<Message, { readonly _tag: T }>>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Lets it go on from where it stopped dead. */
  readonly release: Effect.Effect<void>
  /** Its exit code, or the signal that ended it. */
  readonly end: Effect.Effect<number | string>
}

export interface WorkerOptions extends Omit<SchedulerOptions, "stores" | "triggers"> {
  readonly jobs?: Spec["jobs"]
  /** Where it stops dead, if it comes there. */
  readonly park?: Omit<Point, "until">
}

export interface World {
  readonly name: StoreName
  /** Whether time is a `TestClock`'s. */
  readonly virtual: boolean
  /** The database, to be looked at by plain SQL and broken; not to be asked for in memory. */
  readonly place: Place
  readonly filename: string
  readonly url: string
  readonly prefix: string
  /** The Postgres of a test that said `own: "server"`. */
  readonly server: Server
  /** A client of its own at each build; in memory the same store. */
  readonly layer: Layer.Layer<JobStore.JobStore, unknown>
  /** Plain SQL on the database, beside every client. The rows as objects. */
  readonly sql: (
    text: (table: (name: string) => string) => string
  ) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>
  /** A client of the test's own, not seen by any fault that is put over a node. */
  readonly store: JobStoreService
  readonly node: (options?: NodeOptions) => Effect.Effect<Node, never, Scope.Scope>
  /** What calls come from where no node shall act: a scheduler that neither fires nor runs. */
  readonly client: Effect.Effect<SchedulerService, never, Scope.Scope>
  readonly worker: (options?: WorkerOptions) => Effect.Effect<Worker, never, Scope.Scope>
  /** What a handler does first: writes its execution down for I3. */
  readonly executing: Effect.Effect<JobRun.Current, never, JobRun.JobRun>
  readonly executions: ReadonlyArray<{ readonly run: string; readonly attempt: number }>
  readonly executionsOf: (run: string) => number
  /** Executions in all, of all processes. */
  readonly begun: () => number
  /** Waits until it is so, and answers what it saw then. Fails after a minute with what was waited for. */
  readonly until: <A, E, R>(
    what: string,
    look: Effect.Effect<A, E, R>,
    isSo: (seen: A) => boolean
  ) => Effect.Effect<A, E, R>
  /** The history row of a run, awaited. */
  readonly ended: (run: string) => Effect.Effect<EndedRun>
  /** Lets time pass: only for what shall not happen meanwhile, never for what shall. */
  readonly pass: (millis: number) => Effect.Effect<void>
  /** At the end these runs must have ended, and nothing be unfinished. */
  readonly mustEnd: (...runs: ReadonlyArray<string>) => void
  /** Prints a measured figure, which has no place in the document. */
  readonly measured: (text: string) => Effect.Effect<void>
}

const there = <A>(value: A | undefined, what: string): A => {
  if (value === undefined) assert.fail(`the test has not ${what}`)
  return value
}

const script = inject("worker")

/** A scope of its own inside another one. */
const inner = Effect.flatMap(Effect.scope, (outer) => Scope.fork(outer))

export const makeWorld = Effect.fnUntraced(function* (
  name: StoreName,
  options: {
    readonly title: string
    readonly virtual: boolean
    readonly shared: boolean
    readonly own: Own | undefined
  }
) {
  const { virtual } = options
  const { place, server } =
    name === "memory" ? { place: undefined, server: undefined } : yield* newPlace(name, options.own)
  const layer: Layer.Layer<JobStore.JobStore, unknown> =
    place === undefined
      ? Layer.succeed(JobStore.JobStore, { ...(yield* MemoryJobStore.make()), shared: options.shared })
      : open(place)
  const store = Context.get(yield* Effect.orDie(Layer.build(layer)), JobStore.JobStore)

  const executions: Array<{ readonly run: string; readonly attempt: number }> = []
  const expected: Array<string> = []
  const workers: Array<Worker> = []

  const until: World["until"] = (what, look, isSo) =>
    Effect.gen(function* () {
      const deadline = performance.now() + 60_000
      for (let turn = 0; ; turn++) {
        const seen = yield* look
        if (isSo(seen)) return seen
        if (virtual ? turn > 2_000 : performance.now() > deadline) {
          assert.fail(`waited in vain until ${what}; seen last: ${JSON.stringify(seen)}`)
        }
        yield* virtual ? TestClock.adjust("50 millis") : Effect.sleep("10 millis")
      }
    })

  const node: World["node"] = Effect.fnUntraced(function* ({
    jobs,
    over = (below) => below,
    ...rest
  }: NodeOptions = {}) {
    const scope = yield* inner
    const own = Layer.effect(
      JobStore.JobStore,
      Effect.map(Layer.build(rest.store ?? layer), (context) => over(Context.get(context, JobStore.JobStore)))
    )
    const scheduling = Scheduler.layer({ ...shortened, ...rest, stores: { default: Layer.orDie(own) } })
    const whole = jobs === undefined ? scheduling : Layer.provideMerge(jobs, scheduling)
    const scheduler = Context.get(yield* Effect.orDie(Scope.provide(Layer.build(Layer.fresh(whole)), scope)), Scheduler)
    const events: Array<AnyEvent> = []
    yield* Scope.provide(
      scheduler.on(tags, (event) => Effect.sync(() => void events.push(event))),
      scope
    )
    const only: Node["only"] = (tag) => events.filter((event) => event._tag === tag) as never
    return {
      scheduler,
      events,
      only,
      story: (runId) => events.filter((event) => "runId" in event && event.runId === runId).map((event) => event._tag),
      stop: Scope.close(scope, Exit.void)
    }
  })

  const client: World["client"] = Effect.map(
    Effect.orDie(Layer.build(Layer.fresh(Scheduler.layerClient({ default: Layer.orDie(layer) }, unhurried)))),
    (context) => Context.get(context, Scheduler)
  )

  const worker: World["worker"] = Effect.fnUntraced(function* ({
    jobs = ["Work", "Tick"],
    park,
    ...rest
  }: WorkerOptions = {}) {
    const point = park === undefined ? undefined : { ...park, until: join(yield* folder, "go on") }
    const spec: Spec = {
      place: world.place,
      options: { ...shortened, ...rest },
      jobs,
      ...(point === undefined ? {} : { park: point })
    }
    const started = yield* Effect.acquireRelease(
      Effect.sync(() => startWorker(spec, point)),
      (worker) => Effect.andThen(worker.signal("SIGKILL"), worker.end)
    )
    workers.push(started)
    yield* until(
      "the process is ready",
      // Or over: what it found to run may have ended it already.
      Effect.sync(() => started.of("Ready").length > 0 || started.process.exitCode !== null),
      (is) => is
    )
    return started
  })

  const world: World = {
    name,
    virtual,
    get place() {
      return there(place, "a database")
    },
    get filename() {
      return there(place?.kind === "sqlite" ? place.filename : undefined, "a file")
    },
    get url() {
      return there(place?.kind === "postgres" ? place.url : undefined, "a Postgres")
    },
    get prefix() {
      return there(place?.kind === "postgres" ? place.prefix : undefined, "a Postgres")
    },
    get server() {
      return there(server, "a server of its own")
    },
    layer,
    sql: (text) => sql(world.place, text),
    store,
    node,
    client,
    worker,
    executing: Effect.tap(JobRun.current, (run) =>
      Effect.sync(() => executions.push({ run: run.id, attempt: run.attempt }))
    ),
    executions,
    executionsOf: (run) =>
      executions.filter((each) => each.run === run).length +
      workers.flatMap((each) => each.of("Began")).filter((each) => each.run === run).length,
    begun: () => executions.length + workers.reduce((sum, each) => sum + each.of("Began").length, 0),
    until,
    ended: (run) =>
      Effect.map(
        until(`run ${run} has ended`, patient(store.getRuns({ ids: [run] })), ({ ended }) => ended.length > 0),
        ({ ended }) => ended[0]!
      ),
    pass: (millis) => (virtual ? TestClock.adjust(millis) : Effect.sleep(millis)),
    mustEnd: (...runs) => void expected.push(...runs),
    measured: (text) =>
      Effect.provide(Effect.log(`${options.title}: ${text}`), Logger.layer([Logger.consolePretty({ colors: false })]))
  }

  /** After everything was closed. */
  const check = Effect.gen(function* () {
    const began = workers.flatMap((each) => each.of("Began"))
    const violations = Invariants.violations(yield* patient(Invariants.dump(store)), {
      executions: [...executions, ...began],
      created: expected,
      finished: expected.length > 0,
      wholeHistory: true
    })
    assert.deepStrictEqual(violations, [])
  })
  return { world, check }
})

/** The test's own client lost its connections in an outage too. */
const patient = <A>(call: Effect.Effect<A, JobStore.JobStoreError>): Effect.Effect<A> =>
  Effect.orDie(
    Effect.retry(call, { while: (error) => error.isRetryable, schedule: Schedule.spaced("50 millis"), times: 40 })
  )

const sql = (place: Place, text: (table: (name: string) => string) => string) => {
  if (place.kind === "postgres")
    return query(
      place.url,
      text((name) => place.prefix + name)
    )
  return Effect.sync(() => {
    const db = new DatabaseSync(place.filename)
    try {
      return db.prepare(text((name) => `scheduler_${name}`)).all()
    } finally {
      db.close()
    }
  })
}

const startWorker = (spec: Spec, point: Point | undefined): Worker => {
  const child = spawn(process.execPath, [script, JSON.stringify(spec)], {
    stdio: ["ignore", "pipe", "inherit"],
    // Beside the script, and gone with it: it has another path in each run.
    env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(script), "cache") }
  })
  const messages: Array<Message> = []
  let left = ""
  child.stdout.on("data", (data) => {
    const lines = (left + String(data)).split("\n")
    left = lines.pop()!
    for (const line of lines) messages.push(JSON.parse(line) as Message)
  })
  // Both after the pipe has been read to its end.
  const end = new Promise<number | string>((resolve) =>
    child.on("close", (code, signal) => resolve(signal ?? code ?? -1))
  )
  return {
    process: child,
    messages,
    of: (tag) => messages.filter((message) => message._tag === tag) as never,
    signal: (signal) => Effect.sync(() => void child.kill(signal)),
    release: Effect.sync(() => writeFileSync(point?.until ?? "", "")),
    end: Effect.promise(() => end)
  }
}

/** Whether somebody holds the lock of a SQLite file, and not only for a moment. */
export const isLocked = (filename: string): boolean => {
  const db = new DatabaseSync(filename, { timeout: 20 })
  try {
    return Array.from({ length: 10 }).every(() => {
      try {
        db.exec("begin immediate; rollback")
        return false
      } catch {
        return true
      }
    })
  } finally {
    db.close()
  }
}

/** A store some of whose calls go as the test says. */
export const instead =
  (calls: { readonly [M in FaultyStore.Method]?: (call: JobStoreService[M]) => JobStoreService[M] }) =>
  (store: JobStoreService): JobStoreService => {
    const changed = Object.entries(calls).map(([method, change]) => [
      method,
      (change as (call: unknown) => unknown)(store[method as FaultyStore.Method])
    ])
    return { ...store, ...Object.fromEntries(changed) }
  }
