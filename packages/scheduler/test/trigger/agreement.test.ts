/**
 * The grammar of cron text exists twice: as types, for literals, and as a parser, for the rest. Here a compiler judges a
 * file with one text a line, and `parseCron` judges the same texts: the verdicts are the same for each of them.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import * as Trigger from "../../src/Trigger.ts"
import { cronText, makeRandom, mutate, nicknames, plan, soup } from "./random.ts"

const vectors = (file: string): ReadonlyArray<string> =>
  (
    JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8")) as ReadonlyArray<{
      readonly trigger: { readonly kind: string; readonly expression: string }
    }>
  ).map((vector) => vector.trigger.expression)

/** Texts for each rule of the grammar that random text seldom meets. */
const edges = [
  ["", " ", "\t", "*", "* * * *", "* * * * * * * *", " * * * * * ", "*\t*\t*\t*\t*", "* * * * *\n", "*\u00a0* * * *"],
  ["00 00 01 01 00", "000 * * * *", "* * * * 07", "* * * * 08", "* * 00 * *", "* * * 00 *", "* * * * 007"],
  [
    "*/01 * * * *",
    "*/9999 * * * *",
    "*/10000 * * * *",
    "*/00001 * * * *",
    "*/00 * * * *",
    "1-5/0 * * * *",
    "*/ * * * *"
  ],
  [
    "1-1 * * * *",
    "2-1 * * * *",
    "1-2-3 * * * *",
    "- * * * *",
    "1- * * * *",
    "-1 * * * *",
    "*-5 * * * *",
    "1-* * * * *"
  ],
  ["*,* * * * *", "5,*/7 * * * *", "5, * * * *", ",5 * * * *", "** * * * *", "*5 * * * *", "5* * * * *"],
  ["? * * * *", "* ? * * *", "* * ? * ?", "* * * ? *", "* * ?/2 * ?/3", "* * ?,5 * 1,?", "* * ?-5 * *", "? * * * * *"],
  ["* * L * *", "* * l * *", "* * 1,L * *", "* * L,L * *", "* * L-3 * *", "* * 1-L * *", "* * L/2 * *", "* * 5L * *"],
  ["* * LW * *", "* * lW * *", "* * WL * *", "* * LW,1 * *", "* * 1,LW * *", "* * W * *", "* * 0W * *", "* * 1W * *"],
  [
    "* * 01W * *",
    "* * 31w * *",
    "* * 32W * *",
    "* * 1W,15W * *",
    "* * 1-15W * *",
    "* * 15W/2 * *",
    "* * *W * *",
    "* * 1WW * *"
  ],
  [
    "* * * * L",
    "* * * * 5L",
    "* * * * 05L",
    "* * * * 7L",
    "* * * * 8L",
    "* * * * FRIL",
    "* * * * fril",
    "* * * * 5LL",
    "* * * * *L"
  ],
  [
    "* * * * 5#L",
    "* * * * 5#l",
    "* * * * FRI#5",
    "* * * * 5#0",
    "* * * * 5#6",
    "* * * * 5#05",
    "* * * * 5#",
    "* * * * #2"
  ],
  [
    "* * * * 1-5#2",
    "* * * * *#2",
    "* * * * ?#2",
    "* * * * 1#1,1#2",
    "* * * * 1#1#1",
    "* * * * 1#1/2",
    "* * * * 1L/2",
    "* * * * 1L-5"
  ],
  [
    "* * * * +",
    "* * * * +1",
    "* * * * ++1",
    "* * * * +*",
    "* * * * +?",
    "* * * * 1,+2",
    "* * * * +1,2",
    "* * * * 1+",
    "* * +1 * *"
  ],
  ["* * * * +,1", "* * * * +1-5/2", "* * * * +L", "* * * * +5L", "* * * * +5#L", "+* * * * *"],
  [
    "* * * jan *",
    "* * * January *",
    "* * * ja *",
    "* * * jan-dec *",
    "* * * dec-jan *",
    "* * * jan-6 *",
    "* * * 6-jan *",
    "* * * mon *"
  ],
  [
    "* * * jan/2 *",
    "* * * jan-dec/2 *",
    "* * * * jan",
    "* * * * mon-5",
    "* * * * 1-fri",
    "* * * * 5-sun",
    "* * * * sun-2"
  ],
  [
    "* * * * sun-sun",
    "* * * * 7-sun",
    "* * * * 7-7",
    "* * * * 7-1",
    "* * * * 0-7",
    "* * * * sat-sun",
    "* * * * sun-0",
    "* * * * mon-0"
  ],
  [
    "0 0 0 1 1 * *",
    "0 0 0 1 1 * ?",
    "0 0 0 1 1 * L",
    "0 0 0 1 1 * 0",
    "0 0 0 1 1 * 1",
    "0 0 0 1 1 * 0001",
    "0 0 0 1 1 * 0000"
  ],
  ["0 0 0 1 1 * 9999", "0 0 0 1 1 * 10000", "0 0 0 1 1 * 02024", "0 0 0 1 1 * 2024-2025", "0 0 0 1 1 * 2025-2024"],
  [
    "0 0 0 1 1 * 99-100",
    "0 0 0 1 1 * 100-99",
    "0 0 0 1 1 * 1999-2024/3",
    "0 0 0 1 1 * 2024/2",
    "0 0 0 1 1 * */4",
    "0 0 0 1 1 * */0"
  ],
  [
    "@reboot",
    "@REBOOT",
    "@",
    "@daily @daily",
    "@ daily",
    "@every 5m",
    "@dayly",
    "daily",
    "@\u212aeekly",
    "@wee\u212aly",
    "@m\u0131dnight"
  ],
  [
    "* * * * fr\u0131",
    "* * * * \u017fun",
    "* * * ma\u0131 *",
    "\u0663 * * * *",
    "\uff11 * * * *",
    "1e1 * * * *",
    "0x1 * * * *",
    "1.5 * * * *"
  ],
  nicknames,
  nicknames.map((nickname) => ` ${nickname.toUpperCase()}\t`)
].flat()

const generated = (seed: number, count: number): ReadonlyArray<string> => {
  const random = makeRandom(seed)
  return Array.from({ length: count }, () => {
    const kind = random.next()
    return kind < 0.3 ? cronText(random) : kind < 0.8 ? mutate(random, cronText(random)) : soup(random)
  }).filter((text) => text.length <= 120)
}

/** The texts among these that do not compile, each with the compiler's message. */
const refusedByTypes = (texts: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const folder = mkdtempSync(join(tmpdir(), "cron-literals-"))
  try {
    const file = join(folder, "literals.ts")
    const source = fileURLToPath(new URL("../../src/internal/trigger/literal.ts", import.meta.url))
    const head = [
      `import type { CronText } from ${JSON.stringify(source)}`,
      "declare const cron: <const S extends string>(text: CronText<S>) => void"
    ]
    writeFileSync(file, [...head, ...texts.map((text) => `cron(${JSON.stringify(text)})`)].join("\n"))
    const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc")
    const options = ["--noEmit", "--strict", "--allowImportingTsExtensions", "--lib", "ES2022", "--types", ""]
    const run = spawnSync(process.execPath, [compiler, ...options, "--pretty", "false", file], {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024
    })
    const refused = new Map<string, string>()
    for (const line of run.stdout.split("\n")) {
      const match = /^literals\.ts\((\d+),\d+\): error TS(\d+): (.*)$/.exec(line)
      if (match === null) continue
      const text = texts[Number(match[1]) - 1 - head.length]
      if (match[2] !== "2345" || text === undefined) throw new Error(`the file of literals is not sound: ${line}`)
      refused.set(text, match[3]!)
    }
    return refused
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("the two grammars of cron text", () => {
  it(
    "the compiler refuses a literal exactly when parseCron refuses the text, and names the same field",
    { timeout: 60_000 },
    () => {
      const { runs, seed } = plan(1500)
      const texts = Array.from(
        new Set([...vectors("cron-text.json"), ...vectors("cron-oracle.json"), ...edges, ...generated(seed, runs)])
      )
      const refused = refusedByTypes(texts)
      const differ = texts.flatMap((text) => {
        const parsed = Trigger.parseCron(text)
        const message = refused.get(text)
        if (Result.isSuccess(parsed)) {
          return message === undefined
            ? []
            : [`${JSON.stringify(text)}: parseCron accepts it, the type says ${message}`]
        }
        const { field } = parsed.failure
        if (message !== undefined && (field === "text" || message.includes(`${field} field: `))) return []
        return [
          `${JSON.stringify(text)}: parseCron says ${parsed.failure.message}, the type ${message ?? "accepts it"}`
        ]
      })
      process.stdout.write(`two grammars: ${texts.length} texts, ${refused.size} of them refused, SEED=${seed}\n`)
      expect(differ).toEqual([])
      expect(refused.size).toBeGreaterThan(300)
      expect(texts.length - refused.size).toBeGreaterThan(600)
    }
  )
})
