import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { Trigger } from "effect-scheduler"
import * as Crontab from "../src/Crontab.ts"

const parse = (...lines: ReadonlyArray<string>) => Crontab.parse(lines.join("\n"))

/** The only entry of a crontab that has no other and nothing wrong. */
const entry = (...lines: ReadonlyArray<string>) => {
  const { entries, problems } = parse(...lines)
  assert.deepStrictEqual(problems, [])
  assert.strictEqual(entries.length, 1)
  return entries[0]!
}

/** The first nominal times of the only entry from 2026-01-01, as far as they differ from it. */
const times = (count: number, ...lines: ReadonlyArray<string>) => {
  const { trigger } = entry(...lines)
  if (trigger === "reboot") return "reboot"
  const found: Array<string> = []
  let at = Date.parse("2025-12-31T23:59:59.999Z")
  while (found.length < count) {
    at = Option.getOrThrow(Trigger.next(trigger, at)).epochMilliseconds
    found.push(new Date(at).toISOString().replace(/(:00)?\.000Z$/, ""))
  }
  return found.join(" ")
}

const problems = (...lines: ReadonlyArray<string>) =>
  parse(...lines).problems.map((problem) => Crontab.showProblem("tab", problem))

describe("the time of a line", () => {
  const cases: ReadonlyArray<readonly [title: string, lines: ReadonlyArray<string>, times: string]> = [
    ["has five fields", ["30 4 * * * x"], "2026-01-01T04:30 2026-01-02T04:30"],
    [
      "may be parted by tabs and blanks, and begin with them",
      ["\t30  4\t*  * *\tx"],
      "2026-01-01T04:30 2026-01-02T04:30"
    ],
    ["has lists, ranges, steps and names", ["0 8-10/2,20 * jan,mar mon-fri x"], "2026-01-01T08:00 2026-01-01T10:00"],
    ["takes Sunday as 0 and as 7", ["0 0 * * 7 x"], "2026-01-04T00:00 2026-01-11T00:00"],
    ["@yearly", ["@yearly x"], "2026-01-01T00:00 2027-01-01T00:00"],
    ["@annually", ["@annually x"], "2026-01-01T00:00 2027-01-01T00:00"],
    ["@monthly", ["@monthly x"], "2026-01-01T00:00 2026-02-01T00:00"],
    ["@weekly", ["@weekly x"], "2026-01-04T00:00 2026-01-11T00:00"],
    ["@daily", ["@daily x"], "2026-01-01T00:00 2026-01-02T00:00"],
    ["@midnight", ["@midnight x"], "2026-01-01T00:00 2026-01-02T00:00"],
    ["@hourly", ["@hourly x"], "2026-01-01T00:00 2026-01-01T01:00"],
    ["@reboot is the start of the program", ["@reboot x"], "reboot"],
    [
      "has seconds first below CRON_SECONDS=1",
      ["CRON_SECONDS=1", "*/20 0 0 * * * x"],
      "2026-01-01T00:00 2026-01-01T00:00:20"
    ],
    [
      "has none below CRON_SECONDS=0",
      ["CRON_SECONDS=1", "CRON_SECONDS=0", "*/20 0 * * * x"],
      "2026-01-01T00:00 2026-01-01T00:20"
    ],
    ["is UTC where no zone is given", ["0 12 * * * x"], "2026-01-01T12:00 2026-01-02T12:00"],
    ["is of the zone in CRON_TZ", ["CRON_TZ=Europe/Berlin", "0 12 * * * x"], "2026-01-01T11:00 2026-01-02T11:00"],
    [
      "is UTC again below an empty CRON_TZ",
      ["CRON_TZ=Europe/Berlin", `CRON_TZ=""`, "0 12 * * * x"],
      "2026-01-01T12:00 2026-01-02T12:00"
    ],
    ["fires on either day where both restrict", ["0 0 13 * fri x"], "2026-01-02T00:00 2026-01-09T00:00"],
    ["fires on days of the week alone where the day is *", ["0 0 * * fri x"], "2026-01-02T00:00 2026-01-09T00:00"],
    ["needs both where the day begins with *", ["0 0 */10 * fri x"], "2026-05-01T00:00 2026-07-31T00:00"],
    ["needs both where the weekday begins with *", ["0 0 13 * */5 x"], "2026-02-13T00:00 2026-03-13T00:00"],
    ["needs both where a list begins with *", ["0 0 *,5 * fri x"], "2026-01-02T00:00 2026-01-09T00:00"],
    [
      "is read with + also where there are seconds",
      ["CRON_SECONDS=1", "0 0 0 13 * */5 x"],
      "2026-02-13T00:00 2026-03-13T00:00"
    ]
  ]
  it.each(cases)("%s", (_, lines, expected) => {
    assert.strictEqual(times(expected.split(" ").length, ...lines), expected)
  })

  it("is moved out of a gap of its zone as cron moves it", () => {
    const { trigger } = entry("CRON_TZ=Europe/Berlin", "30 2 * * * x")
    if (trigger === "reboot") return assert.fail()
    const next = Option.getOrThrow(Trigger.next(trigger, Date.parse("2026-03-28T12:00:00Z")))
    assert.strictEqual(next.epochMilliseconds, Date.parse("2026-03-29T01:00:00Z"))
  })
})

describe("the command of a line", () => {
  const cases: ReadonlyArray<readonly [title: string, text: string, command: string, stdin: string | undefined]> = [
    ["is the rest of it, as it stands", `echo "a  b" # c`, `echo "a  b" # c`, undefined],
    ["ends at the first %, and standard input follows", "cat%one", "cat", "one\n"],
    ["has a line feed for each further %", "cat%one%%two", "cat", "one\n\ntwo\n"],
    ["has its last line feed once", "cat%one%", "cat", "one\n"],
    ["has no input where nothing follows", "cat%", "cat", undefined],
    ["has \\% for a percent sign", "date +\\%H:\\%M", "date +%H:%M", undefined],
    ["has \\% for a percent sign in its input, too", "cat%50\\%", "cat", "50%\n"],
    ["keeps any other backslash", "printf 'a\\tb\\\\n'", "printf 'a\\tb\\\\n'", undefined],
    ["takes \\\\% for a backslash and a line feed, as cron does", "cat \\\\%x", "cat \\\\", "x\n"]
  ]
  it.each(cases)("%s", (_, text, command, stdin) => {
    const read = entry(`* * * * * ${text}`)
    assert.strictEqual(read.command, command)
    assert.strictEqual(read.stdin, stdin)
    assert.strictEqual(entry(`@daily ${text}`).command, command)
  })

  it("does not end in the carriage return of a file from Windows", () => {
    assert.strictEqual(entry("A=b\r", "* * * * * echo\r").command, "echo")
  })
})

describe("a NAME=value line", () => {
  const cases: ReadonlyArray<readonly [line: string, name: string, value: string]> = [
    ["A=b", "A", "b"],
    ["A = b", "A", "b"],
    ["  A\t=  b c  ", "A", "b c"],
    [`A="b"`, "A", "b"],
    [`A="  b  "  `, "A", "  b  "],
    [`A='b "c"'`, "A", `b "c"`],
    [`A=b "c"`, "A", `b "c"`],
    [`A=""`, "A", ""],
    [`"A"=b`, "A", "b"],
    [`'A B'=b`, "A B", "b"],
    ["A=$HOME/x:~", "A", "$HOME/x:~"],
    ["A=b # c", "A", "b # c"],
    ["A=b=c", "A", "b=c"],
    ["A==", "A", "="]
  ]
  it.each(cases)("%s", (line, name, value) => {
    assert.strictEqual(entry(line, "* * * * * x").env[name], value)
  })

  it("is for the lines below it, until the next of its name", () => {
    const { entries } = parse("* * * * * x", "A=1", "* * * * * x", "B=2", "A=3", "* * * * * x")
    assert.deepStrictEqual(
      entries.map(({ env }) => env),
      [{}, { A: "1" }, { A: "3", B: "2" }]
    )
  })

  it("SHELL names the shell", () => {
    assert.strictEqual(entry("* * * * * x").shell, "/bin/sh")
    assert.strictEqual(entry("SHELL=/bin/bash", "* * * * * x").shell, "/bin/bash")
  })

  it("CRON_TIMEOUT is the seconds that a command may take; an hour without it", () => {
    assert.strictEqual(entry("* * * * * x").timeout, 3_600)
    assert.strictEqual(entry("CRON_TIMEOUT=1.5", "* * * * * x").timeout, 1.5)
  })

  it("is not a command that has a = in it", () => {
    assert.strictEqual(entry("* * * * * A=b x").command, "A=b x")
    assert.strictEqual(entry("@daily A=b x").command, "A=b x")
  })
})

describe("comments and empty lines", () => {
  it("are passed over, and a # in a command is none", () => {
    const { entries, problems } = parse("# * * * * * no", "", "   ", "  # no", "* * * * * yes # really", "")
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(
      entries.map(({ command, line }) => [line, command]),
      [[5, "yes # really"]]
    )
  })
})

describe("a bad line is named with file, line, column and field", () => {
  const cases: ReadonlyArray<readonly [title: string, line: string, problem: string | RegExp]> = [
    ["a minute out of its range", "60 * * * * x", /^tab:1:1: minute field: "60" is not valid: expected /],
    ["an hour out of its range", "0  25 * * * x", /^tab:1:4: hour field: "25" is not valid: expected /],
    ["a day that is none", "0 5 x * * x", /^tab:1:5: day field: "x" is not valid/],
    ["a month that is none", "0 5 * foo * x", /^tab:1:7: month field: "foo" is not valid/],
    ["a weekday that is none", "0 5 * * 8 x", /^tab:1:9: weekday field: "8" is not valid/],
    ["a wrong weekday where both days are needed", "0 5 */2 * 8 x", /^tab:1:11: weekday field: "\+?8" is not valid/],
    ["an inverted range", "9-5 * * * * x", /^tab:1:1: minute field: "9-5" is not valid/],
    ["too few fields", "0 5 * *", "tab:1:8: weekday field: is missing: 5 fields are expected"],
    ["no command", "0 5 * * *", "tab:1:10: command: is missing"],
    ["no command after a nickname", "@daily", "tab:1:7: command: is missing"],
    ["a nickname that is none", " @dayly x", /^tab:1:2: nickname: @dayly is not valid: expected one of @reboot/],
    ["a user, as in /etc/crontab", "17 * * * * root cd /", /^tab:1:12: user: a user field \("root"\) is not supported/],
    ["a user after a nickname", "@daily root cd /", /^tab:1:8: user: a user field/],
    ["seconds without CRON_SECONDS", "*/5 * * * * * x", /^tab:1:13: command: one field too many, or no CRON_SECONDS=1/],
    ["an unquoted empty value", "A=", `tab:1:1: A: expected a value, in matching quotes or none; "" for an empty one`],
    ["a quote that does not end", `A="b`, /^tab:1:1: A: expected a value, in matching quotes/],
    ["something after a quoted value", `A="b" c`, /^tab:1:1: A: expected a value, in matching quotes/],
    ["LOGNAME", "LOGNAME=root", /^tab:1:1: LOGNAME: is the name of the user/],
    ["CRON_SECONDS", "CRON_SECONDS=yes", `tab:1:1: CRON_SECONDS: "yes" is not valid: expected 0 or 1`],
    ["CRON_TIMEOUT", "CRON_TIMEOUT=-1", `tab:1:1: CRON_TIMEOUT: "-1" is not valid: expected a number of seconds`],
    ["CRON_TZ", "CRON_TZ=Mars/Base", `tab:1:1: CRON_TZ: unknown time zone "Mars/Base"; UTC stays in force`]
  ]
  it.each(cases)("%s", (_, line, problem) => {
    const [found, ...others] = problems(line)
    assert.deepStrictEqual(others, [])
    if (typeof problem === "string") assert.strictEqual(found, problem)
    else assert.match(found ?? "", problem)
  })

  it("and the other lines run", () => {
    const { entries, problems } = parse("* * * * * one", "* 25 * * * no", "A=", "* * * * * two")
    assert.deepStrictEqual(
      entries.map(({ command }) => command),
      ["one", "two"]
    )
    assert.deepStrictEqual(
      problems.map(({ line }) => line),
      [2, 3]
    )
  })
})

const ids = (...lines: ReadonlyArray<string>) => parse(...lines).entries.map(({ id }) => id)

describe("the id of a line", () => {
  it("is the same wherever the line stands, whatever its blanks and environment", () => {
    const [id] = ids("*/5 * * * * x")
    assert.strictEqual(ids("# new", "0 0 * * * y", "*/5 * * * * x")[1], id)
    assert.strictEqual(ids("PATH=/bin", "SHELL=/bin/bash", " */5\t*  * * *   x")[0], id)
  })

  it("is another one for another time, command or zone", () => {
    const all = [
      ...ids("*/5 * * * * x"),
      ...ids("*/5 * * * * y"),
      ...ids("*/6 * * * * x"),
      ...ids("CRON_TZ=Asia/Tokyo", "*/5 * * * * x"),
      ...ids("@daily x"),
      ...ids("@midnight x")
    ]
    assert.strictEqual(new Set(all).size, all.length)
  })

  it("is numbered where a line is there twice", () => {
    const [first, second, third] = ids("* * * * * x", "* * * * * x", "* * * * * x")
    assert.strictEqual(second, `${first}-2`)
    assert.strictEqual(third, `${first}-3`)
  })
})
