import { assert, describe, it } from "@effect/vitest"
import { audit, seen } from "../../chaos/audit/audit.ts"
import type { EndedRow, Facts, ProcessFact, Sample } from "../../chaos/audit/facts.ts"
import type { Line } from "../../chaos/log.ts"

const lease = 1_000

const ended = (id: string, startedAt: number, endedAt: number, fields: Partial<EndedRow> = {}): EndedRow => ({
  id,
  outcome: "succeeded",
  job: "Keyed",
  queue: "default",
  delivery: "atLeastOnce",
  scheduleId: null,
  generation: null,
  nominal: null,
  cause: "enqueue",
  attempt: 1,
  recoveries: 0,
  node: "one",
  startedAt,
  endedAt,
  n: 1,
  key: "k",
  ...fields
})

const nominal = (id: string, at: number): EndedRow =>
  ended(id, at, at + 10, { job: "Tick", scheduleId: "s", generation: "g", nominal: at, cause: "nominal", key: null })

const executed = (run: string, attempt: number, node: string, from: number, until?: number): ReadonlyArray<Line> => [
  { _tag: "Begin", at: from, run, attempt, node },
  ...(until === undefined ? [] : [{ _tag: "End" as const, at: until, run, attempt, how: "succeeded" }])
]

const sample = (at: number, fields: Partial<Sample> = {}): Sample => ({
  at,
  watermarks: [],
  running: [],
  ghosts: [],
  ...fields
})

/**
 * Two processes: the first is killed at 20,000 with `lost` in its hands, which the second, busy since 10,000, takes back
 * at 21,500 and ends. `a` and `b` have the same key, one after the other. A schedule has fired twice and missed one time.
 */
const sound: Facts = {
  ended: true,
  failures: [],
  stopped: { asked: 1, inOrder: 1 },
  took: 30_000,
  runs: 3,
  known: new Set(["a", "b", "lost"]),
  lease,
  maxRunning: 2,
  limits: { job: { Keyed: 1 }, queue: { default: 2 } },
  processes: [
    { pid: 1, startedAt: 9_000, killedAt: 20_000, frozen: [] },
    { pid: 2, startedAt: 9_000, killedAt: undefined, frozen: [] }
  ],
  rows: {
    schedules: [
      {
        id: "s",
        generation: "g",
        state: "paused",
        anchor: 1_000,
        firstWatermark: 1_000,
        watermark: 1_300,
        nextAt: null,
        counts: { fired: 2, skipped: 0, missed: 1, dropped: 0, paused: 0 }
      }
    ],
    ended: [
      nominal("s1", 1_100),
      nominal("s3", 1_300),
      ended("a", 10_000, 10_050),
      ended("b", 10_050, 10_100, { node: "two" }),
      ended("lost", 22_000, 22_050, { attempt: 2, recoveries: 1, node: "two" })
    ],
    ranges: [{ id: "r", kind: "missed", scheduleId: "s", generation: "g", first: 1_200, last: 1_200, count: 1 }],
    nodes: [
      { id: "one", startedAt: 9_000, deadAt: 21_500 },
      { id: "two", startedAt: 9_000, deadAt: null }
    ],
    distinct: { rows: 5, ids: 5 },
    unfinished: 0
  },
  samples: [
    sample(1_100, { watermarks: [{ id: "s", generation: "g", watermark: 1_100 }] }),
    sample(30_000, { running: [{ job: "Keyed", queue: "default", count: 1 }] })
  ],
  logs: [
    {
      pid: 1,
      lines: [
        { _tag: "Node", at: 1_000, node: "one" },
        ...executed("s1", 1, "one", 1_100, 1_110),
        ...executed("s3", 1, "one", 1_300, 1_310),
        ...executed("a", 1, "one", 10_010, 10_040),
        ...executed("lost", 1, "one", 19_990)
      ]
    },
    {
      pid: 2,
      lines: [
        { _tag: "Node", at: 9_000, node: "two" },
        ...executed("b", 1, "two", 10_060, 10_090),
        { _tag: "Event", at: 21_510, name: "NodeReaped", subject: "one" },
        { _tag: "Fenced", at: 21_600, count: 2 },
        { _tag: "Fenced", at: 21_700, count: 3 },
        ...executed("lost", 2, "two", 22_010, 22_040)
      ]
    }
  ]
}

const found = (facts: Facts): ReadonlyArray<string> =>
  audit(facts, () => 100).flatMap(({ name, wrong }) => wrong.map((line) => `${name}: ${line}`))

const rows = (fields: Partial<Facts["rows"]>): Facts => ({ ...sound, rows: { ...sound.rows, ...fields } })

const change = (id: string, fields: Partial<EndedRow>): Facts =>
  rows({ ended: sound.rows.ended.map((row) => (row.id === id ? { ...row, ...fields } : row)) })

const logged = (pid: number, ...lines: ReadonlyArray<Line>): Facts => ({
  ...sound,
  logs: sound.logs.map((log) => (log.pid === pid ? { pid, lines: [...log.lines, ...lines] } : log))
})

const process = (pid: number, fields: Partial<ProcessFact>): Facts => ({
  ...sound,
  processes: sound.processes.map((each) => (each.pid === pid ? { ...each, ...fields } : each))
})

const schedule = (fields: Partial<Facts["rows"]["schedules"][number]>): Facts =>
  rows({ schedules: [{ ...sound.rows.schedules[0]!, ...fields }] })

/** What is done to the sound history, and the beginning of what the audit must say. */
const tampered: ReadonlyArray<readonly [what: string, facts: Facts, says: string]> = [
  ["a nominal time has two runs", rows({ ended: [...sound.rows.ended, nominal("s4", 1_300)] }), "I1: two runs for s g"],
  [
    "a row of a run is gone",
    rows({ ended: sound.rows.ended.filter(({ id }) => id !== "a") }),
    "I2: run a has vanished"
  ],
  ["a run is in history twice", rows({ distinct: { rows: 6, ids: 5 } }), "I2: a run is in history twice"],
  ["a run is unfinished", rows({ unfinished: 1 }), "I2: 1 runs are unfinished"],
  ["fewer runs were enqueued than were to be", { ...sound, runs: 4 }, "I2: 4 runs were to be enqueued"],
  [
    "an attempt is executed by two processes",
    logged(2, ...executed("a", 1, "two", 11_000, 11_001)),
    "I3: attempt exec"
  ],
  [
    "history tells of an attempt that nobody executed",
    change("b", { attempt: 2 }),
    "I3: run b (Keyed, succeeded) ended"
  ],
  [
    "history tells of an attempt before the last",
    change("lost", { attempt: 1 }),
    "I3: run lost (Keyed, succeeded) end"
  ],
  ["what may run once has run twice", change("lost", { delivery: "atMostOnce" }), "I3: run lost may be executed once"],
  [
    "a run that has no row was executed",
    logged(2, ...executed("x", 1, "two", 23_000, 23_001)),
    "I3: run x was executed"
  ],
  ["a nominal time is not counted", schedule({ watermark: 1_400 }), "I4: s has 4 nominal times, 3 are counted"],
  ["a range is gone", rows({ ranges: [] }), "I4: s counts 1 missed, history has 0"],
  ["a run of a schedule has a time that is none", change("s3", { nominal: 1_250 }), "I4: s: run s3 has 1250"],
  ["a watermark went back", schedule({ watermark: 1_000 }), "I5: s went back from 1100 to 1000"],
  ["the next time is not after the watermark", schedule({ nextAt: 1_300 }), "I5: s looks back at 1300"],
  [
    "two runs of a key overlap in history",
    change("b", { startedAt: 10_049 }),
    "I6: Keyed k: a 1 (10000 to 10050) and b"
  ],
  [
    "a run of a key begins before another process's node with that key was marked dead",
    rows({ ended: [...sound.rows.ended, ended("c", 19_999, 20_005)], distinct: { rows: 6, ids: 6 } }),
    "I6: Keyed k: lost 1 (19990 to 20000) and c 1"
  ],
  ["more of a job run at once than may", change("b", { key: null, startedAt: 10_020 }), "I7: job Keyed: 2 at once"],
  [
    "more of a queue run at once than may",
    { ...sound, samples: [...sound.samples, sample(30_001, { running: [{ job: "x", queue: "default", count: 3 }] })] },
    "I7: queue default: 3 at once"
  ],
  [
    "more run in a process than may",
    logged(2, ...["b", "lost"].flatMap((run) => executed(run, 3, "two", 22_020, 22_030))),
    "I7: process 2: 3 at once"
  ],
  [
    "a dead node is never marked",
    rows({ nodes: [{ id: "one", startedAt: 9_000, deadAt: null }] }),
    "I8: process 1: kill at 20000, marked never"
  ],
  [
    "a dead node is marked late",
    rows({ nodes: [{ id: "one", startedAt: 9_000, deadAt: 23_500 }] }),
    "I8: process 1: kill at 20000, marked 23500"
  ],
  [
    "runs stay with a dead node",
    { ...sound, samples: [21_000, 23_000, 25_000].map((at) => sample(at, { ghosts: ["one"] })) },
    "I8: runs stay with the dead node one"
  ],
  [
    "a process does not end when it is told to",
    { ...sound, stopped: { asked: 2, inOrder: 1 } },
    "I10: 1 processes did"
  ],
  ["a process ended by itself", { ...sound, failures: ["process 1 ended"] }, "I10: process 1 ended"]
]

describe("the audit of a chaos run", () => {
  it("finds nothing wrong with a sound history", () => {
    assert.deepStrictEqual(found(sound), [])
  })

  for (const [what, facts, says] of tampered) {
    it(`sees that ${what}`, () => {
      const lines = found(facts)
      assert.isTrue(
        lines.some((line) => line.startsWith(says)),
        `says ${says}: ${lines.join("; ")}`
      )
    })
  }

  it("asks for no mark of a dead node where the only other process stood still", () => {
    const facts = process(2, { frozen: [{ from: 20_100, until: 29_000 }] })
    assert.deepStrictEqual(
      found({ ...facts, rows: { ...facts.rows, nodes: [{ id: "one", startedAt: 9_000, deadAt: null }] } }).filter(
        (line) => line.startsWith("I8")
      ),
      []
    )
  })

  it("takes what a frozen process does after its node was marked dead for fenced off", () => {
    // It wakes at 23,000, beside the second execution, and ends the first one.
    const facts = process(1, { killedAt: undefined, frozen: [{ from: 20_000, until: 23_000 }] })
    const lines = [{ _tag: "End" as const, at: 23_001, run: "lost", attempt: 1, how: "interrupted" }]
    assert.deepStrictEqual(found({ ...facts, logs: logged(1, ...lines).logs }), [])
  })

  it("takes no offence at an execution that begins on a node that was marked dead before", () => {
    const late = executed("a", 2, "one", 22_010, 22_020)
    assert.deepStrictEqual(
      found(logged(1, ...late)).filter((line) => line.startsWith("I6")),
      []
    )
  })

  it("counts repeats, fenced reports and freezes that outlasted their lease", () => {
    const counts = seen(process(1, { killedAt: undefined, frozen: [{ from: 20_000, until: 23_000 }] }))
    assert.strictEqual(counts.executions, 6)
    assert.strictEqual(counts.repeats, 1)
    assert.strictEqual(counts.duplicates, 0)
    assert.strictEqual(counts.fenced, 3)
    assert.strictEqual(counts["outlasting freezes"], 1)
    assert.strictEqual(counts["reaped nodes"], 1)
  })
})
