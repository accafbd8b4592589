/** The processes of a run: started, killed, frozen. None is left when the scope closes. */
import { type ChildProcess, spawn } from "node:child_process"
import { openSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"

export interface Worker {
  readonly pid: number
  readonly child: ChildProcess
  readonly startedAt: number
  /** When it was killed. */
  killedAt: number | undefined
  /** From when to when it stood still. */
  readonly frozen: Array<{ readonly from: number; until: number | undefined }>
}

const script = fileURLToPath(new URL("worker.ts", import.meta.url))

export const hasEnded = ({ child }: Worker): boolean => child.exitCode !== null || child.signalCode !== null

export const isFrozen = ({ frozen }: Worker): boolean => frozen.at(-1)?.until === undefined && frozen.length > 0

const start = (place: string, folder: string): Worker => {
  const errors = openSync(join(folder, "errors"), "a")
  const child = spawn(process.execPath, [script, place, folder], { stdio: ["ignore", errors, errors] })
  if (child.pid === undefined) throw new Error("no process could be started")
  return { pid: child.pid, child, startedAt: Date.now(), killedAt: undefined, frozen: [] }
}

export const kill = (worker: Worker): void => {
  worker.killedAt = Date.now()
  worker.child.kill("SIGKILL")
}

export const freeze = (worker: Worker): void => {
  worker.frozen.push({ from: Date.now(), until: undefined })
  worker.child.kill("SIGSTOP")
}

export const thaw = (worker: Worker): void => {
  worker.child.kill("SIGCONT")
  worker.frozen.at(-1)!.until = Date.now()
}

/** Starts processes; all that were ever started are in `all`. */
export interface Processes {
  readonly all: ReadonlyArray<Worker>
  readonly start: () => Worker
}

export const processes = (place: string, folder: string): Effect.Effect<Processes, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync((): Array<Worker> => []),
      (all) => Effect.sync(() => all.forEach((worker) => worker.child.kill("SIGKILL")))
    ),
    (all) => ({
      all,
      start: () => {
        const worker = start(place, folder)
        all.push(worker)
        return worker
      }
    })
  )
