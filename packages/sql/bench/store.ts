import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
// The whole path of a run in a SQLite file, fire, claim, finish, beside a loop of the same statements on node:sqlite.
// Both work in batches of 500 and take turns. Of the times of the batches the lower eighth counts, since other programs
// run on the machine.
import { Effect } from "effect"
import { JobStore, type ScheduleView } from "effect-scheduler/JobStore"
import { SqlJobStore } from "../src/index.ts"
import { encodeRun } from "../src/internal/rows.ts"
import { makeStatements } from "../src/internal/sqlite/statements.ts"
import { makeTables } from "../src/internal/tables.ts"
import { runOf, schedule, t0 } from "./rows.ts"

const batch = 500
const schedules = Number(process.argv[2] ?? 5_000)
const rounds = Number(process.argv[3] ?? 4)
const node = "018f0000-0000-7000-8000-00000000000a"

const fired = (_id: string, view: ScheduleView | undefined, now: number) => {
  const row = view!.schedule
  return {
    schedule: {
      ...row,
      watermark: row.nextAt!,
      nextAt: row.nextAt! + 60_000,
      counts: { ...row.counts, fired: row.counts.fired + 1 },
      updatedAt: now
    },
    runs: [runOf(row, now)],
    ranges: [],
    replaceDeferred: false,
    cancelActive: false
  }
}

/** Milliseconds of each batch by its step. */
interface Times {
  readonly fire: Array<number>
  readonly claim: Array<number>
  readonly finish: Array<number>
}

const newTimes = (): Times => ({ fire: [], claim: [], finish: [] })

const throughStore = (store: JobStore["Service"], now: number, times: Times) =>
  Effect.gen(function* () {
    for (let n = 0; n < schedules; n += batch) {
      const a = performance.now()
      yield* store.fire({ now, limit: batch, version: 1, triggers: [], transition: fired })
      const b = performance.now()
      const jobs = [{ name: "SendDigest", queue: "default" }]
      const { runs } = yield* store.claim({ now, node, limit: batch, jobs, queues: {} })
      const c = performance.now()
      const reports = runs.map((run) => ({
        _tag: "End" as const,
        id: run.id,
        attempt: run.attempt,
        outcome: "succeeded" as const,
        failures: 0,
        errors: "[]",
        result: "1",
        resultStored: true,
        remember: false
      }))
      yield* store.finish({ now, node, reports, transition: () => undefined })
      const d = performance.now()
      if (runs.length !== batch) throw new Error(`claimed ${runs.length}`)
      times.fire.push(b - a)
      times.claim.push(c - b)
      times.finish.push(d - c)
    }
  })

const makeRaw = (filename: string, synchronous: string) => {
  const db = new DatabaseSync(filename)
  db.exec(`pragma synchronous = ${synchronous}; pragma cache_size = -16000`)
  const sql = makeStatements(makeTables("scheduler_"))
  const prepared = (text: string) => {
    const statement = db.prepare(text)
    statement.setReturnArrays(true)
    return statement
  }
  const [due, advance, insert] = [prepared(sql.due), prepared(sql.advanceSchedule), prepared(sql.insertRun)]
  const [lane, start] = [prepared(sql.lane), prepared(sql.start)]
  const [archive, remove] = [prepared(sql.archiveSuccess), prepared(sql.deleteRuns)]
  return (now: number, times: Times) => {
    for (let n = 0; n < schedules; n += batch) {
      const a = performance.now()
      db.exec("begin immediate")
      for (const row of due.all(1, "", now, batch) as unknown as Array<Array<never>>) {
        const [id, generation, revision] = [row[0]!, row[1]!, row[2]! as number]
        const [nominal, place] = [row[19]! as number, row[32]!]
        advance.run(revision + 1, nominal, nominal + 60_000, row[20]! + 1, 0, 0, 0, 0, now, place)
        const run = encodeRun(runOf({ ...template, id, generation, nextAt: nominal }, now))
        insert.run(...run)
      }
      db.exec("commit")
      const b = performance.now()
      db.exec("begin immediate")
      const rows = lane.all("SendDigest", 2, now, 0, "", batch) as unknown as Array<Array<string>>
      const places = JSON.stringify(rows.map((row) => row[25]))
      start.run("default", node, now, places)
      db.exec("commit")
      const c = performance.now()
      db.exec("begin immediate")
      for (const row of rows) archive.run(now, "succeeded", 0, "1", 1, "[]", row[25]!)
      remove.run(places)
      db.exec("commit")
      const d = performance.now()
      if (rows.length !== batch) throw new Error(`claimed ${rows.length}`)
      times.fire.push(b - a)
      times.claim.push(c - b)
      times.finish.push(d - c)
    }
  }
}

const template = schedule("template")

const fill = (store: JobStore["Service"]) =>
  store.modify({
    now: t0,
    ids: Array.from({ length: schedules }, (_, index) => `digest:${index}`),
    transition: (id) => ({ schedule: schedule(id), runs: [], ranges: [], replaceDeferred: false, cancelActive: false })
  })

const quick = (times: Array<number>): number => (times.toSorted((a, b) => a - b)[times.length >> 3]! / batch) * 1000

const print = (name: string, times: Times): number => {
  const parts = [quick(times.fire), quick(times.claim), quick(times.finish)]
  const total = parts.reduce((sum, part) => sum + part, 0)
  const [fire, claim, finish] = parts.map((part) => part.toFixed(1).padStart(5))
  const rate = Math.round(1e6 / total)
  process.stdout.write(`${name.padEnd(14)} fire ${fire}  claim ${claim}  finish ${finish} µs   ${rate} runs/s\n`)
  return rate
}

for (const synchronous of ["full", "normal"] as const) {
  const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-bench-"))
  const [ours, theirs] = [newTimes(), newTimes()]
  const filename = join(folder, "store.db")
  const rawFile = join(folder, "raw.db")
  await Effect.runPromise(
    Effect.provide(Effect.flatMap(JobStore, fill), SqlJobStore.layerSqlite({ filename: rawFile }))
  )
  const raw = makeRaw(rawFile, synchronous)
  const program = Effect.gen(function* () {
    const store = yield* JobStore
    yield* fill(store)
    for (let round = 0; round < rounds; round++) {
      const now = t0 + round * 60_000
      yield* throughStore(store, now, ours)
      raw(now, theirs)
    }
  })
  await Effect.runPromise(Effect.provide(program, SqlJobStore.layerSqlite({ filename, synchronous })))
  const rate = print(`${synchronous} store`, ours)
  const limit = print(`${synchronous} raw`, theirs)
  process.stdout.write(`${synchronous}: ${((rate / limit) * 100).toFixed(0)} % of the raw loop\n`)
  rmSync(folder, { recursive: true })
}
