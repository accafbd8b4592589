/** Writes docs/faults.md from what the fault tests of a whole run saw. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder that the fault tests of this run write their rows to. */
    readonly faults: string
  }
}

/** What one test of a fault writes: that there is one, and when it has passed what it saw. */
export interface Row {
  readonly number: number
  readonly name: string
  readonly store: string
  readonly injected: string
  readonly seen: string
}

export const total = 67

const target = fileURLToPath(new URL("../../../../docs/faults.md", import.meta.url))

const introduction = `# The faults that were tried

The table of faults that a durable scheduler must survive, each tried on every store where it makes sense. The test suite
writes this page from what it ran (\`packages/sql/test/faults\`): a row is here because its test passed. After each of them
the invariants were checked on all rows of the store, unless the fault destroys the store itself.

Leases, timeouts and outages are shortened (a lease of a second), and of the largest amounts there are fewer, as the rows say;
the full lengths and amounts are in \`pnpm test:chaos\` and \`pnpm bench --full herd scale\`.
`

const stores = ["memory", "sqlite", "postgres"]

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

const page = (rows: ReadonlyArray<Row>): string => {
  const sorted = rows.toSorted((a, b) => a.number - b.number || stores.indexOf(a.store) - stores.indexOf(b.store))
  const lines = sorted.map(
    (row) => `| ${row.number} | ${cell(row.name)} | ${row.store} | ${cell(row.injected)} | ${cell(row.seen)} |`
  )
  const head = ["| # | fault | store | how it was injected | what was seen |", "|---|---|---|---|---|"]
  return `${introduction}\n${[...head, ...lines].join("\n")}\n`
}

const read = (folder: string, kind: string): ReadonlyArray<Row> =>
  readdirSync(folder)
    .filter((name) => name.startsWith(kind))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Row)

/** Only a run of all of them that passed says anything: the page is left as it is otherwise. */
export default function setup(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-faults-"))
  project.provide("faults", folder)
  return () => {
    const declared = read(folder, "declared")
    const passed = read(folder, "passed")
    const numbers = new Set(passed.map((row) => row.number))
    if (numbers.size === total && passed.length === declared.length) {
      const text = page(passed)
      writeFileSync(target, text)
    }
    rmSync(folder, { recursive: true, force: true })
  }
}
