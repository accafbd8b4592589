import { Effect, type Scope } from "effect"
import { JobStore, type JobStoreError } from "../../JobStore.ts"
import type { AssertionFailure } from "./check.ts"
import { makeProbe, type Probe } from "./probe.ts"

/**
 * One sentence that must be true of every store, and the program that tries it. It wants an empty store, and leaves its
 * rows behind.
 *
 * @category models
 * @since 0.1.0
 */
export interface Case {
  readonly group: string
  readonly name: string
  readonly run: Effect.Effect<void, JobStoreError | AssertionFailure, JobStore | Scope.Scope>
}

type Body = (t: Probe) => Generator<Effect.Effect<unknown, JobStoreError | AssertionFailure, Scope.Scope>, void, never>

/** Names a group of cases; the keys are their names. */
export const group = (name: string, bodies: Readonly<Record<string, Body>>): ReadonlyArray<Case> =>
  Object.entries(bodies).map(([sentence, body]) => ({
    group: name,
    name: sentence,
    run: Effect.gen(function* () {
      const store = yield* JobStore
      yield* Effect.gen(() => body(makeProbe(store)))
    })
  }))
