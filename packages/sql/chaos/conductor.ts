/** Gives the work, injects the faults, waits for the end, and collects what there is to be audited. */
import { Effect, Fiber, Option, Schedule } from "effect"
import { Scheduler } from "effect-scheduler"
import type { Facts, Sample } from "./audit/facts.ts"
import { busySince, hasFenced, isExecuting, readLogs } from "./log.ts"
import { type Fault, type Options, planOf } from "./plan.ts"
import {
  type Processes,
  type Worker,
  freeze,
  hasEnded,
  hasFailed,
  isFrozen,
  kill,
  processes,
  tell,
  thaw
} from "./processes.ts"
import { readRows, sample } from "./rows.ts"
import { type Ask, ask, layerOf } from "./store.ts"
import { Tick, isResting, jobOf, jobs, limits, schedulesOf } from "./work.ts"

const pause = (millis: number) => Effect.sleep(millis)

const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.asVoid(Effect.repeat(condition, { until: (holds) => holds, schedule: Schedule.spaced("50 millis") }))

/** A fault of the store is no end of the conductor: it says what it wanted again. */
const insist = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.orDie(Effect.retry(effect, Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 100 }))))

interface Progress {
  sent: number
  faults: number
  readonly known: Set<string>
  readonly faultsAtAll: number
}

/** Runs up to this fault, when they are shared out among all faults and the time after the last. */
const shareOf = ({ runs }: Options, { faultsAtAll }: Progress, fault: number): number =>
  Math.min(runs, (runs * fault) / (faultsAtAll + 1))

const unfinished = (ask: Ask) =>
  Effect.map(ask("select count(*) as n from scheduler_runs"), ([row]) => Number(row!["n"]))

/** Enqueues in batches, the share of one fault ahead of the faults: so each comes into the middle of work. */
const feed = Effect.fnUntraced(function* (options: Options, progress: Progress) {
  const scheduler = yield* Scheduler
  const size = 100
  while (progress.known.size < options.runs) {
    if (progress.known.size >= shareOf(options, progress, progress.faults + 2)) {
      yield* pause(50)
      continue
    }
    const numbers = Array.from({ length: Math.min(size, options.runs - progress.known.size) }, () => progress.sent++)
    for (const job of jobs) {
      const mine = numbers.filter((n) => jobOf(n) === job).map((n) => ({ n }))
      if (mine.length === 0) continue
      // Whether a call that failed stored its runs is not known: others are made, and those may be there too.
      const ids = yield* Effect.orElseSucceed(scheduler.enqueueAll(job, mine), () => [])
      for (const id of ids) progress.known.add(id)
    }
  }
})

/** Pauses and resumes some schedules, now without and now with what was missed. */
const rest = Effect.fnUntraced(
  function* (ids: ReadonlyArray<string>) {
    const scheduler = yield* Scheduler
    for (const from of ["now", "missed"] as const) {
      yield* pause(1_500)
      for (const id of ids) yield* insist(scheduler.pause(id))
      yield* pause(1_500)
      for (const id of ids) yield* insist(scheduler.resume(id, { from }))
    }
  },
  (once) => Effect.forever(once)
)

/** Whether a process works for so long that it may say of others that they do not. */
const isSteady = (folder: string, worker: Worker, lease: number): boolean => {
  const since = Math.max(busySince(folder, worker.pid) ?? Infinity, worker.frozen.at(-1)?.until ?? 0)
  return Date.now() - since > lease * 1.5
}

/** Whether a process has had the time to hear what became of it in its last freeze. */
const isOver = ({ frozen }: Worker, lease: number): boolean => Date.now() - (frozen.at(-1)?.until ?? 0) > lease

/** Freezes beyond those of the plan. */
const mostExtra = 5

const inject = Effect.fnUntraced(function* (
  plan: ReadonlyArray<Fault>,
  options: Options,
  { all, start }: Processes,
  folder: string,
  progress: Progress,
  ask: Ask
) {
  const thaws: Array<Fiber.Fiber<void>> = []
  /** Those in the middle of work, as long as another one is there to see it when one of them does not. */
  const targets = () => {
    if (all.filter((worker) => !hasEnded(worker) && isFrozen(worker)).length >= options.frozenAtOnce) return []
    const awake = all.filter((worker) => !hasEnded(worker) && worker.killedAt === undefined && !isFrozen(worker))
    const executing = awake.filter((worker) => isExecuting(folder, worker.pid) && isOver(worker, options.lease))
    return executing.filter((worker) =>
      awake.some((other) => other !== worker && isSteady(folder, other, options.lease))
    )
  }
  const strike = Effect.fnUntraced(function* (fault: Fault) {
    yield* pause(fault.after)
    const done = Effect.map(unfinished(ask), (left) => progress.known.size - left)
    yield* until(Effect.map(done, (count) => count >= shareOf(options, progress, progress.faults)))
    const found = yield* Effect.repeat(Effect.sync(targets), {
      until: (workers) => workers.length > 0,
      schedule: Schedule.spaced("50 millis")
    })
    const worker = found[Math.floor(fault.target * found.length)]!
    if (fault.kind === "kill") {
      kill(worker)
      start()
    } else {
      freeze(worker)
      const thawing = Effect.andThen(
        pause(fault.length),
        Effect.sync(() => thaw(worker))
      )
      thaws.push(yield* Effect.forkScoped(thawing))
    }
    progress.faults = Math.min(progress.faults + 1, progress.faultsAtAll)
  })
  for (const fault of plan) yield* strike(fault)
  yield* Fiber.joinAll(thaws)
  // Whether a frozen process has something to report late is chance. Without such a report the fences were not put to the test.
  for (let extra = 0; extra < mostExtra && !hasFenced(folder); extra++) {
    yield* strike(plan.findLast(({ kind }) => kind === "freeze")!)
    yield* Fiber.joinAll(thaws)
    // Time for what is late to be told.
    yield* pause(options.lease)
  }
}, Effect.scoped)

/** Looks at the tables again and again; each answer is one statement's, and so consistent. */
const watch = Effect.fnUntraced(
  function* (ask: Ask, samples: Array<Sample>) {
    samples.push(yield* sample(ask))
    yield* pause(250)
  },
  (once) => Effect.forever(once)
)

/** How far it is, for who waits. */
const tellProgress = Effect.fnUntraced(
  function* (options: Options, progress: Progress, ask: Ask) {
    yield* pause(15_000)
    const left = yield* unfinished(ask)
    const { faults, faultsAtAll, known } = progress
    process.stdout.write(
      `${options.store}: ${faults} of ${faultsAtAll} faults, ${known.size} of ${options.runs} runs enqueued, ${left} unfinished\n`
    )
  },
  (once) => Effect.forever(once)
)

const end = (worker: Worker) =>
  Effect.gen(function* () {
    tell(worker)
    yield* until(Effect.sync(() => hasEnded(worker)))
    return worker.child.exitCode === 0
  }).pipe(Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.succeed(false) }))

export const conduct = Effect.fnUntraced(function* (options: Options, seed: number, place: string, folder: string) {
  const began = Date.now()
  const plan = planOf(seed, options)
  const progress: Progress = { sent: 0, faults: 0, known: new Set(), faultsAtAll: plan.length }
  const samples: Array<Sample> = []
  const workers = yield* processes({ place, folder, lease: options.lease, maxRunning: options.maxRunning })

  const work = Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const look = yield* ask(place)
    const schedules = schedulesOf(options.schedules)
    yield* Effect.forEach(schedules, (schedule) => insist(scheduler.schedule(Tick, schedule)), { discard: true })
    for (let i = 0; i < options.processes; i++) workers.start()
    yield* Effect.forkScoped(tellProgress(options, progress, look))
    const watching = yield* Effect.forkScoped(watch(look, samples))
    const resting = yield* Effect.forkScoped(rest(schedules.map(({ id }) => id).filter(isResting)))
    yield* Effect.all([feed(options, progress), inject(plan, options, workers, folder, progress, look)], {
      concurrency: 2,
      discard: true
    })
    yield* Fiber.interrupt(resting)
    yield* Effect.forEach(schedules, ({ id }) => insist(scheduler.pause(id)), { discard: true })
    yield* until(Effect.map(unfinished(look), (n) => n === 0))
    yield* Fiber.interrupt(watching)
  }).pipe(Effect.scoped, Effect.provide(Scheduler.layerClient({ default: layerOf(place) })))

  const failed = until(Effect.sync(() => workers.all.some(hasFailed)))
  const ended = yield* Effect.timeoutOption(
    Effect.raceFirst(Effect.as(work, true), Effect.as(failed, false)),
    options.deadline
  )
  const failures = workers.all.filter(hasFailed).map(({ output, pid }) => `process ${pid} ended by itself: ${output}`)
  const alive = workers.all.filter((worker) => !hasEnded(worker))
  const inOrder = yield* Effect.forEach(alive, end, { concurrency: "unbounded" })
  const facts: Facts = {
    ended: Option.getOrElse(ended, () => false),
    failures,
    stopped: { asked: alive.length, inOrder: inOrder.filter((each) => each).length },
    took: Date.now() - began,
    runs: options.runs,
    lease: options.lease,
    maxRunning: options.maxRunning,
    limits,
    known: progress.known,
    processes: workers.all.map(({ frozen, killedAt, pid, startedAt }) => ({
      pid,
      startedAt,
      killedAt,
      frozen: frozen.map(({ from, until }) => ({ from, until: until ?? Date.now() }))
    })),
    rows: yield* Effect.scoped(Effect.flatMap(ask(place), readRows)),
    samples,
    logs: readLogs(folder)
  }
  return facts
})
