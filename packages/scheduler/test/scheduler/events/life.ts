/** A random life of one or two schedulers on one store, by a seed: everything that users, handlers and deaths can do. */
import { Context, Effect, Exit, Layer, Option, Random, Schedule, Schema, Scope } from "effect"
import { Job, JobRun, type JobStore, Scheduler, Trigger } from "effect-scheduler"
import { TestClock } from "effect/testing"
import { Seeded } from "../../../src/testing/internal/random.ts"
import { type AnyEvent, build, listen, patiently, settled, steered } from "../support.ts"

class Oops extends Schema.TaggedError<Oops>()("Oops", { execution: Schema.Finite }) {}

const payload = {
  /** Milliseconds. */ takes: Schema.Finite,
  /** So many executions fail. */ fails: Schema.Finite,
  how: Schema.Literals(["fail", "die", "hang", "stubborn"]),
  key: Schema.String
}
const common = { payload, success: Schema.Finite, error: Oops, timeout: "2 seconds" } as const

class Plain extends Job.make("Plain", { ...common, retry: Schedule.recurs(2) }) {}
class Patient extends Job.make("Patient", {
  ...common,
  retry: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 3 }))
}) {}
class Keyed extends Job.make("Keyed", { ...common, retry: Schedule.recurs(1), key: ({ key }) => key }) {}
class Few extends Job.make("Few", { ...common, concurrency: 2 }) {}
class Once extends Job.make("Once", { ...common, delivery: "atMostOnce" }) {}
/** Its handler comes and goes. */
class Guest extends Job.make("Guest", common) {}
class Nobody extends Job.make("Nobody", common) {}
/** As a program of another version writes it. */
class Misfit extends Job.make("Plain", { payload: Schema.String }) {}

const jobs = [Plain, Plain, Patient, Keyed, Few, Once, Guest]

const handle = (input: typeof Plain.payloadSchema.Type) =>
  Effect.gen(function* () {
    const { execution } = yield* JobRun.current
    const work = input.takes === 0 ? Effect.void : Effect.sleep(input.takes)
    if (execution > input.fails) return yield* Effect.as(work, execution)
    switch (input.how) {
      case "fail":
        return yield* Effect.andThen(work, Effect.fail(new Oops({ execution })))
      case "die":
        return yield* Effect.die("a handler that dies")
      case "hang":
        return yield* Effect.never
      case "stubborn":
        return yield* Effect.as(Effect.uninterruptible(Effect.sleep(input.takes * 8)), execution)
    }
  })

const handlers = Layer.mergeAll(
  Plain.toLayer(handle),
  Patient.toLayer(handle),
  Keyed.toLayer(handle),
  Few.toLayer(handle),
  Once.toLayer(handle)
)

const scheduleIds = ["s0", "s1", "s2", "s3"]

interface Life {
  readonly nodes: ReadonlyArray<ReadonlyArray<AnyEvent>>
  readonly history: ReadonlyArray<JobRun.HistoryRecord>
  readonly unfinished: ReadonlyArray<JobRun.RunRecord>
}

export interface Options {
  readonly seed: number
  readonly steps: number
  /** What each node works on: one, or two ways to the same, of which the second is cut off now and then. */
  readonly stores: ReadonlyArray<JobStore.JobStoreService>
  /** Answers of the store are lost now and then. */
  readonly lossy: boolean
}

/** Lives it, heals everything, and lets what is left end. */
export const live = (options: Options): Effect.Effect<Life> =>
  Random.withSeed(Effect.orDie(patiently(life(options))), String(options.seed))

const life = Effect.fnUntraced(function* (options: Options) {
  const random = new Seeded(options.seed)
  const shared = options.stores.length > 1
  const nodes = yield* Effect.forEach(options.stores, (store) => start(store, shared))
  const act = actions(random, nodes)
  for (let step = 0; step < options.steps; step++) {
    for (let n = random.int(0, 3); n > 0; n--) yield* Effect.forkChild(Effect.ignoreCause(act()))
    if (options.lossy && random.chance(0.3)) {
      const method = random.pick(["fire", "claim", "finish", "enqueue", "modify", "cancel", "reap", "held"] as const)
      // A cancel does not wait for what a reaper has done and not heard: its run is told of as recovered afterwards.
      const late = method === "reap" ? "fail" : 700
      const trouble = random.pick(["doThenFail", "doThenHang", "fail", late] as const)
      random.pick(nodes).store.trouble(method, trouble, random.int(1, 3))
    }
    yield* random.chance(0.3) ? settled : TestClock.adjust(random.int(0, 400))
  }
  const [first] = nodes
  const { scheduler } = first!
  for (const node of nodes) {
    node.store.heal()
    yield* TestClock.adjust("10 seconds")
    yield* node.scheduler.resumeAll
    yield* node.scheduler.start
    yield* node.host
  }
  yield* TestClock.adjust("10 seconds")
  for (const { id } of (yield* scheduler.list()).items) yield* scheduler.unschedule(id)
  for (let i = 0; i < 30; i++) {
    yield* TestClock.adjust("5 seconds")
    yield* settled
  }
  const history: Array<JobRun.HistoryRecord> = []
  let cursor: string | undefined
  do {
    const page = yield* scheduler.history({ limit: 500, cursor })
    history.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  const unfinished = yield* scheduler.runs({ limit: 10_000 })
  return { nodes: nodes.map((node) => [...node.events]), history, unfinished: unfinished.items } satisfies Life as Life
})

type Node = Effect.Success<ReturnType<typeof start>>

const start = Effect.fnUntraced(function* (over: JobStore.JobStoreService, shared: boolean) {
  const store = steered({ shared, over })
  const context = yield* build(
    Layer.provideMerge(
      handlers,
      Scheduler.layer({
        stores: { default: store.layer },
        maxRunning: 8,
        lease: "3 seconds",
        pollInterval: "500 millis",
        storeTimeout: "1 second",
        drainDeadline: "300 millis",
        stuckAfter: "2 seconds",
        janitorInterval: "2 seconds",
        unresolvedAfter: "3 seconds",
        recoveryDelays: [0, "500 millis"],
        autoStart: false
      })
    )
  )
  const scheduler = Context.get(context, Scheduler)
  const events = yield* listen(scheduler)
  yield* scheduler.start
  yield* settled
  let guest: Scope.Closeable | undefined
  const dismiss = Effect.suspend(() => {
    const scope = guest
    guest = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })
  const host = Effect.suspend(() => {
    if (guest !== undefined) return Effect.void
    guest = Scope.makeUnsafe()
    return Effect.asVoid(
      Layer.buildWithScope(Layer.fresh(Guest.toLayer(handle)), guest).pipe(Effect.provideContext(context))
    )
  })
  yield* Effect.addFinalizer(() => Effect.andThen(Effect.sync(store.heal), dismiss))
  yield* host
  return { store, scheduler, events, host, dismiss }
})

/** One thing that a user or a disaster does. */
const actions = (random: Seeded, nodes: ReadonlyArray<Node>) => {
  const input = () => ({
    takes: random.pick([0, 0, 100, 700, 1900]),
    fails: random.pick([0, 0, 1, 2, 5]),
    how: random.pick(["fail", "fail", "die", "hang", "stubborn"] as const),
    key: random.pick(["a", "b"])
  })
  const seen = () => {
    const ids = nodes.flatMap(({ events }) => events.flatMap((event) => ("runId" in event ? [event.runId] : [])))
    return ids.length === 0 ? "none" : random.pick(ids.slice(-20))
  }
  const overlap = () => random.pick(["skip", "bufferOne", "bufferAll", "cancelPrevious", "allow"] as const)
  const every = () => Trigger.every(random.pick([300, 700, 1500]))
  const schedule = ({ scheduler }: Node) =>
    scheduler.schedule(random.pick(jobs), {
      id: random.pick(scheduleIds),
      payload: input(),
      trigger: random.chance(0.2) ? Trigger.spaced(500) : every(),
      overlap: overlap(),
      buffer: 2,
      missed: random.pick([{ run: "none", grace: 200 }, { run: "latest" }, { run: "all", limit: 3 }] as const),
      ...(random.chance(0.3) ? { maxRuns: random.int(1, 5) } : {}),
      ...(random.chance(0.3) ? { jitter: 200 } : {}),
      onConflict: random.pick(["update", "replace", "keep"] as const)
    })
  const list: ReadonlyArray<readonly [weight: number, act: (node: Node) => Effect.Effect<unknown, unknown>]> = [
    [10, ({ scheduler }) => scheduler.enqueue(random.pick(jobs), input())],
    [3, ({ scheduler }) => scheduler.enqueueAll(random.pick(jobs), [input(), input(), input()])],
    [2, ({ scheduler }) => scheduler.enqueue(random.pick(jobs), input(), { idempotencyKey: random.pick(["x", "y"]) })],
    [
      4,
      ({ scheduler }) =>
        Effect.flatMap(scheduler.enqueue(random.pick(jobs), input()), (id) =>
          Effect.andThen(random.chance(0.5) ? Effect.yieldNow : settled, scheduler.cancel(id))
        )
    ],
    [
      2,
      ({ scheduler }) => Effect.timeout(scheduler.execute(random.pick(jobs), input(), { cancelOnInterrupt: true }), 500)
    ],
    [1, ({ scheduler }) => scheduler.enqueue(Misfit, "not what it takes")],
    [1, ({ scheduler }) => scheduler.enqueue(Nobody, input())],
    [8, ({ scheduler }) => scheduler.cancel(seen())],
    [3, ({ scheduler }) => scheduler.rerun(seen())],
    [4, schedule],
    [2, ({ scheduler }) => scheduler.runNow(random.pick(scheduleIds), { overlap: random.chance(0.5) })],
    [1, ({ scheduler }) => scheduler.unschedule(random.pick(scheduleIds))],
    [1, ({ scheduler }) => scheduler.reschedule(random.pick(scheduleIds), every())],
    [1, ({ scheduler }) => scheduler.update(Plain, random.pick(scheduleIds), { overlap: overlap() })],
    [1, ({ scheduler }) => scheduler.pause(random.pick(scheduleIds))],
    [3, ({ scheduler }) => scheduler.resume(random.pick(scheduleIds), { from: random.pick(["now", "missed"]) })],
    [
      1,
      ({ scheduler }) =>
        scheduler.backfill(random.pick(scheduleIds), { from: 0, to: 4_000, request: random.pick(["p", "q"]) })
    ],
    [1, ({ scheduler }) => Effect.andThen(scheduler.pauseAll, Effect.delay(scheduler.resumeAll, 300))],
    [1, ({ scheduler }) => Effect.andThen(scheduler.drain(random.pick([0, 200])), scheduler.start)],
    [1, ({ dismiss, host }) => Effect.andThen(dismiss, Effect.delay(host, 400))],
    [
      1,
      () => {
        const second = Option.fromUndefinedOr(nodes[1])
        if (Option.isNone(second)) return Effect.void
        const { store } = second.value
        return Effect.andThen(
          Effect.sync(store.cut),
          Effect.delay(Effect.sync(store.heal), random.pick([1_000, 9_000]))
        )
      }
    ]
  ]
  const total = list.reduce((sum, [weight]) => sum + weight, 0)
  return (): Effect.Effect<unknown, unknown> => {
    let left = random.int(1, total)
    const [, act] = list.find(([weight]) => (left -= weight) <= 0)!
    return act(random.pick(nodes))
  }
}
