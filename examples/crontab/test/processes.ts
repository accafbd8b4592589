import { spawn } from "node:child_process"
import { Effect } from "effect"

const source = (name: string): string => new URL(`../src/${name}`, import.meta.url).pathname

/**
 * Runs a program of this example to its end; `onText` sees all of its output whenever there is more.
 */
export const program = (
  name: "demo.ts" | "main.ts",
  args: ReadonlyArray<string>,
  onText: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => {}
) =>
  Effect.callback<{ readonly code: number | null; readonly lines: ReadonlyArray<string> }>((resume) => {
    const child = spawn(process.execPath, [source(name), ...args], { stdio: ["pipe", "pipe", "pipe"] })
    let text = ""
    const read = (chunk: Buffer) => {
      text += chunk.toString()
      onText(text, (signal) => child.kill(signal))
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    child.once("close", (code) => resume(Effect.succeed({ code, lines: text.trimEnd().split("\n") })))
    return Effect.sync(() => child.kill("SIGTERM"))
  })
