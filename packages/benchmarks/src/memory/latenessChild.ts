/**
 * `latenessChild.ts SUBJECT SECONDS [URL]`: 100 schedules of every second, each 10 ms after the one before, so that ticks come one at a
 * time on a system that is otherwise idle.
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

const [subject, seconds] = [process.argv[2] as "memory" | "sqlite" | "postgres" | "heap", Number(process.argv[3])]
const wanted = 100 * seconds

const lateness: Array<number> = []
let reached: () => void
const all = new Promise<void>((resolve) => void (reached = resolve))

/** The first second of each schedule does not count: code is compiled and pages are read. */
let ticks = 0
const run = (nominal: number) => {
  const late = performance.timeOrigin + performance.now() - nominal
  if (ticks++ < 100) return
  lateness.push(late)
  if (lateness.length === wanted) reached()
}

class Tick extends Job.make("Tick") {}
const Handler = Tick.toLayer(() => Effect.map(JobRun.current, ({ nominal }) => run(nominal!)))
const program = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  const second = Trigger.cron("* * * * * *")
  yield* scheduler.scheduleAll(
    Tick,
    Array.from({ length: 100 }, (_, i) => ({ id: `tick-${i}`, trigger: Trigger.offset(second, `${i * 10} millis`) }))
  )
  yield* Effect.promise(() => all)
})

const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-bench-"))
try {
  if (subject === "heap") {
    const start = Math.ceil(Date.now() / 1_000) * 1_000
    new PlainHeap(1_000).addAll(Array.from({ length: 100 }, (_, i) => ({ at: start + i * 10, run })))
    await all
  } else {
    const stores = {
      memory: undefined,
      sqlite: { default: SqlJobStore.layerSqlite({ filename: join(folder, "jobs.sqlite") }) },
      postgres: { default: SqlJobStore.layer().pipe(Layer.provide(databaseOf(process.argv[4] ?? ""))) }
    }[subject]
    const layer = Layer.orDie(stores === undefined ? Scheduler.layer() : Scheduler.layer({ stores }))
    await Effect.runPromise(Effect.provide(program, Layer.provideMerge(Handler, layer)))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const sorted = lateness.toSorted((a, b) => a - b)
answer({ count: sorted.length, p50: percentile(sorted, 50), p99: percentile(sorted, 99), max: sorted.at(-1) })
