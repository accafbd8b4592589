import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { EndedRun } from "../../src/JobRun.ts"
import * as MemoryJobStore from "../../src/MemoryJobStore.ts"
import { Invariants } from "../../src/testing/index.ts"
import { check, differences, isSame } from "../../src/testing/internal/check.ts"
import { nodeA, numbers, range, run, runOf, schedule, t0, uuid } from "../../src/testing/internal/fixtures.ts"
import { makeProbe } from "../../src/testing/internal/probe.ts"

const empty: Invariants.Dump = { schedules: [], runs: [], history: [], nodes: [] }
const a = schedule("a", { counts: { fired: 1, skipped: 0, missed: 2, dropped: 0, paused: 0 }, nextAt: t0 + 9000 })
const running = (n: number, fields: Parameters<typeof run>[1] = {}) =>
  run(n, { state: "running", node: nodeA, ...fields })

const ended = (row: ReturnType<typeof run>): EndedRun => ({
  ...row,
  _tag: "Run",
  outcome: "failed",
  endedAt: t0,
  result: null,
  resultStored: true
})

describe("invariants", () => {
  const cases: ReadonlyArray<readonly [string, Invariants.Dump, Invariants.Expectations, RegExp]> = [
    [
      "a nominal time with two runs",
      { ...empty, runs: [runOf(a, 1)], history: [{ ...ended(runOf(a, 1)), id: uuid(9) }] },
      {},
      /^I1: two runs for a .* nominal/
    ],
    [
      "a run that is in history and unfinished",
      { ...empty, runs: [run(1)], history: [ended(run(1))] },
      {},
      /^I2: .* twice/
    ],
    ["a run that has vanished", empty, { created: [uuid(1)] }, /^I2: run .* has vanished/],
    ["a run that is left over at the end", { ...empty, runs: [run(1)] }, { finished: true }, /^I2: .* still pending/],
    [
      "an attempt that was executed twice",
      empty,
      { executions: [1, 2, 1].map((attempt) => ({ run: "r", attempt })) },
      /^I3: attempt executed twice: r 1$/
    ],
    [
      "a nominal time that was not counted",
      { ...empty, schedules: [a] },
      { count: () => 4 },
      /^I4: a has 4 times, 3 counted$/
    ],
    [
      "a counter without its rows",
      { ...empty, schedules: [a], runs: [runOf(a, 1)], history: [range(a, 2, { count: 1 })] },
      { wholeHistory: true },
      /^I4: a counts 2 missed, has 1$/
    ],
    [
      "a watermark that went back",
      { ...empty, schedules: [{ ...a, watermark: t0 + 1 }] },
      { previous: { ...empty, schedules: [{ ...a, watermark: t0 + 2 }] } },
      /^I5: a went back/
    ],
    [
      "a next time that was decided already",
      { ...empty, schedules: [{ ...a, nextAt: a.watermark }] },
      {},
      /^I5: a looks back/
    ],
    ["a watermark before the first", { ...empty, schedules: [{ ...a, watermark: t0 - 9 }] }, {}, /^I5: a is behind/],
    [
      "two running runs of a key",
      { ...empty, runs: [running(1, { key: "k" }), running(2, { key: "k" })] },
      {},
      /^I6: two running runs/
    ],
    [
      "a job above its limit",
      { ...empty, runs: [running(1), running(2)] },
      { jobs: [{ name: "job", queue: "default", concurrency: 1 }] },
      /^I7: 2 running of job job, limit 1$/
    ],
    [
      "a queue above its limit",
      { ...empty, runs: [running(1), running(2)] },
      { queues: { default: 1 } },
      /^I7: 2 running of queue default, limit 1$/
    ],
    ["a running run without a node", { ...empty, runs: [run(1, { state: "running" })] }, {}, /^I8: .* running on null/],
    [
      "a deferred run that waits for nothing",
      { ...empty, runs: [run(1, { state: "deferred" })] },
      {},
      /^I8: .* waits for/
    ],
    [
      "a run on a node that is long dead",
      { ...empty, runs: [running(1)] },
      { recovery: { now: t0, within: 2000 } },
      /^I8: run .* is still on .*, which is gone$/
    ]
  ]
  for (const [name, state, expected, line] of cases) {
    it(`find ${name}`, () => {
      const found = Invariants.violations(state, expected)
      assert.strictEqual(found.length, 1, found.join("\n"))
      assert.match(found[0]!, line)
    })
  }

  it.effect("hold for a store in order, which is dumped whole in pages", () =>
    Effect.gen(function* () {
      const store = yield* MemoryJobStore.make()
      const t = makeProbe(store)
      yield* t.put(...numbers(1, 2500).map((n) => schedule(`s${n}`, { nextAt: t0 + n })))
      yield* t.enqueue(...numbers(1, 2500).map((n) => run(n)))
      yield* t.succeed(...(yield* t.claim({ limit: 1200 })))
      const state = yield* Invariants.dump(store)
      assert.deepStrictEqual([state.schedules.length, state.runs.length, state.history.length], [2500, 1300, 1200])
      const created = numbers(1, 2500).map(uuid)
      assert.deepStrictEqual(Invariants.violations(state, { created, wholeHistory: true }), [])
    })
  )
})

describe("a failed expectation", () => {
  it.effect("says what differs, path by path", () =>
    Effect.gen(function* () {
      const actual = { items: [{ id: "a", n: 1 }, { id: "b" }], cursor: undefined }
      const expected = { items: [{ id: "a", n: 2 }], cursor: "x" }
      const failure = yield* Effect.flip(check(actual, expected, "the page"))
      assert.strictEqual(
        failure.message,
        [
          "the page",
          "value.items: has 2, not 1",
          "value.items[0].n: is 1, should be 2",
          'value.items[1]: is {"id":"b"}, should be undefined',
          'value.cursor: is undefined, should be "x"'
        ].join("\n  ")
      )
    })
  )

  it("takes a field that is absent for one that is undefined, and nothing else for equal", () => {
    assert.isTrue(isSame({ a: 1, b: undefined }, { a: 1 }))
    assert.isTrue(isSame({ a: 1 }, { a: 1, b: undefined }))
    for (const [x, y] of [
      [{ a: null }, {}],
      [[1], [1, 2]],
      [[], {}],
      [0, "0"]
    ]) {
      assert.isFalse(isSame(x, y))
      assert.isNotEmpty(differences(x, y))
    }
  })
})
