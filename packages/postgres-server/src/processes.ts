import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

/** Sends a signal to a process, if there is one. */
export const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

// Its state and its parent follow the program's name, which is in parentheses, with whatever is in it.
const statusOf = (pid: number | string): readonly [state?: string, parent?: string] => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [state = "", parent = ""] = text.slice(text.lastIndexOf(")") + 2).split(" ")
    return [state, parent]
  } catch {
    return []
  }
}

/** Whether a process runs. One that has ended and of which nobody has asked how does not. */
export const isAlive = (pid: number): boolean => signal(pid, 0) && statusOf(pid)[0] !== "Z"

/** The children of a process, each of which may be gone already. */
const childrenOf = (parent: number): ReadonlyArray<number> => {
  if (process.platform === "linux") {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
    return pids.filter((pid) => statusOf(pid)[1] === String(parent)).map(Number)
  }
  const lines = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).stdout.trim().split("\n")
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  return pairs.filter((pair) => pair[1] === parent).map((pair) => pair[0]!)
}

/** Stops a postmaster and its backends, the postmaster first: it starts no other meanwhile. */
export const freeze = (postmaster: number): void => {
  signal(postmaster, "SIGSTOP")
  for (const backend of childrenOf(postmaster)) signal(backend, "SIGSTOP")
}

/** Lets them all go on. */
export const thaw = (postmaster: number): void => {
  for (const backend of childrenOf(postmaster)) signal(backend, "SIGCONT")
  signal(postmaster, "SIGCONT")
}
