/** Measures in a process of its own, where a library neither profits nor suffers from what others have left behind. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** Runs a program of this package, whose last line is JSON, to its end. */
export const inChild = <A>(
  program: string,
  args: ReadonlyArray<string | number>,
  flags: ReadonlyArray<string> = []
): Promise<A> =>
  new Promise((resolve, reject) => {
    const file = join(fileURLToPath(new URL(".", import.meta.url)), program)
    const child = spawn(process.execPath, ["--expose-gc", ...flags, file, ...args.map(String)], {
      stdio: ["ignore", "pipe", "pipe"],
      // The default zone of most peers.
      env: { ...process.env, TZ: "UTC" }
    })
    let out = ""
    let errors = ""
    child.stdout.on("data", (chunk: Buffer) => void (out += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => void (errors += chunk.toString()))
    child.on("error", reject)
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(out.trimEnd().split("\n").at(-1)!))
      else reject(new Error(`${program} ${args.join(" ")} ended with ${code}\n${out}${errors}`))
    })
  })

/** What a child answers with. It ends at once, whatever timers are left. */
export const answer = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`, () => process.exit(0))
}

/** CPU time of this process in milliseconds, the collector's threads included, which other programs do not lengthen. */
export const spent = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1_000
}

export const heap = (): number => {
  // Twice: what the first collection only marks, the second frees.
  globalThis.gc!()
  globalThis.gc!()
  return process.memoryUsage().heapUsed
}

/** Runs one after another, so that none disturbs another; in the quick form all at once. */
export const inTurns = async <A>(tasks: ReadonlyArray<() => Promise<A>>, quick: boolean): Promise<ReadonlyArray<A>> => {
  if (quick) return Promise.all(tasks.map((task) => task()))
  const results: Array<A> = []
  for (const task of tasks) results.push(await task())
  return results
}
