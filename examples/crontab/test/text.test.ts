import { assert, describe, it } from "@effect/vitest"
import { render } from "../src/render.ts"
import type { Message } from "../src/Report.ts"
import { column, painter, wantsColour } from "../src/text.ts"

describe("colour", () => {
  it("is for a terminal, and not where NO_COLOR is set", () => {
    assert.isTrue(wantsColour({ isTTY: true }, {}))
    assert.isTrue(wantsColour({ isTTY: true }, { NO_COLOR: "" }))
    assert.isFalse(wantsColour({ isTTY: true }, { NO_COLOR: "1" }))
    assert.isFalse(wantsColour({}, {}))
    assert.strictEqual(painter(true)("red", "x"), "\u001B[31mx\u001B[0m")
    assert.strictEqual(painter(false)("red", "x"), "x")
  })
})

describe("a line of the log", () => {
  const title = "*/5 * * * * a command that is so long that it does not fit into a line of a terminal"
  const about = { runId: "01a20833-1de3-73a9-93d3-3fe033463f3b", title }
  const run = {
    sequence: 1,
    at: 0,
    node: "n",
    store: "default",
    runId: about.runId,
    job: "crontab",
    scheduleId: "s",
    nominal: 0,
    cause: "nominal",
    attempt: 2,
    execution: 2
  }
  const messages: ReadonlyArray<Message> = [
    { _tag: "Output", ...about, line: "x".repeat(200) },
    { _tag: "LeftoverEnded", ...about, group: 4_194_304 },
    { _tag: "Synced", lines: 3, removed: 1, problems: 1 },
    { _tag: "Event", title, event: { _tag: "RunStarted", ...run, lateness: 3 } },
    {
      _tag: "Event",
      title,
      event: { _tag: "RunFailed", ...run, duration: 12_345, message: "m".repeat(99), nextAttemptAt: null }
    },
    { _tag: "Event", title, event: { _tag: "RunSucceeded", ...run, duration: 1_234, result: null, resultStored: true } }
  ]

  it("has 80 characters at most", () => {
    for (const message of messages) {
      const line = render({ at: 0, message }, painter(false))!
      assert.isAtMost(line.length, 80, line)
    }
  })

  it("says when, what, which line and which run", () => {
    assert.strictEqual(
      render({ at: 3_723_004, message: messages[5]! }, painter(false)),
      "01:02:03.004 ok        */5 * * * * a command that is so long that… 1.23 s #63f3b"
    )
  })

  it("keeps to its columns", () => {
    assert.strictEqual(column("ab", 4), "ab  ")
    assert.strictEqual(column("abcdef", 4), "abc…")
  })
})
