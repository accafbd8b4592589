/** `node packages/benchmarks/src/main.ts [--quick] [part …]`: all parts when none is named. */
import type { Options } from "./measure.ts"
import { print } from "./measure.ts"
import { postgres } from "./postgres.ts"
import { scheduler } from "./scheduler.ts"
import { trigger } from "./trigger.ts"
import { types } from "./types.ts"

const parts: Readonly<Record<string, (options: Options) => void | Promise<void>>> = {
  trigger,
  scheduler,
  postgres,
  types
}

const given = process.argv.slice(2)
const named = given.filter((argument) => !argument.startsWith("--"))
const unknown = named.filter((name) => !(name in parts))
if (unknown.length > 0) {
  print(`no part ${unknown.join(", ")}: there are ${Object.keys(parts).join(", ")}`)
  process.exitCode = 1
} else {
  for (const name of named.length > 0 ? named : Object.keys(parts))
    await parts[name]!({ quick: given.includes("--quick") })
}
