/**
 * Where the table is drawn: on a terminal over the one before, elsewhere below it and less often.
 */
import { Console, Effect, type Scope } from "effect"

export interface Screen {
  /** Milliseconds between two tables. */
  readonly every: number
  readonly draw: (lines: ReadonlyArray<string>) => Effect.Effect<void>
}

/** A terminal may be drawn on, unless `NO_COLOR` is set to anything. */
export const isLive = (stream: { readonly isTTY?: boolean | undefined }, env: NodeJS.ProcessEnv): boolean =>
  stream.isTTY === true && (env["NO_COLOR"] ?? "") === ""

/** On a terminal the cursor is hidden for as long as the scope is open. */
export const make = (live: boolean): Effect.Effect<Screen, never, Scope.Scope> => {
  if (!live) return Effect.succeed({ every: 2_000, draw: (lines) => Console.log(["", ...lines].join("\n")) })
  let height = 0
  return Effect.acquireRelease(Console.log("\u001B[?25l"), () => Console.log("\u001B[?25h")).pipe(
    Effect.as({
      every: 250,
      draw: (lines) =>
        Effect.suspend(() => {
          const text = `${height === 0 ? "" : `\u001B[${height}A`}${lines.map((line) => `\u001B[2K${line}`).join("\n")}`
          height = lines.length
          return Console.log(text)
        })
    })
  )
}
