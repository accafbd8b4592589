import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { clockChangeTables } from "../src/clockChanges.ts"
import { root } from "../src/root.ts"

describe("docs/triggers.md", () => {
  it("says of each clock change what this library and others do; `pnpm docs:draw` writes it again", () => {
    const page = readFileSync(join(root, "docs/triggers.md"), "utf8")
    assert.include(page, `<!-- clock changes -->\n\n${clockChangeTables()}\n\n<!-- end -->`)
  })
})
