import type { Effect } from "effect"
import type { JobStoreService } from "effect-scheduler/JobStore"

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
