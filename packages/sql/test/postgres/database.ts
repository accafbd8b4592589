import { randomUUID } from "node:crypto"
import { Effect, type Scope } from "effect"
import { inject } from "vitest"
import { query } from "./query.ts"
import { scopedServer, type Server, type ServerOptions } from "./scoped.ts"

/** The database that all tests share, each with a prefix of its own. */
export const sharedUrl: string = inject("postgres")

const name = (kind: string) => `${kind}_${randomUUID().slice(0, 8)}`

/** The URL of an empty database of a test's own, dropped at its end whoever is still connected. */
export const newDatabase: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function* () {
  const database = name("db")
  yield* Effect.acquireRelease(query(sharedUrl, `create database ${database} strategy file_copy`), () =>
    query(sharedUrl, `drop database ${database} with (force)`)
  )
  const url = new URL(sharedUrl)
  url.pathname = database
  return url.href
})

/** A prefix that no other test has, for tables in the shared database. They are left to the end of the run. */
export const newPrefix: Effect.Effect<string> = Effect.sync(() => `${name("t")}_`)

/** A server of a test's own, to be stopped, frozen and killed; on a copy of the run's template. */
export const newServer = (options: ServerOptions = {}): Effect.Effect<Server, never, Scope.Scope> =>
  scopedServer({ template: inject("postgresTemplate"), ...options })
