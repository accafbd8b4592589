/**
 * Process groups of the operating system: told apart although process ids are used again, and ended as a whole.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { Duration, Effect, Option, Schema } from "effect"

/**
 * A process group by its number, which is the process id of its leader, and by when its leader was started.
 */
export const ProcessGroup = Schema.Struct({ id: Schema.Finite, started: Schema.String })

export type ProcessGroup = typeof ProcessGroup.Type

/** Set in the environment of every command, and so inherited by what it starts: the id of the run that started it. */
export const RUN_ID = "CRON_RUN_ID"

/** The group that this process leads; none if there is no such process. */
export const ofLeader = (pid: number): Effect.Effect<Option.Option<ProcessGroup>> =>
  Effect.sync(() =>
    Option.map(Option.fromUndefinedOr(processes().find((process) => process.pid === pid)), ({ started }) => ({
      id: pid,
      started
    }))
  )

/**
 * Whether anything of the group is still running. The number alone proves nothing: the leader must be the process that
 * was started then, or, where the leader has ended before its children, one of those must carry the run's id.
 */
export const isRunning = (group: ProcessGroup, runId: string): Effect.Effect<boolean> =>
  Effect.sync(() => {
    const members = processes().filter((process) => process.group === group.id)
    const leader = members.find((process) => process.pid === group.id)
    const same = leader === undefined ? members.some(hasRunId(runId)) : leader.started === group.started
    return same && members.some((process) => !process.zombie)
  })

/**
 * Ends a group: SIGTERM for all of it, SIGKILL for what is left after `grace`. Returns when nothing of it runs, with
 * whether there was anything to end. What only waits to be collected by its parent does not count as running.
 */
export const end = Effect.fnUntraced(function* (group: ProcessGroup, runId: string, grace: Duration.Input) {
  if (!(yield* isRunning(group, runId))) return false
  signal(group, "SIGTERM")
  const patience = Duration.toMillis(Duration.fromInputUnsafe(grace))
  for (let waited = 0; yield* isRunning(group, runId); waited += POLL) {
    if (waited >= patience) signal(group, "SIGKILL")
    yield* Effect.sleep(Duration.millis(POLL))
  }
  return true
}, Effect.uninterruptible)

/** Milliseconds. */
const POLL = 20

interface Process {
  readonly pid: number
  readonly group: number
  readonly zombie: boolean
  /** Not the same for two processes that had the same id. */
  readonly started: string
}

const signal = (group: ProcessGroup, name: "SIGTERM" | "SIGKILL") => {
  try {
    process.kill(-group.id, name)
  } catch {
    // It has ended in between.
  }
}

const hasRunId = (runId: string) => (member: Process) =>
  readText(`/proc/${member.pid}/environ`).split("\0").includes(`${RUN_ID}=${runId}`)

const readText = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

const bootId = readText("/proc/sys/kernel/random/boot_id").trim()

const processes = (): ReadonlyArray<Process> => (bootId === "" ? fromPs() : fromProc())

/** Linux: `/proc/<pid>/stat` is `pid (name) state ppid pgrp …`, and its 22nd field is the start in ticks since boot. */
const fromProc = (): ReadonlyArray<Process> =>
  readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    const stat = readText(`/proc/${entry}/stat`)
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const [state, , group] = fields
    if (state === undefined || group === undefined) return []
    return [
      {
        pid: Number(entry),
        group: Number(group),
        zombie: state === "Z" || state === "X",
        started: `${bootId}/${fields[19]}`
      }
    ]
  })

/** Any other Unix. */
const fromPs = (): ReadonlyArray<Process> =>
  execFileSync("ps", ["-A", "-o", "pid=,pgid=,stat=,lstart="], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => {
      const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(line)
      if (match === null) return []
      return [{ pid: Number(match[1]), group: Number(match[2]), zombie: match[3]!.startsWith("Z"), started: match[4]! }]
    })
