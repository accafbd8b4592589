/** Draws the pictures of the guides and writes the tables of clock changes: `pnpm docs:draw`. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { drawArchitecture } from "./architecture.ts"
import { clockChangeTables } from "./clockChanges.ts"
import { root } from "./root.ts"
import { draw } from "./timelines/draw.ts"
import { scenes } from "./timelines/scenes.ts"

for (const scene of scenes) {
  // oxlint-disable-next-line no-await-in-loop
  writeFileSync(join(root, `docs/timelines/${scene.name}.svg`), await draw(scene))
}

writeFileSync(join(root, "docs/architecture.svg"), drawArchitecture())

const triggers = join(root, "docs/triggers.md")
writeFileSync(
  triggers,
  readFileSync(triggers, "utf8").replace(
    /(<!-- clock changes -->)[\s\S]*?(<!-- end -->)/,
    (_, head, end) => `${head}\n\n${clockChangeTables()}\n\n${end}`
  )
)
