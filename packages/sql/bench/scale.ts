import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
// What a batch of 100 costs beside ever more rows that it must not touch: idle schedules, schedules of a newer version,
// runs of a job that nobody knows, of one busy key, and of a job at its limit. CPU time, the lower quartile of 60 batches.
import { Effect } from "effect"
import { JobStore, type RunReport } from "effect-scheduler/JobStore"
import { SqlJobStore } from "../src/index.ts"
import { runOf, schedule, t0 } from "./rows.ts"

const sizes = (process.argv[2] ?? "1000,30000,300000").split(",").map(Number)

const jobs = [
  { name: "SendDigest", queue: "default" },
  { name: "busy", queue: "default" },
  { name: "full", queue: "default", concurrency: 1 }
]

const cpu = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1000
}

const names = (prefix: string, from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}:${from + index}`)

const quartile = (values: Array<number>): string => values.toSorted((a, b) => a - b)[values.length >> 2]!.toFixed(2)

const unscheduled = { scheduleId: null, generation: null, nominal: null, cause: "enqueue" }

const program = (size: number) =>
  Effect.gen(function* () {
    const store = yield* JobStore
    const put = (ids: ReadonlyArray<string>, nextAt: number, version = 1) =>
      store.modify({
        now: t0,
        ids,
        transition: (id) => ({
          schedule: schedule(id, { nextAt, version }),
          runs: [],
          ranges: [],
          replaceDeferred: false,
          cancelActive: false
        })
      })
    for (let n = 0; n < size; n += 1000) yield* put(names("idle", n, 1000), t0 + 1e9)
    yield* put(names("newer", 0, 1000), t0 - 5, 9)
    const template = schedule("template", { nextAt: t0 - 1000 })
    for (const fields of [{ job: "unknown" }, { job: "busy", key: "k" }, { job: "full" }]) {
      for (let n = 0; n < size / 3; n += 1000) {
        const runs = Array.from({ length: 1000 }, () => ({
          run: { ...runOf(template, t0), ...unscheduled, ...fields },
          unique: null
        }))
        yield* store.enqueue({ now: t0, runs })
      }
    }
    const claim = (node: string) => store.claim({ now: t0, node, limit: 100, jobs, queues: {} })
    // The one time that the runs of the busy key are put aside.
    const aside = cpu()
    for (let n = 0; n <= size / 3 + 1000; n += 500) yield* claim("other")
    const deferring = cpu() - aside

    const times = new Map<string, Array<number>>()
    const timed = <A, E>(name: string, effect: Effect.Effect<A, E>) =>
      Effect.gen(function* () {
        const start = cpu()
        const answer = yield* effect
        times.set(name, [...(times.get(name) ?? []), cpu() - start])
        return answer
      })
    for (let round = 0; round < 60; round++) {
      yield* put(names("due", 0, 100), t0 - 1)
      yield* timed(
        "fire",
        store.fire({
          now: t0,
          limit: 100,
          version: 1,
          triggers: [],
          transition: (_id, view) => ({
            schedule: { ...view!.schedule, watermark: view!.schedule.nextAt!, nextAt: t0 + 1e6 },
            runs: [runOf(view!.schedule, t0)],
            ranges: [],
            replaceDeferred: false,
            cancelActive: false
          })
        })
      )
      const { runs } = yield* timed("claim", claim("node"))
      const reports = runs.map((run): RunReport => ({
        _tag: "End",
        id: run.id,
        attempt: run.attempt,
        outcome: "succeeded",
        failures: 0,
        errors: "[]",
        result: null,
        resultStored: true,
        remember: false
      }))
      yield* timed("finish", store.finish({ now: t0, node: "node", reports, transition: () => undefined }))
      yield* timed("wake", store.wake({ now: t0, version: 1, triggers: [], jobs, queues: {} }))
    }
    const line = [...times].map(([name, values]) => `${name} ${quartile(values)} ms`).join("  ")
    process.stdout.write(`${String(size).padStart(8)}  ${line}  (put aside once: ${deferring.toFixed(0)} ms)\n`)
  })

for (const size of sizes) {
  const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-bench-"))
  const layer = SqlJobStore.layerSqlite({ filename: join(folder, "jobs.db"), synchronous: "normal" })
  await Effect.runPromise(Effect.provide(program(size), layer))
  rmSync(folder, { recursive: true })
}
