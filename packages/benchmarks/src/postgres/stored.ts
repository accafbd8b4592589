/** Makes stores that hold many schedules, quickly. */
import { DatabaseSync } from "node:sqlite"
import { SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Layer, Result } from "effect"
import { Job, type JobStore, Scheduler, Trigger } from "effect-scheduler"
import { send } from "./databases.ts"
import { databaseOf } from "./sides/ours.ts"

export class Tick extends Job.make("Tick") {}

/** Schedules that the library itself has stored, once a year each; they are copied by SQL to as many as are wanted. */
const seeds = 1_000

const write = (
  store: Layer.Layer<JobStore.JobStore, unknown>,
  schedules: ReadonlyArray<readonly [string, Trigger.Trigger]>
) =>
  Scheduler.use((scheduler) =>
    scheduler.scheduleAll(
      Tick,
      schedules.map(([id, trigger]) => ({ id, trigger }))
    )
  ).pipe(Effect.provide(Layer.orDie(Scheduler.layerClient({ default: store }))), Effect.scoped, Effect.runPromise)

/** Half a year away from today. */
const seed = (): ReadonlyArray<readonly [string, Trigger.Trigger]> => {
  const month = ((new Date().getUTCMonth() + 6) % 12) + 1
  return Array.from({ length: seeds }, (_, i) => [
    `stored-${i}`,
    Result.getOrThrow(
      Trigger.parseCron(`${i % 60} ${i % 24} ${(i % 28) + 1} ${month} *`, { timeZone: "Europe/Berlin" })
    )
  ])
}

const due = [["due", Trigger.at(0)]] as const

const copies = (columns: ReadonlyArray<string>, numbers: string): string => {
  const rest = columns.filter((column) => column !== "id").join(", ")
  return `insert into scheduler_schedules (id, ${rest}) select id || '-' || n, ${rest} from scheduler_schedules cross join ${numbers}`
}

/** One of them is due. */
export const fillPostgres = async (url: string, count: number): Promise<void> => {
  const store = SqlJobStore.layer().pipe(Layer.provide(databaseOf(url)))
  await write(store, seed())
  const columns = await send(
    url,
    "select column_name::text from information_schema.columns where table_name = 'scheduler_schedules'"
  )
  const names = columns.map((row) => row[0] as string)
  // In the order of the ids, in which the index grows at its end.
  if (count > seeds) await send(url, `${copies(names, `generate_series(1, ${count / seeds - 1}) as n`)} order by 1`)
  await send(url, "vacuum analyze", "checkpoint")
  await write(store, due)
}

export const fillSqlite = async (filename: string, count: number): Promise<void> => {
  const store = SqlJobStore.layerSqlite({ filename })
  await write(store, seed())
  const db = new DatabaseSync(filename)
  const names = db.prepare("select name from pragma_table_info('scheduler_schedules')").all()
  const numbers = `(with recursive c(n) as (select 1 union all select n + 1 from c where n < ${count / seeds - 1}) select n from c)`
  if (count > seeds)
    db.exec(
      copies(
        names.map((row) => row["name"] as string),
        numbers
      )
    )
  db.close()
  await write(store, due)
}
