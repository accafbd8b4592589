/** Nodes that are told to stop, once and more than once, with work in hand. */
import { assert } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Job, JobRegistry, Scheduler } from "effect-scheduler"
import type { JobStore } from "effect-scheduler/JobStore"
import type { SchedulerError } from "effect-scheduler/SchedulerError"
import type { SchedulerOptions } from "effect-scheduler/SchedulerOptions"
import { Tick, Work } from "./jobs.ts"
import { fault, instead, shortened } from "./kit.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const

fault(
  45,
  "a node is drained with runs running, claimed and waiting",
  {
    on: everywhere,
    injected: {
      memory: "the scheduler is drained while 5 runs run and a claim of 5 others has not been answered",
      sqlite: "the same, and SIGTERM for a worker process with 5 slots and 10 runs",
      postgres: "the same, and SIGTERM for a worker process with 5 slots and 10 runs"
    }
  },
  (world) =>
    Effect.gen(function* () {
      yield* drained(world)
      if (world.name !== "memory") yield* terminated(world)
      return world.name === "memory"
        ? "claimed and not started: given back; ended within the grace: succeeded; the rest: interrupted and given back with no failure and no recovery; another node ran them"
        : "claimed and not started: given back; ended within the grace: succeeded; the rest: interrupted and given back with no failure and no recovery; another node ran them; the process exited with 0 and left no row of its own"
    })
)

type World = Parameters<Parameters<typeof fault>[3]>[0]

/** A scheduler whose claim is on its way when it is drained. */
const drained = Effect.fnUntraced(function* (world: World) {
  const claimed = yield* Deferred.make<void>()
  const answer = yield* Deferred.make<void>()
  let hold = false
  const held = instead({
    claim: (call) => (params) =>
      Effect.tap(call(params), ({ runs }) =>
        hold && runs.length > 0
          ? Effect.andThen(Deferred.succeed(claimed, undefined), Deferred.await(answer))
          : Effect.void
      )
  })
  const ends = yield* Deferred.make<void>()
  const work = Work.toLayer(({ deed }) =>
    Effect.andThen(world.executing, deed._tag === "Never" ? Effect.never : Deferred.await(ends))
  )
  const node = yield* world.node({ jobs: work, over: held, storeTimeout: "20 seconds" })
  const never = yield* node.scheduler.enqueueAll(
    Work,
    Array.from({ length: 2 }, () => ({ deed: { _tag: "Never" } }))
  )
  const three = yield* node.scheduler.enqueueAll(
    Work,
    Array.from({ length: 3 }, () => ({ deed: { _tag: "End" } }))
  )
  yield* world.until(
    "five run",
    Effect.sync(() => world.executions.length),
    (count) => count === 5
  )
  hold = true
  const five = yield* node.scheduler.enqueueAll(
    Work,
    Array.from({ length: 5 }, () => ({ deed: { _tag: "End" } }))
  )
  yield* Deferred.await(claimed)
  const draining = yield* Effect.forkChild(node.scheduler.drain("50 seconds"), { startImmediately: true })
  // Its first steps: from then on nothing is started any more.
  yield* Effect.repeat(Effect.yieldNow, { times: 20 })
  yield* Deferred.succeed(answer, undefined)
  yield* Deferred.succeed(ends, undefined)
  for (const id of three) assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1 })
  // The end of the grace for those that do not end.
  yield* node.scheduler.drain(0)
  yield* Fiber.join(draining)
  const left = yield* world.store.getRuns({ ids: [...never, ...five] })
  assert.strictEqual(left.unfinished.length, 7)
  for (const run of left.unfinished) {
    assert.deepInclude(run, { state: "pending", attempt: 1, failures: 0, recoveries: 0, node: null })
    assert.strictEqual(world.executionsOf(run.id), never.includes(run.id) ? 1 : 0)
  }
  const next = yield* world.node({ jobs: Work.toLayer(() => Effect.asVoid(world.executing)) })
  for (const id of [...never, ...five]) {
    assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 2, failures: 0, recoveries: 0 })
  }
  world.mustEnd(...never, ...three, ...five)
  yield* next.stop
})

/** A process that gets SIGTERM. */
const terminated = Effect.fnUntraced(function* (world: World) {
  const worker = yield* world.worker({ jobs: ["Work"], maxRunning: 5, drainDeadline: "1 second" })
  const client = yield* world.client
  const enqueue = (count: number, millis: number) =>
    client.enqueueAll(
      Work,
      Array.from({ length: count }, () => ({ deed: { _tag: "Sleep", millis } }) as const)
    )
  const long = yield* enqueue(2, 60_000)
  const brief = yield* enqueue(3, 400)
  yield* world.until(
    "five run",
    Effect.sync(() => worker.of("Began").length),
    (count) => count === 5
  )
  const waiting = yield* enqueue(5, 60_000)
  yield* worker.signal("SIGTERM")
  assert.strictEqual(yield* worker.end, 0)
  assert.deepStrictEqual(worker.of("Left"), [{ _tag: "Left", how: "drained" }])
  const rows = yield* world.store.getRuns({ ids: [...long, ...brief, ...waiting] })
  assert.deepStrictEqual(rows.ended.map((run) => `${run.id} ${run.outcome}`).toSorted(), ended(brief))
  const attempts = new Map(rows.unfinished.map((run) => [run.id, run.attempt]))
  for (const id of long) assert.strictEqual(attempts.get(id), 1)
  for (const id of waiting) assert.strictEqual(attempts.get(id), 0)
  for (const run of rows.unfinished) assert.deepInclude(run, { state: "pending", failures: 0, recoveries: 0 })
  assert.deepStrictEqual(yield* world.store.nodes, [], "its row is gone")
  yield* world.node({ jobs: Work.toLayer(() => Effect.asVoid(world.executing)) })
  for (const id of [...long, ...waiting]) assert.strictEqual((yield* world.ended(id)).outcome, "succeeded")
  world.mustEnd(...long, ...brief, ...waiting)
})

const ended = (ids: ReadonlyArray<string>) => ids.map((id) => `${id} succeeded`).toSorted()

fault(
  46,
  "stopped twice, stopped while it starts, closed while it drains",
  {
    on: everywhere,
    injected: {
      memory: "20 rounds of start and drain at once, twice each, and at last its scope closed meanwhile",
      sqlite:
        "20 rounds of start and drain at once, twice each, and at last its scope closed meanwhile; a second SIGTERM for a process",
      postgres:
        "20 rounds of start and drain at once, twice each, and at last its scope closed meanwhile; a second SIGTERM for a process"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const node = yield* world.node({ jobs: Tick.toLayer(() => Effect.asVoid(world.executing)) })
      const { drain, start } = node.scheduler
      const orders = [
        [start, drain(0), drain(0), start],
        [drain(0), start, drain(0), start],
        [start, start, drain("10 millis"), drain(0)]
      ]
      const ids: Array<string> = []
      for (let round = 0; round < 20; round++) {
        if (round % 5 === 0) ids.push(yield* node.scheduler.enqueue(Tick))
        const calls = Effect.all(orders[round % orders.length]!, { concurrency: "unbounded", discard: true })
        yield* Effect.timeout(calls, "20 seconds")
      }
      yield* node.scheduler.start
      yield* node.scheduler.start
      for (const id of ids)
        assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", failures: 0, recoveries: 0 })
      const closing = Effect.all([start, node.stop, drain(0), node.stop], { concurrency: "unbounded", discard: true })
      yield* Effect.timeout(Effect.ignore(closing), "20 seconds")
      assert.deepStrictEqual(yield* world.store.nodes, [])
      world.mustEnd(...ids)
      if (world.name === "memory")
        return "every call came back, what was enqueued meanwhile ran once, and nothing was left"

      const worker = yield* world.worker({ jobs: ["Work"], drainDeadline: "500 millis" })
      const id = yield* (yield* world.client).enqueue(Work, { deed: { _tag: "Never" } })
      yield* world.until(
        "it runs",
        Effect.sync(() => worker.of("Began").length),
        (count) => count === 1
      )
      yield* worker.signal("SIGTERM")
      yield* worker.signal("SIGTERM")
      assert.strictEqual(yield* worker.end, 0)
      const { unfinished } = yield* world.store.getRuns({ ids: [id] })
      assert.deepInclude(unfinished[0], { state: "pending", attempt: 1, recoveries: 0 })
      yield* (yield* world.client).cancel(id)
      return "every call came back, what was enqueued meanwhile ran once, and nothing was left; the process exited with 0"
    })
)

class Hold extends Job.make("Hold") {}

/** Something that a handler uses and that its layer closes. */
class Connection extends Context.Service<Connection, { readonly use: Effect.Effect<void> }>()("test/Connection") {}

type Options = SchedulerOptions<{ readonly default: Layer.Layer<JobStore> }>
type Compose = (
  job: Layer.Layer<never, never, JobRegistry>,
  options: Options
) => Layer.Layer<Scheduler | JobRegistry, SchedulerError>

const compositions: Record<string, Compose> = {
  above: (job, options) => Layer.provideMerge(job, Scheduler.layer(options)),
  below: (job, options) =>
    Scheduler.layer(options).pipe(Layer.provideMerge(job), Layer.provideMerge(JobRegistry.layer)),
  beside: (job, options) =>
    // @effect-diagnostics-next-line layerMergeAllWithDependencies:off
    Layer.mergeAll(job, Scheduler.layer(options)).pipe(Layer.provideMerge(JobRegistry.layer))
}

fault(
  66,
  "the scope closes while a handler uses a scoped service of its layer",
  {
    on: everywhere,
    injected: "the job's layer above, below and beside the scheduler; the whole is closed while its handler waits"
  },
  (world) =>
    Effect.gen(function* () {
      for (const [order, compose] of Object.entries(compositions)) {
        const log: Array<string> = []
        const begun = yield* Deferred.make<void>()
        const end = yield* Deferred.make<void>()
        const connection = Layer.effect(
          Connection,
          Effect.gen(function* () {
            yield* Effect.addFinalizer(() => Effect.sync(() => log.push("closed")))
            return { use: Effect.sync(() => void log.push("used")) }
          })
        )
        const handler = Effect.gen(function* () {
          const { use } = yield* Connection
          yield* world.executing
          yield* use
          yield* Deferred.succeed(begun, undefined)
          yield* Effect.ensuring(Deferred.await(end), use)
        })
        const job = Hold.toLayer(() => handler).pipe(Layer.provide(connection))
        const options = {
          ...shortened,
          drainDeadline: "20 seconds",
          stores: { default: Layer.orDie(world.layer) }
        } as const
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(Layer.fresh(compose(job, options)), scope)
        const id = yield* Context.get(context, Scheduler).enqueue(Hold)
        yield* Deferred.await(begun)
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        // The close has begun when it has stopped claiming.
        yield* world.pass(100)
        assert.deepStrictEqual(log, ["used"], order)
        assert.isUndefined(closing.pollUnsafe(), "it waits for the run")
        yield* Deferred.succeed(end, undefined)
        yield* Fiber.join(closing)
        assert.deepStrictEqual(log, ["used", "used", "closed"], order)
        assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1 })
        world.mustEnd(id)
      }
      return "in each order the service was open until the run had ended, and the run's end was stored"
    })
)
