import { Effect, type Scope } from "effect"
import { type Server, type ServerOptions, startServer } from "./server.ts"

/** A server for as long as the scope is open. */
export const scopedServer = (options: ServerOptions = {}): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => startServer(options)),
    (server) => Effect.promise(() => server.destroy())
  )
