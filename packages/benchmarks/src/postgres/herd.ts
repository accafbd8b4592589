/** Many schedules that are due at one instant, on Postgres. */
import { SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Layer } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"
import { median, millis as shown, type Options } from "../measure.ts"
import type { Sections } from "../report.ts"
import { withServer } from "./databases.ts"
import { databaseOf } from "./sides/ours.ts"

class Tick extends Job.make("Tick") {}
class Other extends Job.make("Other") {}

/** So many schedules due at one instant, while runs of another job come in one by one. */
const measure = async (url: string, count: number) => {
  let ran = 0
  const waits: Array<number> = []
  const handlers = Layer.mergeAll(
    Tick.toLayer(() => Effect.sync(() => void ran++)),
    Other.toLayer(() => Effect.void)
  )
  const live = handlers.pipe(
    Layer.provideMerge(
      Scheduler.layer({ stores: { default: SqlJobStore.layer().pipe(Layer.provide(databaseOf(url))) } })
    ),
    Layer.orDie
  )
  let peak = 0
  const program = Effect.gen(function* () {
    const scheduler = yield* Scheduler
    yield* scheduler.pauseAll
    const chunk = 10_000
    const trigger = Trigger.at(0)
    for (let from = 0; from < count; from += chunk) {
      const ids = Array.from({ length: Math.min(chunk, count - from) }, (_, i) => ({ id: `t${from + i}`, trigger }))
      yield* scheduler.scheduleAll(Tick, ids)
    }
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    const began = performance.now()
    yield* scheduler.resumeAll
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.gen(function* () {
          const at = performance.now()
          yield* scheduler.execute(Other, undefined, { priority: 0 }).pipe(Effect.ignoreCause)
          waits.push(performance.now() - at)
          peak = Math.max(peak, process.memoryUsage().rss - before)
          yield* Effect.sleep("100 millis")
        })
      )
    )
    yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => ran >= count })
    return performance.now() - began
  }).pipe(Effect.scoped, Effect.provide(live))
  const millis = await Effect.runPromise(program)
  return { millis, peak, waits: waits.toSorted((a, b) => a - b) }
}

export const herd = ({ full, quick }: Options): Promise<Sections> =>
  withServer(async (server) => {
    const count = quick ? 5_000 : full ? 1_000_000 : 50_000
    const { millis, peak, waits } = await measure(server.url, count)
    return [
      {
        name: "herd",
        title: `${count.toLocaleString("en")} schedules due at one instant on Postgres, one process`,
        text:
          "The README's layer, from `resumeAll` until the last handler has run. Beside them a run of another job with the highest priority " +
          "is enqueued and awaited by `execute`, and 100 ms later the next.",
        head: ["runs", "in all", "runs/s", "memory grew by", "executes", "execute, in the middle", "longest"],
        rows: [
          [
            count.toLocaleString("en"),
            shown(millis),
            `${(count / millis).toFixed(1)}k/s`,
            `${(peak / 1e6).toFixed(0)} MB`,
            String(waits.length),
            shown(median(waits)),
            shown(waits.at(-1)!)
          ]
        ]
      }
    ]
  })
