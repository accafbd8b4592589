/**
 * Reads a crontab: text to entries, and to the lines that are wrong.
 */
import { createHash } from "node:crypto"
import { Result } from "effect"
import { Trigger } from "effect-scheduler"
import { assignment } from "./assignment.ts"
import { type CommandText, readCommand } from "./CommandText.ts"

/**
 * A line that runs a command.
 */
export interface Entry extends CommandText {
  /** The same for the same line of a later version of the file, wherever it stands and whatever its environment. */
  readonly id: string
  readonly line: number
  /** The time fields or the nickname, with single blanks. */
  readonly schedule: string
  /** `"reboot"` runs once at each start of the program. */
  readonly trigger: Trigger.Trigger | "reboot"
  readonly timeZone: string
  readonly shell: string
  /** The `NAME=value` lines above it. */
  readonly env: Readonly<Record<string, string>>
  /** Seconds. */
  readonly timeout: number
}

/**
 * A line that is wrong: in which field, at which column (from 1), and why.
 */
export interface Problem {
  readonly line: number
  readonly column: number
  readonly field: string
  readonly message: string
}

export interface Crontab {
  readonly entries: ReadonlyArray<Entry>
  readonly problems: ReadonlyArray<Problem>
}

/** How a line is named: `crontab:3:5: hour field: …`. */
export const showProblem = (file: string, problem: Problem): string =>
  `${file}:${problem.line}:${problem.column}: ${problem.field}: ${problem.message}`

/**
 * Reads a whole crontab as vixie's cron does, with the zone in `CRON_TZ` (UTC where there is none), seconds as the first
 * field below `CRON_SECONDS=1`, and a timeout in seconds in `CRON_TIMEOUT`.
 */
export const parse = (text: string): Crontab => {
  const entries: Array<Entry> = []
  const problems: Array<Problem> = []
  const seen = new Map<string, number>()
  let settings = initial
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "")
    if (/^\s*(#|$)/.test(line)) continue
    const read = readLine(line, settings)
    if (Result.isFailure(read)) {
      problems.push({ line: index + 1, ...read.failure })
    } else if (read.success._tag === "Settings") {
      settings = read.success.settings
    } else {
      const { entry } = read.success
      const count = (seen.get(entry.id) ?? 0) + 1
      seen.set(entry.id, count)
      entries.push({ ...entry, line: index + 1, id: count === 1 ? entry.id : `${entry.id}-${count}` })
    }
  }
  return { entries, problems }
}

interface Settings {
  readonly env: Readonly<Record<string, string>>
  readonly timeZone: string
  readonly seconds: boolean
  readonly timeout: number
}

const initial: Settings = { env: {}, timeZone: "UTC", seconds: false, timeout: 3_600 }

type Wrong = Omit<Problem, "line">

type Line =
  | { readonly _tag: "Settings"; readonly settings: Settings }
  | { readonly _tag: "Entry"; readonly entry: Omit<Entry, "line"> }

const wrong = (column: number, field: string, message: string) => Result.fail<Wrong>({ column, field, message })

const readLine = (line: string, settings: Settings): Result.Result<Line, Wrong> => {
  const found = assignment(line)
  if (found !== undefined) return Result.map(assign(found, settings), (settings) => ({ _tag: "Settings", settings }))
  const start = line.search(/\S/)
  return Result.map(
    line[start] === "@" ? readNickname(line, start, settings) : readFields(line, settings),
    (entry): Line => ({ _tag: "Entry", entry })
  )
}

const assign = (
  { column, name, value }: { readonly column: number; readonly name: string; readonly value: string | undefined },
  settings: Settings
): Result.Result<Settings, Wrong> => {
  if (value === undefined)
    return wrong(column, name, `expected a value, in matching quotes or none; "" for an empty one`)
  const next = { ...settings, env: { ...settings.env, [name]: value } }
  switch (name) {
    case "LOGNAME":
      return wrong(column, name, "is the name of the user and cannot be set")
    case "CRON_SECONDS":
      return value === "0" || value === "1"
        ? Result.succeed({ ...next, seconds: value === "1" })
        : wrong(column, name, `${JSON.stringify(value)} is not valid: expected 0 or 1`)
    case "CRON_TIMEOUT":
      return Number(value) > 0 && Number(value) < 1e9
        ? Result.succeed({ ...next, timeout: Number(value) })
        : wrong(column, name, `${JSON.stringify(value)} is not valid: expected a number of seconds`)
    case "CRON_TZ":
      return value === "" || Result.isSuccess(Trigger.parseCron("@daily", { timeZone: value }))
        ? Result.succeed({ ...next, timeZone: value === "" ? "UTC" : value })
        : wrong(column, name, `unknown time zone ${JSON.stringify(value)}; ${settings.timeZone} stays in force`)
    default:
      return Result.succeed(next)
  }
}

const NICKNAMES = ["@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]

const readNickname = (line: string, start: number, settings: Settings) => {
  const [, nickname = "", commandText = ""] = /^\s*(\S+)\s*(.*)$/.exec(line)!
  if (!NICKNAMES.includes(nickname)) {
    return wrong(start + 1, "nickname", `${nickname} is not valid: expected one of ${NICKNAMES.join(" ")}`)
  }
  if (nickname === "@reboot") return entry(line, nickname, commandText, "reboot", settings)
  const text = nickname === "@midnight" ? "@daily" : nickname
  const trigger = Trigger.parseCron(text, { timeZone: settings.timeZone })
  return Result.isSuccess(trigger)
    ? entry(line, nickname, commandText, trigger.success, settings)
    : wrong(start + 1, "nickname", trigger.failure.message)
}

const FIELDS = ["second", "minute", "hour", "day", "month", "weekday"]

const readFields = (line: string, settings: Settings): Result.Result<Omit<Entry, "line">, Wrong> => {
  const names = settings.seconds ? FIELDS : FIELDS.slice(1)
  const words = [...line.matchAll(/\S+/g)].slice(0, names.length)
  const fields = words.map((word) => word[0])
  if (fields.length < names.length) {
    return wrong(line.length + 1, `${names[fields.length]} field`, `is missing: ${names.length} fields are expected`)
  }
  const text = fields.join(" ")
  const parsed = Trigger.parseCron(asCronReads(fields).join(" "), { timeZone: settings.timeZone })
  if (Result.isFailure(parsed)) {
    const at = Math.max(0, names.indexOf(parsed.failure.field))
    return wrong(
      words[at]!.index + 1,
      `${names[at]} field`,
      `${JSON.stringify(parsed.failure.found)} is not valid: expected ${parsed.failure.expected}`
    )
  }
  const last = words.at(-1)!
  return entry(line, text, line.slice(last.index + last[0].length).trimStart(), parsed.success, settings)
}

/**
 * Cron takes a day that satisfies either day field, but both where one of them begins with `*`: Monday that is an odd day
 * for `*\/2 * MON`. In the pattern language of triggers that is a `+` before the weekday.
 */
const asCronReads = (fields: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [day, month, weekday] = fields.slice(-3) as [string, string, string]
  const restrict = ![day, weekday].some((field) => field === "*" || field === "?")
  return restrict && (day.startsWith("*") || weekday.startsWith("*"))
    ? [...fields.slice(0, -3), day, month, `+${weekday}`]
    : fields
}

const entry = (
  line: string,
  schedule: string,
  text: string,
  trigger: Entry["trigger"],
  { env, seconds, timeout, timeZone }: Settings
): Result.Result<Omit<Entry, "line">, Wrong> => {
  const column = line.length - text.length + 1
  const first = text.split(/\s/, 1)[0]!
  if (text.trim() === "") return wrong(column, "command", "is missing")
  if (first === "root" && text.trim() !== "root") {
    return wrong(column, "user", `a user field ("root") is not supported: the command follows the time`)
  }
  if (first === "*") {
    return wrong(column, "command", seconds ? "one field too many" : "one field too many, or no CRON_SECONDS=1 above")
  }
  return Result.succeed({
    id: createHash("sha256").update([timeZone, schedule, text].join("\0")).digest("hex").slice(0, 12),
    schedule,
    trigger,
    timeZone,
    shell: env["SHELL"] ?? "/bin/sh",
    env,
    timeout,
    ...readCommand(text)
  })
}
