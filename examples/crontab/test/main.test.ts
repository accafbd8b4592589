import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { program } from "./processes.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "crontab-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const count = (text: string, part: string): number => text.split(part).length - 1

describe("crontab FILE", () => {
  it.live(
    "runs a crontab for good, reads it again when it has changed, and stops well when it is asked to",
    () =>
      Effect.gen(function* () {
        const file = join(yield* folder, "crontab")
        const keep = "CRON_SECONDS=1\n* * * * * * echo kept\n"
        writeFileSync(file, `${keep}@reboot echo once\n* * * * * * echo old\n0 0 25 * * * x\n`)
        let step = 0
        const { code, lines } = yield* program("main.ts", [file], (text, kill) => {
          if (step === 0 && /\| once[^]*\| old/.test(text)) {
            step = 1
            writeFileSync(file, `${keep}* * * * * * echo new; sleep 2; echo done\n`)
          }
          if (step === 1 && count(text, "| new") > count(text, "| done")) {
            step = 2
            kill("SIGTERM")
          }
        })
        const text = lines.join("\n")
        assert.strictEqual(code, 0, text)
        assert.include(text, `${file}:5:5: hour field: "25" is not valid`)
        assert.include(text, "3 lines, 0 removed, 1 wrong")
        assert.include(text, "2 lines, 1 removed, 0 wrong")
        assert.match(text, /removed {3}\* \* \* \* \* \* echo old\n/)
        assert.match(text, /added {5}\* \* \* \* \* \* echo new/)
        // The line that stayed was added once, and the command that ran at the end was waited for.
        assert.strictEqual(text.match(/added .*echo kept/g)?.length, 1)
        assert.isAbove(
          lines.findIndex((line) => line.includes("| done")),
          lines.findIndex((line) => line.startsWith("Stopping"))
        )
        assert.match(lines.at(-1)!, /stopped {3}node/)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "says what it cannot read",
    () =>
      Effect.gen(function* () {
        const file = join(yield* folder, "none")
        const { code, lines } = yield* program("main.ts", [file])
        assert.strictEqual(code, 1)
        assert.include(lines.at(-1)!, file)
        assert.isFalse(existsSync(`${file}.sqlite`))
      }).pipe(Effect.scoped),
    30_000
  )
})
