import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root } from "../src/root.ts"

const read = (file: string): string => readFileSync(join(root, file), "utf8")

describe("docs/configuration.md", () => {
  it("lists every option of a scheduler that configuration can give", () => {
    const options = Array.from(
      read("packages/scheduler/src/SchedulerOptions.ts").matchAll(/^ {2}readonly (\w+)\?:/gm),
      ([, name]) => name!
    ).filter((name) => name !== "stores" && name !== "triggers")
    const listed = new Set(
      Array.from(read("docs/configuration.md").matchAll(/^\| (.+?) \| /gm), ([, cell]) =>
        Array.from(cell!.matchAll(/`(\w+)/g), ([, name]) => name!)
      ).flat()
    )
    assert.isAbove(options.length, 15)
    assert.deepStrictEqual(
      options.filter((name) => !listed.has(name)),
      []
    )
  })
})
