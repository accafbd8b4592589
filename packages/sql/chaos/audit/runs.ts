/** I1 to I3: each nominal time once, each run ended once, no attempt executed twice. */
import { type Execution, executionsOf, nameOf } from "./executions.ts"
import type { EndedRow, Facts, Verdict } from "./facts.ts"

export const repeated = (names: Iterable<string>): ReadonlyArray<string> => {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) (seen.has(name) ? twice : seen).add(name)
  return [...twice]
}

export const nominalOnce = ({ rows }: Facts): Verdict => {
  const fired = rows.ended.filter(({ nominal, scheduleId }) => scheduleId !== null && nominal !== null)
  return {
    name: "I1",
    checked: `${fired.length} nominal times that became runs, each one run`,
    wrong: repeated(
      fired.map(({ cause, generation, nominal, scheduleId }) => `${scheduleId} ${generation} ${nominal} ${cause}`)
    ).map((name) => `two runs for ${name}`)
  }
}

export const endedOnce = ({ ended, known, rows, runs }: Facts): Verdict => {
  const ids = new Set(rows.ended.map(({ id }) => id))
  const enqueued = rows.ended.filter(({ cause }) => cause === "enqueue").length
  return {
    name: "I2",
    checked: `${rows.distinct.ids} distinct runs in ${rows.distinct.rows} rows of history, ${enqueued} of them enqueued`,
    wrong: [
      ...(ended ? [] : ["the work was not done before the deadline"]),
      ...(rows.unfinished === 0 ? [] : [`${rows.unfinished} runs are unfinished`]),
      ...(rows.distinct.ids === rows.distinct.rows ? [] : ["a run is in history twice"]),
      ...(enqueued >= runs ? [] : [`${runs} runs were to be enqueued`]),
      ...(rows.unfinished > 0 ? [] : [...known].filter((id) => !ids.has(id)).map((id) => `run ${id} has vanished`))
    ]
  }
}

// Whatever else a run ends as, it may have been claimed once more and never begun.
const isExecuted = ({ outcome }: EndedRow) => outcome === "succeeded" || outcome === "failed"

export const executedOnce = (facts: Facts): Verdict => {
  const executions = executionsOf(facts)
  const byRun = Map.groupBy(executions, ({ run }) => run)
  const wrong = facts.rows.ended.flatMap((row) => wrongAttempts(row, byRun.get(row.id) ?? []))
  const ids = new Set(facts.rows.ended.map(({ id }) => id))
  return {
    name: "I3",
    checked: `${executions.length} executions of ${byRun.size} runs, the last of each the one in history`,
    wrong: [
      ...repeated(executions.map(nameOf)).map((name) => `attempt executed twice: ${name}`),
      ...(facts.rows.unfinished > 0 ? [] : [...byRun.keys()])
        .filter((id) => !ids.has(id))
        .map((id) => `run ${id} was executed and has no row`),
      ...wrong
    ]
  }
}

const wrongAttempts = (row: EndedRow, executions: ReadonlyArray<Execution>): ReadonlyArray<string> => {
  const highest = Math.max(0, ...executions.map(({ attempt }) => attempt))
  if (isExecuted(row) ? row.attempt !== highest : row.attempt < highest) {
    return [`run ${row.id} (${row.job}, ${row.outcome}) ended with attempt ${row.attempt}, ${highest} was executed`]
  }
  if (row.delivery === "atMostOnce" && executions.length > 1) {
    return [`run ${row.id} may be executed once, and was ${executions.length} times`]
  }
  return []
}
