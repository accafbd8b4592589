import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** A program that a page or a comment shows. */
export interface Program {
  /** Where it stands, for the report. */
  readonly name: string
  readonly code: string
}

export const root = fileURLToPath(new URL("../../../", import.meta.url))

/** A line that ends in `// => expected` becomes an assertion; at the top level, of what a promise gives. */
const checked = (code: string): string =>
  code.replace(/^( *)(const \w+ = )?(.+?) \/\/ => (.+)$/gm, (_, indent, binding = "", actual, expected) => {
    const value = indent === "" ? `await (${actual})` : actual
    return `${indent}${binding}equal(${value}, ${expected}, ${JSON.stringify(actual)})`
  })

const equal = `
function equal<A>(actual: A, expected: unknown, what: string): A {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(what + " is " + a + ", not " + b)
  return actual
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
      console.error(name + ": " + error)
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

/** What a reader's project has: the two packages, effect and the driver of Postgres, beside the programs. */
export const project = (programs: ReadonlyArray<Program>) => {
  const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-programs-"))
  mkdirSync(join(folder, "node_modules/@effect-scheduler"), { recursive: true })
  symlinkSync(join(root, "packages/scheduler"), join(folder, "node_modules/effect-scheduler"))
  symlinkSync(join(root, "packages/sql"), join(folder, "node_modules/@effect-scheduler/sql"))
  symlinkSync(join(root, "packages/scheduler/node_modules/effect"), join(folder, "node_modules/effect"))
  mkdirSync(join(folder, "node_modules/@effect"))
  symlinkSync(join(root, "packages/sql/node_modules/@effect/sql-pg"), join(folder, "node_modules/@effect/sql-pg"))
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`)
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
  for (const [index, { code }] of programs.entries()) {
    writeFileSync(join(folder, `program${index}.ts`), `${checked(code)}\n${equal}\nexport {}\n`)
  }
  return {
    folder,
    /** What the compiler says; empty if all is well. */
    compile: (): string =>
      spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" }).stdout.replaceAll(
        /program(\d+)\.ts/g,
        (_, index) => programs[Number(index)]!.name
      ),
    /** What went wrong, and then how many ran. */
    run: (): ReadonlyArray<string> => {
      const named = programs.map(({ name }, index) => ({ path: `./program${index}.ts`, name }))
      writeFileSync(join(folder, "all.mjs"), `${all}\nawait run(${JSON.stringify(named)})\n`)
      const { stderr } = spawnSync(process.execPath, [join(folder, "all.mjs")], { encoding: "utf8", timeout: 50_000 })
      return stderr.split("\n").slice(0, -1)
    },
    remove: () => rmSync(folder, { recursive: true })
  }
}
