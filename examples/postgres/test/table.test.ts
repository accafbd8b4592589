import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestConsole } from "effect/testing"
import { newsOf } from "../src/board.ts"
import { isLive, make } from "../src/screen.ts"
import { type Board, table } from "../src/table.ts"
import { painter } from "../src/text.ts"
import type { Heard, Worker } from "../src/Workers.ts"

const id = (end: string) => `01a22069-8b59-72fe-931c-09c4${end}`

const board: Board = {
  nodes: [
    {
      pid: 4_194_304,
      node: id("117024d1"),
      state: "alive",
      lease: 1_849,
      runs: { SendInvoice: 5, ResizeImage: 2, NightlyReport: 1 },
      done: 12_345
    },
    { pid: 101, node: id("0000abcd"), state: "killed", lease: 312, runs: { SendInvoice: 8 }, done: 7 },
    { pid: 102, node: id("0000dcba"), state: "dead", lease: -73_000, runs: {}, done: 7 },
    { pid: 103, node: undefined, state: "starts", lease: undefined, runs: {}, done: 0 }
  ],
  pending: 123_456,
  running: 24,
  succeeded: 98_765,
  recovered: 31,
  news: [
    { at: 900, text: "first" },
    ...Array.from({ length: 5 }, () => ({ at: 4_000, text: "next" })),
    { at: 61_234, text: "x".repeat(200) }
  ]
}

describe("the table", () => {
  it("says who runs what, where a lease is, and the newest news", () => {
    assert.deepStrictEqual(table(board, painter(false)), [
      "process  node      state    lease  SendInvoice  ResizeImage  NightlyReport  done",
      "4194304  117024d1  alive    1.8 s            5            2              1 12345",
      "    101  0000abcd  killed   0.3 s            8            -              -     7",
      "    102  0000dcba  dead    passed            -            -              -     7",
      "    103            starts       -            -            -              -     0",
      "",
      "123456 pending  24 running  98765 succeeded  31 recovered",
      ...Array.from({ length: 5 }, () => "   4.0 s  next"),
      `  61.2 s  ${"x".repeat(69)}…`
    ])
  })

  it("has 80 columns at most, and no escape code unless it is painted", () => {
    for (const line of table(board, painter(false))) {
      assert.isAtMost(line.length, 80, line)
      assert.notInclude(line, "\u001B")
    }
    assert.include(table(board, painter(true))[1]!, "\u001B[32m")
  })

  it("keeps its height whatever there is to tell", () => {
    const height = table(board, painter(false)).length
    assert.strictEqual(table({ ...board, news: [] }, painter(false)).length, height)
  })
})

describe("the screen", () => {
  it("is drawn over on a terminal, and not where NO_COLOR is set", () => {
    assert.isTrue(isLive({ isTTY: true }, {}))
    assert.isTrue(isLive({ isTTY: true }, { NO_COLOR: "" }))
    assert.isFalse(isLive({ isTTY: true }, { NO_COLOR: "1" }))
    assert.isFalse(isLive({}, {}))
  })

  it.effect(
    "is where it is no terminal below the one before, without the lines that keep its height, and only if it changed",
    () =>
      Effect.gen(function* () {
        const { draw } = yield* make(false)
        yield* draw(["one", "", ""])
        yield* draw(["one", "", ""])
        yield* draw(["one", "two", ""])
        assert.deepStrictEqual(yield* TestConsole.logLines, ["\none", "\none\ntwo"])
      })
  )

  it.effect("goes back by as many lines as it drew, on a terminal", () =>
    Effect.gen(function* () {
      const { draw } = yield* make(true)
      yield* draw(["one", "two"])
      yield* draw(["one", "three"])
      const up = "\u001B[2A"
      assert.deepStrictEqual((yield* TestConsole.logLines).slice(1), [
        "\u001B[2Kone\n\u001B[2Ktwo",
        `${up}\u001B[2Kone\n\u001B[2Kthree`
      ])
    })
  )
})

const worker = (pid: number) => ({ pid }) as Worker

describe("the news", () => {
  const one = worker(1)
  const base = { sequence: 1, at: 0, node: id("00000001"), store: "default" }
  const recovered = (by: Worker, job: string): Heard => ({
    at: 2,
    by,
    told: {
      ...base,
      _tag: "RunRecovered",
      runId: id("00000003"),
      job,
      scheduleId: null,
      nominal: null,
      cause: "enqueue",
      attempt: 1,
      execution: 1,
      runAt: 0
    }
  })

  it("names processes, and tells of the runs that one recovers in one line", () => {
    const heard: ReadonlyArray<Heard> = [
      { at: 1, by: one, told: { ...base, _tag: "SchedulerStarted" } },
      { at: 2, by: one, told: { ...base, _tag: "NodeReaped", dead: id("0000000d") } },
      recovered(one, "SendInvoice"),
      recovered(one, "ResizeImage"),
      recovered(one, "SendInvoice"),
      recovered(worker(2), "SendInvoice"),
      { at: 3, by: one, told: { ...base, _tag: "NodeFenced", newNode: id("00000002"), runs: 3 } }
    ]
    assert.deepStrictEqual(
      newsOf(heard, (node) => (node === id("0000000d") ? worker(13) : undefined)).map(({ text }) => text),
      [
        "process 1 started as node 00000001",
        "process 1 saw the lease of process 13 pass, and marked it dead",
        "process 1 recovered 2 SendInvoice, 1 ResizeImage",
        "process 2 recovered 1 SendInvoice",
        "process 1 was taken for dead and goes on as node 00000002"
      ]
    )
  })
})
