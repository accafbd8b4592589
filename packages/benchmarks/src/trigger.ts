/** Cron text read, and times found, beside other libraries, each through the function that a user calls. */
import type { Options } from "./measure.ts"
import type { Sections } from "./report.ts"
import { gaps, never, offline } from "./trigger/growth.ts"
import { next, randomNext } from "./trigger/next.ts"
import { parse } from "./trigger/parse.ts"

export const trigger = (options: Options): Sections => [
  parse(options),
  next(options),
  randomNext(options),
  gaps(options),
  offline(options),
  never(options)
]
