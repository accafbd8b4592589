/**
 * `latenessChild.ts SUBJECT APART SECONDS [URL]`: schedules of every second, each so many milliseconds after the one before, so that
 * ticks come one at a time on a system that is otherwise idle.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Layer } from "effect"
import { Job, JobRun, Scheduler, Trigger } from "effect-scheduler"
import { answer } from "../child.ts"
import { percentile } from "../measure.ts"
import { databaseOf } from "../postgres/sides/ours.ts"
import { PlainHeap } from "./plainHeap.ts"

const subject = process.argv[2] as "memory" | "sqlite" | "postgres" | "heap"
const [apart, seconds] = process.argv.slice(3, 5).map(Number) as [number, number]
const count = 1_000 / apart
const wanted = count * seconds

const lateness: Array<number> = []
let reached: () => void
const all = new Promise<void>((resolve) => void (reached = resolve))

/** The first second of each schedule does not count: pages are read. */
let ticks = 0
const run = (nominal: number) => {
  const late = performance.timeOrigin + performance.now() - nominal
  if (ticks++ < count) return
  lateness.push(late)
  if (lateness.length === wanted) reached()
}

class Tick extends Job.make("Tick") {}
const Handler = Tick.toLayer(() => Effect.map(JobRun.current, ({ nominal }) => run(nominal!)))

/** So many schedules fire before, one after another, by which code is compiled. */
class Before extends Job.make("Before") {}
const before = 1_000
let ranBefore = 0
const HandlerBefore = Before.toLayer(() => Effect.sync(() => void ranBefore++))
const warmUp = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  const now = Date.now()
  for (let i = 0; i < before; i++) {
    yield* scheduler.schedule(Before, { id: `before-${i}`, trigger: Trigger.at(now) })
    if (i % 10 === 9) yield* Effect.repeat(Effect.sleep("1 millis"), { until: () => ranBefore > i })
  }
})

const program = Effect.gen(function* () {
  yield* warmUp
  const scheduler = yield* Scheduler
  const second = Trigger.cron("* * * * * *")
  yield* scheduler.scheduleAll(
    Tick,
    Array.from({ length: count }, (_, i) => ({
      id: `tick-${i}`,
      trigger: Trigger.offset(second, `${i * apart} millis`)
    }))
  )
  yield* Effect.promise(() => all)
})

const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-bench-"))
try {
  if (subject === "heap") {
    const start = Math.ceil(Date.now() / 1_000) * 1_000
    new PlainHeap(1_000).addAll(Array.from({ length: count }, (_, i) => ({ at: start + i * apart, run })))
    await all
  } else {
    const stores = {
      memory: undefined,
      sqlite: { default: SqlJobStore.layerSqlite({ filename: join(folder, "jobs.sqlite") }) },
      postgres: { default: SqlJobStore.layer().pipe(Layer.provide(databaseOf(process.argv[5] ?? ""))) }
    }[subject]
    const layer = Layer.orDie(stores === undefined ? Scheduler.layer() : Scheduler.layer({ stores }))
    await Effect.runPromise(Effect.provide(program, Layer.provideMerge(Layer.merge(Handler, HandlerBefore), layer)))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const sorted = lateness.toSorted((a, b) => a - b)
answer({ count: sorted.length, p50: percentile(sorted, 50), p99: percentile(sorted, 99), max: sorted.at(-1) })
