/** The processes of a run: started, killed, frozen. None is left when the scope closes. */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"

export interface Worker {
  readonly pid: number
  readonly child: ChildProcess
  readonly startedAt: number
  /** The last of what it printed. */
  output: string
  /** When it was killed. */
  killedAt: number | undefined
  /** When it was told to end. */
  toldAt: number | undefined
  /** From when to when it stood still. */
  readonly frozen: Array<{ readonly from: number; until: number | undefined }>
}

const script = fileURLToPath(new URL("worker.ts", import.meta.url))

export const hasEnded = ({ child }: Worker): boolean => child.exitCode !== null || child.signalCode !== null

export const isFrozen = ({ frozen }: Worker): boolean => frozen.at(-1)?.until === undefined && frozen.length > 0

/** What each process is told. */
export interface Task {
  /** The URL of a Postgres, or a SQLite file. */
  readonly place: string
  /** Of the logs. */
  readonly folder: string
  readonly lease: number
  readonly maxRunning: number
}

const start = (task: Task): Worker => {
  const child = spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ["ignore", "pipe", "pipe"] })
  if (child.pid === undefined) throw new Error("no process could be started")
  const worker: Worker = {
    pid: child.pid,
    child,
    startedAt: Date.now(),
    output: "",
    killedAt: undefined,
    toldAt: undefined,
    frozen: []
  }
  const keep = (chunk: unknown) => void (worker.output = (worker.output + String(chunk)).slice(-2_000))
  child.stdout.on("data", keep)
  child.stderr.on("data", keep)
  return worker
}

export const kill = (worker: Worker): void => {
  worker.killedAt = Date.now()
  worker.child.kill("SIGKILL")
}

export const tell = (worker: Worker): void => {
  worker.toldAt = Date.now()
  worker.child.kill("SIGTERM")
}

/** Whether it ended by itself. */
export const hasFailed = (worker: Worker): boolean =>
  hasEnded(worker) && worker.killedAt === undefined && worker.toldAt === undefined

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

export const processes = (task: Task): Effect.Effect<Processes, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync((): Array<Worker> => []),
      (all) => Effect.sync(() => all.forEach((worker) => worker.child.kill("SIGKILL")))
    ),
    (all) => ({
      all,
      start: () => {
        const worker = start(task)
        all.push(worker)
        return worker
      }
    })
  )
