/** Each library as its documentation sets it up, with as many schedules as it is asked for. */
import { Cron as Croner } from "croner"
import { Effect, Layer, Schedule } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"
import { schedule as scheduleNodeCron } from "node-cron"
import { scheduleJob } from "node-schedule"
import { PlainHeap } from "./plainHeap.ts"

/** Sets up so many schedules of a pattern and answers when all are there. `run` is told which one, and its nominal time if known. */
type SetUp = (pattern: string, count: number, run: () => void) => Promise<void>

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }

/** The README's layer. */
const ours =
  (triggerOf: (pattern: string, index: number) => Trigger.Trigger): SetUp =>
  async (pattern, count, run) => {
    class Tick extends Job.make("Tick") {}
    const live = Tick.toLayer(() => Effect.sync(run)).pipe(Layer.provideMerge(Layer.orDie(Scheduler.layer())))
    await new Promise<void>((resolve, reject) => {
      const program = Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.scheduleAll(
          Tick,
          Array.from({ length: count }, (_, i) => ({ id: `schedule-${i}`, trigger: triggerOf(pattern, i) }))
        )
        resolve()
        return yield* Effect.never
      })
      Effect.runPromise(program.pipe(Effect.provide(live))).catch(reject)
    })
  }

const shared = new Map<string, Trigger.Trigger>()
const parse = (pattern: string): Trigger.Trigger => Effect.runSync(Effect.fromResult(Trigger.parseCron(pattern)))
const sharedTrigger = (pattern: string): Trigger.Trigger => {
  const trigger = shared.get(pattern) ?? parse(pattern)
  shared.set(pattern, trigger)
  return trigger
}

/** What a pattern of the benchmark means to something that knows no cron. */
const plainly = (pattern: string): { readonly first: () => number; readonly period: number } =>
  pattern === "* * * * * *"
    ? { first: () => Math.floor(Date.now() / 1_000) * 1_000 + 1_000, period: 1_000 }
    : { first: () => Date.now() + 1e10, period: 0 }

const kept: Array<unknown> = []

export const libraries = {
  "effect-scheduler": ours(sharedTrigger),
  "effect-scheduler, triggers unlike each other": ours((_, i) =>
    parse(`${i % 60} ${((i / 60) % 60) | 0} ${((i / 3600) % 24) | 0} 1 ${1 + (((i / 86400) | 0) % 12)} *`)
  ),
  "heap and one timer": async (pattern, count, run) => {
    const { first, period } = plainly(pattern)
    const heap = new PlainHeap(period)
    const at = first()
    heap.addAll(Array.from({ length: count }, () => ({ at, run })))
    kept.push(heap)
  },
  "node-cron": async (pattern, count, run) => {
    for (let i = 0; i < count; i++) scheduleNodeCron(pattern, run)
  },
  "node-cron, suppressMissedWarning": async (pattern, count, run) => {
    const options = { suppressMissedWarning: true, logger: silent }
    for (let i = 0; i < count; i++) scheduleNodeCron(pattern, run, options)
  },
  "node-schedule": async (pattern, count, run) => {
    for (let i = 0; i < count; i++) scheduleJob(pattern, run)
  },
  croner: async (pattern, count, run) => {
    for (let i = 0; i < count; i++) kept.push(new Croner(pattern, run))
  },
  "croner, utcOffset": async (pattern, count, run) => {
    for (let i = 0; i < count; i++) kept.push(new Croner(pattern, { utcOffset: 0 }, run))
  },
  "Effect, a fiber with Schedule.cron each": async (pattern, count, run) => {
    const job = Effect.schedule(Effect.sync(run), Schedule.cron(pattern))
    for (let i = 0; i < count; i++) kept.push(Effect.runFork(job))
  }
} satisfies Readonly<Record<string, SetUp>>

export type LibraryName = keyof typeof libraries
