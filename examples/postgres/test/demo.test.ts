import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const demo = (...args: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number | null; readonly text: string }>((resume) => {
    const script = fileURLToPath(new URL("../src/demo.ts", import.meta.url))
    const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    let text = ""
    const read = (chunk: Buffer) => void (text += chunk.toString())
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    child.once("close", (code) => resume(Effect.succeed({ code, text })))
    return Effect.sync(() => child.kill("SIGTERM"))
  })

describe("the demo", () => {
  it.live("kills a scheduler in the middle of its work, and every run ends once all the same", () =>
    Effect.gen(function* () {
      const { code, text } = yield* demo("--work", "120", "--kill-after", "0.1")
      const lines = text.trimEnd().split("\n")
      assert.match(
        lines.at(-1)!,
        /^Each of \d+ runs ended once, no \(run, attempt\) ran twice, and the limits held\.$/,
        text
      )
      assert.strictEqual(code, 0)
      assert.notInclude(text, "\u001B")
      assert.isTrue(
        lines.every((line) => line.length <= 80),
        text
      )

      // The killed one is found dead, and what it was in the middle of is executed again by another one.
      const [, victim] = /killed process (\d+) \(SIGKILL\)/.exec(text)!
      assert.include(text, `saw the lease of process ${victim} pass, and marked it dead`)
      const again = lines.filter((line) => /^ {2}run \w+ .* ended in \d+ as attempt 2$/.test(line))
      assert.isAtLeast(again.filter((line) => line.includes(`begun in ${victim},`)).length, 1, text)
      assert.isTrue(
        again.every((line) => !line.includes(`ended in ${victim} `)),
        text
      )
      assert.match(text, /^ +\d+ {2}\w{8} {2}killed +\d+ +\d+ +\d+ +\d+$/m)
      assert.strictEqual(text.match(/^ +\d+ {2}\w{8} {2}in order +\d+ +\d+ +\d+ +\d+$/gm)?.length, 3, text)
    })
  )
})
