/** What the type-level grammar of cron literals costs a compilation: 200 literals beside 200 plain strings. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Options } from "./measure.ts"
import type { Sections } from "./report.ts"

const limit = 0.15

/** 200 literals of every form, no two alike, and the same each time. */
const literals = (): ReadonlyArray<string> => {
  let state = 7
  const int = (low: number, high: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return low + Math.floor((state / 2 ** 32) * (high - low + 1))
  }
  const pick = (...values: ReadonlyArray<string>) => values[int(0, values.length - 1)]!
  const field = (low: number, high: number): string => {
    const from = int(low, high)
    const range = `${from}-${int(from, high)}`
    return pick(
      "*",
      String(from),
      `*/${int(1, 30)}`,
      range,
      `${range}/${int(1, 9)}`,
      `${from},${int(low, high)},${range}`
    )
  }
  const names = () => pick("jan", "FEB-Jun", "mar,SEP", "*/3")
  const weekday = () => pick("MON-FRI", "sun", `${int(0, 7)}#${int(1, 5)}`, "5L", "fri#L", "+Mon", "sat,SUN")
  const texts = new Set<string>()
  while (texts.size < 200) {
    const day = pick(field(1, 31), field(1, 31), "L", "LW", `${int(1, 31)}W`, "?")
    const fields = [field(0, 59), field(0, 23), day, pick(field(1, 12), names()), pick(field(0, 7), weekday())]
    if (int(0, 9) < 3) fields.unshift(field(0, 59))
    if (fields.length === 6 && int(0, 9) < 3) fields.push(`${int(2000, 2030)}-${int(2031, 2099)}`)
    texts.add(fields.join(" "))
  }
  return Array.from(texts)
}

export const types = (options: Options): Sections => {
  const folder = mkdtempSync(join(tmpdir(), "cron-types-"))
  try {
    const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc")
    const source = fileURLToPath(new URL("../../scheduler/src/internal/trigger/literal.ts", import.meta.url))
    const calls = literals().map((text) => `cron(${JSON.stringify(text)})`)
    const head = [
      `import type { CronText } from ${JSON.stringify(source)}`,
      "interface Fields { readonly hour?: string }",
      'export type One = CronText<"* * * * *">'
    ]
    const write = (name: string, declaration: string) =>
      writeFileSync(join(folder, name), [...head, `export declare function ${declaration}`, ...calls].join("\n"))
    write("literals.ts", "cron<const S extends string | Fields>(text: CronText<S, Fields>): void")
    write("plain.ts", "cron(text: string | Fields): void")
    const compile = (name: string) => {
      const flags = ["--noEmit", "--strict", "--allowImportingTsExtensions", "--lib", "ES2022", "--types", ""]
      const command = [process.execPath, compiler, ...flags, "--singleThreaded", "--extendedDiagnostics", name]
      // The shell says what its children used of the processor; the clock would also count what else the machine does.
      const run = spawnSync("sh", ["-c", '"$@" && times', "sh", ...command], { cwd: folder, encoding: "utf8" })
      if (run.status !== 0) throw new Error(`${name} does not compile:\n${run.stdout}${run.stderr}`)
      const figure = (label: string) => Number(new RegExp(`^${label}:\\s+([\\d.]+)`, "m").exec(run.stdout)?.[1])
      const spent = Array.from(
        run.stdout
          .trimEnd()
          .split("\n")
          .at(-1)!
          .matchAll(/(\d+)m([\d.]+)s/g)
      )
      const total = spent.reduce((sum, part) => sum + Number(part[1]) * 60 + Number(part[2]), 0)
      return { instantiations: figure("Instantiations"), check: figure("Check time"), total }
    }
    const found = { literals: [compile("literals.ts")], plain: [compile("plain.ts")] }
    for (let round = 0; round < (options.quick ? 1 : 10); round++) {
      found.plain.push(compile("plain.ts"))
      found.literals.push(compile("literals.ts"))
    }
    const instantiations = found.literals[0]!.instantiations - found.plain[0]!.instantiations
    const fastest = (runs: typeof found.plain, key: "check" | "total") => Math.min(...runs.map((run) => run[key]))
    const more = (key: "check" | "total") => fastest(found.literals, key) - fastest(found.plain, key)
    return [
      {
        name: "types",
        title: "Type checking a file with 200 literal cron triggers, beside 200 plain strings",
        text: `The fastest of ${found.literals.length} runs of tsc each, CPU time; an instantiation is a type that the compiler made.`,
        head: ["instantiations", "of a literal", "check time", "CPU of the whole run"],
        rows: [
          {
            cells: [
              `+${instantiations}`,
              (instantiations / calls.length).toFixed(0),
              `+${(more("check") * 1000).toFixed(0)} ms`,
              `+${(more("total") * 1000).toFixed(0)} ms`
            ],
            target: `under ${limit} s more`,
            met: more("total") < limit
          }
        ]
      }
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}
