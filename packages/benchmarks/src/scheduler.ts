import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
/** A whole scheduler, set up as the README does it: schedules that wait, and runs from their firing to their history row. */
import { SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Layer } from "effect"
import { Job, type JobRegistry, Scheduler, Trigger } from "effect-scheduler"
import { median, type Options, print, spread, table } from "./measure.ts"

class Noop extends Job.make("Noop") {}

/** CPU time of this process in milliseconds, which other programs on the machine do not lengthen. */
const spent = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1_000
}

const heap = (): number => {
  // Twice: what the first collection only marks, the second frees.
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const idle = (count: number) =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const trigger = Trigger.cron("0 3 1 1 *")
    const before = heap()
    const began = spent()
    yield* scheduler.scheduleAll(
      Noop,
      Array.from({ length: count }, (_, i) => ({ id: `schedule-${i}`, trigger }))
    )
    const millis = spent() - began
    return { millis, bytes: (heap() - before) / count }
  }).pipe(Effect.provide(Layer.orDie(Scheduler.layer())), Effect.runPromise)

const schedulesPart = async ({ quick }: Options) => {
  const rows: Array<ReadonlyArray<string>> = []
  await idle(1_000)
  for (const count of quick ? [1_000, 2_000, 4_000] : [1_000, 10_000, 100_000]) {
    const tries = []
    for (let i = 0; i < (quick ? 1 : 3); i++) tries.push(await idle(count))
    const millis = median(tries.map((one) => one.millis))
    const bytes = median(tries.map((one) => one.bytes))
    const met = count < 100_000 ? "-" : millis < 1_000 && bytes <= 600 ? "yes" : "no"
    const size = globalThis.gc === undefined ? "needs --expose-gc" : `${bytes.toFixed(0)} B`
    rows.push([`${count}`, `${millis.toFixed(0)} ms`, `${((millis * 1_000) / count).toFixed(1)} µs`, size, met])
  }
  print("Idle schedules in memory that share a trigger: CPU time and heap (target for 100,000: 1 s, 600 B each)")
  table(["schedules", "scheduleAll", "each", "heap each", "met"], rows)
}

/** CPU microseconds a run, from due schedules to rows in history, with a handler that does nothing. */
const path = (count: number, layer: Layer.Layer<Scheduler | JobRegistry>) => {
  let ran = 0
  const live = Noop.toLayer(() => Effect.sync(() => void ran++)).pipe(Layer.provideMerge(layer))
  return Effect.gen(function* () {
    const scheduler = yield* Scheduler
    yield* scheduler.pauseAll
    yield* scheduler.scheduleAll(
      Noop,
      Array.from({ length: count }, (_, i) => ({ id: `run-${i}`, trigger: Trigger.at(0) }))
    )
    const began = spent()
    const wall = performance.now()
    yield* scheduler.resumeAll
    yield* Effect.repeat(Effect.sleep(5), { until: () => ran >= count })
    return { micros: ((spent() - began) * 1_000) / count, perSecond: (count / (performance.now() - wall)) * 1_000 }
  }).pipe(Effect.provide(live), Effect.runPromise)
}

const sqlite = async (count: number, synchronous: "full" | "normal") => {
  const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-bench-"))
  const store = SqlJobStore.layerSqlite({ filename: join(folder, "jobs.sqlite"), synchronous })
  try {
    return await path(count, Layer.orDie(Scheduler.layer({ stores: { default: store } })))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const pathPart = async ({ quick }: Options) => {
  const count = quick ? 500 : 20_000
  const subjects = {
    memory: () => path(count, Layer.orDie(Scheduler.layer())),
    "SQLite, synchronous full (default)": () => sqlite(count, "full"),
    "SQLite, synchronous normal": () => sqlite(count, "normal")
  }
  const rows: Array<ReadonlyArray<string>> = []
  await path(count, Layer.orDie(Scheduler.layer()))
  let ours: ReadonlyArray<number> = []
  for (const [name, run] of Object.entries(subjects)) {
    const tries: Array<Awaited<ReturnType<typeof run>>> = []
    for (let i = 0; i < (quick ? 1 : 5); i++) tries.push(await run())
    const micros = tries.map((one) => one.micros)
    if (ours.length === 0) ours = micros
    const perSecond = median(tries.map((one) => one.perSecond))
    const ratio = spread(micros.map((value, i) => value / ours[i]!))
    rows.push([name, `${median(micros).toFixed(1)} µs`, `${(perSecond / 1_000).toFixed(1)}k/s`, ratio])
  }
  print(`${count} schedules due at once, fire → claim → handler → history, default settings`)
  table(["store", "CPU a run", "runs", "CPU to memory"], rows)
}

export const scheduler = async (options: Options): Promise<void> => {
  await schedulesPart(options)
  await pathPart(options)
}
