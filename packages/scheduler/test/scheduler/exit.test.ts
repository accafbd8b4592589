import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"

it.live(
  "a process whose scheduler has closed ends by itself: no timer, fiber or handle is left",
  () =>
    Effect.gen(function* () {
      const [error, stdout] = yield* Effect.callback<[Error | null, string]>((resume) => {
        const child = execFile(
          process.execPath,
          [fileURLToPath(import.meta.resolve("./exit.ts"))],
          { timeout: 20_000 },
          (error, stdout) => resume(Effect.succeed([error, stdout]))
        )
        return Effect.sync(() => child.kill())
      })
      assert.isNull(error)
      assert.strictEqual(stdout, "it ran\n")
    }),
  30_000
)
