import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { pages } from "../src/blocks.ts"
import { brokenLinks, cellsUnder, linksOf } from "../src/links.ts"
import { root } from "../src/root.ts"

describe("the links of the pages", () => {
  it.each(pages)("of %s lead to files, headings and tests that are there", (page) => {
    assert.deepStrictEqual(brokenLinks(page), [])
  })

  it("are found broken where a file, a heading or a test is missing", () => {
    const text = [
      "[a](docs/nowhere.md)",
      "[b](README.md#nowhere)",
      '[c](packages/docs/test/pages.test.ts "a title that is not there")',
      "[d](https://)",
      "`[e](nowhere)`",
      "[f](README.md#license)"
    ].join("\n")
    assert.strictEqual(brokenLinks("README.md", text).length, 4)
  })

  it("stand in every cell of the table of other schedulers, or it says that there is nothing to show", () => {
    const cells = cellsUnder(readFileSync(join(root, "README.md"), "utf8"), "Beside other schedulers")
    assert.isAtLeast(cells.length, 50)
    for (const cell of cells) {
      if (!/^(no store|not known to it)$/.test(cell)) assert.isAbove(linksOf(cell).length, 0, cell)
    }
  })
})
