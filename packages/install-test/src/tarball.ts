/** What is in a package: every module with its types, and maps whose sources are in it too. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join, relative } from "node:path"

interface SourceMap {
  readonly sources: ReadonlyArray<string>
  readonly sourceRoot?: string
}

/** Says what it found, in one line; throws where something is missing. */
export const inspect = (tarball: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-tarball-"))
  try {
    execFileSync("tar", ["xzf", tarball, "-C", folder])
    const root = join(folder, "package")
    const files = new Set(
      readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    )
    const read = (file: string) => readFileSync(join(root, file), "utf8")
    const wrong: Array<string> = []
    const need = (file: string, whose: string) => files.has(file) || wrong.push(`${file}, of ${whose}, is missing`)

    for (const file of ["LICENSE", "README.md", "AGENTS.md"]) need(file, "every package")
    const manifest = JSON.parse(read("package.json")) as { readonly sideEffects?: unknown; readonly type?: unknown }
    if (manifest.sideEffects !== false || manifest.type !== "module")
      wrong.push("it says not that it is ESM without side effects")
    const modules = [...files].filter((file) => file.endsWith(".js"))
    for (const file of modules) {
      need(file.replace(/\.js$/, ".d.ts"), file)
      if (/from "\.[^"]*\.ts"/.test(read(file))) wrong.push(`${file} imports a source`)
    }
    for (const file of [...files].filter((file) => /\.(js|d\.ts)$/.test(file) && file.startsWith("dist/"))) {
      const [, map] = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(read(file)) ?? []
      if (map === undefined || !files.has(join(dirname(file), map))) {
        wrong.push(`${file} has no map`)
        continue
      }
      const { sourceRoot = "", sources } = JSON.parse(read(join(dirname(file), map))) as SourceMap
      for (const source of sources) need(join(dirname(file), sourceRoot, source), map)
    }
    if (modules.length === 0) wrong.push("nothing was built")
    if (wrong.length > 0) throw new Error(`${basename(tarball)}:\n${wrong.join("\n")}`)
    return `${basename(tarball)}: ${modules.length} modules with types, maps and sources`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
