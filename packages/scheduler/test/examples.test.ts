/** What the README and the doc comments of the public modules show compiles, runs, and gives what they say. */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { type Program, project, root } from "./programs.ts"

const folders = ["packages/scheduler/src", "packages/scheduler/src/testing", "packages/sql/src"]

const comments: ReadonlyArray<Program> = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const text = readFileSync(join(root, folder, file), "utf8")
      return Array.from(text.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm), (match) => ({
        name: `${folder}/${file}:${text.slice(0, match.index).split("\n").length}`,
        code: match[1]!.replace(/^ *\* ?/gm, "")
      }))
    })
    // One that shows how to write a test file runs in a test runner only.
    .filter(({ code }) => !code.includes("@effect/vitest"))
)

const readme = Array.from(
  readFileSync(join(root, "README.md"), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm),
  (match, index) => ({ name: `README.md, program ${index + 1}`, code: match[1]! })
)

describe("the examples in the documentation of the public modules", () => {
  const { compile, remove, run } = project(comments)
  afterAll(remove)

  it("compile", { timeout: 60_000 }, () => {
    assert.isAtLeast(comments.length, 10)
    assert.strictEqual(compile(), "")
  })

  it("run, and give what they say", { timeout: 60_000 }, () => {
    assert.deepStrictEqual(run(), [`ran ${comments.length}`])
  })
})

describe("the README", () => {
  const { compile, folder, remove } = project(readme)
  afterAll(remove)

  it("shows programs that compile", { timeout: 60_000 }, () => {
    assert.isAtLeast(readme.length, 2)
    assert.strictEqual(compile(), "")
  })

  it("shows a hello world of at most ten lines that greets each second", { timeout: 60_000 }, () => {
    assert.isAtMost(readme[0]!.code.split("\n").filter((line) => line !== "").length, 10)
    const { stdout } = spawnSync(process.execPath, [join(folder, "program0.ts")], { encoding: "utf8", timeout: 8_000 })
    assert.include(stdout, "Good morning")
  })
})
