/** Nothing of APScheduler's documentation and of its known behaviours is without a test or an answer. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { rows } from "./checklist.ts"

const root = new URL("../../../../", import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), "utf8")

/** The titles of all tests of this folder and of the SQL store's: written ones, and those of tables (`title`, `id`). */
const titles = ["packages/scheduler/test/apscheduler/", "packages/sql/test/apscheduler/"].flatMap((folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap((name) =>
      Array.from(
        read(`${folder}${name}`).matchAll(/(?:\bit(?:\.effect)?\(|\bdescribe\(|\btitle:|\bid:)\s*(["`])(.+?)\1/g),
        (match) => match[2]!
      )
    )
)

/** The lines of the doc's tables, by their cells. */
const lines = read("docs/coming-from-apscheduler.md")
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim())
  )

const text = read("packages/scheduler/test/apscheduler/behaviours.json")
const behaviours: ReadonlyArray<{ readonly id: string }> = JSON.parse(text)

describe("APScheduler", () => {
  it("each of the 55 rows of its documentation is the title of a test or a line of the doc, not both", () => {
    const numbers = Object.keys(rows).map(Number)
    assert.deepStrictEqual(
      numbers,
      Array.from({ length: 55 }, (_, i) => i + 1)
    )
    const tested = numbers.filter((n) => titles.some((title) => title.startsWith(`${n} ${rows[n]}`)))
    const answered = numbers.filter((n) => lines.some(([row, name]) => row === String(n) && name === rows[n]))
    process.stdout.write(`APScheduler's rows: ${tested.length} by tests, ${answered.length} in the doc\n`)
    assert.deepStrictEqual(
      [...tested, ...answered].toSorted((a, b) => a - b),
      numbers
    )
    const unknown = titles.filter((title) => /^\d+ [a-zA-Z]/.test(title) && !tested.includes(Number.parseInt(title)))
    assert.deepStrictEqual(unknown, [])
  })

  it("each of the 82 behaviours is covered by a test or answered in the doc, not both", () => {
    const ids = behaviours.map((one) => one.id)
    const tested = ids.filter((id) => titles.some((title) => title === id || title.startsWith(`${id}: `)))
    const answered = ids.filter((id) => lines.some(([cell]) => cell === `\`${id}\``))
    process.stdout.write(`APScheduler's behaviours: ${tested.length} by tests, ${answered.length} in the doc\n`)
    assert.deepStrictEqual([...tested, ...answered].toSorted(), ids.toSorted())
    assert.strictEqual(tested.length + answered.length, 82)
  })

  it("the copy of the behaviours is the shared one, where that is there", () => {
    const shared = new URL("../shared/apscheduler/behaviours.json", root)
    assert.strictEqual(text, existsSync(shared) ? readFileSync(shared, "utf8") : text)
  })
})
