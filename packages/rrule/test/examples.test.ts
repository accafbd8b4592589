import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as effect from "effect"
import * as scheduler from "effect-scheduler"
import * as rrule from "../src/index.ts"

const modules: Readonly<Record<string, unknown>> = {
  effect,
  "effect-scheduler": scheduler,
  "@effect-scheduler/rrule": rrule
}

const text = readFileSync(new URL("../src/Rrule.ts", import.meta.url), "utf8")

/** The fenced examples in the comments of the public module. */
const examples = Array.from(text.matchAll(/^ \* ```ts\n((?: \*.*\n)*?) \* ```$/gm), (match) =>
  match[1]!.replace(/^ \* ?/gm, "")
)

/** Turns imports into what this test hands over, and each shown result into an assertion. */
const runnable = (code: string): string =>
  code
    .replaceAll(/^import \{(.*)\} from (".*")$/gm, "const {$1} = modules[$2]")
    .replaceAll(/^(.*?) \/\/ => (.*)$/gm, "check($1, $2);")

describe("the examples in the documentation", () => {
  it.each(examples)("example %# shows what it gives", (code) => {
    let checked = 0
    const check = (actual: unknown, expected: unknown): void => {
      checked++
      assert.deepStrictEqual(actual, expected)
    }
    // oxlint-disable-next-line no-implied-eval
    new Function("modules", "check", runnable(code))(modules, check)
    assert.isAbove(checked, 0)
  })

  it("are there", () => {
    assert.strictEqual(examples.length, 3)
  })
})
