/** What the figures were measured on and beside what. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { cpus, totalmem } from "node:os"
import { dirname, join } from "node:path"

/** The version in a package's own package.json, as it is installed here. */
const versionOf = (name: string): string => {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? []
  for (const path of paths) {
    try {
      return JSON.parse(readFileSync(join(path, name, "package.json"), "utf8")).version
    } catch {
      // Not in this folder: the next one up.
    }
  }
  throw new Error(`${name} is not installed`)
}

/** A peer with its version, as the tables name it. */
export const named = (name: string): string => `${name} ${versionOf(name)}`

const peers: ReadonlyArray<string> = Object.keys(
  JSON.parse(readFileSync(join(dirname(import.meta.dirname), "package.json"), "utf8")).devDependencies
).filter((name) => !/^@types|^@?effect-scheduler|^echarts$|^esbuild$/.test(name))

export const machine = (): string => {
  const cores = cpus()
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`
  return `${cores.length} cores (${cores[0]?.model ?? "unknown"}), ${memory}, ${process.platform}, Node ${process.versions.node}`
}

export const versions = (): string => peers.map(named).join(", ")
