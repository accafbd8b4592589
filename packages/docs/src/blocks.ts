/**
 * The programs of the pages and of the doc comments: each is a fenced block, and the page is its only source.
 *
 * A block that begins with three backticks and
 *
 * - `ts` is a whole program that is compiled and run. What it prints is compared with the `text` block that follows, if one
 *   does, and a line that ends in `// =>` becomes an assertion;
 * - `ts check` is compiled only: it needs a server, or another library at work;
 * - `ts forever` is run in a process of its own until it has printed what the `text` block says.
 *
 * One that imports `@effect/vitest` is a test file, which the test runner runs. Code of others that cannot be run here (it needs
 * Python, or a server) begins with the name of another language, as `python` or `js`, and is left alone.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./root.ts"

export interface Block {
  /** Where it stands, for the report: page and line. */
  readonly name: string
  readonly kind: "run" | "check" | "forever" | "test"
  readonly code: string
  /** What it has to print, where the page says. */
  readonly output: string | undefined
}

const kindOf = (word: string, code: string): Block["kind"] => {
  if (word === "check" || word === "forever") return word
  if (word !== "") throw new Error(`no such kind of block: ${word}`)
  return /from "@effect\/vitest"/.test(code) ? "test" : "run"
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split("\n").length

const read = (file: string): string => readFileSync(join(root, file), "utf8")

/** The blocks of a page. */
export const blocksOf = (file: string, text = read(file)): ReadonlyArray<Block> =>
  Array.from(text.matchAll(/^```ts *(\w*)\n([\s\S]*?)^```\n(?:\n+```text\n([\s\S]*?)^```$)?/gm), (match) => ({
    name: `${file}:${lineOf(text, match.index)}`,
    kind: kindOf(match[1]!, match[2]!),
    code: match[2]!,
    output: match[3]
  }))

/** The pages that people write: those about benchmarks and faults are written by programs. */
export const pages: ReadonlyArray<string> = [
  "README.md",
  "docs/*.md",
  "examples/*/README.md",
  "packages/*/{AGENTS,README}.md"
]
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .filter((file) => !/^docs\/(benchmarks|faults)\.md$/.test(file))
  .toSorted()

const modules = [
  "packages/scheduler/src/*.ts",
  "packages/scheduler/src/testing/*.ts",
  "packages/scheduler/src/testing/internal/check.ts",
  "packages/scheduler/src/internal/trigger/*.ts",
  "packages/sql/src/*.ts",
  "packages/rrule/src/*.ts",
  "packages/rrule/src/internal/error.ts"
]

/** The programs in the comments of what is exported. */
export const comments: ReadonlyArray<Block> = modules
  .flatMap((pattern) => globSync(pattern, { cwd: root }).toSorted())
  .flatMap((file) => {
    const text = read(file)
    return Array.from(text.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm), (match) => {
      const code = match[1]!.replace(/^ *\* ?/gm, "")
      return { name: `${file}:${lineOf(text, match.index)}`, kind: kindOf("", code), code, output: undefined }
    })
  })
  // Those that show a test file of a reader's own store have no such store.
  .filter(({ code, kind }) => kind === "run" && code.includes("import "))
