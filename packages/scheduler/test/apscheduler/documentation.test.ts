/** The programs of the doc compile, run, and say what their comments say. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../../../../", import.meta.url))
const doc = readFileSync(join(root, "docs/coming-from-apscheduler.md"), "utf8")

/** A line that ends in `// => expected` becomes an assertion. */
const checked = (program: string): string =>
  program.replace(
    /^( *)(.+?) \/\/ => (.+)$/gm,
    (_, indent, actual, expected) => `${indent}equal(${actual}, ${expected}, ${JSON.stringify(actual)})`
  )

const programs = Array.from(doc.matchAll(/^```ts\n([\s\S]*?)^```$/gm), (match) => match[1]!)

const equal = `
function equal(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(what + " is " + a + ", not " + b)
}
`

/** One process for all of them: what fails, and how many were run, goes to stderr. */
const all = `
async function run(programs) {
  let ran = 0
  for (const { name, path } of programs) {
    try {
      await import(path)
      ran++
    } catch (error) {
      console.error("program " + name + ": " + error)
    }
  }
  console.error("ran " + ran)
}
`

const tsconfig = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2024", "DOM", "DOM.Iterable", "ESNext.Disposable"],
    module: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")]
  },
  include: ["*.ts"]
}

/** What a reader's project has: the two packages and effect, beside the program. */
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "coming-from-apscheduler-"))
  mkdirSync(join(folder, "node_modules/@effect-scheduler"), { recursive: true })
  symlinkSync(join(root, "packages/scheduler"), join(folder, "node_modules/effect-scheduler"))
  symlinkSync(join(root, "packages/sql"), join(folder, "node_modules/@effect-scheduler/sql"))
  symlinkSync(join(root, "packages/scheduler/node_modules/effect"), join(folder, "node_modules/effect"))
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`)
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
  for (const [index, program] of programs.entries()) {
    writeFileSync(join(folder, `program${index}.ts`), `${checked(program)}\n${equal}\nexport {}\n`)
  }
})

afterAll(() => rmSync(folder, { recursive: true }))

describe("docs/coming-from-apscheduler.md", () => {
  it("its programs compile", { timeout: 60_000 }, () => {
    assert.isAbove(programs.length, 8)
    const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" })
    assert.deepStrictEqual([stdout, status], ["", 0])
  })

  it("its programs run, and what they say is so", { timeout: 60_000 }, () => {
    const names = programs.map((program, index) => {
      const section = doc.slice(0, doc.indexOf(program)).match(/^## .+$/gm)
      return { path: `./program${index}.ts`, name: `${index + 1}, ${section?.at(-1)?.slice(3)}` }
    })
    writeFileSync(join(folder, "all.mjs"), `${all}\nawait run(${JSON.stringify(names)})\n`)
    const { stderr } = spawnSync(process.execPath, [join(folder, "all.mjs")], { encoding: "utf8", timeout: 50_000 })
    assert.deepStrictEqual(stderr.split("\n").slice(0, -1), [`ran ${programs.length}`])
  })
})
