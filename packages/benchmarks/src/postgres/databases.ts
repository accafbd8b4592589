/** One server for a part of the benchmark, and a database for each library. */
import { makeHome, makeTemplate, type Server, startServer } from "@effect-scheduler/postgres-server"
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"

/** What a server is safe with, and what it is by default: every commit waits for the disk. */
export const durable = { fsync: "on", full_page_writes: "on", synchronous_commit: "on" }

export const withServer = async <A>(use: (server: Server) => Promise<A>): Promise<A> => {
  const home = makeHome()
  const server = await startServer({ home, template: makeTemplate(home), settings: durable })
  try {
    return await use(server)
  } finally {
    await server.destroy()
  }
}

/** Sends statements one after another on a connection of their own, and answers the rows of the last. */
export const send = (url: string, ...texts: ReadonlyArray<string>): Promise<ReadonlyArray<ReadonlyArray<unknown>>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const connection = yield* sql.reserve
    let rows: ReadonlyArray<ReadonlyArray<unknown>> = []
    for (const text of texts) {
      rows = (yield* connection.executeValues(text, [])) as typeof rows
    }
    return rows
  }).pipe(
    Effect.scoped,
    Effect.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 })),
    Effect.runPromise
  )

let count = 0

/** Makes a database, as a copy of another where one is given to which nobody is connected. */
export const makeDatabase = async (server: Server, template?: string): Promise<string> => {
  const name = `bench_${count++}`
  await send(server.url, `create database ${name}${template === undefined ? "" : ` template ${template}`}`)
  return name
}
