/** Processes in which libraries enqueue and run jobs, each of which does what it is asked. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Call } from "./recording.ts"

export type SideName = "ours" | "graphile" | "pgBoss" | "effectMq" | "persistedQueue"

/** From the start of the worker to the last end that is stored. Instants are those of the machine's monotonic clock. */
interface Drained {
  readonly began: number
  readonly ended: number
  readonly cpu: number
  readonly handled: number
}

/** What a process can be asked. */
export interface Duties {
  readonly fill: (count: number) => Promise<void>
  /** Runs all jobs there are, each of which waits so many milliseconds: at least so many fall to this process, zero if others run them too. */
  readonly drain: (least: number, waits?: number) => Promise<Drained>
  /** Starts to run jobs whose texts are the instants at which they were enqueued, until `latencies` asks for what was found. */
  readonly listen: () => Promise<void>
  readonly latencies: (count: number) => Promise<ReadonlyArray<number>>
  /** Enqueues one after another with a pause between them. */
  readonly pace: (count: number, gap: number) => Promise<void>
  /** Milliseconds for so many one at a time. */
  readonly one: (count: number) => Promise<number>
  /** Milliseconds for so many in bulk. */
  readonly bulk: (count: number) => Promise<number>
  /** Starts to run jobs that never end, and answers once one runs. */
  readonly hang: () => Promise<void>
  /** Starts to run jobs, and answers the instant at which the first one runs. */
  readonly first: () => Promise<number>
  readonly recorded: () => Promise<ReadonlyArray<Call>>
  readonly quit: () => Promise<void>
}

export interface Member extends Duties {
  readonly kill: () => void
}

export const hire = (side: SideName, form: string, url: string, profile?: string): Promise<Member> => {
  const flags = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]
  const child: ChildProcess = fork(fileURLToPath(new URL("child.ts", import.meta.url)), [side, form, url], {
    execArgv: ["--expose-gc", ...flags],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced"
  })
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let number = 0
  child.on("message", ({ error, id, value }: { id: number; value: unknown; error?: string }) => {
    const call = waiting.get(id)!
    waiting.delete(id)
    if (error === undefined) call.resolve(value)
    else call.reject(new Error(error))
  })
  child.on("exit", (code) => {
    for (const call of waiting.values()) call.reject(new Error(`${side} ${form} ended with ${code}`))
  })
  const ask = (duty: string, args: ReadonlyArray<unknown>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(number, { resolve, reject })
      child.send({ id: number++, duty, args })
    })
  const quit = async () => {
    await ask("quit", [])
    const gone = new Promise((resolve) => void child.once("exit", resolve))
    child.disconnect()
    await gone
  }
  const duties = [
    "fill",
    "drain",
    "listen",
    "latencies",
    "pace",
    "one",
    "bulk",
    "hang",
    "first",
    "recorded"
  ] as const satisfies ReadonlyArray<keyof Duties>
  const member = Object.fromEntries(
    duties.map((duty) => [duty, (...args: ReadonlyArray<unknown>) => ask(duty, args)])
  ) as unknown as Duties
  return Promise.resolve({ ...member, quit, kill: () => void child.kill("SIGKILL") })
}
