/** `ticksChild.ts URL SECONDS`: how late 100 ticks of each second are on Postgres. */
import { SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Layer } from "effect"
import { Job, JobRun, Scheduler, Trigger } from "effect-scheduler"
import { answer } from "../child.ts"
import { percentile } from "../measure.ts"
import { databaseOf } from "./sides/ours.ts"

const [url, seconds] = [process.argv[2]!, Number(process.argv[3])]

const lateness: Array<number> = []
let ticks = 0

class Tick extends Job.make("Tick") {}
const Handler = Tick.toLayer(() =>
  Effect.map(JobRun.current, ({ nominal }) => {
    const late = performance.timeOrigin + performance.now() - nominal!
    // The first second of each schedule does not count: code is compiled and pages are read.
    if (ticks++ >= 100) lateness.push(late)
  })
)

const program = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  const second = Trigger.cron("* * * * * *")
  yield* scheduler.scheduleAll(
    Tick,
    Array.from({ length: 100 }, (_, i) => ({ id: `tick-${i}`, trigger: Trigger.offset(second, `${i * 10} millis`) }))
  )
  yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => lateness.length >= 100 * seconds })
})

const layer = Scheduler.layer({ stores: { default: SqlJobStore.layer().pipe(Layer.provide(databaseOf(url))) } })
await Effect.runPromise(Effect.provide(program, Layer.provideMerge(Handler, Layer.orDie(layer))))
const sorted = lateness.slice(0, 100 * seconds).toSorted((a, b) => a - b)
answer({ count: sorted.length, p50: percentile(sorted, 50), p99: percentile(sorted, 99), max: sorted.at(-1) })
