import { Effect } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import { Signal } from "effect-scheduler/JobStore"
import type { SqlError } from "effect/sql/SqlError"
import type { Answer, Params } from "../port.ts"
import { encodeRun, runColumns } from "../rows.ts"
import type { Tables } from "../tables.ts"
import type { Row, Value } from "../values.ts"
import { list, typeOf } from "./columns.ts"
import { clock, clockNow, type Database } from "./database.ts"
import { channelOf } from "./signals.ts"
import { columnsOf } from "./values.ts"

/** Where the keys stand among the parameters: after what is told of the time, the caller's, and the columns of the runs. */
const unique = runColumns.length + 3

/** Instants that the caller took from its clock as "now" are the server's now, whatever that clock shows. */
const valueOf = (column: string): string => {
  switch (column) {
    case "run_at":
      return `case when i.run_at = $2::bigint then ${clockNow} else i.run_at end`
    case "start_by":
      return `case when i.run_at = $2::bigint then i.start_by - $2::bigint + ${clockNow} else i.start_by end`
    case "created_at":
      return `i.created_at - $2::bigint + ${clockNow}`
    default:
      return `i.${column}`
  }
}

const twin = `r.schedule_id = i.schedule_id and r.generation is not distinct from i.generation and r.cause = i.cause
      and r.nominal = i.nominal`

/** One statement. What it does not insert was there before: by its id, by its key, or by its nominal time. */
const insertOf = (t: Tables): string => {
  const arrays = runColumns.map((column, index) => `$${index + 3}::${typeOf(column)}[]`)
  const input = `i as materialized (select * from unnest(${arrays.join(", ")}, $${unique}::text[]) with ordinality as i(${list(
    runColumns
  )}, unique_key, place))`
  return `with ${clock}, ${input}, keys as (
  insert into ${t.keys} (job, key, run_id, created_at)
  select i.job, i.unique_key, i.id, ${clockNow} from i
  where i.unique_key is not null and not exists (select 1 from ${t.history} h where h.id = i.id)
    and not exists (select 1 from ${t.runs} r where r.id = i.id) and not exists (select 1 from ${t.runs} r where ${twin})
  order by i.job, i.unique_key, i.place on conflict do nothing returning run_id
), added as (
  insert into ${t.runs} (${list(runColumns)}) select ${runColumns.map(valueOf).join(", ")} from i
  where (i.unique_key is null or i.id in (select run_id from keys))
    and not exists (select 1 from ${t.history} h where h.id = i.id)
  on conflict do nothing returning id
) select `
}

const parameters = ["bigint", "bigint", ...runColumns.map((column) => `${typeOf(column)}[]`), "text[]"]
const notification = `$${parameters.length + 1}`

const procedureOf = (t: Tables): string => `${t.prefix}enqueue`

/**
 * Inserts, and tells other processes of it once that is committed: in one round trip, and not in one transaction, since those
 * that notify commit one after another, each after the disk has answered the one before.
 */
export const enqueueProcedure = (t: Tables): string => `create procedure ${procedureOf(t)}(
  ${parameters.join(", ")}, text, inout inserted bigint
) language plpgsql as $$
begin
  ${insertOf(t)}count(*) from added into inserted;
  commit;
  if inserted > 0 then
    perform pg_notify('${channelOf(t)}', ${notification});
  end if;
end $$`

/** Inserts runs, once each. */
export const makeEnqueue = (t: Tables, db: Database) => {
  const texts = {
    insert: `${insertOf(t)}id from added`,
    count: `${insertOf(t)}count(*) from added`,
    call: `call ${procedureOf(t)}(${[...parameters, "text"].map((type, index) => `$${index + 1}::${type}`).join(", ")}, null)`,
    /** The ids under which runs are stored that were not inserted. */
    stored: `select i.id, coalesce(
  (select r.id from ${t.runs} r where r.id = i.id),
  (select h.id from ${t.history} h where h.id = i.id limit 1),
  (select k.run_id from ${t.keys} k where k.job = i.job and k.key = i.unique_key),
  (select r.id from ${t.runs} r where ${twin}))
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
  as i(id, job, unique_key, schedule_id, generation, cause, nominal)`
  }

  const paramsOf = (callersNow: number, inputs: Params<"enqueue">["runs"]) => [
    db.told(callersNow),
    callersNow,
    ...columnsOf(
      inputs.map(({ run, unique: key }) => [...encodeRun(run), key]),
      runColumns.length + 1
    )
  ]

  /** Those of which the first attempt has inserted none, or not all. */
  const insertRest = (now: number, runs: Params<"enqueue">["runs"], storedAs: Map<string, string>) =>
    db.transact(
      now,
      Effect.fnUntraced(function* (tx) {
        let rest = runs
        while (rest.length > 0) {
          // A statement of its own: what was in the way may have been committed while the first one waited for it.
          for (const [id, stored] of yield* tx.query(texts.stored, columnsOf(rest.map(identityOf), 7))) {
            if (stored !== null) storedAs.set(id as string, stored as string)
          }
          // What was in the way of these has gone since.
          rest = rest.filter(({ run }) => !storedAs.has(run.id))
          if (rest.length === 0) break
          const rows = yield* tx.query(texts.insert, paramsOf(now, rest))
          if (rows.length > 0) tx.signal |= Signal.runs
          for (const [id] of rows) storedAs.set(id as string, id as string)
          rest = rest.filter(({ run }) => !storedAs.has(run.id))
        }
      })
    )

  return Effect.fnUntraced(function* ({ now, runs }: Params<"enqueue">): Effect.fn.Return<Answer<"enqueue">, SqlError> {
    if (runs.length === 0) return { ids: [] }
    const [count] = yield* db.once(now, texts.count, paramsOf(now, runs), { signal: signalOf, telling: texts.call })
    if (count![0] === runs.length) return { ids: runs.map(({ run }) => run.id) }
    const storedAs = new Map<string, string>()
    yield* insertRest(now, runs, storedAs)
    return { ids: runs.map(({ run }) => storedAs.get(run.id)!) }
  })
}

const signalOf = ([count]: ReadonlyArray<Row>): number => ((count![0] as number) > 0 ? Signal.runs : 0)

const identityOf = ({ run, unique: key }: { readonly run: RunRecord; readonly unique: string | null }) =>
  [run.id, run.job, key, run.scheduleId, run.generation, run.cause, run.nominal] satisfies ReadonlyArray<Value>
