import { readdirSync, readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { assert, describe, it } from "@effect/vitest"
import * as effect from "effect"
import * as Trigger from "../../src/Trigger.ts"

const folder = new URL("../../src/internal/trigger/", import.meta.url)

interface Example {
  readonly file: string
  readonly line: number
  readonly code: string
}

/** The fenced examples in the comments of the files that the public module hands on. */
const examples: ReadonlyArray<Example> = readdirSync(folder).flatMap((file) => {
  const text = readFileSync(new URL(file, folder), "utf8")
  return Array.from(text.matchAll(/^ \* ```ts\n((?: \*.*\n)*?) \* ```$/gm), (match) => ({
    file,
    line: text.slice(0, match.index).split("\n").length,
    code: match[1]!.replace(/^ \* ?/gm, "")
  })).filter(({ code }) => code.includes("// =>"))
})

const modules: Readonly<Record<string, unknown>> = { effect, "effect-scheduler": { Trigger } }

/** Turns imports into what this test hands over, and each shown result into an assertion. */
const runnable = (code: string): string =>
  stripTypeScriptTypes(code)
    .replaceAll(/^import \{(.*)\} from (".*")$/gm, "const {$1} = modules[$2]")
    .replaceAll(/^(?!const )(.*?) \/\/ => (.*)$/gm, "check($1, $2);")
    .replaceAll(/^const (\w+) = (.*?) \/\/ => (.*)$/gm, "const $1 = $2; check($1, $3);")

describe("the examples in the documentation of triggers", () => {
  it.each(examples)("$file:$line shows what it gives", async ({ code }) => {
    let checked = 0
    const check = (actual: unknown, expected: unknown): void => {
      checked++
      if (!effect.Equal.equals(actual, expected)) assert.deepStrictEqual(actual, expected)
    }
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor
    await new AsyncFunction("modules", "check", runnable(code))(modules, check)
    assert.strictEqual(checked, code.split("// =>").length - 1)
  })

  it("are there for every constructor, modifier and question", () => {
    assert.isAtLeast(examples.length, 25)
  })
})
