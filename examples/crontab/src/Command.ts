/**
 * Runs one command as cron does: through a shell, in a process group of its own, with a small environment, its standard
 * input from the crontab, and its output read until the last process that can write to it has ended.
 *
 * It starts processes itself, and not by `effect/process`, for two of cron's habits: what a command that failed leaves in
 * the background goes on, and the run of a command lasts as long as its output is open.
 */
import { type ChildProcess, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Deferred, Duration, Effect, Option, Schema, Stream } from "effect"
import { lineSplitter, outputTail } from "./Output.ts"
import * as ProcessGroup from "./ProcessGroup.ts"

export interface Options<R> {
  /** Set as `CRON_RUN_ID` for the command. */
  readonly runId: string
  readonly shell: string
  readonly command: string
  /** Undefined for none. */
  readonly stdin: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly timeout: Duration.Duration
  /** The command waits until this has ended, and never starts if the scheduler dies before. */
  readonly beforeStart: (group: ProcessGroup.ProcessGroup) => Effect.Effect<void, never, R>
  readonly onLine: (line: string) => Effect.Effect<void, never, R>
}

/** A command that ended well, and the end of its output. */
export const CommandResult = Schema.Struct({ output: Schema.String })

/** A command that did not end with exit code 0, with the end of its output. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  why: Schema.Union([
    Schema.TaggedStruct("Exit", { code: Schema.Finite }),
    Schema.TaggedStruct("Signal", { signal: Schema.String }),
    Schema.TaggedStruct("TimedOut", { seconds: Schema.Finite }),
    Schema.TaggedStruct("NotStarted", { message: Schema.String })
  ]),
  output: Schema.String
}) {
  override get message(): string {
    switch (this.why._tag) {
      case "Exit":
        return `exit code ${this.why.code}`
      case "Signal":
        return `ended by ${this.why.signal}`
      case "TimedOut":
        return `not done after ${this.why.seconds} s`
      case "NotStarted":
        return this.why.message
    }
  }
}

/** After SIGTERM, until SIGKILL. */
export const GRACE = Duration.seconds(2)

/**
 * Runs a command to its end. A timeout and an interruption end its whole process group.
 */
export const run = Effect.fnUntraced(function* <R>(options: Options<R>) {
  const output = outputTail()
  const failed = (why: CommandFailed["why"]) => new CommandFailed({ why, output: output.text() })
  const ended = yield* start(options).pipe(
    Effect.tap((child) =>
      Stream.runForEach(linesOf(child.output), (line) => {
        output.push(line)
        return options.onLine(line)
      })
    ),
    Effect.flatMap((child) => Deferred.await(child.exit)),
    Effect.scoped,
    Effect.timeoutOption(options.timeout),
    Effect.mapError((message) => failed({ _tag: "NotStarted", message }))
  )
  if (Option.isNone(ended)) return yield* failed({ _tag: "TimedOut", seconds: Duration.toSeconds(options.timeout) })
  const { code, signal } = ended.value
  if (signal !== null) return yield* failed({ _tag: "Signal", signal })
  if (code !== 0) return yield* failed({ _tag: "Exit", code: code ?? -1 })
  return { output: output.text() }
})

interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

interface Child {
  readonly output: Readable
  readonly exit: Deferred.Deferred<Exit>
}

/** Waits for a line on descriptor 3, then becomes the command. Without that line it ends. Both outputs are one pipe, so
 * that their order is kept. */
const HOLD = 'read -r go <&3 && exec 3<&- 2>&1 && exec "$0" -c "$1"'

/** Starts a command whose group is ended with the scope, unless it has come to its end by itself. */
const start = Effect.fnUntraced(function* <R>(options: Options<R>) {
  const exit = Deferred.makeUnsafe<Exit>()
  const child = yield* spawned(options, exit)
  const group = yield* ProcessGroup.ofLeader(child.pid!)
  if (Option.isSome(group)) {
    yield* Effect.addFinalizer((outcome) =>
      outcome._tag === "Success"
        ? Effect.void
        : Effect.andThen(ProcessGroup.end(group.value, options.runId, GRACE), Deferred.await(exit))
    )
    yield* options.beforeStart(group.value)
  }
  write(child.stdio[3] as Writable, "\n")
  write(child.stdin!, options.stdin ?? "")
  return { output: child.stdout!, exit } satisfies Child
})

const spawned = (options: Omit<Options<never>, "beforeStart" | "onLine">, exit: Deferred.Deferred<Exit>) =>
  Effect.acquireRelease(
    Effect.callback<ChildProcess, string>((resume) => {
      const child = spawn("/bin/sh", ["-c", HOLD, options.shell, options.command], {
        cwd: options.cwd,
        env: { ...options.env, [ProcessGroup.RUN_ID]: options.runId },
        detached: true,
        stdio: ["pipe", "pipe", "ignore", "pipe"]
      })
      child.once("spawn", () => resume(Effect.succeed(child)))
      child.once("error", (error) => resume(Effect.fail(`cannot start in ${options.cwd}: ${error.message}`)))
      child.once("exit", (code, signal) => Deferred.doneUnsafe(exit, Effect.succeed({ code, signal })))
    }),
    // A process that has left the group may hold the other ends open.
    (child) => Effect.sync(() => child.stdio.forEach((stream) => stream?.destroy()))
  )

/** A command need not read what it is given. */
const write = (stream: Writable, text: string) => {
  stream.on("error", () => {})
  stream.end(text)
}

const linesOf = (readable: Readable): Stream.Stream<string> => {
  const splitter = lineSplitter()
  return NodeStream.fromReadable<Uint8Array>({ evaluate: () => readable }).pipe(
    Stream.decodeText,
    Stream.map(splitter.push),
    Stream.concat(Stream.sync(splitter.end)),
    Stream.flattenIterable,
    // A broken pipe is the end of the output.
    Stream.catchCause(() => Stream.empty)
  )
}
