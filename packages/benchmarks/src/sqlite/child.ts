/**
 * `child.ts measure|record FULL|NORMAL COUNT FOLDER`: so many schedules that are due at once on a SQLite file, from their firing to
 * their rows of history. `record` keeps the file as it was before, and what was sent to SQLite.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { serialize } from "node:v8"
import { SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Layer } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"
import { answer, spent } from "../child.ts"
import { record } from "./record.ts"

const [mode, synchronous, count, folder] = [
  process.argv[2] as "measure" | "record",
  process.argv[3]!.toLowerCase() as "full" | "normal",
  Number(process.argv[4]),
  process.argv[5]!
]

class Noop extends Job.make("Noop") {}

const recording = mode === "record" ? record() : undefined

const path = (filename: string, size: number, keep: boolean) => {
  let ran = 0
  const store =
    synchronous === "full" ? SqlJobStore.layerSqlite({ filename }) : SqlJobStore.layerSqlite({ filename, synchronous })
  const live = Noop.toLayer(() => Effect.sync(() => void ran++)).pipe(
    Layer.provideMerge(Layer.orDie(Scheduler.layer({ stores: { default: store } })))
  )
  return Effect.gen(function* () {
    const scheduler = yield* Scheduler
    yield* scheduler.pauseAll
    const trigger = Trigger.at(0)
    yield* scheduler.scheduleAll(
      Noop,
      Array.from({ length: size }, (_, i) => ({ id: `run-${i}`, trigger }))
    )
    const db = new DatabaseSync(filename, { readOnly: true })
    if (keep && recording !== undefined) db.exec(`vacuum into '${join(folder, "before.sqlite")}'`)
    const unfinished = db.prepare("select exists (select * from scheduler_runs) as some")
    if (keep && recording !== undefined) recording.isOn = true
    const began = spent()
    const wall = performance.now()
    yield* scheduler.resumeAll
    yield* Effect.repeat(Effect.sleep(5), { until: () => ran >= size && unfinished.get()!["some"] === 0 })
    const millis = performance.now() - wall
    const cpu = spent() - began
    if (recording !== undefined) recording.isOn = false
    db.close()
    return { millis, cpu }
  }).pipe(Effect.provide(live), Effect.runPromise)
}

await path(join(folder, "warm.sqlite"), Math.min(count, 2_000), false)
if (recording !== undefined) recording.settings.length = 0
const found = await path(join(folder, "jobs.sqlite"), count, true)
if (recording !== undefined) {
  const calls = recording.calls.filter(({ text }) => !text.includes("as some"))
  writeFileSync(join(folder, "calls.bin"), serialize({ calls, settings: recording.settings }))
}
answer(found)
