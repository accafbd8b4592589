/**
 * `pnpm test:chaos [--quick] [--seed n] [--lease ms] [part …]`, of postgres, sqlite and lengths: whole schedulers in processes of their own on one store, killed and
 * frozen at random while they work, until all is done; then the invariants are checked. The exit code is 1 if one is
 * violated. A seed repeats the faults and their times, not what the processes happened to do then.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Cause, Effect } from "effect"
import { scopedServer } from "../test/postgres/scoped.ts"
import { audit, seen } from "./audit/audit.ts"
import type { Facts, Verdict } from "./audit/facts.ts"
import { conduct } from "./conductor.ts"
import { lengths } from "./lengths.ts"
import { forms, type Options } from "./plan.ts"
import { report } from "./report.ts"
import { periodOf } from "./work.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    seed: { type: "string" },
    lease: { type: "string" },
    // Where the facts are left, to be looked at.
    keep: { type: "string" }
  }
})
const print = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

/** What a form must have brought about, so that the invariants were put to the test. */
const reached = (facts: Facts): Verdict => {
  const { fenced, "outlasting freezes": outlasting } = seen(facts)
  return {
    name: "Test",
    checked: `${fenced} reports were fenced off, ${outlasting} freezes outlasted their lease`,
    wrong: [
      ...(fenced > 0 ? [] : ["no report was fenced off"]),
      ...(outlasting > 0 ? [] : ["no freeze outlasted its lease"])
    ]
  }
}

const place = (options: Options, folder: string) =>
  options.store === "sqlite"
    ? Effect.succeed(join(folder, "jobs.db"))
    : Effect.map(scopedServer(), (server) => server.url)

const perform = (options: Options, seed: number) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-scheduler-chaos-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const facts = yield* conduct(options, seed, yield* place(options, folder), folder)
    const verdicts = [...audit(facts, periodOf), reached(facts)]
    if (values.keep !== undefined) {
      writeFileSync(`${values.keep}-${options.store}.json`, JSON.stringify({ ...facts, known: [...facts.known] }))
    }
    yield* print(report(options, seed, facts, verdicts))
    return verdicts.every(({ wrong }) => wrong.length === 0)
  }).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed)
  const chosen = forms[values.quick ? "quick" : "full"]
    .filter(({ store }) => positionals.length === 0 || positionals.includes(store))
    .map((options) => (values.lease === undefined ? options : { ...options, lease: Number(values.lease) }))
  yield* print(`seed ${seed}`)
  const held = yield* Effect.forEach(chosen, (options) => perform(options, seed))
  const isWhole = positionals.length === 0 && !values.quick
  if (isWhole || positionals.includes("lengths")) {
    const verdicts = yield* lengths
    yield* print("Full lengths: the default lease and timeouts, on Postgres")
    for (const { checked, wrong } of verdicts) {
      yield* print(`  ${wrong.length === 0 ? "holds    " : "VIOLATED "} ${[checked, ...wrong].join("; ")}`)
    }
    held.push(verdicts.every(({ wrong }) => wrong.length === 0))
  }
  if (held.length === 0) yield* print("no such part: there are postgres, sqlite and lengths")
  process.exitCode = held.length > 0 && held.every((each) => each) ? 0 : 1
})

const failed = (cause: Cause.Cause<unknown>) =>
  Effect.andThen(
    print(Cause.pretty(cause)),
    Effect.sync(() => void (process.exitCode = 1))
  )

const fiber = Effect.runFork(Effect.catchCause(program, failed))
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => fiber.interruptUnsafe())
