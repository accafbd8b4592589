/** How a fault is declared: one test for each store, with what it saw for the document. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { inject, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import { type Own, type StoreName, available } from "./places.ts"
import type { Row } from "./report.ts"
import { type World, makeWorld } from "./world.ts"

export interface Options {
  readonly on: ReadonlyArray<StoreName>
  /** Why it is not tried on the others. */
  readonly without?: { readonly [S in StoreName]?: string }
  /** How the fault was made, in words that hold for each store or for one. */
  readonly injected: string | { readonly [S in StoreName]?: string }
  /** `"virtual"`: memory and SQLite run under a `TestClock`, in which the test must let time pass. Default `"live"`. */
  readonly clock?: "live" | "virtual"
  /** The store in memory behaves as one that several nodes have: leases, reapers, polling. */
  readonly shared?: boolean
  readonly own?: Own
  /** `false` where the fault destroys the store: nothing is left to be checked. */
  readonly invariants?: false
  /** The tests of a file run beside each other, except these. */
  readonly alone?: true
}

const folder = inject("faults")

const write = (kind: "declared" | "passed", row: Row): void =>
  writeFileSync(join(folder, `${kind}-${row.number}-${row.store}.json`), JSON.stringify(row))

/**
 * Declares the tests of a fault. The effect answers what was seen, in a sentence without times, ids, seeds or counts that
 * vary, so that the document changes only when the outcome does.
 */
export const fault = (
  number: number,
  name: string,
  options: Options,
  body: (world: World) => Effect.Effect<string, unknown, Scope.Scope>
): void => {
  for (const [store, why] of Object.entries(options.without ?? {})) {
    const row: Row = { number, name, store, injected: "not tried", seen: why }
    write("declared", row)
    write("passed", row)
  }
  for (const store of options.on.filter((each) => available.includes(each))) {
    const title = `fault ${number}: ${name} (${store})`
    const { injected } = options
    const how = typeof injected === "string" ? injected : (injected[store] ?? "")
    const row: Row = { number, name, store, injected: how, seen: "" }
    write("declared", row)
    const virtual = options.clock === "virtual" && store !== "postgres"
    const test = Effect.gen(function* () {
      const { check, world } = yield* makeWorld(store, {
        title,
        virtual,
        shared: options.shared ?? false,
        own: options.own
      })
      const seen = yield* closing(body(world), virtual)
      if (options.invariants !== false) yield* check
      write("passed", { ...row, seen })
    }).pipe(Effect.provide(Logger.layer([])))
    ;(virtual ? it.effect : it.live)(title, () => test, { concurrent: options.alone !== true, timeout: 120_000 })
  }
}

/** Closes what the test opened. Under a `TestClock` time passes meanwhile: calls that were cut off have to time out. */
const closing = <A, E>(test: Effect.Effect<A, E, Scope.Scope>, virtual: boolean): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const exit = yield* Effect.exit(Scope.provide(test, scope))
    const closed = yield* Effect.forkChild(Scope.close(scope, exit))
    if (virtual) yield* TestClock.adjust("2 minutes")
    yield* Fiber.join(closed)
    return yield* exit
  })

export type { Node, NodeOptions, Worker, WorkerOptions, World } from "./world.ts"
export { instead, isLocked, shortened } from "./world.ts"
