/**
 * What every job store must do, as cases that any test runner can run.
 *
 * A store passes when each case succeeds on an empty store of its own. Cases hand instants to the store, so no clock is
 * needed; a store that keeps its server's time must believe the `now` of its callers while it is tested.
 *
 * **Example** (Running the suite with `@effect/vitest`)
 *
 * ```ts
 * import { describe, it } from "@effect/vitest"
 * import { Effect } from "effect"
 * import { StoreSuite } from "effect-scheduler/testing"
 *
 * for (const [group, cases] of StoreSuite.groups) {
 *   describe(group, () => {
 *     for (const { name, run } of cases) it.effect(name, () => run.pipe(Effect.provide(MyStore.layer)))
 *   })
 * }
 * ```
 *
 * @module
 * @since 0.1.0
 */
import type { Case } from "./internal/cases.ts"
import { changes } from "./suite/changes.ts"
import { claiming, holding } from "./suite/claim.ts"
import { enqueuing } from "./suite/enqueue.ts"
import { fences, finishing, remembering } from "./suite/finish.ts"
import { firing } from "./suite/fire.ts"
import { historyPages } from "./suite/history.ts"
import { keys } from "./suite/keys.ts"
import { limits } from "./suite/limits.ts"
import { janitor, retaining } from "./suite/maintain.ts"
import { nodes, reaping } from "./suite/nodes.ts"
import { cancelling, progressing, runLists } from "./suite/runs.ts"
import { scheduleLists, schedules } from "./suite/schedules.ts"
import { settles } from "./suite/settle.ts"
import { signals, waking } from "./suite/wake.ts"

export type {
  /**
   * One sentence that must be true of every store, and the program that tries it.
   *
   * @category models
   * @since 0.1.0
   */
  Case
} from "./internal/cases.ts"

export { AssertionFailure } from "./internal/check.ts"

/**
 * All cases. Each fails with a `JobStoreError`, or with an `AssertionFailure` that lists what differs.
 *
 * **Example** (Running one case)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { MemoryJobStore } from "effect-scheduler"
 * import { StoreSuite } from "effect-scheduler/testing"
 *
 * const [first] = StoreSuite.suite
 *
 * const passed = first!.run.pipe(Effect.provide(MemoryJobStore.layer), Effect.scoped, Effect.as("passed"))
 *
 * await Effect.runPromise(passed) // => "passed"
 * ```
 *
 * @category cases
 * @since 0.1.0
 */
export const suite: ReadonlyArray<Case> = [
  schedules,
  scheduleLists,
  changes,
  firing,
  enqueuing,
  claiming,
  holding,
  limits,
  keys,
  finishing,
  remembering,
  settles,
  fences,
  cancelling,
  progressing,
  runLists,
  nodes,
  reaping,
  historyPages,
  retaining,
  janitor,
  waking,
  signals
].flat()

/**
 * The same cases by the group that they belong to.
 *
 * **Example** (Looking for a group)
 *
 * ```ts
 * import { StoreSuite } from "effect-scheduler/testing"
 *
 * StoreSuite.groups.has("claim") // => true
 * ```
 *
 * @category cases
 * @since 0.1.0
 */
export const groups: ReadonlyMap<string, ReadonlyArray<Case>> = Map.groupBy(suite, (each) => each.group)
