/** `raw.ts FOLDER`: the raw loop over what `child.ts record` has kept there. */
import { copyFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { deserialize } from "node:v8"
import { answer, spent } from "../child.ts"
import { type Recording, replay } from "./record.ts"

const folder = process.argv[2]!
const { calls, settings } = deserialize(readFileSync(join(folder, "calls.bin"))) as Recording

const loop = (name: string) => {
  copyFileSync(join(folder, "before.sqlite"), join(folder, name))
  const db = new DatabaseSync(join(folder, name))
  for (const text of settings) db.exec(text)
  const began = spent()
  const wall = performance.now()
  replay(db, calls)
  const found = { millis: performance.now() - wall, cpu: spent() - began }
  const row = db.prepare("select count(*) as runs from scheduler_history").get()!
  db.close()
  return { ...found, runs: row["runs"], statements: calls.length }
}

loop("warm-raw.sqlite")
answer(loop("raw.sqlite"))
