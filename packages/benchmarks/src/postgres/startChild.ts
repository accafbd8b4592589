/** `startChild.ts postgres|sqlite URL|FILE`: from nothing but loaded code until the schedule that is due has run. */
import { SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Layer } from "effect"
import { Scheduler } from "effect-scheduler"
import { answer } from "../child.ts"
import { databaseOf } from "./sides/ours.ts"
import { Tick } from "./stored.ts"

const [kind, where] = [process.argv[2]!, process.argv[3]!]

const store =
  kind === "sqlite"
    ? SqlJobStore.layerSqlite({ filename: where })
    : SqlJobStore.layer().pipe(Layer.provide(databaseOf(where)))

let ran = 0
const live = Tick.toLayer(() => Effect.sync(() => void (ran ||= performance.now()))).pipe(
  Layer.provideMerge(Layer.orDie(Scheduler.layer({ stores: { default: store } })))
)

globalThis.gc!()
const before = process.memoryUsage().rss
const began = performance.now()
const built = await Effect.gen(function* () {
  const built = performance.now()
  yield* Effect.repeat(Effect.sleep("1 millis"), { until: () => ran > 0 })
  return built
}).pipe(Effect.provide(live), Effect.scoped, Effect.runPromise)
const most = process.resourceUsage().maxRSS * 1024
answer({ built: built - began, ran: ran - began, grown: most - before, most })
