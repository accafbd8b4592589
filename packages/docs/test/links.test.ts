import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { pages } from "../src/blocks.ts"
import { brokenLinks, isPublished, linksOf, publishedFile, tableUnder } from "../src/links.ts"
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
})

describe("the commands of the pages", () => {
  it("are scripts of this repository, or pnpm's own", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object }
    const known = new Set([...Object.keys(scripts), "exec", "install"])
    const named = pages.flatMap((page) =>
      Array.from(
        readFileSync(join(root, page), "utf8").matchAll(/pnpm(?:@12)? (?:run )?([a-z][\w:-]*)/g),
        ([, name]) => name!
      )
    )
    assert.isAtLeast(named.length, 8)
    assert.deepStrictEqual(
      named.filter((name) => !known.has(name)),
      []
    )
  })
})

describe("the table of other schedulers in the README", () => {
  const [head = [], ...rows] = tableUnder(readFileSync(join(root, "README.md"), "utf8"), "Beside other schedulers")
  const cells = rows.flatMap((row) => row.map((cell, column) => ({ cell, peer: head[column]!, links: linksOf(cell) })))
  const files = cells.flatMap(({ links, peer }) =>
    links.flatMap(({ target }) => (publishedFile(target) === undefined ? [] : [{ peer, target }]))
  )

  it("has a version for each of them, and a link in each cell", () => {
    assert.isAtLeast(cells.length, 54)
    for (const peer of head.slice(1)) assert.match(peer, / \d+\.\d+\.\d+/)
    for (const { cell, links } of cells) assert.isAbove(links.length, 0, cell)
  })

  it("links to files of the very versions that it names", () => {
    assert.isAtLeast(files.length, 20)
    for (const { peer, target } of files) assert.include(peer, ` ${publishedFile(target)!.version}`, target)
  })

  it("links to files that are there, as far as the workspace has these packages", () => {
    const known = files.filter(({ target }) => isPublished(publishedFile(target)!) !== undefined)
    assert.isAtLeast(known.length, 20)
    for (const { target } of known) assert.isTrue(isPublished(publishedFile(target)!), target)
  })
})
