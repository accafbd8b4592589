import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chownSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { binaries, copyAsOwner, initdb, owner, spawnOptions } from "./binaries.ts"
import { freeze, thaw } from "./processes.ts"

/** How a server is started. */
export interface ServerOptions {
  /** A free one by default. A server keeps its port when it is stopped and started. */
  readonly port?: number | undefined
  /** The data folder. It is made if there is none, and kept by `destroy`. By default one that `destroy` removes. */
  readonly data?: string | undefined
  /** A folder of `makeHome` in place of one of its own, which is the server's from then on. */
  readonly home?: string | undefined
  /** A data folder of a server that does not run, copied in place of the second that making a new one takes. */
  readonly template?: string | undefined
  /** Settings beside, or in place of, those that make tests fast. */
  readonly settings?: Readonly<Record<string, string | number>> | undefined
}

/** A Postgres of our own, which ends with this process at the latest. */
export interface Server {
  readonly port: number
  readonly data: string
  /** The database `postgres` of the server, as its superuser. */
  readonly url: string
  readonly urlOf: (database: string) => string
  /** The process id of the postmaster, if it runs. */
  readonly pid: () => number | undefined
  /** Ends it: in order, its clients told (`fast`), or at once as by a crash (`immediate`). */
  readonly stop: (mode: "fast" | "immediate") => Promise<void>
  /** Starts it again on the same data and port. */
  readonly start: () => Promise<void>
  /** Stops every process of the server where it stands: connections stay open and nothing answers. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Ends it, frozen or not, and removes what was made for it. */
  readonly destroy: () => Promise<void>
}

// A test's data need not outlive a power cut. All else is as in production.
const fast = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "on",
  autovacuum: "on",
  // As if segments of the log were not as small as they are made, for a folder that is quickly copied.
  min_wal_size: "80MB",
  max_wal_size: "1GB",
  max_connections: 200,
  log_min_messages: "fatal"
}

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
  })

// Below those that systems give to clients: one of them would be taken while the server is stopped, by a client that
// tries to reach it even.
const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000)
    if (await isFree(port)) return port
  }
}

// The postmaster writes its state in the eighth line of this file: what `pg_ctl` waits for.
const isReady = (data: string, pid: number): boolean => {
  const path = join(data, "postmaster.pid")
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : []
  return lines[0] === String(pid) && lines[7]?.trim() === "ready"
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

const makeFolder = (path: string) => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
}

/** Makes a data folder to copy from. */
export const makeTemplate = (home: string): string => {
  const data = join(home, "template")
  makeFolder(data)
  initdb(binaries(home), home, data)
  return data
}

/** A folder for servers and templates, which belongs to the user that servers run as. */
export const makeHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), "effect-scheduler-postgres-"))
  if (owner !== undefined) chownSync(home, owner.uid, owner.gid)
  return home
}

const makeData = (native: string, home: string, data: string, template: string | undefined) => {
  if (existsSync(join(data, "PG_VERSION"))) return
  makeFolder(data)
  if (template === undefined) initdb(native, home, data)
  else copyAsOwner(template, data)
}

/** Starts a server. Who starts it destroys it; if this process dies before, a watchdog does. */
export const startServer = async (options: ServerOptions = {}): Promise<Server> => {
  const home = options.home ?? makeHome()
  const native = binaries(home, ...(options.template === undefined ? [] : [dirname(options.template)]))
  const data = options.data ?? join(home, "data")
  const port = options.port ?? (await freePort())
  const settings = Object.entries({ ...fast, ...options.settings }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`
  ])

  const watchdog = spawn(process.execPath, [fileURLToPath(new URL("watchdog.ts", import.meta.url)), home], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  })
  watchdog.unref()
  const watched = (pid: number) => watchdog.stdin.write(`${pid}\n`)

  let child: ChildProcess | undefined
  const pid = () => (child === undefined || hasEnded(child) ? undefined : child.pid)
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`

  const start = async () => {
    if (pid() !== undefined) return
    const path = join(home, "log")
    const log = openSync(path, "w")
    const arguments_ = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", "", ...settings]
    const started = spawn(join(native, "bin/postgres"), arguments_, {
      ...spawnOptions(home),
      // Not in the group that a terminal's Ctrl-C goes to: who started it ends it in order.
      detached: true,
      stdio: ["ignore", log, log]
    })
    closeSync(log)
    started.on("error", () => {})
    started.unref()
    child = started
    if (started.pid !== undefined) watched(started.pid)
    while (started.pid === undefined || !isReady(data, started.pid)) {
      if (started.pid === undefined || hasEnded(started)) {
        throw new Error(`Postgres did not start:\n${readFileSync(path, "utf8")}`)
      }
      await sleep(5)
    }
  }

  const stop = async (mode: "fast" | "immediate") => {
    const running = pid()
    if (child === undefined || running === undefined) return
    thaw(running)
    const exited = once(child, "exit")
    child.ref()
    child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT")
    await exited
    watched(0)
  }

  const destroy = async () => {
    await stop("immediate")
    await rm(home, { recursive: true, force: true })
    if (hasEnded(watchdog)) return
    const exited = once(watchdog, "exit")
    watchdog.ref()
    watchdog.stdin.end()
    await exited
  }

  const ofRunning = (act: (pid: number) => void) => () => {
    const running = pid()
    if (running !== undefined) act(running)
  }

  try {
    makeData(native, home, data, options.template)
    await start()
  } catch (error) {
    await destroy()
    throw error
  }
  return {
    port,
    data,
    url: urlOf("postgres"),
    urlOf,
    pid,
    stop,
    start,
    freeze: ofRunning(freeze),
    thaw: ofRunning(thaw),
    destroy
  }
}
