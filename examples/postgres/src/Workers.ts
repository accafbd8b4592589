/**
 * The processes of the demo, and what it knows of each: from what they tell, and from what it does to them itself.
 */
import { Clock, Data, Effect, Exit, Fiber, Option, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { decodeTold, type Told } from "./told.ts"

export interface Worker {
  readonly pid: number
  /** Its node ids, the last one its own now. */
  readonly nodes: Array<string>
  killed: boolean
  /** It was asked to stop. */
  stopping: boolean
  /** Undefined as long as it runs. */
  code: number | undefined
  readonly kill: Effect.Effect<void>
  /** Asks it to end its runs and stop, and waits until it has. */
  readonly stop: Effect.Effect<void>
}

export interface Heard {
  /** Epoch milliseconds. */
  readonly at: number
  readonly by: Worker
  readonly told: Told
}

/** Something was waited for that did not come. */
export class DemoFailed extends Data.TaggedError("DemoFailed")<{ readonly message: string }> {}

export class Workers {
  readonly all: Array<Worker> = []
  readonly heard: Array<Heard> = []
  /** What they print besides. */
  readonly printed: Array<{ readonly at: number; readonly text: string }> = []

  /** The worker that has or had this node id. */
  readonly ofNode = (node: string | null): Worker | undefined =>
    this.all.find(({ nodes }) => node !== null && nodes.includes(node))

  /** Starts one. It is stopped with the scope, and stops by itself if this process dies. */
  readonly start = (url: string) => start(this, url)

  /** Looks again and again until something is so, or cannot be any more. */
  readonly until = <E, R>(what: string, look: Effect.Effect<boolean, E, R>): Effect.Effect<void, E | DemoFailed, R> =>
    Effect.gen({ self: this }, function* () {
      const began = yield* Clock.currentTimeMillis
      while (!(yield* look)) {
        const ended = this.all.find(({ code, killed, stopping }) => code !== undefined && !killed && !stopping)
        if (ended !== undefined) {
          return yield* new DemoFailed({ message: `Process ${ended.pid} ended by itself, with code ${ended.code}` })
        }
        if ((yield* Clock.currentTimeMillis) - began > 40_000) {
          return yield* new DemoFailed({ message: `Waited 40 s in vain for ${what}` })
        }
        yield* Effect.sleep("20 millis")
      }
    })
}

const start = Effect.fnUntraced(function* (workers: Workers, url: string) {
  const main = new URL("worker.ts", import.meta.url).pathname
  const handle = yield* ChildProcess.make(process.execPath, [main], {
    detached: false,
    stderr: "inherit",
    env: { DATABASE_URL: url },
    extendEnv: true,
    forceKillAfter: "15 seconds"
  })
  const worker: Worker = {
    pid: handle.pid,
    nodes: [],
    killed: false,
    stopping: false,
    code: undefined,
    kill: Effect.suspend(() => {
      worker.killed = true
      return Effect.ignore(handle.kill({ killSignal: "SIGKILL" }))
    }),
    stop: Effect.suspend(() => {
      worker.stopping = true
      return Effect.ignore(handle.kill({ killSignal: "SIGTERM" }))
    })
  }
  workers.all.push(worker)
  const reading = yield* handle.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) => Effect.map(Clock.currentTimeMillis, (at) => hear(workers, worker, at, line))),
    Effect.forkScoped
  )
  yield* Effect.exit(handle.exitCode).pipe(
    Effect.tap(() => Fiber.await(reading)),
    Effect.map((exit) => void (worker.code = Exit.isSuccess(exit) ? exit.value : -1)),
    Effect.forkScoped
  )
  return worker
})

const hear = (workers: Workers, worker: Worker, at: number, line: string): void => {
  const told = Option.getOrUndefined(decodeTold(line))
  if (told === undefined) return void workers.printed.push({ at, text: `process ${worker.pid}: ${line}` })
  if (told._tag === "SchedulerStarted") worker.nodes.push(told.node)
  if (told._tag === "NodeFenced") worker.nodes.push(told.newNode)
  workers.heard.push({ at, by: worker, told })
}
