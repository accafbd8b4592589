/**
 * The packages as a user gets them: packed tarballs, installed by npm in a folder outside the workspace, compiled strictly
 * and run on each store. Expects the tarballs in the folder that is given, and exits with 1 at what is not as it should be.
 */
import { spawn, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { startServer } from "@effect-scheduler/postgres-server"
import { inspect } from "./tarball.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const packs = resolve(process.argv[2] ?? join(root, ".packs"))
const began = performance.now()
const say = (text: string) =>
  process.stdout.write(`${((performance.now() - began) / 1_000).toFixed(1).padStart(5)} s  ${text}\n`)

const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-install-"))

const run = (command: string, ...args: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    timeout: 200_000
  })
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}\n${error?.message ?? ""}${stdout}${stderr}`)
  return stdout
}

const expect = (what: string, actual: string, expected: string) => {
  if (actual !== expected) throw new Error(`${what} printed\n${actual}\ninstead of\n${expected}`)
  say(`${what} ran`)
}

const versionOf = (name: string): string => {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
  return `${name}@${(JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version}`
}

const install = (...packages: ReadonlyArray<string>) => {
  run("npm", "install", "--no-audit", "--no-fund", "--prefer-offline", ...packages)
  // It fails where a peer is missing or of a version that does not fit.
  say(`npm ls\n${run("npm", "ls").trimEnd()}`)
}

const write = (file: string, content: unknown) =>
  writeFileSync(join(folder, file), typeof content === "string" ? content : JSON.stringify(content, null, 2))

const helloOf = (readme: string): string => {
  const text = readFileSync(join(root, readme), "utf8")
  const [hello] = /(?<=^```ts (?:forever|check)\n)[^]*?(?=^```$)/m.exec(text) ?? []
  return hello ?? ""
}

/** Strict, and the declarations of the packages are compiled too. */
const compile = (files: ReadonlyArray<string>, { skipLibCheck = false } = {}) => {
  write("tsconfig.json", {
    compilerOptions: {
      target: "ES2022",
      lib: ["ES2024", "DOM", "DOM.Iterable", "ESNext.Disposable"],
      module: "NodeNext",
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      skipLibCheck,
      noEmit: true,
      types: ["node"]
    },
    files
  })
  run(join(folder, "node_modules/.bin/tsc"), "-p", folder)
  say(`compiled ${files.join(", ")}`)
}

/** What a program that never ends prints first. */
const firstLines = (file: string, count: number): Promise<string> =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, [file], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] })
    let text = ""
    const deadline = setTimeout(() => child.kill(), 60_000)
    child.once("error", fail)
    child.once("close", () => {
      clearTimeout(deadline)
      done(text)
    })
    child.stdout.on("data", (chunk) => {
      text += String(chunk)
      if (text.split("\n").length > count) child.kill()
    })
  })

const answer = (before: number) =>
  `${before} stored before\nactive: at 09:00 on Monday to Friday, Europe/Berlin\nGood morning, Ada\n`

const main = async () => {
  for (let above = dirname(folder); ; above = dirname(above)) {
    if (existsSync(join(above, "node_modules")))
      throw new Error(`${above} has a node_modules: what is missing is found there`)
    if (above === dirname(above)) break
  }
  const tarballs = readdirSync(packs).map((file) => join(packs, file))
  if (tarballs.length !== 3) throw new Error(`there are ${tarballs.length} packages in ${packs}, not 3`)
  const versions = new Set(tarballs.map((tarball) => /-([0-9][^-]*(?:-.+)?)\.tgz$/.exec(tarball)?.[1]))
  if (versions.size !== 1) throw new Error(`the packages have not one version: ${[...versions].join(", ")}`)
  for (const tarball of tarballs) say(inspect(tarball))

  write("package.json", { private: true, type: "module" })
  cpSync(fileURLToPath(new URL("consumer", import.meta.url)), folder, { recursive: true })
  const hello = helloOf("README.md")
  if (hello !== helloOf("packages/scheduler/README.md"))
    throw new Error("the two READMEs have not the same hello world")
  write("hello.ts", hello)
  const [typescript, effect] = [versionOf("typescript"), versionOf("effect")]
  install(...tarballs, effect, typescript, versionOf("@types/node"))
  compile(["hello.ts", "memory.ts", "sqlite.ts", "rrule.ts", "refused.ts"])
  expect(
    "the hello world of the README",
    (await firstLines("hello.ts", 2)).slice(0, 26),
    "Good morning\nGood morning\n"
  )
  expect("memory.ts", run(process.execPath, "memory.ts"), answer(0))
  expect("sqlite.ts", run(process.execPath, "sqlite.ts"), answer(0))
  expect("sqlite.ts on the same file", run(process.execPath, "sqlite.ts"), answer(1))
  expect("rrule.ts", run(process.execPath, "rrule.ts"), "2030-01-07T09:00:00.000Z\n")

  install(versionOf("@effect/sql-pg"))
  compile(["postgres.ts"], { skipLibCheck: true })
  const server = await startServer()
  try {
    process.env["DATABASE_URL"] = server.url
    expect("postgres.ts", run(process.execPath, "postgres.ts"), answer(0))
    expect("postgres.ts on the same database", run(process.execPath, "postgres.ts"), answer(1))
  } finally {
    await server.destroy()
  }
}

try {
  await main()
  say("all as a user should find it")
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
