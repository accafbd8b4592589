/** All invariants, from what is stored and what the processes wrote down. */
import { bounded, onePerKey } from "./bounds.ts"
import { executionsOf, nameOf } from "./executions.ts"
import type { Facts, Verdict } from "./facts.ts"
import { recovered, silencesOf } from "./nodes.ts"
import { endedOnce, executedOnce, nominalOnce, repeated } from "./runs.ts"
import { accounted, forward } from "./times.ts"

const stopped = ({ failures, stopped: { asked, inOrder } }: Facts): Verdict => ({
  name: "I10",
  checked: `${inOrder} of ${asked} processes ended in order when they were told to`,
  wrong: [...failures, ...(asked === inOrder ? [] : [`${asked - inOrder} processes did not end, or with an error`])]
})

/** The verdicts on I1 to I8, and on the end of the processes. `periodOf` a schedule: milliseconds between its times. */
export const audit = (facts: Facts, periodOf: (id: string) => number): ReadonlyArray<Verdict> => [
  nominalOnce(facts),
  endedOnce(facts),
  executedOnce(facts),
  accounted(facts, periodOf),
  forward(facts),
  ...onePerKey(facts),
  ...bounded(facts),
  recovered(facts),
  stopped(facts)
]

/** What was seen, counted. */
export const seen = (facts: Facts) => {
  const executions = executionsOf(facts)
  const events = facts.logs.flatMap(({ lines }) => lines).filter((line) => line._tag === "Event")
  const subjects = (name: string) => events.filter((event) => event.name === name).map(({ subject }) => subject)
  const outcome = (name: string) => facts.rows.ended.filter((row) => row.outcome === name).length
  const silences = silencesOf(facts)
  return {
    executions: executions.length,
    repeats: executions.length - new Set(executions.map(({ run }) => run)).size,
    duplicates: repeated(executions.map(nameOf)).length,
    // Of a process that was killed, as many as it had written down.
    fenced: facts.logs.reduce(
      (sum, { lines }) => sum + Math.max(0, ...lines.map((line) => (line._tag === "Fenced" ? line.count : 0))),
      0
    ),
    "fenced nodes": subjects("NodeFenced").length,
    "reaped nodes": new Set(subjects("NodeReaped")).size,
    "outlasting freezes": silences.filter(({ deadAt, kind }) => kind === "freeze" && deadAt !== undefined).length,
    recoveries: facts.rows.ended.reduce((sum, { recoveries }) => sum + recoveries, 0),
    released: subjects("RunReleased").length,
    degraded: subjects("StoreDegraded").length,
    restarted: subjects("FiberRestarted").length,
    succeeded: outcome("succeeded"),
    failed: outcome("failed"),
    lost: outcome("lost"),
    expired: outcome("expired"),
    cancelled: outcome("cancelled"),
    skipped: outcome("skipped")
  }
}
