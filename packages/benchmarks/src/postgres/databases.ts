/** One server for a part of the benchmark, and a database for each library. */
import { readdirSync, readFileSync } from "node:fs"
import { makeHome, makeTemplate, type Server, startServer } from "@effect-scheduler/postgres-server"
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"

/** What a server is safe with, and what it is by default: every commit waits for the disk. */
const durable = { fsync: "on", full_page_writes: "on", synchronous_commit: "on" }

/** For parts that write millions of rows before they measure what hardly commits: it does not wait for the disk. */
export const filled = { max_wal_size: "4GB" }

export const withServer = async <A>(
  use: (server: Server) => Promise<A>,
  settings: Readonly<Record<string, string>> = durable
): Promise<A> => {
  const home = makeHome()
  const server = await startServer({ home, template: makeTemplate(home), settings })
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

const sum = (fields: ReadonlyArray<string>): number => fields.reduce((total, field) => total + Number(field), 0)

/** CPU time of all processes of a server in milliseconds, also of those that have ended; nothing where there is no `/proc`. */
export const spentBy = (server: Server): number => {
  const postmaster = server.pid()
  if (process.platform !== "linux" || postmaster === undefined) return 0
  let ticks = 0
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    let text: string
    try {
      text = readFileSync(`/proc/${pid}/stat`, "utf8")
    } catch {
      continue
    }
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    if (pid === String(postmaster)) ticks += sum(fields.slice(11, 15))
    else if (fields[1] === String(postmaster)) ticks += sum(fields.slice(11, 13))
  }
  // A tick is a hundredth of a second in what the kernel tells.
  return ticks * 10
}

let count = 0

/** Makes a database, as a copy of another where one is given to which nobody is connected. */
export const makeDatabase = async (server: Server, template?: string): Promise<string> => {
  const name = `bench_${count++}`
  await send(server.url, `create database ${name}${template === undefined ? "" : ` template ${template}`}`)
  return name
}
