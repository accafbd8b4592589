/**
 * Two tenants, of which one leaves after a minute and comes back after another.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { Live, open, overview } from "./tenants.ts"

const program = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-scheduler-tenants-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true }))
  )
  const fileOf = (tenant: string) => join(folder, `${tenant}.sqlite`)
  const show = Effect.flatMap(overview, (tables) => Console.log(`\n${tables}\n`))

  yield* open("acme", fileOf("acme"))
  yield* Effect.scoped(Effect.andThen(open("globex", fileOf("globex")), Effect.andThen(show, Effect.sleep("1 minute"))))
  yield* Console.log("globex has left")
  yield* show
  yield* Effect.sleep("1 minute")
  yield* open("globex", fileOf("globex"))
  yield* Console.log("globex is back")
  yield* show
  return yield* Effect.never
})

program.pipe(Effect.scoped, Effect.provide(Live), NodeRuntime.runMain)
