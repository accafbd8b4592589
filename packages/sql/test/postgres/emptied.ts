/** A store that many tests use one after another, since making tables takes longer than most of them. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { JobStore, type JobStoreService } from "effect-scheduler/JobStore"
import type { Invariants } from "effect-scheduler/testing"
import { Reactivity } from "effect/reactivity"
import { SqlJobStore } from "../../src/index.ts"
import {
  decodeHistory,
  decodeNode,
  decodeRun,
  decodeSchedule,
  historyColumns,
  nodeColumns,
  runColumns,
  scheduleColumns
} from "../../src/internal/rows.ts"
import type { Row } from "../../src/internal/values.ts"
import { newPrefix, sharedUrl } from "./database.ts"

const tables = ["schedules", "runs", "history", "keys", "nodes", "limits"]

/** Clients of the same tables, which go by their callers' time. */
export class Emptied extends Context.Service<
  Emptied,
  {
    readonly stores: ReadonlyArray<JobStoreService>
    readonly empty: Effect.Effect<unknown>
    /** All rows, in the order of the lists. */
    readonly dump: Effect.Effect<Invariants.Dump>
  }
>()("test/Emptied") {}

export const emptied = (clients: number): Layer.Layer<Emptied> =>
  Layer.effect(
    Emptied,
    Effect.gen(function* () {
      const prefix = yield* newPrefix
      const stores: Array<JobStoreService> = []
      for (let n = 0; n < clients; n++) {
        const client = PgClient.layer({ url: Redacted.make(sharedUrl), maxConnections: n % 2 === 0 ? 8 : 4 })
        const live = SqlJobStore.layer({ prefix, clock: "caller" }).pipe(Layer.provide(client))
        stores.push(Context.get(yield* Layer.build(Layer.fresh(live)), JobStore))
      }
      const sql = yield* PgClient.make({ url: Redacted.make(sharedUrl), maxConnections: 1 })
      const rows = (table: string, columns: ReadonlyArray<string>, order: string) =>
        `(select coalesce(json_agg(json_build_array(${columns.join(", ")}) order by ${order}), '[]') from ${prefix}${table})`
      // One statement: it is asked after each command.
      const all = `select ${[
        rows("schedules", scheduleColumns, "id"),
        rows("runs", runColumns, "id"),
        rows("history", historyColumns, "ended_at desc, id desc"),
        rows("nodes", nodeColumns, "id")
      ].join(", ")}`
      const dump = Effect.map(sql.unsafe(all).values, ([found]) => {
        const [schedules, runs, history, nodes] = found as unknown as ReadonlyArray<ReadonlyArray<Row>>
        return {
          schedules: schedules!.map(decodeSchedule),
          runs: runs!.map(decodeRun),
          history: history!.map(decodeHistory),
          nodes: nodes!.map(decodeNode)
        }
      })
      const deletions = tables.map((table, index) => `d${index} as (delete from ${prefix}${table})`)
      const empty = sql.unsafe(`with ${deletions.join(", ")} select 1`)
      return { stores, empty: Effect.orDie(empty), dump: Effect.orDie(dump) }
    })
  ).pipe(Layer.provide(Reactivity.layer), Layer.orDie)
