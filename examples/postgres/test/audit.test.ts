import { assert, describe, it } from "@effect/vitest"
import { audit } from "../src/audit.ts"
import { ResizeImage, SendInvoice } from "../src/jobs.ts"
import type { Facts } from "../src/rows.ts"
import { isGood, summary, verdict } from "../src/summary.ts"
import { painter } from "../src/text.ts"

type Ended = Facts["ended"][number]
type Execution = Facts["executions"][number]

const ended = (id: string, job: string, at: number, rest: Partial<Ended> = {}): Ended => ({
  id,
  job,
  schedule: null,
  nominal: null,
  outcome: "succeeded",
  attempt: 1,
  recoveries: 0,
  node: "one",
  ended: at,
  ...rest
})

const execution = (run: string, from: number, until: number | null, rest: Partial<Execution> = {}): Execution => ({
  run,
  attempt: 1,
  node: "one",
  pid: 101,
  customer: null,
  began: from,
  ended: until,
  ...rest
})

const report = { schedule: "report", nominal: 1_000 }

/** Four images at once, two invoices of one customer one after the other, the first of them taken over from node two. */
const facts: Facts = {
  left: 0,
  ended: [
    ...["i1", "i2", "i3", "i4"].map((id) => ended(id, ResizeImage.jobName, 100)),
    ended("i5", ResizeImage.jobName, 200),
    ended("s1", SendInvoice.jobName, 90, { attempt: 2, recoveries: 1 }),
    ended("s2", SendInvoice.jobName, 120),
    ended("r1", "NightlyReport", 130, report)
  ],
  executions: [
    ...["i1", "i2", "i3", "i4"].map((run) => execution(run, 0, 99)),
    execution("i5", 100, 199),
    execution("s1", 0, null, { node: "two", pid: 102, customer: "c" }),
    execution("s1", 60, 89, { attempt: 2, customer: "c" }),
    execution("s2", 90, 119, { customer: "c" }),
    execution("r1", 110, 129)
  ],
  dead: [{ node: "two", at: 50 }]
}

const enqueued = ["i1", "i2", "i3", "i4", "i5", "s1", "s2"]

const withRow = (id: string, change: Partial<Ended>): Facts => ({
  ...facts,
  ended: facts.ended.map((row) => (row.id === id ? { ...row, ...change } : row))
})

const withExecution = (run: string, attempt: number, change: Partial<Execution>): Facts => ({
  ...facts,
  executions: facts.executions.map((each) =>
    each.run === run && each.attempt === attempt ? { ...each, ...change } : each
  )
})

describe("the audit", () => {
  it("has nothing to say of what is as promised", () => {
    const result = audit(facts, enqueued)
    assert.deepStrictEqual(result, { runs: 8, executions: 9, images: 4, invoices: 1, faults: [] })
    assert.isTrue(isGood(result))
    assert.strictEqual(
      verdict(result, painter(false)).at(-1),
      "Each of 8 runs ended once, no (run, attempt) ran twice, and the limits held."
    )
  })

  const tampered: ReadonlyArray<readonly [what: string, facts: Facts, fault: string]> = [
    ["a run that is left", { ...facts, left: 1 }, "1 runs have not ended"],
    [
      "a run that is nowhere",
      {
        ...facts,
        ended: facts.ended.filter(({ id }) => id !== "s2"),
        executions: facts.executions.filter(({ run }) => run !== "s2")
      },
      "run s2 did not end"
    ],
    [
      "a run that ended twice",
      { ...facts, ended: [...facts.ended, ended("i1", ResizeImage.jobName, 300)] },
      "run i1 ended more than once"
    ],
    [
      "a time with two runs",
      {
        ...facts,
        ended: [...facts.ended, ended("r2", "NightlyReport", 140, report)],
        executions: [...facts.executions, execution("r2", 131, 139)]
      },
      "report of 1000 has more than one run"
    ],
    ["a run that did not succeed", withRow("i2", { outcome: "lost" }), "run i2: lost"],
    [
      "an attempt that was executed twice",
      { ...facts, executions: [...facts.executions, execution("i3", 10, 20, { pid: 102 })] },
      "attempt 1 of run i3 was executed more than once"
    ],
    [
      "an end without an execution",
      withRow("i5", { attempt: 2 }),
      "attempt 2 of run i5 ended its run and was not executed to its end"
    ],
    [
      "an end of an execution that did not come to its end",
      withExecution("i5", 1, { ended: null }),
      "attempt 1 of run i5 ended its run and was not executed to its end"
    ],
    [
      "an execution of no run",
      { ...facts, executions: [...facts.executions, execution("x", 0, 1)] },
      "attempt 1 of run x was executed, and its run never ended"
    ],
    [
      "an execution that was broken off on a node that lives",
      { ...facts, dead: [] },
      "attempt 1 of run s1 has no end, and its node did not die"
    ],
    ["five images at once", withExecution("i5", 1, { began: 99 }), "5 images were resized at once, and 4 may be"],
    ["a key that two runs have", withExecution("s2", 1, { began: 89 }), "2 invoices of one customer were sent at once"],
    [
      "a key that a dead node still had",
      withExecution("s1", 2, { began: 49 }),
      "2 invoices of one customer were sent at once"
    ]
  ]

  for (const [what, changed, fault] of tampered) {
    it(`finds ${what}`, () => {
      const result = audit(changed, enqueued)
      assert.include(result.faults, fault)
      assert.isFalse(isGood(result))
      assert.match(verdict(result, painter(false)).at(-1)!, /^NOT as promised: \d+ faults? in \d+ runs\.$/)
    })
  }

  it("is not content with nothing at all", () => {
    assert.isFalse(isGood(audit({ left: 0, ended: [], executions: [], dead: [] }, [])))
  })
})

describe("the summary", () => {
  it("says where runs ended, and who had begun those that were recovered", () => {
    const processes = [
      { pid: 101, nodes: ["one"], end: "in order" },
      { pid: 102, nodes: ["two"], end: "killed" }
    ]
    assert.deepStrictEqual(summary(facts, processes, painter(false)), [
      "Runs by the process in which they ended, from history:",
      "process  node      end             SendInvoice  ResizeImage  NightlyReport  done",
      "    101  one       in order                  2            5              1     8",
      "    102  two       killed                    0            0              0     0",
      "",
      "Runs that were recovered, and where they ended:",
      "  run s1  SendInvoice    begun in 102, ended in 101 as attempt 2"
    ])
  })
})
