import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Query } from "./database.ts"

/** The process of the server at the other end of a connection. */
export interface Backend {
  readonly pid: number
  readonly begun: number
}

/** When a process of the server began: by its number alone it may be taken for a later one. */
const begun = `floor(extract(epoch from a.backend_start) * 1000000)::bigint`

/** What a statement answers of its own process, a row of `pg_stat_activity a`. */
export const backendColumns = `a.pid, ${begun}`

const endThem = `select a.pid, pg_terminate_backend(a.pid) from unnest($1::int[], $2::bigint[]) as i(pid, begun)
join pg_stat_activity a on a.pid = i.pid and ${begun} = i.begun`

/** Tells processes of the server to end whose connections were lost; those that have not yet. */
export const endBackends = (
  query: Query,
  backends: ReadonlyArray<Backend>
): Effect.Effect<ReadonlyArray<Backend>, SqlError> =>
  Effect.map(query(endThem, [backends.map(({ pid }) => pid), backends.map((each) => each.begun)]), (rows) => {
    const left = new Set(rows.map(([pid]) => pid))
    return backends.filter(({ pid }) => left.has(pid))
  })
