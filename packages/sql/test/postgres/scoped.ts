import { type Server as Plain, type ServerOptions, startServer } from "@effect-scheduler/postgres-server"
import { Effect, type Scope } from "effect"
import { ask } from "./query.ts"

export type { ServerOptions }

export interface Server extends Plain {
  /** Ends the backends of which a condition on `pg_stat_activity` holds; how many. */
  readonly terminate: (where: string) => Promise<number>
}

/** A server for as long as the scope is open. */
export const scopedServer = (options: ServerOptions = {}): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => startServer(options)),
    (server) => Effect.promise(() => server.destroy())
  ).pipe(
    Effect.map((server) => ({
      ...server,
      terminate: async (where) => {
        const rows = await ask(
          server.url,
          `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and (${where})`
        )
        return rows.length
      }
    }))
  )
