/**
 * A scheduler in a process of its own, which can be killed, and what it tells.
 */
import { Console, Data, Effect, Option, Schedule, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { render } from "./render.ts"
import { decodeTold, type Message, type Told } from "./Report.ts"
import type { Paint } from "./text.ts"

export interface Files {
  /** Where the commands run. */
  readonly home: string
  readonly crontab: string
  readonly database: string
}

/** Something was waited for that did not come. */
export class DemoFailed extends Data.TaggedError("DemoFailed")<{ readonly message: string }> {}

type Of<T extends Message["_tag"]> = Extract<Message, { readonly _tag: T }>

/**
 * Starts a scheduler on these files. It is stopped with the scope, and stops by itself if this process dies.
 */
export const start = Effect.fnUntraced(function* (files: Files, lease: number, paint: Paint) {
  const main = new URL("main.ts", import.meta.url).pathname
  const handle = yield* ChildProcess.make(
    process.execPath,
    [
      main,
      files.crontab,
      "--database",
      files.database,
      "--lease",
      String(lease),
      "--drain",
      "5",
      "--json",
      "--attached"
    ],
    { detached: false, stderr: "inherit", env: { HOME: files.home }, extendEnv: true, forceKillAfter: "10 seconds" }
  )
  const told: Array<Told> = []
  yield* handle.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((text) => {
      const one = decodeTold(text)
      if (Option.isNone(one)) return Console.log(text)
      told.push(one.value)
      const line = render(one.value, paint)
      return line === undefined ? Effect.void : Console.log(line)
    }),
    Effect.forkScoped
  )

  /** The first message of this kind that satisfies the predicate, told already or yet to be told. */
  const heard = <T extends Message["_tag"]>(
    what: string,
    tag: T,
    predicate: (message: Of<T>) => boolean
  ): Effect.Effect<{ readonly at: number; readonly message: Of<T> }, DemoFailed> =>
    until(what, () => {
      for (const { at, message } of told) {
        if (message._tag === tag && predicate(message as Of<T>)) return Option.some({ at, message: message as Of<T> })
      }
      return Option.none()
    })

  return {
    pid: handle.pid,
    told: told as ReadonlyArray<Told>,
    heard,
    kill: Effect.ignore(handle.kill({ killSignal: "SIGKILL" })),
    /** Asks it to stop and waits until it has. */
    stop: Effect.andThen(Effect.ignore(handle.kill({ killSignal: "SIGTERM" })), Effect.ignore(handle.exitCode))
  }
})

export type Child = Effect.Success<ReturnType<typeof start>>

/** Looks again and again, for at most 30 seconds. */
export const until = <A>(what: string, look: () => Option.Option<A>): Effect.Effect<A, DemoFailed> =>
  Effect.suspend(() => Effect.fromOption(look())).pipe(
    Effect.retry(Schedule.spaced("20 millis")),
    Effect.timeout("30 seconds"),
    Effect.mapError(() => new DemoFailed({ message: `Waited 30 s in vain for ${what}` }))
  )
