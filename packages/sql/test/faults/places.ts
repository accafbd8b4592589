/** Fresh databases for the fault tests. */
import { Effect, type Scope } from "effect"
import { newDatabase, newPrefix, newServer, sharedUrl } from "../postgres/database.ts"
import type { Server } from "../postgres/scoped.ts"
import { newFile } from "../support.ts"
import type { Place } from "./layers.ts"

export type StoreName = "memory" | "sqlite" | "postgres"

/** On Postgres a database or a server of a test's own, where a prefix in the shared one does not keep it apart. */
export type Own = "database" | "server"

/** The stores that tests are declared for. */
export const available: ReadonlyArray<StoreName> = ["memory", "sqlite", "postgres"]

const newUrl = (own: Own | undefined) =>
  Effect.gen(function* () {
    if (own !== "server") return { url: own === undefined ? sharedUrl : yield* newDatabase, server: undefined }
    const server = yield* newServer()
    return { url: server.url, server }
  })

/** An empty database, and its server where that is the test's own. */
export const newPlace = (
  name: Exclude<StoreName, "memory">,
  own: Own | undefined
): Effect.Effect<{ readonly place: Place; readonly server: Server | undefined }, never, Scope.Scope> =>
  name === "sqlite"
    ? Effect.map(newFile, (filename) => ({ place: { kind: "sqlite", filename }, server: undefined }))
    : Effect.gen(function* () {
        const { server, url } = yield* newUrl(own)
        return { place: { kind: "postgres", url, prefix: yield* newPrefix }, server }
      })
