import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root } from "../src/root.ts"

const read = (file: string): string => readFileSync(join(root, file), "utf8")

describe("docs/observability.md", () => {
  it("lists every metric, in the order of the code, with its kind", () => {
    const made = Array.from(
      read("packages/scheduler/src/internal/scheduler/metrics.ts").matchAll(/Metric\.(\w+)\("(\w+)"/g),
      ([, kind, name]) => `${name} ${kind}`
    )
    const listed = Array.from(
      read("docs/observability.md").matchAll(/^\| `(effect_scheduler_\w+)` \| (\w+) /gm),
      ([, name, kind]) => `${name} ${kind}`
    )
    assert.isAbove(made.length, 10)
    assert.deepStrictEqual(listed, made)
  })
})
