/** What the suite shortens, at its full length: the default lease and timeouts, and a database that is away for 30 seconds. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { Job, JobRun, Scheduler, type SchedulerEvent, Trigger } from "effect-scheduler"
import { SqlJobStore } from "../src/index.ts"
import { scopedServer } from "../test/postgres/scoped.ts"
import type { Verdict } from "./audit/facts.ts"
import { ask } from "./store.ts"

const outage = 30_000

class Long extends Job.make("Long") {}
class Keyed extends Job.make("Keyed", { key: () => "one" }) {}
class Tick extends Job.make("Tick") {}

/** Each execution that began, and whether it was interrupted. */
interface Execution {
  readonly run: string
  readonly job: string
  readonly execution: number
  isInterrupted: boolean
}

const verdict = (checked: string, wrong: ReadonlyArray<string>): Verdict => ({ name: "Test", checked, wrong })

const unless = (holds: boolean, otherwise: string): ReadonlyArray<string> => (holds ? [] : [otherwise])

/** Two nodes on one Postgres that is stopped at once and started half a minute later, while jobs of 45 seconds run. */
export const lengths: Effect.Effect<ReadonlyArray<Verdict>> = Effect.gen(function* () {
  const server = yield* scopedServer()
  const executions: Array<Execution> = []
  const handle = (millis: number) => () =>
    Effect.gen(function* () {
      const { execution, id, job } = yield* JobRun.current
      const entry = { run: id, job, execution, isInterrupted: false }
      executions.push(entry)
      yield* Effect.onInterrupt(Effect.sleep(millis), () => Effect.sync(() => void (entry.isInterrupted = true)))
    })
  const node = Effect.gen(function* () {
    const client = PgClient.layer({ url: Redacted.make(server.url), maxConnections: 6 })
    const scheduling = Scheduler.layer({ stores: { default: SqlJobStore.layer().pipe(Layer.provide(client)) } })
    const handlers = Layer.mergeAll(
      Long.toLayer(handle(45_000)),
      Keyed.toLayer(handle(45_000)),
      Tick.toLayer(handle(0))
    )
    const context = yield* Layer.build(Layer.fresh(Layer.provideMerge(handlers, scheduling)))
    const scheduler = Context.get(context, Scheduler)
    const told: Array<SchedulerEvent.Tag> = []
    yield* scheduler.on(["StoreDegraded", "StoreRecovered", "NodeFenced", "NodeReaped"], (event) =>
      Effect.sync(() => void told.push(event._tag))
    )
    return { scheduler, told }
  })
  const nodes = [yield* node, yield* node]
  const { scheduler } = nodes[0]!
  const long = yield* scheduler.enqueueAll(
    Long,
    Array.from({ length: 20 }, () => undefined)
  )
  const keyed = yield* scheduler.enqueue(Keyed)
  yield* scheduler.schedule(Tick, { id: "tick", trigger: Trigger.every("1 second") })
  yield* Effect.sleep("3 seconds")
  const before = executions.filter(({ job }) => job !== "Tick").length
  yield* Effect.promise(() => server.stop("immediate"))
  yield* Effect.sleep(outage)
  yield* Effect.promise(() => server.start())
  const ends = yield* Effect.forEach([...long, keyed], (id) => scheduler.awaitEnd(id), { concurrency: "unbounded" })
  yield* Effect.sleep("3 seconds")
  yield* scheduler.pause("tick")

  const sql = yield* ask(server.url)
  const [row] = yield* sql(
    "select (watermark - first_watermark) / 1000 as times, fired + missed + skipped + dropped + paused as counted, missed from scheduler_schedules"
  )
  const ofLong = executions.filter(({ job }) => job === "Long")
  const ofKeyed = executions.filter(({ job }) => job === "Keyed")
  const told = nodes.map((each) => each.told)
  return [
    verdict(`an outage of ${outage / 1000} s came into the middle of ${before} jobs at the default lease`, [
      ...unless(before === 21, `${before} of 21 jobs had begun`)
    ]),
    verdict(`${ofLong.length} executions of 20 jobs of 45 s, none interrupted, each ended as attempt 1`, [
      ...unless(ofLong.length === 20, "one was executed again"),
      ...unless(
        ofLong.every((each) => !each.isInterrupted),
        "one was interrupted"
      ),
      ...unless(
        ends.slice(0, 20).every((end) => end.outcome === "succeeded" && end.attempt === 1),
        "one did not succeed at once"
      )
    ]),
    verdict(
      `the job with a key was interrupted when its lease had passed, and ran again: attempt ${ends[20]?.attempt}`,
      [
        ...unless(ofKeyed[0]?.isInterrupted === true, "it was not interrupted"),
        ...unless(ends[20]?.outcome === "succeeded" && ends[20].attempt > 1, "it did not succeed later")
      ]
    ),
    verdict(`both nodes told that the store was away and had come back, and neither was declared dead`, [
      ...unless(
        told.every((tags) => tags.includes("StoreDegraded") && tags.includes("StoreRecovered")),
        `told: ${told.map(String).join(" and ")}`
      ),
      ...unless(!told.some((tags) => tags.includes("NodeFenced") || tags.includes("NodeReaped")), "a node was fenced")
    ]),
    verdict(
      `${String(row?.["times"])} times of a schedule each second, ${String(row?.["missed"])} of them counted as missed`,
      [
        ...unless(
          Math.abs(Number(row?.["times"]) - Number(row?.["counted"])) <= 1,
          `${String(row?.["counted"])} were counted`
        ),
        ...unless(Number(row?.["missed"]) > 10, "they were not missed")
      ]
    )
  ]
}).pipe(Effect.scoped, Effect.orDie)
