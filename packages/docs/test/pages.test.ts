/** What the README, the guides and the doc comments show compiles, runs, and gives what they say. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { blocksOf, comments, pages } from "../src/blocks.ts"
import { project } from "../src/project.ts"
import { root } from "../src/root.ts"

const shown = pages.flatMap((page) => blocksOf(page))
const blocks = [...shown, ...comments]
const { compile, path, remove, run, runUntilPrinted } = project(blocks)
afterAll(remove)

describe("the programs of the pages and of the doc comments", () => {
  // The compiler and the programs go at the same time, each in a process of its own.
  const compiled = compile()
  const ran = run()
  const endless = blocks
    .filter(({ kind }) => kind === "forever")
    .map((block) => [block, runUntilPrinted(block)] as const)

  it("are found", () => {
    assert.isAtLeast(comments.length, 30)
    assert.isAtLeast(shown.length, 12)
    for (const page of pages) {
      const fences = readFileSync(join(root, page), "utf8").match(/^```ts/gm)?.length ?? 0
      assert.strictEqual(blocksOf(page).length, fences, page)
    }
  })

  it("compile", { timeout: 120_000 }, async () => {
    assert.strictEqual(await compiled, "")
  })

  it("run, and print and give what their pages say", { timeout: 120_000 }, async () => {
    assert.deepStrictEqual(await ran, [])
  })

  for (const [block, printed] of endless) {
    it(`${block.name} prints what the page says, again and again`, { timeout: 60_000 }, async () => {
      assert.isDefined(block.output)
      assert.include(await printed, block.output!)
    })
  }
})

describe("the hello world of the README", () => {
  it("has at most ten lines", () => {
    const [hello] = blocksOf("README.md")
    assert.strictEqual(hello?.kind, "forever")
    assert.isAtMost(hello!.code.split("\n").filter((line) => line !== "").length, 10)
  })
})

// Test files are run as what they are.
for (const block of blocks.filter(({ kind }) => kind === "test")) {
  // oxlint-disable-next-line no-await-in-loop
  await import(path(block))
}
