import type { Effect } from "effect"
import type { JobStoreService, StoreSignal } from "effect-scheduler/JobStore"
import type { Statements } from "../sqlite/statements.ts"
import type { Tables } from "../tables.ts"

/** What a program works with in one transaction. `signal` collects what it has changed. */
export interface Transaction {
  readonly tables: Tables
  readonly sql: Statements
  signal: StoreSignal
}

/** What a method of the port takes. */
export type Params<Method extends keyof JobStoreService> = JobStoreService[Method] extends (params: infer P) => unknown
  ? P
  : never

/** What a method of the port answers. */
export type Answer<Method extends keyof JobStoreService> = JobStoreService[Method] extends (
  ...params: never
) => Effect.Effect<infer A, infer _E, infer _R>
  ? A
  : never
