/** What importing costs: bytes that a bundle grows by beyond effect itself, and the time of the import. */
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { buildSync } from "esbuild"
import { named } from "./machine.ts"
import { median, millis, type Options } from "./measure.ts"
import type { Sections } from "./report.ts"

const folder = join(import.meta.dirname, "..")

const entries = {
  croner: 'export { Cron } from "croner"',
  "cron-parser": 'export { CronExpressionParser } from "cron-parser"',
  "node-cron": 'export * from "node-cron"',
  "node-schedule": 'export * from "node-schedule"',
  "Trigger, a cron expression and its next time": 'export { cron, next } from "effect-scheduler/Trigger"',
  "Trigger, all of it": 'export * as Trigger from "effect-scheduler/Trigger"',
  "effect-scheduler, the core": 'export * from "effect-scheduler"',
  "effect-scheduler on SQLite": 'export * from "effect-scheduler"; export { SqlJobStore } from "@effect-scheduler/sql"'
} as const

const bundle = (contents: string, external: ReadonlyArray<string>, minify = true): Uint8Array =>
  buildSync({
    stdin: { contents, resolveDir: folder, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22",
    minify,
    write: false,
    external: [...external],
    logLevel: "error"
  }).outputFiles![0]!.contents

const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length

const isOurs = (name: string): boolean => name.startsWith("Trigger") || name.startsWith("effect-scheduler")

/** Of packages that a bundle cannot hold. */
const servers = ["@effect/sql-pg"]
const effect = ["effect", "effect/*"]

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`

/** Milliseconds of an import in a new process in which effect is there already. */
const importTime = (file: string): number => {
  const program = `await import("effect"); await import("effect/sql"); const began = performance.now(); await import(${JSON.stringify(file)}); console.log(performance.now() - began)`
  const child = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: folder,
    encoding: "utf8"
  })
  if (child.status !== 0) throw new Error(child.stderr)
  return Number(child.stdout)
}

export const size = ({ quick }: Options): Sections => {
  // Within the package, so that what is not bundled is found.
  const built = join(folder, "node_modules/.bench")
  mkdirSync(built, { recursive: true })
  try {
    const found = Object.entries(entries).map(([name, contents], index) => {
      const beyond = bundle(contents, [...effect, ...servers])
      const file = join(built, `${index}.mjs`)
      // A peer is imported as it is installed; ours is TypeScript here, so it is built.
      if (isOurs(name)) writeFileSync(file, bundle(contents, [...effect, ...servers], false))
      return {
        name,
        file: isOurs(name) ? file : name,
        minified: beyond.length,
        gzipped: gzipped(beyond),
        whole: isOurs(name) ? kilobytes(gzipped(bundle(contents, servers))) : "–"
      }
    })
    const times = new Map<string, Array<number>>(found.map(({ name }) => [name, []]))
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      for (const { file, name } of found) times.get(name)!.push(importTime(file))
    }
    const croner = found.find(({ name }) => name === "croner")!.gzipped
    return [
      {
        name: "size",
        title: "Importing",
        text:
          "Bundled by esbuild for Node, minified, and gzipped: what the import adds beyond effect itself, which an application that uses this " +
          "library has anyway, and the whole of it with the parts of effect that it uses. The import time is by " +
          "the clock, in a new process that has imported effect before, the median of 3.",
        head: ["import", "minified", "gzipped", "gzipped with effect", "import time"],
        rows: found.map(({ gzipped, minified, name, whole }) => {
          const cells = [
            isOurs(name) ? name : named(name),
            kilobytes(minified),
            kilobytes(gzipped),
            whole,
            millis(median(times.get(name)!))
          ]
          return name === "Trigger, all of it"
            ? { cells, target: `no more than croner's ${kilobytes(croner)}`, met: gzipped <= croner }
            : cells
        }),
        plot: {
          kind: "bars",
          unit: "kB minified and gzipped, beyond effect",
          bars: found.map(({ gzipped, name }) => ({
            name: name.startsWith("Trigger") ? `effect-scheduler/${name}` : name,
            value: gzipped / 1000
          }))
        }
      }
    ]
  } finally {
    rmSync(built, { recursive: true, force: true })
  }
}
