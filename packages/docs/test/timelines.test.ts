import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root } from "../src/root.ts"
import { draw } from "../src/timelines/draw.ts"
import { scenes } from "../src/timelines/scenes.ts"

const folder = join(root, "docs/timelines")

describe("the timelines of the guides", () => {
  it.each(scenes)(
    "$name is what the scheduler does under TestClock; `pnpm docs:draw` draws it again",
    async (scene) => {
      assert.strictEqual(readFileSync(join(folder, `${scene.name}.svg`), "utf8"), await draw(scene))
    }
  )

  it("are all there is in their folder", () => {
    const drawn = readdirSync(folder).toSorted()
    assert.deepStrictEqual(drawn, scenes.map(({ name }) => `${name}.svg`).toSorted())
  })
})
