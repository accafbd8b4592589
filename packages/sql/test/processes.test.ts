import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Schedule } from "effect"
import { JobStore } from "effect-scheduler/JobStore"
import { SqlJobStore } from "../src/index.ts"
import { enqueued, newFile, run } from "./support.ts"

const total = 2_000
const lease = 1_000
const script = fileURLToPath(new URL("fixtures/worker.ts", import.meta.url))

interface Worker {
  readonly process: ChildProcess
  readonly log: string
  /** The exit code, or the signal that ended it, with what it printed. */
  readonly end: Deferred.Deferred<readonly [end: number | string, output: string]>
}

const start = (filename: string, node: string) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const log = join(dirname(filename), `${node}.log`)
      const end = yield* Deferred.make<readonly [number | string, string]>()
      const child = spawn(process.execPath, [script, filename, log, node, String(lease)], { stdio: "pipe" })
      let output = ""
      child.stdout.on("data", (data) => (output += String(data)))
      child.stderr.on("data", (data) => (output += String(data)))
      child.on("close", (code, signal) => Deferred.doneUnsafe(end, Effect.succeed([signal ?? code ?? -1, output])))
      const worker: Worker = { process: child, log, end }
      return worker
    }),
    (worker) => Effect.sync(() => worker.process.kill("SIGKILL"))
  )

const executed = (worker: Worker): ReadonlyArray<string> =>
  existsSync(worker.log) ? readFileSync(worker.log, "utf8").trimEnd().split("\n") : []

describe("two processes on one file", () => {
  it.live(
    "execute 2,000 runs, one of them killed half-way: no attempt twice, no run lost, each in history once",
    () =>
      Effect.gen(function* () {
        const filename = yield* newFile
        const runs = Array.from({ length: total }, () => run({ runAt: 0 }))
        yield* Effect.provide(
          Effect.flatMap(JobStore, (store) => store.enqueue(enqueued(...runs))),
          SqlJobStore.layerSqlite({ filename })
        )
        const victim = yield* start(filename, "victim")
        const survivor = yield* start(filename, "survivor")

        // In the middle of a batch: some of its runs are executed, some are not, none is reported.
        const isMidway = Effect.sync(() => {
          const lines = executed(victim).length
          return lines > 200 && lines % 25 > 5 && lines % 25 < 20
        })
        yield* Effect.repeat(isMidway, { until: (reached) => reached, schedule: Schedule.spaced("2 millis") })
        victim.process.kill("SIGKILL")
        assert.strictEqual((yield* Deferred.await(victim.end))[0], "SIGKILL")
        assert.deepStrictEqual(yield* Deferred.await(survivor.end), [0, ""])

        const lines = [...executed(victim), ...executed(survivor)]
        assert.strictEqual(new Set(lines).size, lines.length, "no (run, attempt) is executed twice")
        const db = new DatabaseSync(filename)
        const history = db.prepare("select id, attempt, recoveries, outcome from scheduler_history").all()
        const unfinished = db.prepare("select count(*) as n from scheduler_runs").get()
        db.close()
        assert.deepStrictEqual(unfinished?.["n"], 0)
        assert.deepStrictEqual(history.map((row) => row["id"]).toSorted(), runs.map((each) => each.id).toSorted())
        const attempts = new Map<string, number>()
        for (const line of lines) {
          const [id, attempt] = line.split(" ") as [string, string]
          attempts.set(id, Math.max(attempts.get(id) ?? 0, Number(attempt)))
        }
        for (const row of history) {
          assert.strictEqual(attempts.get(String(row["id"])), row["attempt"], "history has the last attempt")
          assert.strictEqual(row["outcome"], "succeeded")
        }
        const recovered = history.filter((row) => row["recoveries"] === 1)
        assert.isAbove(recovered.length, 0, "the killed process held runs")
        assert.isAtMost(recovered.length, 25)
        assert.isAbove(executed(survivor).length, total / 10, "both have worked")
      }),
    60_000
  )
})
