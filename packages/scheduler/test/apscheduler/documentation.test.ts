/** The programs of the doc compile, run, and say what their comments say. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { project, root } from "../programs.ts"

const doc = readFileSync(join(root, "docs/coming-from-apscheduler.md"), "utf8")

const programs = Array.from(doc.matchAll(/^```ts\n([\s\S]*?)^```$/gm), (match, index) => {
  const section = doc.slice(0, match.index).match(/^## .+$/gm)
  return { name: `program ${index + 1}, ${section?.at(-1)?.slice(3)}`, code: match[1]! }
})

describe("docs/coming-from-apscheduler.md", () => {
  const { compile, remove, run } = project(programs)
  afterAll(remove)

  it("its programs compile", { timeout: 60_000 }, () => {
    assert.isAbove(programs.length, 8)
    assert.strictEqual(compile(), "")
  })

  it("its programs run, and what they say is so", { timeout: 60_000 }, () => {
    assert.deepStrictEqual(run(), [`ran ${programs.length}`])
  })
})
