/** A folder of programs as a reader would have it: one run of the compiler, and one process for all that end by themselves. */
import { execFile, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Block } from "./blocks.ts"
import { root } from "./root.ts"

/** A line that ends in `// => expected` becomes an assertion; at the top level, of what a promise gives. */
const checked = (code: string): string =>
  code.replace(/^( *)(const \w+ = )?(.+?) \/\/ => (.+)$/gm, (_, indent, binding = "", actual, expected) => {
    const value = indent === "" ? `await (${actual})` : actual
    return `${indent}${binding}__equal(${value}, ${expected}, ${JSON.stringify(actual)})`
  })

const equal = `
function __equal<A>(actual: A, expected: unknown, what: string): A {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(what + " is " + a + ", not " + b)
  return actual
}
`

/** Runs them one after the other, and says of each what it printed, as a terminal shows it, and what went wrong. */
const runner = `
import { format } from "node:util"

const report = console.log
const printed = []
for (const method of ["log", "info", "warn", "error"]) console[method] = (...args) => printed.push(format(...args))
export async function run(files) {
  for (const file of files) {
    printed.length = 0
    let error
    try {
      await import(file)
    } catch (thrown) {
      error = String(thrown)
    }
    report(JSON.stringify({ file, printed: printed.map((line) => line + "\\n").join(""), error }))
  }
}
`

const tsconfig = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2024", "DOM", "DOM.Iterable", "ESNext.Disposable"],
    module: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")]
  },
  include: ["*.ts"]
}

/** What came of a program: nothing where it did what its page says. */
export interface Finding {
  readonly name: string
  readonly problem: string
}

const output = (command: string, args: ReadonlyArray<string>, cwd: string): Promise<string> =>
  new Promise((resolve) => {
    execFile(command, args, { cwd, timeout: 100_000, maxBuffer: 1 << 26 }, (_, stdout, stderr) =>
      resolve(stdout + stderr)
    )
  })

const fileOf = (index: number): string => `program${index}.ts`

export const project = (blocks: ReadonlyArray<Block>) => {
  const folder = mkdtempSync(join(root, "packages/docs/.pages-"))
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
  for (const [index, { code }] of blocks.entries()) {
    // On one line, so that what the compiler says of a line is of the block's.
    writeFileSync(join(folder, fileOf(index)), `${checked(code)}\n${equal}\nexport {}\n`)
  }
  const named = (text: string) =>
    text.replaceAll(/[^\s]*program(\d+)\.ts/g, (_, index) => blocks[Number(index)]?.name ?? "?")
  return {
    /** The path of a block's file. */
    path: (block: Block) => join(folder, fileOf(blocks.indexOf(block))),
    /** What the compiler says; empty if all is well. Several checkers would each look at the same types of Effect. */
    compile: async () =>
      named(await output(join(root, "node_modules/.bin/tsc"), ["-p", folder, "--checkers", "1"], folder)),
    /** Those that do not do what their page says. */
    run: async (): Promise<ReadonlyArray<Finding>> => {
      const ending = blocks.flatMap((block, index) =>
        block.kind === "run" ? [{ block, file: `./${fileOf(index)}` }] : []
      )
      writeFileSync(join(folder, "runner.mjs"), runner)
      writeFileSync(
        join(folder, "all.mjs"),
        `import { run } from "./runner.mjs"\nawait run(${JSON.stringify(ending.map(({ file }) => file))})\n`
      )
      const lines = (await output(process.execPath, [join(folder, "all.mjs")], folder)).split("\n")
      const results = new Map(
        lines.flatMap((line) => {
          if (!line.startsWith(`{"file":`)) return []
          const { error, file, printed } = JSON.parse(line) as { file: string; printed: string; error?: string }
          return [[file, { error, printed }] as const]
        })
      )
      return ending.flatMap(({ block: { name, output: expected }, file }) => {
        const result = results.get(file)
        if (result === undefined) return [{ name, problem: `did not end: ${named(lines.join("\n")).slice(-2_000)}` }]
        if (result.error !== undefined) return [{ name, problem: named(result.error) }]
        if (expected !== undefined && result.printed !== expected) {
          return [{ name, problem: `printed\n${result.printed}instead of\n${expected}` }]
        }
        return []
      })
    },
    /** Runs a program that does not end until it has printed what its page says; what it had printed if that never comes. */
    runUntilPrinted: (block: Block): Promise<string> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [fileOf(blocks.indexOf(block))], { cwd: folder })
        let printed = ""
        const timer = setTimeout(() => child.kill(), 30_000)
        child.stderr.on("data", (chunk) => (printed += String(chunk)))
        child.stdout.on("data", (chunk) => {
          printed += String(chunk)
          if (printed.length >= (block.output ?? "").length) child.kill()
        })
        child.on("close", () => {
          clearTimeout(timer)
          resolve(printed)
        })
      }),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
