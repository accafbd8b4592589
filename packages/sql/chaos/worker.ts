// A process that schedules and runs: a whole scheduler on the shared store. It writes down what it executes, and ends in
// order at SIGTERM.
import { Effect, Exit, Layer, Metric, Schedule } from "effect"
import { type Job, JobRun, Scheduler } from "effect-scheduler"
import { writer } from "./log.ts"
import type { Task } from "./processes.ts"
import { layerOf } from "./store.ts"
import { execute, jobs, limits } from "./work.ts"

const { folder, lease, maxRunning, place } = JSON.parse(process.argv[2]!) as Task
const write = writer(folder)
const now = () => Date.now()

let node = ""
const becomes = (id: string) => {
  node = id
  write({ _tag: "Node", at: now(), node })
}

const handler =
  (job: Job.Any) =>
  ({ n }: { readonly n: number }) =>
    Effect.flatMap(JobRun.current, ({ attempt, execution, id: run }) => {
      write({ _tag: "Begin", at: now(), run, attempt, node })
      return Effect.onExit(execute(job, n, execution), (exit) =>
        Effect.sync(() =>
          write({
            _tag: "End",
            at: now(),
            run,
            attempt,
            how: Exit.isSuccess(exit) ? "succeeded" : Exit.hasInterrupts(exit) ? "interrupted" : "failed"
          })
        )
      )
    })

const handlers = Layer.mergeAll(...(jobs.map((job) => job.toLayer(handler(job) as never)) as [Layer.Layer<never>]))

// Of refused reports nothing is published, they are counted.
let refused = 0
const countRefused = Effect.map(Metric.snapshot, (metrics) => {
  const state = metrics.find(({ id }) => id === "effect_scheduler_fenced")?.state as
    | { readonly count: number }
    | undefined
  if (state === undefined || state.count === refused) return
  refused = state.count
  write({ _tag: "Fenced", at: now(), count: refused })
})

const program = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  becomes(yield* scheduler.node)
  yield* scheduler.on("NodeFenced", (event) => Effect.sync(() => becomes(event.newNode)))
  yield* scheduler.on(
    [
      "NodeFenced",
      "NodeReaped",
      "RunRecovered",
      "RunLost",
      "RunReleased",
      "StoreDegraded",
      "FiberRestarted",
      "RunMissed"
    ],
    (event) =>
      Effect.sync(() => {
        const subject =
          "dead" in event ? event.dead : "runId" in event ? event.runId : "message" in event ? event.message : ""
        write({ _tag: "Event", at: now(), name: event._tag, subject })
      })
  )
  yield* Effect.forkScoped(Effect.repeat(countRefused, Schedule.spaced("25 millis")))
  yield* Effect.addFinalizer(() => countRefused)
  yield* scheduler.start
  return yield* Effect.never
})

const scheduler = Scheduler.layer({
  stores: { default: layerOf(place) },
  autoStart: false,
  lease,
  maxRunning,
  pollInterval: "150 millis",
  storeTimeout: "2 seconds",
  drainDeadline: "5 seconds",
  janitorInterval: "2 seconds",
  recoveryDelays: [0, ...Array.from({ length: 20 }, () => 200)],
  queues: { narrow: { concurrency: limits.queue.narrow } }
})

const fiber = Effect.runFork(Effect.scoped(program).pipe(Effect.provide(Layer.provideMerge(handlers, scheduler))))
process.once("SIGTERM", () => fiber.interruptUnsafe())
fiber.addObserver((exit) => {
  if (Exit.isFailure(exit) && !Exit.hasInterrupts(exit)) process.exitCode = 1
})
