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

/** Elsewhere a table needs no height to keep, and one that is as the one before is not printed again. */
const plain = (): Screen => {
  let last = ""
  return {
    every: 2_000,
    draw: (lines) =>
      Effect.suspend(() => {
        const text = lines.join("\n").trimEnd()
        if (text === last) return Effect.void
        last = text
        return Console.log(`\n${text}`)
      })
  }
}

/** On a terminal the cursor is hidden for as long as the scope is open. */
export const make = (live: boolean): Effect.Effect<Screen, never, Scope.Scope> => {
  if (!live) return Effect.sync(plain)
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
